"""Base classes for ports of kind = "python": any interface that the manifest's other kinds do not know.

A manifest names the class as `class = "module:Class"`; the module lies beside the manifest, and the class
derives from `CustomConfig`, `CustomBar`, `CustomDma` or `CustomIrq`, whichever the port is. It drives the
pins (outputs at the falling clock edge, as `take` and `give` do) and says what they carried; the base
class makes events of that, and draws latencies and refusals as for every other port.

Addresses and lengths are in bytes, data are bytes in address order, values little-endian unsigned
integers, times picoseconds since the test's start. An exception that a class lets out ends the test with
status "error" (exit status 3): it is the bench that broke, not the device.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.task import Task
from cocotb.triggers import FallingEdge, RisingEdge, Timer

from pymodel.events import EventStream, Msix
from pymodel.transport import Message
from tb.knobs import TargetKnobs
from tb.manifest import Port
from tb.ports.axi import Store
from tb.ports.breakage import Breakage
from tb.ports.dice import Dice
from tb.ports.interrupts import PinInterruptPort
from tb.ports.refusals import Refusals

LONGEST = 1 << 20
"""Bytes of the longest single access to guest memory; a device that asks for more is at fault."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a class finds itself: the DUT, the manifest's port, its clock, and the way to the bench."""

    dut: HierarchyObject
    port: Port
    clock: Any
    period_ps: int
    now: Callable[[], int]
    breakage: Breakage
    store: Store
    knobs: TargetKnobs
    seed: int = 0
    signals: Signals | None = None


class Signals:
    """Where interrupts go: `fire` takes a vector to the shell's MSI-X table, where there is one."""

    def __init__(
        self,
        fire: Callable[[int], None] | None,
        interrupts: PinInterruptPort,
        events: EventStream,
        now: Callable[[], int],
    ) -> None:
        self.fire = fire
        self.interrupts = interrupts
        self._events = events
        self._now = now

    def message(self, message: Message) -> None:
        """Record a message of the device's own, and deliver it."""
        self._events.emit(Msix(t=self._now(), addr=message.address, data=message.data))
        self.interrupts.deliver(message)


class CustomPort:
    """What all these classes have. A constructor of your own takes `site` and hands it on."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.clock = site.clock
        self.busy = False
        self._faults: list[str] = []
        self._task: Task[None] | None = None

    async def run(self) -> None:
        """Override: serve the pins for ever. Begun at power-on and anew behind every reset."""

    def restart(self) -> None:
        """Override: the device is being reset, so forget what is in flight. `run` was cancelled."""

    @property
    def period_ps(self) -> int:
        """The clock's period in picoseconds."""
        return self.site.period_ps

    def now(self) -> int:
        """Picoseconds since the test's start."""
        return self.site.now()

    def pin(self, signal: str) -> Any:
        """The DUT's pin for `signal`: what the manifest's `signals` says, else `prefix` + signal.

        Raises AttributeError where the top level has no such port.
        """
        name = self.site.port.pin(signal)
        try:
            return getattr(self.site.dut, name)
        except AttributeError:
            where = f"[{self.site.port.table}] prefix or signals"
            raise AttributeError(f"{where} leads to no port {name!r} of the top level") from None

    async def take(self, stream: str, *signals: str) -> list[int]:
        """Take one beat of a valid/ready stream from the device and return its signals.

        The pins are `stream` + "_valid", "_ready" and "_" + each signal. Begins and ends at a falling
        clock edge; ready is high only while this waits.
        """
        valid, ready = self.pin(f"{stream}_valid"), self.pin(f"{stream}_ready")
        beat = [self.pin(f"{stream}_{signal}") for signal in signals]
        ready.value = 1
        await self._handshake(valid)
        values = [int(pin.value) for pin in beat]
        await FallingEdge(self.clock)
        ready.value = 0
        return values

    async def give(self, stream: str, **signals: int) -> None:
        """Give the device one beat of a valid/ready stream (pins as for `take`): it has it at the return."""
        valid, ready = self.pin(f"{stream}_valid"), self.pin(f"{stream}_ready")
        for signal, value in signals.items():
            self.pin(f"{stream}_{signal}").value = int(value)
        valid.value = 1
        await self._handshake(ready)
        await FallingEdge(self.clock)
        valid.value = 0

    async def _handshake(self, other: Any) -> None:
        """Return at the rising clock edge at which the device's side is high."""
        while True:
            if not int(other.value):
                await RisingEdge(other)
            await RisingEdge(self.clock)
            if int(other.value):
                return

    def fault(self, text: str) -> None:
        """The device did what this interface forbids: a failure of the test, in one line."""
        self._faults.append(text)

    @property
    def faults(self) -> list[str]:
        """What `fault` was told."""
        return list(self._faults)

    def begin(self) -> None:
        """For the bench: the device is being reset; cancel `run`, and begin it again."""
        if self._task is not None:
            self._task.cancel()
        self.busy = False
        with self.site.breakage.guard(self.site.port):
            self.restart()
        self._task = cocotb.start_soon(self._guarded())

    async def _guarded(self) -> None:
        with self.site.breakage.caught(self.site.port):
            await self.run()


