"""The native path: the same ports as on pins, carried out by the C library's bus models."""

from __future__ import annotations

import random
from collections.abc import Callable

from cocotb._gpi_triggers import GPITrigger
from cocotb.handle import HierarchyObject, Immediate
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge, Timer
from cocotb.utils import get_sim_time

from native.binding import binding
from native.host import NativeHost, NativeMemory
from pymodel.events import Event, EventStream
from pymodel.memory import GuestMemory
from pymodel.transport import Interrupt, Line, Message, TransportTimeout
from tb.image import Image
from tb.knobs import Knobs, TargetKnobs
from tb.manifest import Manifest
from tb.native_wrapper import BAR, CONFIG, DMA, MEDIUM
from tb.ports.axil import ACCESS_TIMEOUT_NS
from tb.ports.base import ConfigPort
from tb.ports.clocking import RESET_CYCLES
from tb.ports.dice import share_of
from tb.ports.host import NoConfigPort

_CONFIG_SPACE = -1


class Wake(GPITrigger):
    """Fires when C says that something happened that Python may wait for."""

    def _prime(self) -> None:
        library = binding()
        library.lib.vio_host_sleep(library.lib.vio_python_wake)

    def _unprime(self) -> None:
        library = binding()
        library.lib.vio_host_sleep(library.ffi.NULL)


_wake = Wake()


@binding().ffi.def_extern()  # type: ignore[untyped-decorator]
def vio_python_wake() -> None:
    """Called by the simulator's main."""
    _wake._react()


class NativeSource:
    """The test's event stream in C: Python's events go into it, and come out with the others."""

    def __init__(self, host: NativeHost, events: EventStream) -> None:
        self._host = host
        self._events = events
        self._draining = False
        host.keep(events.has_sinks)
        events.source = self

    def put(self, event: Event) -> None:
        """Append an event."""
        self._host.emit(event)

    def flush(self) -> None:
        """Hand on what C recorded since the last time."""
        if self._draining or not self._host.lib.vio_events_kept(self._host.events):
            return
        self._draining = True
        try:
            for event in self._host.drain():
                self._events.deliver(event)
        finally:
            self._draining = False

    def listened(self) -> None:
        """Keep events for Python from now on."""
        self._host.keep(True)


class Waits:
    """Waiting for the C host, and handing its events on meanwhile."""

    def __init__(self, host: NativeHost, source: NativeSource) -> None:
        self.host = host
        self.flush = source.flush

    async def until(self, done: Callable[[], bool], timeout_ns: int) -> bool:
        """Wait until `done`; False if it is not within the time."""
        now = self.host.lib.vio_host_now
        deadline = now(self.host.handle) + timeout_ns * 1000
        while not done():
            if now(self.host.handle) >= deadline:
                return False
            self.host.lib.vio_host_alarm(self.host.handle, deadline)
            await _wake
            self.flush()
        return True


class NativeInitiator:
    """Host accesses on one AXI4-Lite port; C records them."""

    def __init__(self, waits: Waits, port: int) -> None:
        self._waits = waits
        self._host = waits.host
        self._port = port

    async def access(
        self, bar: int, base: int, addr: int, length: int, what: str, value: int | None = None
    ) -> int:
        """Read, or write `value`; raises TransportTimeout."""
        lib, handle = self._host.lib, self._host.handle
        write = value is not None
        number = lib.vio_access_start(handle, self._port, bar, base, addr, length, write, value or 0, False)
        if number < 0:
            raise TransportTimeout(f"too many accesses are under way for a {what}")

        def done() -> bool:
            return bool(lib.vio_access_state(handle, self._port, number) == lib.VIO_DONE)

        answered = await self._waits.until(done, ACCESS_TIMEOUT_NS)
        result = int(lib.vio_access_finish(handle, self._port, number))
        if not answered:
            raise TransportTimeout(f"no answer within {ACCESS_TIMEOUT_NS} ns to a {what}")
        return result


class NativeConfigPort:
    """Configuration space."""

    def __init__(self, initiator: NativeInitiator) -> None:
        self._initiator = initiator

    async def read(self, addr: int, length: int) -> int:
        """Read and record."""
        what = f"configuration read of {length} at {addr:#x}"
        return await self._initiator.access(_CONFIG_SPACE, 0, addr, length, what)

    async def write(self, addr: int, length: int, value: int) -> None:
        """Write; recorded when the device took it."""
        what = f"configuration write of {length} at {addr:#x}"
        await self._initiator.access(_CONFIG_SPACE, 0, addr, length, what, value)


class NativeBarPort:
    """BAR space; `bases` maps BAR numbers to addresses on the bus."""

    def __init__(self, initiator: NativeInitiator, bases: dict[int, int]) -> None:
        self._initiator = initiator
        self._bases = bases

    async def read(self, bar: int, addr: int, length: int) -> int:
        """Read and record."""
        what = f"read of {length} at BAR {bar} + {addr:#x}"
        return await self._initiator.access(bar, self._base(bar), addr, length, what)

    async def write(self, bar: int, addr: int, length: int, value: int) -> None:
        """Write; recorded when the device took it."""
        what = f"write of {length} at BAR {bar} + {addr:#x}"
        await self._initiator.access(bar, self._base(bar), addr, length, what, value)

    def _base(self, bar: int) -> int:
        if bar not in self._bases:
            raise ValueError(f"the manifest gives BAR {bar} no place on [ports.bar]")
        return self._bases[bar]


