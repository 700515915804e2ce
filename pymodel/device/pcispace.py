"""The configuration space of a modelled PCI function: header, capabilities, writable bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pymodel import spec
from pymodel.device.config import BarSpec
from pymodel.spec import CAP_FIELDS, PCI_CFG, CapType, PciCapId, PciCommand, PciStatus

LENGTH = 0x100
_COMMAND_BITS = PciCommand.IO | PciCommand.MEMORY | PciCommand.BUS_MASTER | PciCommand.INTX_DISABLE
_BAR_TYPES = {"mem32": 0x0, "mem64": 0x4, "io": 0x1}
_PREFETCHABLE = 0x8
_PCIE_LENGTH = 0x3C
_CAP_LENGTHS = {CapType.NOTIFY: spec.CAP_LENGTH_NOTIFY, CapType.PCI_CFG: spec.CAP_LENGTH_PCI_CFG}


@dataclass(frozen=True)
class Identity:
    """What the header says that the function is."""

    vendor_id: int
    device_id: int
    revision_id: int
    class_code: int
    subsystem_vendor_id: int
    subsystem_id: int


@dataclass(frozen=True)
class Structure:
    """A virtio capability: what it points to, and the notification multiplier where it has one."""

    cfg_type: CapType
    bar: int = 0
    offset: int = 0
    length: int = 0
    multiplier: int = 0


@dataclass(frozen=True)
class FunctionPlan:
    """All that a configuration space shows; `msix_table` and `msix_pba` are (BAR, offset)."""

    identity: Identity
    bars: Mapping[int, BarSpec]
    vectors: int
    msix_table: tuple[int, int]
    msix_pba: tuple[int, int]
    structures: tuple[Structure, ...]


class ConfigSpace:
    """256 bytes, a mask of writable bits, and the positions of the capabilities."""

    def __init__(self, plan: FunctionPlan) -> None:
        self.plan = plan
        self.data = bytearray(LENGTH)
        self.mask = bytearray(LENGTH)
        self.positions: dict[int, int] = {}
        self._tail = PCI_CFG["capabilities_pointer"].offset
        self._end = 0x40
        self._header(plan.identity)
        self._bars()
        self._msix()
        for structure in plan.structures:
            self._virtio(structure)
        self._pcie()
        self._initial = bytes(self.data)

    def reset(self) -> None:
        """Return to the state after power-on: BARs unassigned, command 0, MSI-X off."""
        self.data[:] = self._initial

    def get(self, offset: int, width: int) -> int:
        """Return a little-endian value."""
        return int.from_bytes(self.data[offset : offset + width], "little")

    def put(self, offset: int, width: int, value: int, writable: int = 0) -> None:
        """Set a value on the device's own account, and which of its bits the host may write."""
        self.data[offset : offset + width] = value.to_bytes(width, "little")
        self.mask[offset : offset + width] = writable.to_bytes(width, "little")

    def write(self, offset: int, data: bytes) -> None:
        """The host writes: only writable bits change."""
        for position, byte in enumerate(data, offset):
            if position < LENGTH:
                mask = self.mask[position]
                self.data[position] = self.data[position] & ~mask | byte & mask

    def field(self, name: str) -> int:
        """Return a field of the header."""
        return self.get(PCI_CFG[name].offset, PCI_CFG[name].width)

    def _header(self, identity: Identity) -> None:
        for name, value in vars(identity).items():
            self.put(PCI_CFG[name].offset, PCI_CFG[name].width, value)
        self.put(PCI_CFG["status"].offset, 2, PciStatus.CAPABILITIES)
        self.put(PCI_CFG["interrupt_pin"].offset, 1, 1)
        self.put(PCI_CFG["command"].offset, 2, 0, _COMMAND_BITS)
        self.put(PCI_CFG["interrupt_line"].offset, 1, 0, 0xFF)
        self.put(PCI_CFG["cache_line_size"].offset, 1, 0, 0xFF)

    def _bars(self) -> None:
        for index, bar in self.plan.bars.items():
            offset = PCI_CFG["bar0"].offset + 4 * index
            mask = -bar.size & (1 << 64) - 1
            low = _BAR_TYPES[bar.kind] | (_PREFETCHABLE if bar.prefetchable else 0)
            self.put(offset, 4, low, mask & 0xFFFF_FFFF)
            if bar.kind == "mem64":
                self.put(offset + 4, 4, 0, mask >> 32)

    def _append(self, kind: PciCapId, length: int) -> int:
        """Link a capability of `length` bytes to the list and return its position."""
        position, self._end = self._end, self._end + -(-length // 4) * 4
        self.data[self._tail] = position
        self.data[position] = kind
        self._tail = position + 1
        return position

    def _msix(self) -> None:
        if not self.plan.vectors:
            return
        position = self._append(PciCapId.MSIX, 12)
        self.positions[PciCapId.MSIX] = position
        control = spec.MSIX_CONTROL_ENABLE | spec.MSIX_CONTROL_FUNCTION_MASK
        self.put(position + spec.MSIX_CONTROL, 2, self.plan.vectors - 1, control)
        for offset, (bar, start) in (
            (spec.MSIX_TABLE, self.plan.msix_table),
            (spec.MSIX_PBA, self.plan.msix_pba),
        ):
            self.put(position + offset, 4, start | bar)

    def _virtio(self, structure: Structure) -> None:
        position = self._append(
            PciCapId.VENDOR, length := _CAP_LENGTHS.get(structure.cfg_type, spec.CAP_LENGTH)
        )
        values = {
            "cap_len": length,
            "cfg_type": structure.cfg_type,
            "bar": structure.bar,
            "offset": structure.offset,
            "length": structure.length,
        }
        for name, value in values.items():
            self.put(position + CAP_FIELDS[name].offset, CAP_FIELDS[name].width, value)
        if structure.cfg_type == CapType.NOTIFY:
            self.put(position + spec.CAP_NOTIFY_MULTIPLIER, 4, structure.multiplier)
        elif structure.cfg_type == CapType.PCI_CFG:
            self._open_window(position)

    def _open_window(self, position: int) -> None:
        self.positions[PciCapId.VENDOR] = position
        self.mask[position + CAP_FIELDS["bar"].offset] = 0xFF
        for offset in (CAP_FIELDS["offset"].offset, CAP_FIELDS["length"].offset, spec.CAP_PCI_CFG_DATA):
            self.put(position + offset, 4, 0, 0xFFFF_FFFF)

    def _pcie(self) -> None:
        position = self._append(PciCapId.PCI_EXPRESS, _PCIE_LENGTH)
        self.positions[PciCapId.PCI_EXPRESS] = position
        self.put(position + 2, 2, 0x0002)
        self.put(position + spec.PCIE_DEVICE_CAPABILITIES, 4, spec.PCIE_DEVICE_CAPABILITIES_FLR | 0x8000)
        self.put(position + spec.PCIE_DEVICE_CONTROL, 2, 0, 0xFFFF)

    @property
    def msix_control(self) -> int:
        """Message control of MSI-X; 0 without the capability."""
        position = self.positions.get(PciCapId.MSIX)
        return 0 if position is None else self.get(position + spec.MSIX_CONTROL, 2)

    @property
    def window(self) -> int | None:
        """Position of the PCI_CFG capability, None without one."""
        return self.positions.get(PciCapId.VENDOR)

    def touches_window(self, addr: int, length: int) -> bool:
        """Whether an access reaches pci_cfg_data, and so stands for an access to a BAR."""
        if self.window is None:
            return False
        data = self.window + spec.CAP_PCI_CFG_DATA
        return addr < data + 4 and data < addr + length

    @property
    def window_data(self) -> int:
        """Position of pci_cfg_data; raises LookupError without the capability."""
        if self.window is None:
            raise LookupError("there is no PCI_CFG capability")
        return self.window + spec.CAP_PCI_CFG_DATA

    def window_aim(self) -> Structure | None:
        """The BAR access that PCI_CFG stands for; None unless it is aligned and inside a structure."""
        if self.window is None:
            return None
        bar, offset, length = (
            self.get(self.window + CAP_FIELDS[name].offset, CAP_FIELDS[name].width)
            for name in ("bar", "offset", "length")
        )
        inside = any(
            s.cfg_type != CapType.PCI_CFG and s.bar == bar and s.offset <= offset < s.offset + s.length
            for s in self.plan.structures
        )
        aligned = length in (1, 2, 4) and offset % length == 0
        return Structure(CapType.PCI_CFG, bar, offset, length) if aligned and inside else None

    @property
    def wants_reset(self) -> bool:
        """Whether a function-level reset was asked for."""
        position = self.positions[PciCapId.PCI_EXPRESS] + spec.PCIE_DEVICE_CONTROL
        return bool(self.get(position, 2) & spec.PCIE_DEVICE_CONTROL_FLR)

    def set_interrupt_status(self, pending: bool) -> None:
        """Mirror ISR status into the PCI status register (virtio 1.4, 4.1.4.5.1)."""
        status = PciStatus.CAPABILITIES | (PciStatus.INTERRUPT if pending else PciStatus(0))
        self.put(PCI_CFG["status"].offset, 2, status)
