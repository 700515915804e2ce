"""cocotbext-axi's channel sources and sinks on the pins that a manifest names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import Timer

from tb.manifest import Port
from tb.ports.dice import Dice, pauses, share_of


class Pins:
    """One AXI interface of the DUT, its clock and its reset."""

    def __init__(
        self, dut: HierarchyObject, port: Port, clock: Any, reset: Any, *, active_low: bool, period_ps: int
    ) -> None:
        self.clock = clock
        self.reset = reset
        self.dut = dut
        self.period_ps = period_ps
        self._port = port
        self.shape = port.shape
        self.active_low = active_low

    def channel(self, kind: Any) -> Any:
        """Return a source, sink or monitor of class `kind` on its pins of this interface."""
        return kind(self._bus(kind._bus_obj), self.clock, self.reset, not self.active_low)

    def width(self, signal: str) -> int:
        """Width in bits of the pin that carries `signal`."""
        return len(getattr(self.dut, self._port.pin(signal)))

    def signals(self, names: Iterable[str]) -> dict[str, str]:
        """Which of these AXI signals the DUT has, and the pin of each."""
        pins = {name: self._port.pin(name) for name in names}
        return {name: pin for name, pin in pins.items() if hasattr(self.dut, pin)}

    def _bus(self, kind: Any) -> Any:
        # The manifest was held against the top level before the build: what is missing now is optional.
        pins = self.signals([*kind._signals, *kind._optional_signals])
        bound = type(kind.__name__, (kind,), {"_signals": pins, "_optional_signals": {}})
        return bound(self.dut, None, case_insensitive=False)


def stall(channel: Any, part: float, seed: int, period_ps: int) -> None:
    """Let a source or sink pause for a part of the cycles, in runs; 0 leaves it alone."""
    if part:
        cocotb.start_soon(_stall(channel, pauses(share_of(part), Dice(seed)), period_ps))


async def _stall(channel: Any, runs: Iterator[tuple[bool, int]], period_ps: int) -> None:
    """A pause generator that sleeps through its runs: cocotbext-axi's wakes at every clock edge."""
    for paused, cycles in runs:
        channel.pause = paused
        await Timer(cycles * period_ps, "ps")
