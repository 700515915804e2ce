"""virtio-pci, the legacy interface: a register block in BAR0, in I/O space (virtio 1.4, 4.1.4.10)."""

from __future__ import annotations

from collections.abc import Sequence

from pymodel import spec
from pymodel.driver import errors
from pymodel.driver.config_ops import QueueRequest
from pymodel.driver.pci_ops import PciOps
from pymodel.ring.base import Virtqueue
from pymodel.ring.legacy import LegacyQueue
from pymodel.spec import LEGACY_CFG, Feature, PciCommand, feature_mask

LEGACY_FEATURES = feature_mask(Feature.ANY_LAYOUT, Feature.INDIRECT_DESC, Feature.EVENT_IDX)
BAR = 0


class VirtioPciLegacy(PciOps):
    """One legacy or transitional virtio function; the guest and the device are little-endian."""

    has_features_ok = False
    known_features = LEGACY_FEATURES

    async def enumerate(self) -> None:
        """Find the function; raises NotVirtio unless it has a transitional id and an I/O BAR0."""
        await self.function.enumerate()
        self.device_type = self.identify()
        bar = self.function.bars.get(BAR)
        transitional = self.function.device_id < spec.MODERN_DEVICE_ID_BASE
        if not transitional or self.function.revision_id or bar is None or bar.kind != "io":
            raise self.log.error(errors.NotVirtio, "the function has no legacy interface")
        if self.function.subsystem_id != self.device_type:
            raise self.log.error(errors.NotVirtio, f"subsystem id {self.function.subsystem_id:#x}")
        await self.interrupts.discover()
        await self.function.command(enable=PciCommand.BUS_MASTER)

    async def read_common(self, name: str) -> int:
        """Read a register of the block; the two vectors exist while MSI-X is on."""
        field = LEGACY_CFG[name]
        return await self.function.bar_read(BAR, field.offset, field.width)

    async def write_common(self, name: str, value: int) -> None:
        """Write a register of the block."""
        field = LEGACY_CFG[name]
        await self.function.bar_write(BAR, field.offset, field.width, value)

    async def read_isr(self) -> int:
        """Read ISR status, which clears it and takes INTx back."""
        return await self.read_common("isr_status")

    def _config_base(self) -> int:
        """The device configuration moves while MSI-X is on."""
        msix = self.interrupts.msix
        return spec.LEGACY_CFG_LENGTH_MSIX if msix and msix.enabled else spec.LEGACY_CFG_LENGTH

    async def get_config(self, offset: int, width: int) -> int:
        """Read a device-specific configuration field; 64 bits as two dwords."""
        if width == 8:
            return await self.get_config(offset, 4) | await self.get_config(offset + 4, 4) << 32
        return await self.function.bar_read(BAR, self._config_base() + offset, width)

    async def set_config(self, offset: int, width: int, value: int) -> None:
        """Write a device-specific configuration field; 64 bits as two dwords."""
        if width == 8:
            await self.set_config(offset, 4, value & 0xFFFF_FFFF)
            await self.set_config(offset + 4, 4, value >> 32)
        else:
            await self.function.bar_write(BAR, self._config_base() + offset, width, value)

    async def generation(self) -> int | None:
        """The legacy interface has no generation."""
        return None

    async def get_features(self) -> int:
        """Return the 32 feature bits of the legacy interface."""
        return await self.read_common("device_features")

    async def finalize_features(self, features: int) -> None:
        """Write the accepted features; the device takes any subset."""
        self._features = features
        await self.write_common("driver_features", features)

    async def find_vqs(self, requests: Sequence[QueueRequest], features: int) -> list[Virtqueue]:
        """Map vectors and tell the device where the queues lie."""
        self.log.step = "find_vqs"
        await self.interrupts.setup([request.index for request in requests])
        return [await self._setup(request.index) for request in requests]

    async def _setup(self, index: int) -> Virtqueue:
        await self.write_common("queue_select", index)
        size = await self.read_common("queue_size")
        if size == 0 or size & (size - 1) or await self.read_common("queue_address"):
            raise self.log.error(errors.QueueUnavailable, f"queue {index} has size {size} or is in use")
        queue = LegacyQueue(index, size, self.memory, self._features, self.style.rng)
        self.queues[index] = queue
        await self.interrupts.map_queue(index)
        await self.write_common("queue_address", queue.page)
        return queue

    async def notify(self, queue: Virtqueue) -> None:
        """Ring a queue's doorbell."""
        await self.write_common("queue_notify", queue.index)

    async def reset_vq(self, queue: Virtqueue) -> None:
        """The legacy interface cannot reset a queue alone; raises DriverBug."""
        raise self.log.error(errors.DriverBug, "queue reset on the legacy interface")

    async def enable_vq(self, request: QueueRequest) -> Virtqueue:
        """The legacy interface cannot enable a queue alone; raises DriverBug."""
        raise self.log.error(errors.DriverBug, "queue enable on the legacy interface")
