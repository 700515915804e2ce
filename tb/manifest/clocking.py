"""The manifest's [clock] and [reset]."""

from __future__ import annotations

from dataclasses import dataclass

from tb.toml_table import Table


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock input and its period in picoseconds."""

    port: str
    period_ps: int


@dataclass(frozen=True, slots=True)
class ResetPort:
    """The reset input; `active_low` says at which level it resets."""

    port: str
    active_low: bool


def read_clock(table: Table) -> Clock:
    """Read and validate the table; raises UsageError."""
    clock = Clock(table.identifier("port"), table.get("period_ps", int))
    if not 2 <= clock.period_ps <= 10**9 or clock.period_ps % 2:
        raise table.fail("period_ps", f"is {clock.period_ps}: give an even number from 2 to 10^9")
    table.finish()
    return clock


def read_reset(table: Table) -> ResetPort:
    """Read and validate the table; raises UsageError."""
    reset = ResetPort(table.identifier("port"), table.choice("active", ("low", "high")) == "low")
    table.finish()
    return reset