class NativeDmaPort:
    """An AXI4 target in C."""

    posted = False

    def __init__(self, host: NativeHost, port: int, memory: NativeMemory) -> None:
        self._host = host
        self._port = port
        self._memory = memory

    @property
    def idle(self) -> bool:
        """No burst is accepted and unanswered."""
        return bool(self._host.lib.vio_target_idle(self._host.handle, self._port))

    @property
    def faults(self) -> list[str]:
        """What the device did that AXI4 forbids."""
        return self._host.target_faults(self._port)

    def refuse(self, first: int, last: int, *, reads: bool = True, writes: bool = True) -> None:
        """Answer bursts that touch bytes `first` to `last` with DECERR from now on."""
        deny = self._host.lib.VIO_READ * reads | self._host.lib.VIO_WRITE * writes
        self._memory.protect(first, last - first + 1, deny=deny)

    def allow(self) -> None:
        """Refuse nothing any more."""
        self._memory.protect(0, (1 << 64) - 1, allow=self._host.lib.VIO_READ | self._host.lib.VIO_WRITE)


class NativeInterruptPort:
    """Messages and the INTx level as C sees them."""

    def __init__(self, waits: Waits) -> None:
        self._waits = waits
        self._host = waits.host

    @property
    def pending(self) -> int:
        """Messages that nobody has taken."""
        return int(self._host.lib.vio_host_messages(self._host.handle))

    def _any(self) -> bool:
        return self.pending > 0 or bool(self._host.lib.vio_host_intx(self._host.handle))

    async def wait(self, timeout_ns: int) -> Interrupt | None:
        """Return the oldest message, or Line() while INTx is asserted; None on timeout."""
        if not await self._waits.until(self._any, timeout_ns):
            return None
        message = self._host.take_message()
        return Message(*message) if message else Line()


class NativePath:
    """All ports of the DUT in its native bench; `start` must be awaited first."""

    def __init__(
        self,
        dut: HierarchyObject,
        manifest: Manifest,
        knobs: Knobs,
        rng: random.Random,
        memory: GuestMemory,
        image: Image,
        events: EventStream,
    ) -> None:
        self._dut = dut
        self._manifest = manifest
        self._image = image
        self.origin = int(get_sim_time("step"))
        self._clock = getattr(dut, manifest.clock.port)
        self._reset = getattr(dut, manifest.reset.port)
        self._reset.set(Immediate(int(not manifest.reset.active_low)))
        self.host = NativeHost(self.origin, manifest.clock.period_ps)
        self._waits = Waits(self.host, NativeSource(self.host, events))
        for port, kind in ((CONFIG, manifest.config.kind), (BAR, manifest.bar.kind)):
            stall, seed = share_of(knobs.host.stall), rng.getrandbits(64)
            if kind != "none":
                self.host.open_initiator(port, seed=seed, stall=stall)
        self.config: ConfigPort = NoConfigPort()
        if manifest.config.kind != "none":
            self.config = NativeConfigPort(NativeInitiator(self._waits, CONFIG))
        self.bar = NativeBarPort(NativeInitiator(self._waits, BAR), manifest.bar.bars)
        self.interrupts = NativeInterruptPort(self._waits)
        guest = NativeMemory.of_guest(memory)
        self.dma = self._target(DMA, guest, knobs.dma, rng)
        self._medium = NativeMemory()
        self.medium = self._target(MEDIUM, self._medium, knobs.medium, rng) if manifest.medium else None
        self._medium.show(0, image.content)
        self.host.activate()

    def _target(
        self, number: int, memory: NativeMemory, knobs: TargetKnobs, rng: random.Random
    ) -> NativeDmaPort:
        self.host.open_target(
            number,
            memory,
            guest=number == DMA,
            seed=rng.getrandbits(64),
            read_latency=knobs.read_latency,
            write_latency=knobs.write_latency,
            stall=share_of(knobs.stall),
            reorder=knobs.reorder,
            interleave=knobs.interleave,
        )
        return NativeDmaPort(self.host, number, memory)

    def now(self) -> int:
        """Picoseconds since the test's start."""
        return int(get_sim_time("step")) - self.origin

    async def start(self) -> None:
        """Start the clock and bring the DUT out of reset."""
        self.host.lib.vio_clock_start(int(get_sim_time("step")), self._manifest.clock.period_ps)
        await self.reset()

    async def reset(self) -> None:
        """Pulse the reset pin; what was in flight on the ports is forgotten."""
        asserted = int(not self._manifest.reset.active_low)
        self._reset.value = asserted
        await ClockCycles(self._clock, RESET_CYCLES)
        self.host.lib.vio_host_restart(self.host.handle)
        self._reset.value = 1 - asserted
        # Software begins at a falling edge: no channel then is between two thoughts.
        await RisingEdge(self._clock)
        await FallingEdge(self._clock)

    async def delay(self, ns: int) -> None:
        """Let time pass."""
        if ns > 0:
            await Timer(ns, "ns")
        self._waits.flush()

    def set_capacity(self, sectors: int) -> None:
        """Show the medium's content anew and drive the input that tells its capacity, if there is one."""
        self._medium.show(0, self._image.content)
        if self._manifest.medium is not None and self._manifest.medium.sectors:
            getattr(self._dut, self._manifest.medium.sectors).value = sectors
