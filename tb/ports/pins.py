"""The portable path: every port on the DUT's plain pins, by cocotb and cocotbext-axi."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import Timer
from cocotb.utils import get_sim_time

from pymodel.events import EventStream
from pymodel.memory import GuestMemory
from tb.image import Image
from tb.knobs import Knobs, TargetKnobs
from tb.manifest import TLP, Manifest, Port
from tb.manifest.pci import PciShell
from tb.ports.axi import AxiTarget, Store
from tb.ports.axi_initiator import AxiInitiator
from tb.ports.axil import AxiLiteInitiator
from tb.ports.base import BarPort, ConfigPort, DmaPort
from tb.ports.channels import Pins
from tb.ports.clocking import RESET_CYCLES, Clocking
from tb.ports.custom import CustomDma, Signals
from tb.ports.customs import Customs
from tb.ports.host import NoConfigPort, PinBarPort, PinConfigPort
from tb.ports.initiator import Initiator
from tb.ports.interrupts import PinInterruptPort
from tb.ports.reqcpl import RequestInitiator
from tb.ports.shell import Shell
from tb.ports.stores import GuestStore, MediumStore
from tb.ports.tlp import TlpBarInitiator, TlpConfigInitiator, TlpLink
from tb.ports.tlp_target import TlpTarget
from tb.ports.vectors import WATCHERS

HANDSHAKES = (
    *("awvalid", "awready", "wvalid", "wready", "bvalid", "bready", "arvalid", "arready", "rvalid"),
    *("rready", "req_valid", "req_ready", "cpl_valid", "cpl_ready"),
)


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
        self._clocking = Clocking(dut, manifest)
        intx = getattr(dut, manifest.irq.intx) if manifest.irq.intx else None
        self.interrupts = PinInterruptPort(intx, self._clocking.pin(manifest.irq), events, self.now)
        posted = manifest.dma.kind == TLP
        guest = GuestStore(memory, events, self.interrupts.deliver, self.now, posted=posted)
        self._customs = Customs(dut, manifest, self._clocking, guest, knobs.dma, self.now)
        self.breakage = self._customs.breakage
        # Seeds are drawn in the order of the native path, so that both give the same accesses.
        config_seed, bar_seed = rng.getrandbits(64), rng.getrandbits(64)
        self.link = self._tlp_link(guest, knobs)
        bar = self._initiator(manifest.bar, knobs, bar_seed)
        bars = self.link.bars if self.link and not manifest.pci else manifest.bar.bars
        self._bar = PinBarPort(bar, bars, events, self.now)
        self.shell = self._shell(manifest.pci, events) if manifest.pci else None
        self.bar: BarPort = self.shell.bar if self.shell else self._bar
        self.config = self._config(manifest.config, knobs, config_seed, events)
        self.dma: DmaPort = self._dma(manifest.dma, guest, knobs.dma)
        if self.shell and isinstance(self.dma, AxiTarget | CustomDma):
            # A device without configuration space cannot know of Bus Master Enable: its PCIe block holds it.
            self.dma.may_issue = self.shell.may_master
        self.medium = (
            self._target(manifest.medium, MediumStore(image), knobs.medium) if manifest.medium else None
        )
        if self.link:
            self.link.drive_line = self.interrupts.gate
            self.interrupts.gate = self.link.behind_writes(self.interrupts.gate)
        if manifest.irq.kind == "python":
            fire = self.shell.fire if self.shell and manifest.pci and manifest.pci.vectors else None
            self._customs.irq(manifest.irq, Signals(fire, self.interrupts, events, self.now))

    def pins(self, port: Port) -> Pins:
        """The pins of one of the manifest's AXI ports."""
        clock, period = self._clocking.pin(port), self._clocking.period_ps(port)
        reset, active_low = self._clocking.reset_pin(port)
        return Pins(self._dut, port, clock, reset, active_low=active_low, period_ps=period)

    def _config(self, port: Port, knobs: Knobs, seed: int, events: EventStream) -> ConfigPort:
        if self.shell:
            return self.shell.config
        if port.kind == "none":
            return NoConfigPort()
        return PinConfigPort(self._initiator(port, knobs, seed), events, self.now)

    def _tlp_link(self, guest: Store, knobs: Knobs) -> TlpLink | None:
        if self._manifest.dma.kind != TLP:
            return None
        pins, bars, pci = self.pins(self._manifest.dma), self._manifest.bar.bars, self._manifest.pci
        sizes = {bar.index: bar.size for bar in pci.bars} if pci else {}
        return TlpLink(pins, bars, sizes, guest, knobs, self._rng, self.now)

    def _initiator(self, port: Port, knobs: Knobs, seed: int) -> Initiator:
        if self.link and port.kind == TLP:
            config = port is self._manifest.config
            return TlpConfigInitiator(self.link) if config else TlpBarInitiator(self.link)
        if port.kind == "reqcpl":
            clock, period = self._clocking.pin(port), self._clocking.period_ps(port)
            return RequestInitiator(self._dut, port, clock, period)
        if port.kind == "python":
            return self._customs.initiator(port)
        kind = AxiInitiator if port.kind == "axi4" else AxiLiteInitiator
        return kind(self.pins(port), knobs.host, seed)

    def _shell(self, pci: PciShell, events: EventStream) -> Shell:
        irq = self.interrupts
        shell = Shell(pci, self._bar, events, self.now, self.delay, irq.deliver, irq.drive, self.reset)
        irq.gate = shell.drive
        return shell

    def _dma(self, port: Port, store: Store, knobs: TargetKnobs) -> AxiTarget | CustomDma | TlpTarget:
        if self.link:
            return self.link.target
        if port.kind == "python":
            return self._customs.dma(port, self._rng.getrandbits(64))
        return self._target(port, store, knobs)

    def _target(self, port: Port, store: Store, knobs: TargetKnobs) -> AxiTarget:
        return AxiTarget(self.pins(port), store, knobs, self._rng.getrandbits(64), self.now)

    def now(self) -> int:
        """Picoseconds since the test's start."""
        return int(get_sim_time("step")) - self.origin

    async def start(self) -> None:
        """Start the clock and bring the DUT out of reset."""
        self._clocking.start()
        cocotb.start_soon(self.interrupts.watch_line())
        irq = self._manifest.irq
        watch = WATCHERS.get(irq.kind)
        if watch and self.shell:
            fire = self.link.behind_writes(self.shell.fire) if self.link else self.shell.fire
            cocotb.start_soon(watch(self._dut, irq, self._clocking.pin(irq), fire))
        if "icarus" in cocotb.SIM_NAME.lower():
            clock = self._clocking.pin(self._manifest.bar)
            cocotb.start_soon(self.breakage.levels(self._handshakes(), clock, RESET_CYCLES - 2))
        await self.reset()

    def _handshakes(self) -> list[Any]:
        """The pins that must have a level at any time: handshakes and interrupts."""
        manifest = self._manifest
        ports = [port for port in (manifest.config, manifest.bar, manifest.dma, manifest.medium) if port]
        names = {port.pin(signal) for port in ports for signal in HANDSHAKES if port.prefix or port.signals}
        names |= {manifest.irq.intx, *manifest.irq.signals.values()} - {""}
        return [getattr(self._dut, name) for name in sorted(names) if hasattr(self._dut, name)]

    async def reset(self) -> None:
        """Pulse the reset pin; what was in flight on the ports is forgotten."""
        await self._clocking.assert_reset()
        for target in (self.dma, self.medium):
            if isinstance(target, AxiTarget):
                target.restart()
        if self.link:
            self.link.restart()
        self._customs.begin()
        self.interrupts.forget()
        if self.shell:
            self.shell.power_on()
        await self._clocking.release_reset()

    async def delay(self, ns: int) -> None:
        """Let time pass."""
        if ns > 0:
            await Timer(ns, "ns")

    def set_capacity(self, sectors: int) -> None:
        """Drive the input that tells a block back end its capacity, where it has one."""
        if self._manifest.medium is not None and self._manifest.medium.sectors:
            getattr(self._dut, self._manifest.medium.sectors).value = sectors