class CustomHost(CustomPort):
    """Accesses by the host, one at a time; the bench records each, and bounds it in time (20 us)."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.taken: Callable[[], None] = lambda: None
        """Call it in `write` at the moment when the device has the data, where that is before the return."""

    async def read(self, addr: int, length: int) -> int:
        """Read 1, 2, 4 or 8 bytes and return their value; all ones where the device answers an error."""
        raise NotImplementedError(f"{type(self).__name__}.read")

    async def write(self, addr: int, length: int, value: int) -> None:
        """Write 1, 2, 4 or 8 bytes; return when the device may be given the next access."""
        raise NotImplementedError(f"{type(self).__name__}.write")


class CustomConfig(CustomHost):
    """[ports.config]: PCI configuration space; `addr` is the byte offset in it."""


class CustomBar(CustomHost):
    """[ports.bar]: BAR space; `addr` is the BAR's base address in `bars` + the offset in it."""


class CustomDma(CustomPort):
    """[ports.dma]: the device's way into guest memory. Override `run`.

    Set `busy` while something is in flight: a test ends only when it is False; `posted` says that a refused
    write is not told to the device.
    """

    posted = False

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.may_issue: Callable[[], bool] = lambda: True
        """Whether the device's accesses go on to the host: else `latency` holds them where they are."""
        self._refusals = Refusals()
        self._dice = Dice(site.seed)

    def read_memory(self, addr: int, length: int, asked: int | None = None) -> bytes | None:
        """Read guest memory for the device, and record it; None: answer with an error.

        `asked` is when the device asked, if not now.
        """
        if not self._sane(addr, length):
            return None
        refused = self._refusals.hit(addr, length, write=False)
        return self.site.store.read(addr, length, self.now() if asked is None else asked, refused)

    def write_memory(self, addr: int, data: bytes, asked: int | None = None) -> bool:
        """Write guest memory for the device, and record it; False: answer with an error.

        Four bytes to the platform's interrupt window become an MSI-X message.
        """
        if not self._sane(addr, len(data)):
            return False
        refused = self._refusals.hit(addr, len(data), write=True)
        return self.site.store.write(addr, data, self.now() if asked is None else asked, refused)

    def _sane(self, addr: int, length: int) -> bool:
        if 1 <= length <= LONGEST and addr + length <= 1 << 64:
            return True
        self.fault(f"DMA of {length} bytes at {addr:#x}: give 1 to {LONGEST}, below 2^64")
        return False

    async def latency(self, *, write: bool = False) -> None:
        """Let as many clock cycles pass as the test's stress asks for; await it before an access.

        Without Bus Master Enable in the shell's configuration space it returns only once that is set.
        """
        span = self.site.knobs.write_latency if write else self.site.knobs.read_latency
        await Timer((1 + self._dice.between(*span)) * self.period_ps, "ps")
        await FallingEdge(self.clock)
        while not self.may_issue():
            await FallingEdge(self.clock)

    @property
    def idle(self) -> bool:
        """Nothing is in flight."""
        return not self.busy

    def refuse(self, first: int, last: int, *, reads: bool = True, writes: bool = True) -> None:
        """For the bench: answer accesses that touch bytes `first` to `last` with an error from now on."""
        self._refusals.add(first, last, reads=reads, writes=writes)

    def allow(self) -> None:
        """For the bench: refuse nothing any more."""
        self._refusals.clear()


class CustomIrq(CustomPort):
    """[ports.irq]: interrupts on their way to the host. Override `run`."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        assert site.signals is not None
        self._signals = site.signals

    def fire(self, vector: int) -> None:
        """The device asks for the message of MSI-X vector `vector`; the shell masks, records and sends it.

        Raises RuntimeError where the bench's shell keeps no MSI-X table ([pci] msix).
        """
        if self._signals.fire is None:
            raise RuntimeError("fire() needs the shell's MSI-X table: [ports.config] shell and [pci] msix")
        self._signals.fire(vector)

    def message(self, address: int, data: int) -> None:
        """The device, which has an MSI-X table of its own, sent this message: record and deliver it."""
        self._signals.message(Message(address, data))

    def line(self, level: int) -> None:
        """INTx is at this level (0 or 1) now."""
        self._signals.interrupts.gate(level)
