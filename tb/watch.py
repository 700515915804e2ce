"""Taps on all pins of a path, held against what the ports said meanwhile."""

from __future__ import annotations

from pymodel.events import BarRead, BarWrite, ConfigRead, ConfigWrite, Event, EventStream
from tb.manifest import TLP, Manifest
from tb.ports.burst import PAGE
from tb.ports.pins import PinPath
from tb.tap_check import dma_difference, host_difference
from tb.taps import DmaTap, HostTap
from tb.taps_tlp import PacketTap

CONFIG = (ConfigRead, ConfigWrite)
BAR = (BarRead, BarWrite)


class Watch:
    """Taps on all pins of a path, and what the ports said meanwhile."""

    def __init__(self, path: PinPath, manifest: Manifest, events: EventStream) -> None:
        self._ports: list[Event] = []
        events.subscribe(self._ports.append)
        self._config: HostTap | PacketTap
        self._bar: HostTap | PacketTap
        self._dma: DmaTap | PacketTap
        if manifest.dma.kind == TLP:
            self._config = self._bar = self._dma = PacketTap(
                path.pins(manifest.dma), manifest.bar.bars, path.now
            )
            self._lanes = (4, PAGE)
        else:
            config = HostTap(path.pins(manifest.config), None, path.now)
            bar = HostTap(path.pins(manifest.bar), manifest.bar.bars, path.now)
            self._config, self._bar, self._lanes = config, bar, (config.lanes, bar.lanes)
            self._dma = DmaTap(path.pins(manifest.dma), path.now)
        self._taps: set[HostTap | DmaTap | PacketTap] = {self._config, self._bar, self._dma}
        if manifest.medium is not None:
            self._taps.add(DmaTap(path.pins(manifest.medium), path.now))

    def faults(self) -> list[str]:
        """Breaches of the bus's rules, then differences between ports and taps."""
        faults = [f"tap: {fault}" for tap in self._taps for fault in tap.faults]
        for kinds, tap, lanes in zip((CONFIG, BAR), (self._config, self._bar), self._lanes, strict=True):
            ports = [event for event in self._ports if isinstance(event, kinds)]
            seen = [event for event in tap.events if isinstance(event, kinds)]
            faults += host_difference(ports, seen, lanes)
        tapped = [event for event in self._dma.events if not isinstance(event, CONFIG + BAR)]
        return faults + dma_difference(self._ports, tapped)


def tappable(manifest: Manifest) -> bool:
    """Whether the taps know what the DUT's ports speak."""
    kinds = (manifest.config.kind, manifest.bar.kind, manifest.dma.kind)
    return kinds in (("axi4-lite", "axi4-lite", "axi4"), (TLP, TLP, TLP))
