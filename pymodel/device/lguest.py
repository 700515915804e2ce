"""lguest's host as a model: the descriptor page, its devices, and the notify hypercall."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from pymodel import lguest
from pymodel.device.backend import Backend
from pymodel.device.config import DeviceConfig
from pymodel.device.core import VirtioModel
from pymodel.device.host import ACCESS_PS, Host
from pymodel.events import BarRead, BarWrite, EventStream, Mark
from pymodel.layout import legacy_ring, legacy_ring_length
from pymodel.lguest import LGUEST_PAGE, LguestDevice, LguestLayout, LguestQueue
from pymodel.memory import HIGH_BASE, LOW_BASE, REGION_LENGTH, GuestMemory, Region
from pymodel.spec import LEGACY_PAGE_SIZE, Feature, feature_mask
from pymodel.transport import Interrupt

TOP = LOW_BASE + REGION_LENGTH
_DEVICE_PAGES = 256
_FEATURES = feature_mask(Feature.INDIRECT_DESC, Feature.EVENT_IDX, Feature.ANY_LAYOUT)
_FEATURE_BYTES = 4


def guest_memory() -> GuestMemory:
    """Memory up to `TOP`, the pages of devices and rings above it, and some more out of lguest's reach."""
    rings = Region.anonymous(TOP, _DEVICE_PAGES * LGUEST_PAGE)
    regions = [(LOW_BASE, REGION_LENGTH), (HIGH_BASE, REGION_LENGTH)]
    return GuestMemory([rings, *(Region.anonymous(base, length) for base, length in regions)])


class LguestModel(VirtioModel):
    """One device of the page; its registers are the bytes of its descriptor."""

    def __init__(
        self, host: Host, config: DeviceConfig, backend: Backend, page: bytearray, layout: LguestLayout
    ) -> None:
        super().__init__(host, config, backend)
        self.page = page
        self.layout = layout
        self.offered = (backend.features | _FEATURES) & (1 << 8 * _FEATURE_BYTES) - 1
        if layout is LguestLayout.FIRST:
            self.offered &= ~lguest.UNTYPED_FEATURES.get(backend.device_type, 0)
        self.place: LguestDevice | None = None
        self.legacy = True

    def may_master(self) -> bool:
        """The host reaches all memory."""
        return True

    def msix_enabled(self) -> bool:
        """There is no ISR status: each queue has an interrupt of its own."""
        return True

    def fire(self, vector: int) -> None:
        """Raise an interrupt by its number."""
        self.host.send(0, vector)

    @property
    def at(self) -> LguestDevice:
        """The descriptor; raises RuntimeError before the device was put into the page."""
        if self.place is None:
            raise RuntimeError("the device is not in the page")
        return self.place

    def store_status(self, value: int) -> None:
        """The guest stored its status byte."""
        if value:
            self._accept()
            self.write_legacy_status(value)
        self.show_status()

    def _accept(self) -> None:
        accepted = self.page[self.at.accepted : self.at.accepted + self.at.feature_length]
        self.accept_legacy_features(int.from_bytes(accepted, "little"))

    def config_changed(self) -> None:
        """The configuration changed on the device's own account: the page shows it."""
        at, data = self.at, self.backend.config()
        self.page[at.config : at.config + at.config_length] = data[: at.config_length]
        for offset, kind in lguest.TYPED_CONFIG.get(at.type, {}).items():
            place, length = at.fields.get(kind, (0, 0))
            self.page[place : place + length] = data[offset : offset + length]

    def show_status(self) -> None:
        """Let the page show the status."""
        self.page[self.at.status] = self.status

    def kick(self, index: int) -> bool:
        """A ring's page was notified; False (and ignored) while the status is 0."""
        if self.status == 0:
            return False
        bank = self.common.banks[index]
        if bank.ring is None:
            self._accept()
            record = self.at.queues[index]
            ring = legacy_ring(record.size, record.page * LEGACY_PAGE_SIZE, LEGACY_PAGE_SIZE)
            bank.size, bank.vector = record.size, record.interrupt
            bank.desc, bank.driver, bank.device = ring.desc, ring.avail, ring.used
            self.enable_queue(index)
        self.doorbell(index)
        return True

    def reset(self) -> None:
        """Zero status, the accepted half, the marks of used fields, and the rings."""
        super().reset()
        self.legacy = True
        at = self.place
        if at is None:
            return
        self.show_status()
        self.page[at.accepted : at.accepted + at.feature_length] = bytes(at.feature_length)
        if self.layout is LguestLayout.FIRST:
            places = [place for place, _ in at.fields.values()] + [record.position for record in at.queues]
            for place in [*places, at.features]:
                self.page[place - lguest.LGUEST_FIELD_HEADER] &= ~lguest.LGUEST_FIELD_USED
        for record in at.queues:
            length = legacy_ring_length(record.size, LEGACY_PAGE_SIZE)
            self.host.write(record.page * LEGACY_PAGE_SIZE, bytes(length))

    def request_reset(self) -> None:
        """The descriptor's own address was notified."""
        self._begin_reset()

    def need_reset(self, reason: str) -> None:
        """Stop; there is no configuration interrupt to tell it by."""
        super().need_reset(reason)
        self.show_status()


