"""The DUT's clocks and resets on its pins."""

from __future__ import annotations

from typing import Any

from cocotb.clock import Clock
from cocotb.handle import HierarchyObject, Immediate
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge

from tb.manifest import Manifest, Port

RESET_CYCLES = 8


class Clocking:
    """All clocks of a manifest, and all its resets, asserted from the start on."""

    def __init__(self, dut: HierarchyObject, manifest: Manifest) -> None:
        self._manifest = manifest
        self._clocks = {clock.name: getattr(dut, clock.port) for clock in manifest.clocks}
        self._resets = [(getattr(dut, reset.port), reset) for reset in manifest.resets]
        for pin, reset in self._resets:
            pin.set(Immediate(int(not reset.active_low)))

    @property
    def main(self) -> Any:
        """The main clock's pin."""
        return self._clocks[self._manifest.clock.name]

    def pin(self, port: Port) -> Any:
        """The pin of a port's clock."""
        return self._clocks[self._manifest.clock_of(port).name]

    def period_ps(self, port: Port) -> int:
        """The period of a port's clock."""
        return self._manifest.clock_of(port).period_ps

    def reset_pin(self, port: Port) -> tuple[Any, bool]:
        """The pin of a port's reset, and whether it is active low."""
        wanted = self._manifest.reset_of(port)
        return next((pin, reset.active_low) for pin, reset in self._resets if reset == wanted)

    def start(self) -> None:
        """Start all clocks, with a falling edge in the middle of their period."""
        for clock in self._manifest.clocks:
            Clock(self._clocks[clock.name], clock.period_ps, "ps").start(start_high=False)

    async def assert_reset(self) -> None:
        """Assert every reset, for RESET_CYCLES of every clock."""
        for pin, reset in self._resets:
            pin.value = int(not reset.active_low)
        slowest = max(self._manifest.clocks, key=lambda clock: clock.period_ps)
        await ClockCycles(self._clocks[slowest.name], RESET_CYCLES)

    async def release_reset(self) -> None:
        """Release every reset behind an edge of its clock; ends at the main clock's falling edge.

        Software begins there: no channel then is between two thoughts.
        """
        for clock in reversed(self._manifest.clocks):
            if clock is not self._manifest.clock:
                await RisingEdge(self._clocks[clock.name])
            elif len(self._clocks) > 1:
                await RisingEdge(self.main)
            for pin, reset in self._resets:
                if reset.clock == clock.name:
                    pin.value = int(reset.active_low)
        await RisingEdge(self.main)
        await FallingEdge(self.main)
