"""virtio-pci, the modern interface: the driver core's operations over a PCI function (virtio 1.4, 4.1)."""

from __future__ import annotations

from collections.abc import Sequence

from pymodel import spec
from pymodel.driver import errors
from pymodel.driver.config_ops import QueueRequest, Style
from pymodel.driver.function import Windows
from pymodel.driver.interrupts import InterruptMode
from pymodel.driver.pci_ops import PciOps
from pymodel.driver.regions import Regions
from pymodel.driver.structures import VirtioLayout, scan
from pymodel.layout import VirtioCap
from pymodel.ring.base import Virtqueue
from pymodel.ring.packed import PackedQueue
from pymodel.ring.split import SplitQueue
from pymodel.spec import COMMON_CFG, Feature, PciCommand, feature_mask
from pymodel.transport import Transport

MODERN_FEATURES = feature_mask(
    Feature.INDIRECT_DESC,
    Feature.EVENT_IDX,
    Feature.VERSION_1,
    Feature.ACCESS_PLATFORM,
    Feature.RING_PACKED,
    Feature.IN_ORDER,
    Feature.ORDER_PLATFORM,
    Feature.NOTIFICATION_DATA,
    Feature.NOTIF_CONFIG_DATA,
    Feature.RING_RESET,
    Feature.ADMIN_VQ,
    Feature.SUSPEND,
)
"""The device-independent features that this driver knows how to handle."""

FEATURE_WORDS = 4
ADMIN_QUEUE_SIZE = 16
OPTIONAL_REGISTERS = {
    Feature.NOTIF_CONFIG_DATA: "queue_notif_config_data",
    Feature.RING_RESET: "queue_reset",
    Feature.ADMIN_VQ: "admin_queue_num",
}


