"""lguest's bus: the driver core's operations over the descriptor page and one hypercall."""

from __future__ import annotations

from collections.abc import Sequence

from pymodel import lguest
from pymodel.driver import errors
from pymodel.driver.config_ops import Causes, QueueRequest, Style
from pymodel.driver.errors import AccessLog
from pymodel.driver.legacy import LEGACY_FEATURES
from pymodel.layout import SplitRing, legacy_ring
from pymodel.lguest import LguestDevice, LguestLayout, LguestQueue
from pymodel.memory import GuestMemory
from pymodel.ring.base import Virtqueue
from pymodel.ring.split import SplitQueue
from pymodel.spec import LEGACY_PAGE_SIZE
from pymodel.transport import Message, Transport


class HostQueue(SplitQueue):
    """A split virtqueue in pages that the host chose and zeroed."""

    def __init__(self, index: int, record: LguestQueue, memory: GuestMemory, features: int) -> None:
        self.record = record
        super().__init__(index, record.size, memory, features)

    def _place(self) -> SplitRing:
        return legacy_ring(self.size, self.record.page * LEGACY_PAGE_SIZE, LEGACY_PAGE_SIZE)


class LguestBus:
    """The page at guest-physical address `top`, which is also where memory ends."""

    def __init__(self, transport: Transport, layout: LguestLayout, top: int) -> None:
        self.transport = transport
        self.layout = layout
        self.top = top
        self.log = AccessLog()

    async def read(self, offset: int, length: int) -> bytes:
        """Read bytes of the page, one by one as the fields are unaligned."""
        found = [await self.transport.bar_read(lguest.LGUEST_BAR_PAGE, offset + i, 1) for i in range(length)]
        self.log.note("page_rd", f"{offset:#x}", length, int.from_bytes(bytes(found), "little"))
        return bytes(found)

    async def write(self, offset: int, data: bytes) -> None:
        """Write bytes of the page."""
        self.log.note("page_wr", f"{offset:#x}", len(data), int.from_bytes(data, "little"))
        for position, byte in enumerate(data, offset):
            await self.transport.bar_write(lguest.LGUEST_BAR_PAGE, position, 1, byte)

    async def notify(self, address: int) -> None:
        """Make the notify hypercall with a guest-physical address."""
        self.log.note("notify", f"{address:#x}", 4, address)
        await self.transport.bar_write(lguest.LGUEST_BAR_NOTIFY, 0, 4, address)

    async def scan(self) -> list[LguestDevice]:
        """Return all devices of the page; raises CapabilityError for a descriptor that runs out of it."""
        self.log.step = "scan"
        devices: list[LguestDevice] = []
        position, header = 0, lguest.header_length(self.layout)
        while position + header <= lguest.LGUEST_PAGE:
            data = await self.read(position, header)
            if data[0] == 0:
                break
            length = lguest.descriptor_length(self.layout, data)
            if position + length > lguest.LGUEST_PAGE:
                raise self.log.error(
                    errors.CapabilityError, f"the descriptor at {position:#x} leaves the page"
                )
            data += await self.read(position + header, length - header)
            try:
                devices.append(lguest.parse(self.layout, position, data))
            except ValueError as error:
                raise self.log.error(errors.CapabilityError, str(error)) from error
            position += length
        return devices

    async def early_output(self, text: str) -> None:
        """Print before any driver runs: notify the address of a zero-terminated string."""
        data = text.encode("latin-1") + b"\0"
        place = self.transport.memory.alloc(len(data))
        self.transport.memory.write(place.addr, data)
        await self.notify(place.addr)
        self.transport.memory.free(place)


