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
from tb.manifest.pci import PciShell
from tb.ports.axi import AxiTarget, Store
from tb.ports.axi_initiator import AxiInitiator
from tb.ports.axil import AxiLiteInitiator
from tb.ports.base import BarPort, ConfigPort
from tb.ports.channels import Pins
from tb.ports.host import NoConfigPort, PinBarPort, PinConfigPort
from tb.ports.initiator import Initiator
from tb.ports.interrupts import PinInterruptPort
from tb.ports.reqcpl import RequestInitiator
from tb.ports.shell import Shell
from tb.ports.stores import GuestStore, MediumStore
from tb.ports.vectors import WATCHERS

RESET_CYCLES = 8


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
        # Seeds are drawn in the order of the native path, so that both give the same accesses.
        config_seed, bar_seed = rng.getrandbits(64), rng.getrandbits(64)
        bar = self._initiator(manifest.bar, knobs, bar_seed)
        self._bar = PinBarPort(bar, manifest.bar.bars, events, self.now)
        self.shell = self._shell(manifest.pci, events) if manifest.pci else None
        self.bar: BarPort = self.shell.bar if self.shell else self._bar
        self.config = self._config(manifest.config, knobs, config_seed, events)
        guest = GuestStore(memory, events, self.interrupts.deliver, self.now)
        self.dma = self._target(manifest.dma, guest, knobs.dma)
        self.medium = (
            self._target(manifest.medium, MediumStore(image), knobs.medium) if manifest.medium else None
        )

    def pins(self, port: Port) -> Pins:
        """The pins of one of the manifest's AXI ports."""
        active_low, period = self._manifest.reset.active_low, self._manifest.clock.period_ps
        return Pins(self._dut, port, self._clock, self._reset, active_low=active_low, period_ps=period)

    def _config(self, port: Port, knobs: Knobs, seed: int, events: EventStream) -> ConfigPort:
        if self.shell:
            return self.shell.config
        if port.kind == "none":
            return NoConfigPort()
        return PinConfigPort(self._initiator(port, knobs, seed), events, self.now)

    def _initiator(self, port: Port, knobs: Knobs, seed: int) -> Initiator:
        if port.kind == "reqcpl":
            return RequestInitiator(self._dut, port, self._clock, self._manifest.clock.period_ps)
        kind = AxiInitiator if port.kind == "axi4" else AxiLiteInitiator
        return kind(self.pins(port), knobs.host, seed)

    def _shell(self, pci: PciShell, events: EventStream) -> Shell:
        irq = self.interrupts
        shell = Shell(pci, self._bar, events, self.now, self.delay, irq.deliver, irq.drive, self.reset)
        irq.gate = shell.drive
        return shell

    def _target(self, port: Port, store: Store, knobs: TargetKnobs) -> AxiTarget:
        return AxiTarget(self.pins(port), store, knobs, self._rng.getrandbits(64), self.now)

    def now(self) -> int:
        """Picoseconds since the test's start."""
        return int(get_sim_time("step")) - self.origin

    async def start(self) -> None:
        """Start the clock and bring the DUT out of reset."""
        Clock(self._clock, self._manifest.clock.period_ps, "ps").start(start_high=False)
        cocotb.start_soon(self.interrupts.watch_line())
        watch = WATCHERS.get(self._manifest.irq.kind)
        if watch and self.shell:
            cocotb.start_soon(watch(self._dut, self._manifest.irq, self._clock, self.shell.fire))
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
        if self.shell:
            self.shell.power_on()
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
