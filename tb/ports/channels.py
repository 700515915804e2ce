"""cocotbext-axi's channel sources and sinks on the pins that a manifest names."""

from __future__ import annotations

import random
from typing import Any

from cocotb.handle import HierarchyObject

from tb.knobs import pauses
from tb.manifest import Port


class Pins:
    """One AXI interface of the DUT, its clock and its reset."""

    def __init__(self, dut: HierarchyObject, port: Port, clock: Any, reset: Any, *, active_low: bool) -> None:
        self.clock = clock
        self.reset = reset
        self._dut = dut
        self._port = port
        self._active_high = not active_low

    def channel(self, kind: Any) -> Any:
        """Return a source, sink or monitor of class `kind` on its pins of this interface."""
        return kind(self._bus(kind._bus_obj), self.clock, self.reset, self._active_high)

    def width(self, signal: str) -> int:
        """Width in bits of the pin that carries `signal`."""
        return len(getattr(self._dut, self._port.pin(signal)))

    def _bus(self, kind: Any) -> Any:
        names = [*kind._signals, *kind._optional_signals]
        pins = {name: self._port.pin(name) for name in names}
        # Every signal is optional here: the manifest was held against the top level before the build.
        bound = type(kind.__name__, (kind,), {"_signals": {}, "_optional_signals": pins})
        return bound(self._dut, None)


def stall(channel: Any, share: float, rng: random.Random) -> None:
    """Let a source or sink pause for a share of the cycles; 0 leaves it alone."""
    if share:
        channel.set_pause_generator(pauses(share, random.Random(rng.random())))
