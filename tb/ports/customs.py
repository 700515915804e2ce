"""The classes of kind = "python" of one path: constructed where a port has one, begun with each reset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from cocotb.handle import HierarchyObject

from tb.knobs import TargetKnobs
from tb.manifest import Manifest, Port
from tb.ports.axi import Store
from tb.ports.breakage import Breakage
from tb.ports.clocking import Clocking
from tb.ports.custom import CustomDma, CustomHost, CustomIrq, CustomPort, Signals, Site
from tb.ports.custom_class import make
from tb.ports.custom_host import CustomInitiator

P = TypeVar("P", bound=CustomPort)


class Customs:
    """Makes the classes, and resets them; what makes one raises UsageError."""

    def __init__(
        self,
        dut: HierarchyObject,
        manifest: Manifest,
        clocking: Clocking,
        store: Store,
        knobs: TargetKnobs,
        now: Callable[[], int],
    ) -> None:
        self.breakage = Breakage(manifest.path)
        self._dut = dut
        self._manifest = manifest
        self._clocking = clocking
        self._store = store
        self._knobs = knobs
        self._now = now
        self._made: list[CustomPort] = []

    def _site(self, port: Port) -> Site:
        return Site(
            dut=self._dut,
            port=port,
            clock=self._clocking.pin(port),
            period_ps=self._clocking.period_ps(port),
            now=self._now,
            breakage=self.breakage,
            store=self._store,
            knobs=self._knobs,
        )

    def _make(self, kind: type[P], site: Site) -> P:
        made = make(self._manifest, site)
        assert isinstance(made, kind)
        self._made.append(made)
        return made

    def initiator(self, port: Port) -> CustomInitiator:
        """The carrier of host accesses on [ports.config] or [ports.bar]."""
        return CustomInitiator(self._make(CustomHost, self._site(port)))

    def dma(self, port: Port, seed: int) -> CustomDma:
        """The device's way to guest memory; `seed` is for latencies."""
        return self._make(CustomDma, replace(self._site(port), seed=seed))

    def irq(self, port: Port, signals: Signals) -> CustomIrq:
        """The device's interrupts."""
        return self._make(CustomIrq, replace(self._site(port), signals=signals))

    def begin(self) -> None:
        """The device is being reset; raises ClassBroken."""
        for made in self._made:
            made.begin()
