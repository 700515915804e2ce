"""A modelled device as a PCI function: configuration space, BARs, MSI-X, INTx, resets (virtio 1.4, 4.1)."""

from __future__ import annotations

from pymodel import spec
from pymodel.device.backend import Backend
from pymodel.device.config import DeviceConfig
from pymodel.device.core import VirtioModel
from pymodel.device.host import Host
from pymodel.device.legacy import LegacyBlock
from pymodel.device.msix import MsixTable
from pymodel.device.pcispace import ConfigSpace, FunctionPlan, Identity, Structure
from pymodel.spec import CapType, PciCommand


class PciModel(VirtioModel):
    """A virtio-pci function; accesses are bytes at offsets, side effects come at once."""

    def __init__(self, host: Host, config: DeviceConfig, backend: Backend) -> None:
        super().__init__(host, config, backend)
        self.space = ConfigSpace(plan_of(config, backend))
        self.msix = MsixTable(host.send, config.vectors, lambda: self.space.msix_control, self.may_master)
        self.legacy_block = LegacyBlock(self) if config.transitional else None
        self._flr_wanted = False

    def may_master(self) -> bool:
        """Whether the command register lets the function reach memory."""
        return bool(self.space.field("command") & PciCommand.BUS_MASTER)

    def msix_enabled(self) -> bool:
        """Whether MSI-X is on."""
        return self.msix.enabled

    def fire(self, vector: int) -> None:
        """Send an MSI-X vector."""
        self.msix.fire(vector)

    def reset(self) -> None:
        """Be as after a virtio reset: nothing is pending any more."""
        super().reset()
        self.msix.pending = 0

    def function_reset(self) -> None:
        """Be as after power-on."""
        self.space.reset()
        self.msix.reset()
        self.reset()
        self.generation = 0

    def settle(self) -> None:
        """An access completed: work, and let INTx follow ISR status."""
        if self._flr_wanted:
            self._flr_wanted = False
            self.function_reset()
        self.accessed()
        self.update_lines()

    def update_lines(self) -> None:
        """Let pending messages, the interrupt status bit and INTx follow the function's state."""
        self.msix.flush()
        pending = bool(self.isr) and not self.msix_enabled()
        self.space.set_interrupt_status(pending)
        disabled = self.space.field("command") & PciCommand.INTX_DISABLE
        self.host.drive_intx(int(pending and not disabled))

    def _decoded(self, bar: int) -> bool:
        kind = self.config.bars.get(bar)
        command = self.space.field("command")
        if kind is None:
            return False
        return bool(command & (PciCommand.IO if kind.kind == "io" else PciCommand.MEMORY))

    def bar_read(self, bar: int, addr: int, length: int) -> bytes:
        """Read a BAR; all ones where the function does not decode it."""
        if not self._decoded(bar):
            return b"\xff" * length
        return self._read(bar, addr, length)

    def bar_write(self, bar: int, addr: int, data: bytes) -> None:
        """Write a BAR; lost where the function does not decode it."""
        if self._decoded(bar):
            self._write(bar, addr, data)

    def _structure(self, bar: int, addr: int) -> tuple[CapType, int] | None:
        """Return the structure at an address and the offset in it."""
        for cap_type, place in self.config.places.items():
            if place.bar == bar and place.offset <= addr < place.offset + place.length:
                return cap_type, addr - place.offset
        return None

    def _read(self, bar: int, addr: int, length: int) -> bytes:
        if self.legacy_block and bar == 0:
            return self.legacy_block.read(addr, length)
        found = self._structure(bar, addr)
        if found is None:
            return self._read_msix(bar, addr, length)
        kind, offset = found
        if kind == CapType.COMMON:
            return self.common.read(offset, length)
        if kind == CapType.DEVICE:
            return self.read_config(offset, length)
        if kind == CapType.ISR and offset == 0:
            return bytes([self.read_isr()]).ljust(length, b"\0")
        return bytes(length)

    def _read_msix(self, bar: int, addr: int, length: int) -> bytes:
        for (place, base), data in (
            (self.config.msix_table, bytes(self.msix.table)),
            (self.config.msix_pba, self.msix.read_pending()),
        ):
            if bar == place and base <= addr < base + len(data):
                return data[addr - base : addr - base + length].ljust(length, b"\0")
        return bytes(length)

    def _write(self, bar: int, addr: int, data: bytes) -> None:
        if self.legacy_block and bar == 0:
            self.legacy_block.write(addr, data)
            return
        found = self._structure(bar, addr)
        table_bar, table = self.config.msix_table
        if found is None:
            if bar == table_bar and table <= addr < table + len(self.msix.table):
                self.msix.write(addr - table, data)
            return
        kind, offset = found
        if kind == CapType.COMMON:
            self.common.write(offset, data)
        elif kind == CapType.DEVICE:
            self.write_config(offset, data)
        elif kind == CapType.NOTIFY:
            self.doorbell(int.from_bytes(data, "little"))

    def config_read(self, addr: int, length: int) -> bytes:
        """Read configuration space; a read of pci_cfg_data performs the access it stands for."""
        if self.space.touches_window(addr, length):
            aim, window = self.space.window_aim(), self.space.window_data
            if aim:
                data = self._read(aim.bar, aim.offset, aim.length)
                self.space.data[window : window + aim.length] = data
        return bytes(self.space.data[addr : addr + length]).ljust(length, b"\0")

    def config_write(self, addr: int, data: bytes) -> None:
        """Write configuration space; a write of pci_cfg_data performs the access it stands for."""
        self.space.write(addr, data)
        if self.space.touches_window(addr, len(data)):
            aim, window = self.space.window_aim(), self.space.window_data
            if aim:
                self._write(aim.bar, aim.offset, bytes(self.space.data[window : window + aim.length]))
        if self.space.wants_reset:
            self._flr_wanted = True


def plan_of(config: DeviceConfig, backend: Backend) -> FunctionPlan:
    """The configuration space of a modelled device."""
    kind, old = backend.device_type, config.transitional
    identity = Identity(
        vendor_id=spec.VENDOR_ID,
        device_id=spec.TRANSITIONAL_DEVICE_ID[kind] if old else spec.MODERN_DEVICE_ID_BASE + kind,
        revision_id=0 if old else 1,
        class_code=backend.class_code,
        subsystem_vendor_id=spec.VENDOR_ID,
        subsystem_id=kind if old else 0x40 + kind,
    )
    structures = [
        Structure(cfg_type, place.bar, place.offset, place.length, config.notify_multiplier)
        for cfg_type, place in config.places.items()
        if cfg_type != CapType.DEVICE or backend.config()
    ]
    structures.append(Structure(CapType.PCI_CFG))
    return FunctionPlan(
        identity, config.bars, config.vectors, config.msix_table, config.msix_pba, tuple(structures)
    )
