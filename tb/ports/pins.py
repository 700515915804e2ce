"""The portable path: every port on the DUT's plain pins, by cocotb and cocotbext-axi."""

from __future__ import annotations

import random

import cocotb
from cocotb.clock import Clock
from cocotb.handle import HierarchyObject, Immediate
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge, Timer
from cocotb.utils import get_sim_time

from pymodel.events import EventStream
from pymodel.memory import GuestMemory
from tb.image import Image
from tb.knobs import Knobs, TargetKnobs
from tb.manifest import Manifest, Port
from tb.ports.axi import AxiTarget, Store
from tb.ports.axil import AxiLiteInitiator
from tb.ports.base import ConfigPort
from tb.ports.channels import Pins
from tb.ports.host import NoConfigPort, PinBarPort, PinConfigPort
from tb.ports.interrupts import PinInterruptPort
from tb.ports.stores import GuestStore, MediumStore

RESET_CYCLES = 8
READY: dict[str, tuple[str, ...]] = {
    "config": ("axi4-lite", "none"),
    "bar": ("axi4-lite",),
    "dma": ("axi4",),
    "irq": ("msix-write",),
}
"""The port kinds that this path can drive."""


class PinPath:
    """All ports of the DUT on its pins; `start` must be awaited first."""

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
        self._rng = rng
        self.origin = int(get_sim_time("step"))
        self._clock = getattr(dut, manifest.clock.port)
        self._reset = getattr(dut, manifest.reset.port)
        self._reset.set(Immediate(int(not manifest.reset.active_low)))
        intx = getattr(dut, manifest.irq.intx) if manifest.irq.intx else None
        self.interrupts = PinInterruptPort(intx, self._clock, events, self.now)
        seed = rng.getrandbits(64)
        self.config: ConfigPort = NoConfigPort()
        if manifest.config.kind != "none":
            config = AxiLiteInitiator(self.pins(manifest.config), knobs.host, seed)
            self.config = PinConfigPort(config, events, self.now)
        bar = AxiLiteInitiator(self.pins(manifest.bar), knobs.host, rng.getrandbits(64))
        self.bar = PinBarPort(bar, manifest.bar.bars, events, self.now)
        guest = GuestStore(memory, events, self.interrupts.deliver, self.now)
        self.dma = self._target(manifest.dma, guest, knobs.dma)
        self.medium = (
            self._target(manifest.medium, MediumStore(image), knobs.medium) if manifest.medium else None
        )

    def pins(self, port: Port) -> Pins:
        """The pins of one of the manifest's AXI ports."""
        active_low, period = self._manifest.reset.active_low, self._manifest.clock.period_ps
        return Pins(self._dut, port, self._clock, self._reset, active_low=active_low, period_ps=period)

    def _target(self, port: Port, store: Store, knobs: TargetKnobs) -> AxiTarget:
        return AxiTarget(self.pins(port), store, knobs, self._rng.getrandbits(64), self.now)

    def now(self) -> int:
        """Picoseconds since the test's start."""
        return int(get_sim_time("step")) - self.origin

    async def start(self) -> None:
        """Start the clock and bring the DUT out of reset."""
        Clock(self._clock, self._manifest.clock.period_ps, "ps").start(start_high=False)
        cocotb.start_soon(self.interrupts.watch_line())
        await self.reset()

    async def reset(self) -> None:
        """Pulse the reset pin; what was in flight on the ports is forgotten."""
        asserted = int(not self._manifest.reset.active_low)
        self._reset.value = asserted
        await ClockCycles(self._clock, RESET_CYCLES)
        for target in (self.dma, self.medium):
            if target is not None:
                target.restart()
        self.interrupts.forget()
        self._reset.value = 1 - asserted
        # Software begins at a falling edge: no channel then is between two thoughts.
        await RisingEdge(self._clock)
        await FallingEdge(self._clock)

    async def delay(self, ns: int) -> None:
        """Let time pass."""
        if ns > 0:
            await Timer(ns, "ns")

    def set_capacity(self, sectors: int) -> None:
        """Drive the input that tells a block back end its capacity, where it has one."""
        if self._manifest.medium is not None and self._manifest.medium.sectors:
            getattr(self._dut, self._manifest.medium.sectors).value = sectors