class LguestOps:
    """One device of the page for VirtioDevice."""

    has_features_ok = False
    known_features = LEGACY_FEATURES

    def __init__(self, bus: LguestBus, device: LguestDevice, style: Style | None = None) -> None:
        self.bus = bus
        self.device = device
        self.memory = bus.transport.memory
        self.log = bus.log
        self.style = style or Style()
        self.device_type = device.type
        self.queues: dict[int, HostQueue] = {}
        self._features = 0

    @property
    def interrupting(self) -> bool:
        """Every queue has its interrupt."""
        return bool(self.queues)

    def _place(self, offset: int, width: int) -> int:
        """Return where in the page a configuration field lies."""
        if self.bus.layout is LguestLayout.LATER:
            if offset + width > self.device.config_length:
                raise self.log.error(errors.CapabilityError, f"no configuration at {offset:#x}")
            return self.device.config + offset
        kind = lguest.TYPED_CONFIG.get(self.device_type, {}).get(offset)
        place, length = self.device.fields.get(kind, (0, 0)) if kind is not None else (0, 0)
        if length != width:
            raise self.log.error(
                errors.CapabilityError, f"no typed field for the configuration at {offset:#x}"
            )
        return place

    async def _mark(self, place: int) -> None:
        """Show the host that a typed field was found and used."""
        if self.bus.layout is LguestLayout.FIRST:
            position = place - lguest.LGUEST_FIELD_HEADER
            kind = (await self.bus.read(position, 1))[0]
            await self.bus.write(position, bytes([kind | lguest.LGUEST_FIELD_USED]))

    async def get_config(self, offset: int, width: int) -> int:
        """Read a configuration field."""
        place = self._place(offset, width)
        await self._mark(place)
        return int.from_bytes(await self.bus.read(place, width), "little")

    async def set_config(self, offset: int, width: int, value: int) -> None:
        """Write a configuration field."""
        await self.bus.write(self._place(offset, width), value.to_bytes(width, "little"))

    async def generation(self) -> int | None:
        """The page has no generation."""
        return None

    async def get_status(self) -> int:
        """Return the status byte."""
        return (await self.bus.read(self.device.status, 1))[0]

    async def set_status(self, status: int) -> None:
        """Write the status byte; 0 is refused, because only `reset` may bring it."""
        if status == 0:
            raise self.log.error(errors.DriverBug, "set_status(0): call reset()")
        await self.bus.write(self.device.status, bytes([status]))

    async def reset(self) -> None:
        """Notify the descriptor's own address and wait until the status is 0; raises ResetTimeout."""
        timing = self.style.timing
        await self.bus.notify(self.bus.top + self.device.position)
        deadline = self.now() + timing.reset_ns * 1000
        while status := await self.get_status():
            if self.now() >= deadline:
                raise self.log.error(errors.ResetTimeout, f"the status still reads {status:#x}")
            await self.delay(timing.poll_ns)

    async def get_features(self) -> int:
        """Return the offered half of the bitmap, and what typed fields offer by their presence."""
        offered = int.from_bytes(
            await self.bus.read(self.device.features, self.device.feature_length), "little"
        )
        await self._mark(self.device.features)
        for kind, feature in lguest.FIELD_FEATURES.items():
            if kind in self.device.fields:
                offered |= 1 << feature
        return offered

    async def finalize_features(self, features: int) -> None:
        """Write the accepted half of the bitmap."""
        self._features = features
        length = self.device.feature_length
        await self.bus.write(self.device.accepted, features.to_bytes(4, "little")[:length])

    async def find_vqs(self, requests: Sequence[QueueRequest], features: int) -> list[Virtqueue]:
        """Use the rings where the host put them; raises QueueUnavailable for one that it did not."""
        self.log.step = "find_vqs"
        for request in requests:
            if request.index >= len(self.device.queues):
                raise self.log.error(errors.QueueUnavailable, f"queue {request.index} has no record")
            record = self.device.queues[request.index]
            await self._mark(record.position)
            self.queues[request.index] = HostQueue(request.index, record, self.memory, self._features)
        return list(self.queues.values())

    async def del_vqs(self) -> None:
        """Forget the queues of a device that was reset."""
        self.queues.clear()

    async def notify(self, queue: Virtqueue) -> None:
        """Notify the ring's page."""
        await self.bus.notify(self.device.queues[queue.index].page * LEGACY_PAGE_SIZE)

    async def reset_vq(self, queue: Virtqueue) -> None:
        """lguest cannot reset a queue alone; raises DriverBug."""
        raise self.log.error(errors.DriverBug, "queue reset on lguest")

    async def enable_vq(self, request: QueueRequest) -> Virtqueue:
        """lguest cannot enable a queue alone; raises DriverBug."""
        raise self.log.error(errors.DriverBug, "queue enable on lguest")

    async def wait_interrupt(self, timeout_ns: int) -> Causes | None:
        """Return the queues whose interrupt came; the message's data is the interrupt's number."""
        interrupt = await self.bus.transport.wait_interrupt(timeout_ns)
        if not isinstance(interrupt, Message):
            return None
        numbers = {index: record.interrupt for index, record in enumerate(self.device.queues)}
        mine = (index for index in self.queues if numbers[index] == interrupt.data)
        return Causes(frozenset(mine))

    async def freeze(self) -> None:
        """There is no bus to put away."""

    async def thaw(self) -> None:
        """There is no bus to bring back."""

    async def delay(self, ns: int) -> None:
        """Let time pass."""
        await self.bus.transport.delay(ns)

    def now(self) -> int:
        """Return the device's time in picoseconds."""
        return self.bus.transport.now()
