"""The PCIe block of a device that has none of its own: configuration space, BAR routing, MSI-X, INTx.

Many teams' virtio RTL sits behind a vendor's PCIe block, which keeps configuration space and the MSI-X
table. The shell stands for that block, as the manifest's [pci] describes it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pymodel.device.config import BarSpec
from pymodel.device.msix import MsixTable
from pymodel.device.pcispace import ConfigSpace, FunctionPlan, Identity, Structure
from pymodel.events import BarRead, BarWrite, ConfigRead, ConfigWrite, EventStream, Msix
from pymodel.spec import PciCommand
from pymodel.transport import Message
from tb.manifest.pci import PciShell, msix_bar
from tb.ports.host import PinBarPort

ACCESS_NS = 100
PBA_OFFSET = 0x8000
MSIX_BAR_SIZE = 0x10000


def plan_of(pci: PciShell) -> FunctionPlan:
    """The configuration space that [pci] asks for; MSI-X gets a BAR of its own behind the others."""
    bars = {bar.index: BarSpec(bar.kind, bar.size, bar.prefetchable) for bar in pci.bars}
    place = msix_bar(pci.bars)
    if pci.vectors and place is not None:
        bars[place] = BarSpec("mem32", MSIX_BAR_SIZE)
    identity = Identity(
        pci.vendor_id,
        pci.device_id,
        pci.revision_id,
        pci.class_code,
        pci.subsystem_vendor_id,
        pci.subsystem_id,
    )
    structures = [Structure(c.cfg_type, c.bar, c.offset, c.length, c.multiplier) for c in pci.caps]
    return FunctionPlan(
        identity, bars, pci.vectors, (place or 0, 0), (place or 0, PBA_OFFSET), tuple(structures)
    )


class Shell:
    """Configuration and BAR port of such a device; `device` reaches the BARs that are its own.

    `deliver` takes an interrupt message to the host, `drive_line` its INTx; `pulse_reset` resets the device.
    """

    def __init__(
        self,
        pci: PciShell,
        device: PinBarPort,
        events: EventStream,
        now: Callable[[], int],
        delay: Callable[[int], Awaitable[None]],
        deliver: Callable[[Message], None],
        drive_line: Callable[[int], None],
        pulse_reset: Callable[[], Awaitable[None]],
    ) -> None:
        self._space = ConfigSpace(plan_of(pci))
        self._msix = MsixTable(self._send, pci.vectors, lambda: self._space.msix_control, self.may_master)
        self._device = device
        self._events = events
        self._now = now
        self._delay = delay
        self._deliver = deliver
        self._drive_line = drive_line
        self._pulse_reset = pulse_reset
        self._line = 0
        self.config = ShellConfigPort(self)
        self.bar = ShellBarPort(self)

    def may_master(self) -> bool:
        """Whether the function may access memory and send messages: Bus Master Enable."""
        return bool(self._space.field("command") & PciCommand.BUS_MASTER)

    def _send(self, address: int, data: int) -> None:
        self._events.emit(Msix(t=self._now(), addr=address, data=data))
        self._deliver(Message(address, data))

    def fire(self, vector: int) -> None:
        """The device asks for a vector's message."""
        self._msix.fire(vector)

    def drive(self, line: int) -> None:
        """The device drives its interrupt line."""
        self._line = line
        self._follow()

    def _follow(self) -> None:
        pending = bool(self._line) and not self._msix.enabled
        self._space.set_interrupt_status(pending)
        disabled = self._space.field("command") & PciCommand.INTX_DISABLE
        self._drive_line(int(pending and not disabled))

    def power_on(self) -> None:
        """Be as after power-on."""
        self._space.reset()
        self._msix.reset()
        self._follow()

    async def config_read(self, addr: int, length: int) -> int:
        """Read configuration space; through pci_cfg_data that is a read of a BAR."""
        asked = self._now()
        await self._delay(ACCESS_NS)
        if self._space.touches_window(addr, length):
            aim, window = self._space.window_aim(), self._space.window_data
            if aim:
                value = await self._device.fetch(aim.bar, aim.offset, aim.length)
                self._space.data[window : window + aim.length] = value.to_bytes(aim.length, "little")
        data = bytes(self._space.data[addr : addr + length]).ljust(length, b"\0")
        self._events.emit(ConfigRead(t=self._now(), t_req=asked, addr=addr, data=data))
        return int.from_bytes(data, "little")

    async def config_write(self, addr: int, length: int, value: int) -> None:
        """Write configuration space; through pci_cfg_data that is a write of a BAR."""
        asked = self._now()
        await self._delay(ACCESS_NS)
        data = value.to_bytes(length, "little")
        self._space.write(addr, data)
        if self._space.touches_window(addr, length):
            aim, window = self._space.window_aim(), self._space.window_data
            if aim:
                word = self._space.get(window, aim.length)
                await self._device.store(aim.bar, aim.offset, aim.length, word)
        self._events.emit(ConfigWrite(t=self._now(), t_req=asked, addr=addr, data=data))
        if self._space.wants_reset:
            self.power_on()
            await self._pulse_reset()
        self._msix.flush()
        self._follow()

    def decodes(self, bar: int) -> bool:
        """Whether the function answers accesses to this BAR."""
        kind = self._space.plan.bars.get(bar)
        if kind is None:
            return False
        command = self._space.field("command")
        return bool(command & (PciCommand.IO if kind.kind == "io" else PciCommand.MEMORY))

    async def bar_read(self, bar: int, addr: int, length: int) -> int:
        """Read a BAR: the device's, or the MSI-X table's."""
        if self.decodes(bar) and bar != self._space.plan.msix_table[0]:
            return await self._device.read(bar, addr, length)
        asked = self._now()
        await self._delay(ACCESS_NS)
        data = self._table_bytes(addr, length) if self.decodes(bar) else b"\xff" * length
        self._events.emit(BarRead(t=self._now(), t_req=asked, bar=bar, addr=addr, data=data))
        return int.from_bytes(data, "little")

    def _table_bytes(self, addr: int, length: int) -> bytes:
        if addr >= PBA_OFFSET:
            return self._msix.read_pending()[addr - PBA_OFFSET :][:length].ljust(length, b"\0")
        return bytes(self._msix.table[addr : addr + length]).ljust(length, b"\0")

    async def bar_write(self, bar: int, addr: int, length: int, value: int) -> None:
        """Write a BAR: the device's, or the MSI-X table's; lost where the function does not decode it."""
        if self.decodes(bar) and bar != self._space.plan.msix_table[0]:
            await self._device.write(bar, addr, length, value)
            return
        asked = self._now()
        await self._delay(ACCESS_NS)
        data = value.to_bytes(length, "little")
        self._events.emit(BarWrite(t=self._now(), t_req=asked, bar=bar, addr=addr, data=data))
        if self.decodes(bar) and addr < len(self._msix.table):
            self._msix.write(addr, data)
            self._msix.flush()


class ShellConfigPort:
    """Configuration space, answered by the shell."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def read(self, addr: int, length: int) -> int:
        """Read and record."""
        return await self._shell.config_read(addr, length)

    async def write(self, addr: int, length: int, value: int) -> None:
        """Write and record."""
        await self._shell.config_write(addr, length, value)


class ShellBarPort:
    """BAR space, routed by the shell."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def read(self, bar: int, addr: int, length: int) -> int:
        """Read and record."""
        return await self._shell.bar_read(bar, addr, length)

    async def write(self, bar: int, addr: int, length: int, value: int) -> None:
        """Write and record."""
        await self._shell.bar_write(bar, addr, length, value)
