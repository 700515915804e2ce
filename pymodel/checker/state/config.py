"""PCI configuration space as reads and writes showed it: capabilities, command, MSI-X, the PCI_CFG window."""

from __future__ import annotations

from dataclasses import dataclass, field

from pymodel import spec
from pymodel.vtrace import CONFIG_LENGTH, Header

COMMAND = spec.PCI_CFG["command"].offset
POINTER = spec.PCI_CFG["capabilities_pointer"].offset
_LIST_START, _LIST_END, _LIST_MAX = 0x40, 0x100, 48
_LONGEST = 24
"""Bytes that a walk looks at of a capability."""
_KIND = {
    spec.CapType.COMMON: "common",
    spec.CapType.NOTIFY: "notify",
    spec.CapType.ISR: "isr",
    spec.CapType.DEVICE: "device",
}
_DEFAULT_LENGTH = 4096
_SR_IOV = 0x10


@dataclass(slots=True)
class Capability:
    """A capability at byte `position`; None where no read showed a field."""

    position: int
    id: int
    next: int | None = None
    length: int | None = None
    cfg_type: int | None = None
    bar: int | None = None
    region_id: int | None = None
    offset: int | None = None
    size: int | None = None
    multiplier: int | None = None
    offset_hi: int | None = None
    size_hi: int | None = None
    vendor_id: int | None = None

    @property
    def virtio(self) -> bool:
        """Whether it is a virtio structure capability."""
        return self.id == spec.PciCapId.VENDOR


@dataclass(slots=True)
class Place:
    """A structure in BAR space: its kind, and where."""

    kind: str
    bar: int
    offset: int
    length: int
    multiplier: int = 0


@dataclass(slots=True)
class MsixState:
    """MSI-X as the host set it; None where it was never observed."""

    position: int | None = None
    entries: int | None = None
    enabled: bool | None = None
    masked: bool | None = None
    table: dict[int, list[int | None]] = field(default_factory=dict)

    def row(self, entry: int) -> list[int | None]:
        """Return the four dwords of a table entry."""
        return self.table.setdefault(entry, [None] * 4)

    def entry_masked(self, entry: int) -> bool | None:
        """Whether the entry's mask bit is set."""
        control = self.table[entry][3] if entry in self.table else None
        return None if control is None else bool(control & spec.MSIX_ENTRY_MASKED)

    def candidates(self, addr: int, data: int) -> frozenset[int] | None:
        """Return the entries that hold this message; None if it may be one that is not known."""
        wanted = [addr & 0xFFFFFFFF, addr >> 32, data]
        found = frozenset(entry for entry, row in self.table.items() if row[:3] == wanted)
        if not found and (not self.table or any(None in row[:3] for row in self.table.values())):
            return None
        return found