class LguestTransport:
    """The host of a page with several devices, as a Transport without PCI configuration space.

    `console` collects very early output, `warnings` what the host complains of.
    """

    def __init__(
        self,
        backends: Sequence[Backend],
        layout: LguestLayout,
        config: DeviceConfig | None = None,
        *,
        memory: GuestMemory | None = None,
        events: EventStream | None = None,
    ) -> None:
        self.memory = memory or guest_memory()
        self.events = events or EventStream()
        self.host = Host(self.memory, self.events)
        self.page = bytearray(LGUEST_PAGE)
        self.console = ""
        self.warnings: list[str] = []
        self.devices: list[LguestModel] = []
        self._backends = backends
        self._config = config or DeviceConfig()
        self._characters: deque[int] = deque()
        self._early = 0
        self._meaningless = 0
        self._compose(layout)

    def _compose(self, layout: LguestLayout) -> None:
        """Fill the page with descriptors of all devices, as new."""
        self.layout = layout
        self.page[:] = bytes(LGUEST_PAGE)
        self.devices.clear()
        self._next_page = TOP // LGUEST_PAGE + 1
        self._end = 0
        self._interrupts = 0
        for backend in self._backends:
            self._add(backend, self._config)

    def _add(self, backend: Backend, config: DeviceConfig) -> None:
        device = LguestModel(self.host, config, backend, self.page, self.layout)
        queues = [self._record(config.max_queue_size) for _ in range(backend.queue_count)]
        features = device.offered.to_bytes(_FEATURE_BYTES, "little")
        data = lguest.build(self.layout, backend.device_type, queues, features, backend.config())
        self.page[self._end : self._end + len(data)] = data
        device.place = lguest.parse(self.layout, self._end, data)
        self._end += len(data)
        self.devices.append(device)

    def _record(self, size: int) -> LguestQueue:
        self._interrupts += 1
        record = LguestQueue(0, size, self._interrupts, self._next_page)
        self._next_page += legacy_ring_length(size, LGUEST_PAGE) // LGUEST_PAGE
        return record

    async def config_read(self, addr: int, length: int) -> int:
        """There is no PCI configuration space: all ones, as where no function answers."""
        return (1 << 8 * length) - 1

    async def config_write(self, addr: int, length: int, value: int) -> None:
        """There is no PCI configuration space: lost."""

    async def bar_read(self, bar: int, addr: int, length: int) -> int:
        """Read the page, or in BAR 2 what the Launcher sees."""
        data = bytes(self.page[addr : addr + length])
        if bar == lguest.LGUEST_BAR_LAUNCHER:
            data = self._launcher(addr).to_bytes(4, "little")[:length]
        requested = self.host.time
        self.events.emit(BarRead(t=self.host.tick(ACCESS_PS), t_req=requested, bar=bar, addr=addr, data=data))
        self._settle()
        return int.from_bytes(data, "little")

    async def bar_write(self, bar: int, addr: int, length: int, value: int) -> None:
        """Store to the page, notify an address, or choose the layout."""
        data = value.to_bytes(length, "little")
        requested = self.host.time
        self.events.emit(
            BarWrite(t=self.host.tick(ACCESS_PS), t_req=requested, bar=bar, addr=addr, data=data)
        )
        if bar == lguest.LGUEST_BAR_NOTIFY:
            self._notified(value)
        elif bar == lguest.LGUEST_BAR_LAUNCHER:
            self._choose(addr, value)
        else:
            self._stored(addr, data)
        self._settle()

    def _launcher(self, addr: int) -> int:
        if addr == lguest.LGUEST_LAUNCHER_CONSOLE:
            return self._characters.popleft() | lguest.LGUEST_CHARACTER if self._characters else 0
        if addr == lguest.LGUEST_LAUNCHER_WARNINGS:
            return self._early & 0xFFFF | (self._meaningless & 0xFFFF) << 16
        first = self.layout is LguestLayout.FIRST
        return int(first) if addr == lguest.LGUEST_LAUNCHER_LAYOUT else 0

    def _choose(self, addr: int, value: int) -> None:
        if addr == lguest.LGUEST_LAUNCHER_LAYOUT and not any(device.status for device in self.devices):
            self._compose(LguestLayout.FIRST if value & 1 else LguestLayout.LATER)

    def _stored(self, addr: int, data: bytes) -> None:
        self.page[addr : addr + len(data)] = data
        for device in self.devices:
            at = device.at
            if addr <= at.status < addr + len(data):
                device.store_status(data[at.status - addr])
            if at.config <= addr < at.config + at.config_length:
                device.write_config(addr - at.config, data)

    def _notified(self, address: int) -> None:
        """Find out what an address means: a device, a ring, or a string below the top of memory."""
        for device in self.devices:
            if address == TOP + device.at.position:
                device.request_reset()
                return
            for index, record in enumerate(device.at.queues):
                if record.page == address // LEGACY_PAGE_SIZE:
                    if not device.kick(index):
                        self._early += 1
                        self._warn(f"device {self.devices.index(device)} gave early output")
                    return
        if address < TOP:
            text = self._string(address)
            self.console += text
            self._characters.extend(text.encode("latin-1"))
        else:
            self._meaningless += 1
            self._warn(f"a notification of {address:#x} means nothing")

    def _warn(self, text: str) -> None:
        self.warnings.append(text)
        self.events.emit(Mark(t=self.host.time, text=text))

    def _string(self, address: int) -> str:
        text = bytearray()
        while address < TOP and (byte := self.host.read(address, 1)) != b"\0":
            text += byte
            address += 1
        return text.decode("latin-1")

    def _settle(self) -> None:
        for device in self.devices:
            device.accessed()
            device.show_status()

    async def wait_interrupt(self, timeout_ns: int) -> Interrupt | None:
        """Let the devices work until one interrupts."""
        while not self.host.messages:
            if not timeout_ns or not any([device.work() for device in self.devices]):
                self.host.tick(timeout_ns * 1000)
                return None
        return self.host.messages.popleft()

    async def delay(self, ns: int) -> None:
        """Let the devices finish what they can, and time pass."""
        for device in self.devices:
            device.catch_up()
            device.show_status()
        self.host.tick(ns * 1000)

    async def reset(self, kind: str) -> None:
        """Reset all devices."""
        for device in self.devices:
            device.reset()

    def now(self) -> int:
        """Return the model's time in picoseconds."""
        return self.host.time