class VirtioPci(PciOps):
    """One virtio function; `enumerate` first, then hand it to VirtioDevice.

    With `window` all virtio structures are reached through the PCI_CFG capability. With ADMIN_VQ the first
    administration queue is set up beside the queues that the device's driver asks for, at most
    `admin_size` descriptors long; `admin_queue` is its index, None while there is none.
    """

    has_features_ok = True
    known_features = MODERN_FEATURES

    def __init__(
        self,
        transport: Transport,
        *,
        mode: InterruptMode = InterruptMode.PER_QUEUE,
        style: Style | None = None,
        window: bool = False,
        windows: Windows | None = None,
    ) -> None:
        super().__init__(transport, mode=mode, style=style, windows=windows)
        self.admin_size = ADMIN_QUEUE_SIZE
        self.admin_queue: int | None = None
        self._doorbells: dict[int, tuple[int, int]] = {}
        self._use_window = window
        self._layout: VirtioLayout | None = None
        self._regions = Regions(self.function)

    @property
    def layout(self) -> VirtioLayout:
        """The structures in use; raises DriverBug before `enumerate`."""
        if self._layout is None:
            raise self.log.error(errors.DriverBug, "the function was not enumerated")
        return self._layout

    def use_window(self, on: bool) -> None:
        """Reach the virtio structures through the PCI_CFG capability from now on, or through their BARs."""
        self._use_window = self._regions.through_window = on

    async def enumerate(self) -> None:
        """Find the function and its virtio structures, and let it become bus master.

        Raises NotVirtio, or CapabilityError where the function cannot be used.
        """
        await self.function.enumerate()
        await self.adopt()

    async def adopt(self) -> None:
        """Find the virtio structures of a function whose BARs and capabilities are known, as `enumerate`."""
        self.device_type = self.identify()
        self._layout = await scan(self.function)
        self._regions.layout = self._layout
        self._regions.through_window = self._use_window
        await self.interrupts.discover()
        await self.function.command(enable=PciCommand.BUS_MASTER)

    async def read_common(self, name: str) -> int:
        """Read a field of the common configuration structure."""
        field = COMMON_CFG[name]
        return await self._regions.read(self.layout.common, field.offset, field.width)

    async def write_common(self, name: str, value: int) -> None:
        """Write a field of the common configuration structure."""
        field = COMMON_CFG[name]
        await self._regions.write(self.layout.common, field.offset, field.width, value)

    def _device_cfg(self, offset: int, width: int) -> VirtioCap:
        cap = self.layout.device
        if cap is None or offset + width > cap.size:
            raise self.log.error(errors.CapabilityError, f"no device configuration at {offset:#x}..+{width}")
        return cap

    async def get_config(self, offset: int, width: int) -> int:
        """Read a device-specific configuration field."""
        return await self._regions.read(self._device_cfg(offset, width), offset, width)

    async def set_config(self, offset: int, width: int, value: int) -> None:
        """Write a device-specific configuration field."""
        await self._regions.write(self._device_cfg(offset, width), offset, width, value)

    async def generation(self) -> int:
        """Return config_generation."""
        return await self.read_common("config_generation")

    async def get_features(self) -> int:
        """Return the offered features whose registers the device has."""
        offered = 0
        for word in range(FEATURE_WORDS):
            await self.write_common("device_feature_select", word)
            offered |= await self.read_common("device_feature") << 32 * word
        for feature, name in OPTIONAL_REGISTERS.items():
            if COMMON_CFG[name].end > self.layout.common.size:
                offered &= ~feature_mask(feature)
        return offered

    async def finalize_features(self, features: int) -> None:
        """Write the accepted features."""
        for word in range(FEATURE_WORDS):
            await self.write_common("driver_feature_select", word)
            await self.write_common("driver_feature", features >> 32 * word & 0xFFFF_FFFF)
        self._features = features

    async def find_vqs(self, requests: Sequence[QueueRequest], features: int) -> list[Virtqueue]:
        """Map vectors, set up all queues, then enable them."""
        self.log.step = "find_vqs"
        self._features = features
        admin = await self._admin_request()
        await self.interrupts.setup([request.index for request in (*requests, *admin)])
        count = await self.read_common("num_queues")
        for request in requests:
            if request.index >= count:
                raise self.log.error(errors.QueueUnavailable, f"queue {request.index} of {count}")
            await self.setup_vq(request)
        for request in admin:
            await self.setup_vq(request)
        for index in self.queues:
            await self.write_common("queue_select", index)
            await self.write_common("queue_enable", 1)
        return list(self.queues.values())

    async def _admin_request(self) -> list[QueueRequest]:
        """Return the request for the first administration queue, if the device has any (4.1.4.3.2)."""
        self.admin_queue = None
        if self._has(Feature.ADMIN_VQ):
            first = await self.read_common("admin_queue_index")
            if await self.read_common("admin_queue_num"):
                self.admin_queue = first
                return [QueueRequest(first, self.admin_size)]
        return []

    async def setup_vq(self, request: QueueRequest) -> Virtqueue:
        """Configure one queue up to, but without, queue_enable (virtio 1.4, 4.1.5.1.3)."""
        await self.write_common("queue_select", request.index)
        size = await self._choose_size(request)
        queue = self.make_queue(request.index, size, self._features)
        self.queues[request.index] = queue
        for name, address in zip(
            ("queue_desc", "queue_driver", "queue_device"), queue.addresses, strict=True
        ):
            await self.write_common(name, address)
        await self.interrupts.map_queue(request.index)
        self._doorbells[request.index] = await self._doorbell(request.index)
        return queue

    def make_queue(self, index: int, size: int, features: int) -> Virtqueue:
        """Return a new virtqueue in the negotiated layout; a bench may bring another implementation."""
        if not features >> Feature.RING_PACKED & 1:
            return SplitQueue(index, size, self.memory, features, self.style.rng)
        queue = PackedQueue(index, size, self.memory, features, self.style.rng)
        queue.length_needs_write = self.style.length_needs_write
        queue.id_in_last_only = self.style.id_in_last_only
        return queue

    async def _choose_size(self, request: QueueRequest) -> int:
        offered = await self.read_common("queue_size")
        packed = self._has(Feature.RING_PACKED)
        if offered == 0 or await self.read_common("queue_enable"):
            raise self.log.error(
                errors.QueueUnavailable, f"queue {request.index} has size {offered} or is enabled"
            )
        if offered > spec.MAX_QUEUE_SIZE or (not packed and offered & (offered - 1)):
            raise self.log.error(
                errors.QueueUnavailable, f"queue {request.index} has the impossible size {offered}"
            )
        size = min(offered, request.size or offered)
        if not packed:
            size = 1 << size.bit_length() - 1
        if size != offered:
            await self.write_common("queue_size", size)
        return size

    async def _doorbell(self, index: int) -> tuple[int, int]:
        """Return (offset in the notification structure, value) for a queue (virtio 1.4, 4.1.4.4)."""
        cap = self.layout.notify
        offset = await self.read_common("queue_notify_off") * cap.multiplier
        width = 4 if self._has(Feature.NOTIFICATION_DATA) else 2
        if offset + width > cap.size or (cap.offset + offset) % width:
            raise self.log.error(
                errors.CapabilityError, f"queue {index}: doorbell at {offset:#x} of {cap.size:#x}"
            )
        if self._has(Feature.NOTIF_CONFIG_DATA):
            return offset, await self.read_common("queue_notif_config_data")
        return offset, index

    async def notify(self, queue: Virtqueue) -> None:
        """Ring a queue's doorbell (virtio 1.4, 4.1.5.2)."""
        offset, value = self._doorbells[queue.index]
        width = 2
        if self._has(Feature.NOTIFICATION_DATA):
            next_off, next_wrap = queue.position()
            value |= next_off << 16 | next_wrap << 31
            width = 4
        await self._regions.write(self.layout.notify, offset, width, value)

    async def read_isr(self) -> int:
        """Read ISR status, which clears it and takes INTx back."""
        return await self._regions.read(self.layout.isr, 0, 1)

    async def reset_vq(self, queue: Virtqueue) -> None:
        """Reset one queue and verify it (virtio 1.4, 2.6.1); its memory may be freed afterwards."""
        await self.write_common("queue_select", queue.index)
        await self.write_common("queue_reset", 1)
        await self._poll_zero("queue_reset")
        if await self.read_common("queue_enable"):
            raise self.log.error(errors.ResetTimeout, f"queue {queue.index} is reset but enabled")
        queue.destroy()
        self.queues.pop(queue.index, None)

    async def enable_vq(self, request: QueueRequest) -> Virtqueue:
        """Set a queue up again after `reset_vq`, with any size, and enable it."""
        queue = await self.setup_vq(request)
        await self.write_common("queue_enable", 1)
        return queue
