"""A bench with the RTL in a simulator: on pins (portable) or in its native bench, whichever was built."""

from __future__ import annotations

import ctypes
import os
import random
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import SimTimeoutError, Timer, with_timeout

from pymodel.events import EventStream
from pymodel.memory import GuestMemory
from pymodel.vtrace import Header
from tb.image import Image
from tb.knobs import Knobs
from tb.manifest import Manifest
from tb.native_wrapper import TOPLEVEL
from tb.ports.pins import PinPath
from tb.recorder import PythonRecorder, Recorder
from tb.session import PYTHON, TestTimeout
from tb.sim_test import SimTest
from tb.transport import PortTransport
from tb.watch import Watch, tappable

if TYPE_CHECKING:
    from tb.ports.native import NativePath

COVERAGE = "VIRTIO_COSIM_COVERAGE"
FOREVER = 2**64 - 1


def _path_class(dut: HierarchyObject) -> type[PinPath] | type[NativePath]:
    """The path that the simulator was built for; the native one loads the C library."""
    if dut._name != TOPLEVEL:
        return PinPath
    from tb.ports.native import NativePath

    return NativePath


@dataclass(frozen=True, slots=True)
class Wave:
    """A wave file to write, from `from_ns` behind the test's start until `until_ns`, 0 for its end."""

    path: Path
    from_ns: int = 0
    until_ns: int = 0


def write_coverage() -> None:
    """Write the RTL's coverage so far to the file that `COVERAGE` names, in a simulator built for it."""
    path = os.environ.get(COVERAGE)
    if path:
        ctypes.CDLL(None).vio_coverage_write(f"{path}.part".encode(), path.encode())


class RtlBench:
    """One test's bench; `wave` is where to write waves to, None for none."""

    target = "rtl"

    def __init__(
        self,
        manifest: Manifest,
        wave: Wave | None,
        test: SimTest,
        knobs: Knobs,
        rng: random.Random,
        memory: GuestMemory,
        image: Image,
        events: EventStream,
    ) -> None:
        dut = cocotb.top
        assert isinstance(dut, HierarchyObject)
        self._manifest = manifest
        self._wave = wave
        # A window around a failure counts more than what the test says of its waves.
        self._windowed = wave is not None and bool(wave.from_ns or wave.until_ns)
        self._wave_at_once = self._windowed or not test.wave_window
        self.path: PinPath | NativePath = _path_class(dut)(dut, manifest, knobs, rng, memory, image, events)
        self.transport = PortTransport(self.path, memory, events)
        self.dma = self.path.dma
        self.medium = self.path.medium
        self._watch: Watch | None = None
        if test.taps and isinstance(self.path, PinPath) and tappable(manifest):
            self._watch = Watch(self.path, manifest, events)

    async def start(self) -> None:
        """Start clock and waves, and bring the DUT out of reset."""
        if self._wave_at_once:
            self._record(True)
        await self.path.start()

    def set_capacity(self, sectors: int) -> None:
        """Drive the capacity input."""
        self.path.set_capacity(sectors)

    async def bounded(self, work: Awaitable[None], timeout_us: int) -> None:
        """Await the work within simulated time."""

        async def awaited() -> None:
            await work

        watched = self.path.breakage.ends(awaited()) if isinstance(self.path, PinPath) else awaited()
        try:
            await with_timeout(watched, timeout_us, "us")
        except SimTimeoutError:
            raise TestTimeout(f"the test did not end within {timeout_us} us") from None
        finally:
            self._record(False)
            write_coverage()

    def faults(self) -> list[str]:
        """What broke AXI4's rules, and where ports and taps disagree."""
        ports = [port for port in (self.dma, self.medium) if port is not None]
        faults = [f"AXI4: {fault}" for port in ports for fault in port.faults]
        return faults + (self._watch.faults() if self._watch else [])

    def cycles(self) -> int:
        """Clock cycles since the test's start."""
        return self.path.now() // self._manifest.clock.period_ps

    @property
    def step_ps(self) -> int:
        """The clock's period."""
        return self._manifest.clock.period_ps

    async def steps(self, count: int) -> None:
        """Let clock cycles pass."""
        if count > 0:
            await Timer(count * self.step_ps, "ps")

    def waves(self, on: bool) -> None:
        """The test opens the wave file, or finishes it."""
        if not self._windowed:
            self._record(on)

    def _record(self, on: bool) -> None:
        """Open the wave file, or finish it; it holds times since the test's start."""
        if self._wave is None:
            return
        simulator = ctypes.CDLL(None)
        if on:
            origin = self.path.origin
            first, last = origin + 1000 * self._wave.from_ns, FOREVER
            if self._wave.until_ns:
                last = origin + 1000 * self._wave.until_ns
            times = [ctypes.c_uint64(time) for time in (origin, first, last)]
            simulator.vio_wave_open(str(self._wave.path).encode(), *times)
        else:
            simulator.vio_wave_close()

    def recorder(self, events: EventStream, trace: Path, header: Header, twin: str) -> Recorder:
        """Record and judge in C on the native path, in Python on pins or where that is asked for."""
        if isinstance(self.path, PinPath) or twin == PYTHON:
            return PythonRecorder(events, trace, header)
        from tb.native_recorder import NativeRecorder

        return NativeRecorder(self.path.host, events, trace, header)