class ConfigState:
    """Everything known of configuration space."""

    def __init__(self, header: Header) -> None:
        self._data = bytearray(CONFIG_LENGTH)
        self._known = bytearray(CONFIG_LENGTH)
        self._layout = header.layout
        self.capabilities: list[Capability] = []
        self.complete = False
        self.places: list[Place] = []
        self.msix = MsixState()
        self.window: int | None = None
        self.window_used = False
        self.pcie: int | None = None
        self.command: int | None = None
        self.observed = False
        # Where the last walk looked: no other byte changes what it found, unless one was written since.
        self._walked, self._stale = [POINTER], False
        if header.layout is not None:
            self._take_layout()

    def _take_layout(self) -> None:
        layout = self._layout
        assert layout is not None
        for kind in ("common", "notify", "isr", "device"):
            region = getattr(layout, kind)
            if region is not None:
                place = Place(kind, region.bar, region.offset, region.length, region.multiplier)
                self.places.append(place)
        self.msix.entries = layout.msix_entries

    @property
    def control(self) -> tuple[bool | None, bool | None]:
        """MSI-X enable and function mask."""
        return self.msix.enabled, self.msix.masked

    def value(self, offset: int, length: int) -> int | None:
        """Return a little-endian integer if every byte of it is known."""
        if offset + length > CONFIG_LENGTH or 0 in self._known[offset : offset + length]:
            return None
        return int.from_bytes(self._data[offset : offset + length], "little")

    def read(self, addr: int, data: bytes) -> None:
        """The host read these bytes."""
        self.observed = True
        end = addr + len(data)
        news = 0 in self._known[addr:end] or self._data[addr:end] != data
        self._data[addr:end] = data
        self._known[addr:end] = b"\1" * len(data)
        if not news:
            return
        if addr <= COMMAND < end and end >= COMMAND + 2:
            self.command = self.value(COMMAND, 2)
        if end > POINTER and addr < _LIST_END and self._concerns_walk(addr, end):
            self._walk()
        self._take_control(addr, end)

    def _concerns_walk(self, addr: int, end: int) -> bool:
        """Whether another walk may find more than the last one did."""
        return self._stale or any(addr < start + _LONGEST and end > start for start in self._walked)

    def write(self, addr: int, data: bytes) -> bool:
        """The host wrote these bytes; returns whether that begins a function-level reset."""
        self.observed = self._stale = True
        for index, byte in enumerate(data):
            self._write_byte(addr + index, byte)
        end = addr + len(data)
        if addr < COMMAND + 2 and end > COMMAND:
            self.command = self.value(COMMAND, 2)
        self._take_control(addr, end)
        return self._starts_flr(addr, data)

    def _write_byte(self, offset: int, byte: int) -> None:
        window = self.window
        writable = COMMAND <= offset < COMMAND + 2
        if window is not None and window <= offset < window + spec.CAP_LENGTH_PCI_CFG:
            inner = offset - window
            writable = inner == 4 or 8 <= inner < 16
            self.window_used = True
        if self.msix.position is not None and offset == self.msix.position + spec.MSIX_CONTROL + 1:
            byte = byte & 0xC0 | self._data[offset] & 0x3F
            writable = True
        if writable:
            self._data[offset] = byte
            self._known[offset] = 1

    def _take_control(self, addr: int, end: int) -> None:
        position = self.msix.position
        if position is None or self._layout is not None:
            return
        offset = position + spec.MSIX_CONTROL
        if addr < offset + 2 and end > offset:
            high = self.value(offset + 1, 1)
            if high is not None:
                self.msix.enabled = bool(high << 8 & spec.MSIX_CONTROL_ENABLE)
                self.msix.masked = bool(high << 8 & spec.MSIX_CONTROL_FUNCTION_MASK)

    def _starts_flr(self, addr: int, data: bytes) -> bool:
        if self.pcie is None:
            return False
        offset = self.pcie + spec.PCIE_DEVICE_CONTROL + 1
        if not addr <= offset < addr + len(data):
            return False
        able = self.value(self.pcie + spec.PCIE_DEVICE_CAPABILITIES, 4)
        bit = data[offset - addr] << 8 & spec.PCIE_DEVICE_CONTROL_FLR
        # The bit asks for a reset wherever it is not known to be reserved.
        return bool(bit and (able is None or able & spec.PCIE_DEVICE_CAPABILITIES_FLR))

    def reset(self) -> None:
        """A reset below virtio put command, MSI-X control and table back to their defaults."""
        self.command = 0 if self.observed else None
        self._stale = True
        if self._layout is None:
            self.msix.enabled = False if self.msix.position is not None or self.complete else None
            self.msix.masked = False if self.msix.enabled is not None else None
        self.msix.table.clear()
        for offset in (COMMAND, COMMAND + 1):
            self._data[offset] = 0
        if self.msix.position is not None:
            self._data[self.msix.position + spec.MSIX_CONTROL + 1] &= 0x07

    def _walk(self) -> None:
        """Follow the capability list as far as it is known."""
        found: list[Capability] = []
        self._walked, self._stale = [POINTER], False
        position = self.value(POINTER, 1)
        complete = False
        seen: set[int] = set()
        while position is not None:
            position &= 0xFC
            if position < _LIST_START or position in seen or len(found) > _LIST_MAX:
                complete = position == 0
                break
            seen.add(position)
            self._walked.append(position)
            kind = self.value(position, 1)
            if kind is None:
                break
            capability = self._capability(position, kind)
            found.append(capability)
            position = capability.next
        self.capabilities, self.complete = found, complete
        self._take_capabilities()

    def _capability(self, position: int, kind: int) -> Capability:
        capability = Capability(position, kind, next=self.value(position + 1, 1))
        if kind == spec.PciCapId.VENDOR:
            capability.length = self.value(position + 2, 1)
            capability.cfg_type = self.value(position + 3, 1)
            capability.bar = self.value(position + 4, 1)
            capability.region_id = self.value(position + 5, 1)
            capability.vendor_id = self.value(position + 4, 2)
            capability.offset = self.value(position + 8, 4)
            capability.size = self.value(position + 12, 4)
            capability.multiplier = self.value(position + 16, 4)
            capability.offset_hi = self.value(position + 16, 4)
            capability.size_hi = self.value(position + 20, 4)
        return capability

    def _take_capabilities(self) -> None:
        places: list[Place] = []
        for capability in self.capabilities:
            if capability.id == spec.PciCapId.PCI_EXPRESS:
                self.pcie = capability.position
            elif capability.id == spec.PciCapId.MSIX:
                self._take_msix(capability.position, places)
            elif capability.virtio and capability.cfg_type == spec.CapType.PCI_CFG:
                self.window = capability.position
            elif capability.virtio:
                self._take_place(capability, places)
        if self._layout is None:
            self.places = places
            if self.complete and self.msix.position is None:
                self.msix.enabled = False

    def _take_place(self, capability: Capability, places: list[Place]) -> None:
        kind = _KIND.get(spec.CapType(capability.cfg_type)) if capability.cfg_type in _KIND else None
        if kind is None or capability.bar is None or capability.offset is None or capability.bar > 5:
            return
        size = _DEFAULT_LENGTH if capability.size is None else capability.size
        multiplier = capability.multiplier or 0
        places.append(Place(kind, capability.bar, capability.offset, size, multiplier))

    def _take_msix(self, position: int, places: list[Place]) -> None:
        if self._layout is not None:
            return
        self.msix.position = position
        control = self.value(position + spec.MSIX_CONTROL, 2)
        if control is not None:
            self.msix.entries = (control & spec.MSIX_CONTROL_SIZE_MASK) + 1
        for kind, offset in (("msix-table", spec.MSIX_TABLE), ("msix-pba", spec.MSIX_PBA)):
            word = self.value(position + offset, 4)
            if word is not None:
                entries = self.msix.entries or 2048
                length = entries * spec.MSIX_ENTRY_LENGTH if kind == "msix-table" else -(-entries // 64) * 8
                places.append(Place(kind, word & 7, word & ~7, length))
        self._take_control(position, position + 4)

    def locate(self, bar: int, addr: int) -> Place | None:
        """Return the structure that holds this byte of BAR space."""
        for place in self.places:
            if place.bar == bar and place.offset <= addr < place.offset + place.length:
                return place
        return None

    def window_target(self) -> tuple[int, int, int] | None:
        """Return (bar, offset, length) that the PCI_CFG window points at, if all are known."""
        if self.window is None:
            return None
        bar, offset = self.value(self.window + 4, 1), self.value(self.window + 8, 4)
        length = self.value(self.window + 12, 4)
        return None if bar is None or offset is None or length is None else (bar, offset, length)

    def read_table(self, offset: int, data: bytes) -> bool:
        """The host read `data` at byte `offset` of the MSI-X table; returns whether a dword changed."""
        changed = False
        for index in range(0, len(data) - 3, 4):
            entry, dword = divmod((offset + index) // 4, 4)
            value = int.from_bytes(data[index : index + 4], "little")
            mask = (0xFFFFFFFC, 0xFFFFFFFF, 0xFFFFFFFF, spec.MSIX_ENTRY_MASKED)[dword]
            known = self.msix.row(entry)[dword]
            changed = changed or (known is not None and (known ^ value) & mask != 0)
            self.msix.row(entry)[dword] = value
        return changed

    def sr_iov(self) -> int | None:
        """Return the position of the SR-IOV extended capability, 0 if there is none, None if unknown."""
        if self.complete and self.pcie is None:
            return 0
        position, seen = 0x100, 0
        while (word := self.value(position, 4)) is not None and seen < 64:
            if word & 0xFFFF == _SR_IOV:
                return position
            position, seen = word >> 20 & 0xFFC, seen + 1
            if not position:
                return 0
        return None

    def write_table(self, offset: int, data: bytes) -> None:
        """The host wrote `data` at byte `offset` of the MSI-X table."""
        for index in range(0, len(data) - 3, 4):
            entry, dword = divmod((offset + index) // 4, 4)
            self.msix.row(entry)[dword] = int.from_bytes(data[index : index + 4], "little")
