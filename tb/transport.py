"""The guest driver's Transport over the ports of a path."""

from __future__ import annotations

from pymodel import spec
from pymodel.events import EventStream, MemWrite, Reset
from pymodel.memory import GuestMemory
from pymodel.transport import Interrupt
from tb.ports.base import Path

FLR_NS = 2_000


class PortTransport:
    """A PCI function behind ports; the driver's stores become MemWrite events."""

    def __init__(self, path: Path, memory: GuestMemory, events: EventStream) -> None:
        self.memory = memory
        self.path = path
        self._events = events
        memory.observer = self._stored

    def _stored(self, addr: int, data: bytes) -> None:
        self._events.emit(MemWrite(t=self.path.now(), addr=addr, data=data))

    async def config_read(self, addr: int, length: int) -> int:
        """Read configuration space at byte offset `addr`."""
        return await self.path.config.read(addr, length)

    async def config_write(self, addr: int, length: int, value: int) -> None:
        """Write configuration space at byte offset `addr`."""
        await self.path.config.write(addr, length, value)

    async def bar_read(self, bar: int, addr: int, length: int) -> int:
        """Read BAR `bar` at byte offset `addr`."""
        return await self.path.bar.read(bar, addr, length)

    async def bar_write(self, bar: int, addr: int, length: int, value: int) -> None:
        """Write BAR `bar` at byte offset `addr`."""
        await self.path.bar.write(bar, addr, length, value)

    async def wait_interrupt(self, timeout_ns: int) -> Interrupt | None:
        """Return the oldest message not yet taken, or Line() while INTx is asserted; None on timeout."""
        return await self.path.interrupts.wait(timeout_ns)

    async def delay(self, ns: int) -> None:
        """Let `ns` nanoseconds of simulated time pass."""
        await self.path.delay(ns)

    async def reset(self, kind: str) -> None:
        """Reset the function: "flr" through its PCI Express capability, "hot" and "power" by its pin.

        Raises LookupError where the function has no function-level reset.
        """
        if kind == "flr":
            await self._function_level_reset()
            return
        self._events.emit(Reset(t=self.path.now(), kind=kind))
        await self.path.reset()

    async def _function_level_reset(self) -> None:
        position = await self._capability(spec.PciCapId.PCI_EXPRESS)
        control = position + spec.PCIE_DEVICE_CONTROL
        value = await self.config_read(control, 2)
        await self.config_write(control, 2, value | spec.PCIE_DEVICE_CONTROL_FLR)
        self._events.emit(Reset(t=self.path.now(), kind="flr"))
        await self.delay(FLR_NS)

    async def _capability(self, kind: int) -> int:
        position = await self.config_read(spec.PCI_CFG["capabilities_pointer"].offset, 1) & 0xFC
        for _ in range(48):
            if position == 0:
                break
            word = await self.config_read(position, 2)
            if word & 0xFF == kind:
                return position
            position = word >> 8 & 0xFC
        raise LookupError(f"the function has no PCI capability {kind:#x}")

    def now(self) -> int:
        """Return picoseconds since the test's start."""
        return self.path.now()
