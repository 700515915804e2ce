"""The configuration space of a modelled PCI function: header, capabilities, writable bits."""

from __future__ import annotations

from pymodel import spec
from pymodel.device.backend import Backend
from pymodel.device.config import DeviceConfig
from pymodel.spec import CAP_FIELDS, PCI_CFG, CapType, PciCapId, PciCommand, PciStatus

LENGTH = 0x100
_COMMAND_BITS = PciCommand.IO | PciCommand.MEMORY | PciCommand.BUS_MASTER | PciCommand.INTX_DISABLE
_BAR_TYPES = {"mem32": 0x0, "mem64": 0x4, "io": 0x1}
_PCIE_LENGTH = 0x3C


class ConfigSpace:
    """256 bytes, a mask of writable bits, and the positions of the capabilities."""

    def __init__(self, config: DeviceConfig, backend: Backend) -> None:
        self.config = config
        self.data = bytearray(LENGTH)
        self.mask = bytearray(LENGTH)
        self.positions: dict[int, int] = {}
        self._tail = PCI_CFG["capabilities_pointer"].offset
        self._end = 0x40
        self._header(backend)
        self._bars()
        self._msix()
        self._virtio(bool(backend.config()))
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

    def _header(self, backend: Backend) -> None:
        kind = backend.device_type
        old = self.config.transitional
        values = {
            "vendor_id": spec.VENDOR_ID,
            "device_id": spec.TRANSITIONAL_DEVICE_ID[kind] if old else spec.MODERN_DEVICE_ID_BASE + kind,
            "revision_id": 0 if old else 1,
            "class_code": backend.class_code,
            "subsystem_vendor_id": spec.VENDOR_ID,
            "subsystem_id": kind if old else 0x40 + kind,
            "status": PciStatus.CAPABILITIES,
            "interrupt_pin": 1,
        }
        for name, value in values.items():
            self.put(PCI_CFG[name].offset, PCI_CFG[name].width, value)
        self.put(PCI_CFG["command"].offset, 2, 0, _COMMAND_BITS)
        self.put(PCI_CFG["interrupt_line"].offset, 1, 0, 0xFF)
        self.put(PCI_CFG["cache_line_size"].offset, 1, 0, 0xFF)

    def _bars(self) -> None:
        for index, bar in self.config.bars.items():
            offset = PCI_CFG["bar0"].offset + 4 * index
            mask = -bar.size & (1 << 64) - 1
            self.put(offset, 4, _BAR_TYPES[bar.kind], mask & 0xFFFF_FFFF)
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
        if not self.config.vectors:
            return
        position = self._append(PciCapId.MSIX, 12)
        self.positions[PciCapId.MSIX] = position
        control = spec.MSIX_CONTROL_ENABLE | spec.MSIX_CONTROL_FUNCTION_MASK
        self.put(position + spec.MSIX_CONTROL, 2, self.config.vectors - 1, control)
        for offset, (bar, start) in (
            (spec.MSIX_TABLE, self.config.msix_table),
            (spec.MSIX_PBA, self.config.msix_pba),
        ):
            self.put(position + offset, 4, start | bar)

    def _virtio(self, has_config: bool) -> None:
        for cap_type, place in self.config.places.items():
            if cap_type != CapType.DEVICE or has_config:
                notify = cap_type == CapType.NOTIFY
                length = spec.CAP_LENGTH_NOTIFY if notify else spec.CAP_LENGTH
                position = self._virtio_cap(cap_type, length, place.bar, place.offset, place.length)
                if notify:
                    multiplier = self.config.notify_multiplier
                    self.put(position + spec.CAP_NOTIFY_MULTIPLIER, 4, multiplier)
        position = self._virtio_cap(CapType.PCI_CFG, spec.CAP_LENGTH_PCI_CFG, 0, 0, 0)
        self.positions[PciCapId.VENDOR] = position
        self.mask[position + CAP_FIELDS["bar"].offset] = 0xFF
        for offset in (CAP_FIELDS["offset"].offset, CAP_FIELDS["length"].offset, spec.CAP_PCI_CFG_DATA):
            self.put(position + offset, 4, 0, 0xFFFF_FFFF)

    def _virtio_cap(self, cap_type: CapType, length: int, bar: int, offset: int, size: int) -> int:
        position = self._append(PciCapId.VENDOR, length)
        values = {"cap_len": length, "cfg_type": cap_type, "bar": bar, "offset": offset, "length": size}
        for name, value in values.items():
            self.put(position + CAP_FIELDS[name].offset, CAP_FIELDS[name].width, value)
        return position

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
    def window(self) -> int:
        """Position of the PCI_CFG capability."""
        return self.positions[PciCapId.VENDOR]

    def set_interrupt_status(self, pending: bool) -> None:
        """Mirror ISR status into the PCI status register (virtio 1.4, 4.1.4.5.1)."""
        status = PciStatus.CAPABILITIES | (PciStatus.INTERRUPT if pending else PciStatus(0))
        self.put(PCI_CFG["status"].offset, 2, status)
