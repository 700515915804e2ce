"""A bench with the RTL in a simulator: the portable path on pins, clocked by cocotb."""

from __future__ import annotations

import ctypes
import random
from collections.abc import Awaitable
from pathlib import Path

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import SimTimeoutError, with_timeout

from pymodel.events import EventStream
from pymodel.memory import GuestMemory
from tb.image import Image
from tb.knobs import Knobs
from tb.manifest import Manifest
from tb.ports.pins import PinPath
from tb.session import TestTimeout
from tb.sim_test import SimTest
from tb.transport import PortTransport

WAVE = "wave.fst"


class RtlBench:
    """One test's bench; `wave` is the file to write waves to, None for none."""

    target = "rtl"

    def __init__(
        self,
        manifest: Manifest,
        wave: Path | None,
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
        self._wave_at_once = not test.wave_window
        self.path = PinPath(dut, manifest, knobs, rng, memory, image, events)
        self.transport = PortTransport(self.path, memory, events)
        self.dma = self.path.dma
        self.medium = self.path.medium

    async def start(self) -> None:
        """Start clock and waves, and bring the DUT out of reset."""
        if self._wave_at_once:
            self.waves(True)
        await self.path.start()

    def set_capacity(self, sectors: int) -> None:
        """Drive the capacity input."""
        self.path.set_capacity(sectors)

    async def bounded(self, work: Awaitable[None], timeout_us: int) -> None:
        """Await the work within simulated time."""

        async def awaited() -> None:
            await work

        try:
            await with_timeout(awaited(), timeout_us, "us")
        except SimTimeoutError:
            raise TestTimeout(f"the test did not end within {timeout_us} us") from None
        finally:
            self.waves(False)

    def cycles(self) -> int:
        """Clock cycles since the test's start."""
        return self.path.now() // self._manifest.clock.period_ps

    def waves(self, on: bool) -> None:
        """Open the wave file, or finish it; it holds times since the test's start."""
        if self._wave is None:
            return
        simulator = ctypes.CDLL(None)
        if on:
            simulator.vio_wave_open(str(self._wave).encode(), ctypes.c_uint64(self.path.origin))
        else:
            simulator.vio_wave_close()
