"""The manifest's clocks and resets: one table each, or an array of tables where there are several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tb.toml_table import Table

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock input and its period in picoseconds; `name` is what ports and resets call it."""

    port: str
    period_ps: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class ResetPort:
    """A reset input; `active_low` says at which level it resets, `clock` with which clock it is released."""

    port: str
    active_low: bool
    clock: str = ""


def read_clocks(root: Table) -> tuple[Clock, ...]:
    """Read [clock] or [[clock]], the main one first; raises UsageError."""
    return _each(root, "clock", _clock, lambda clock: clock.port)


def read_resets(root: Table, clocks: Sequence[Clock]) -> tuple[ResetPort, ...]:
    """Read [reset] or [[reset]], the main one first; raises UsageError."""
    return _each(root, "reset", lambda table: _reset(table, clocks), lambda reset: reset.port)


def read_clock_name(table: Table, clocks: Sequence[Clock]) -> str:
    """Read which of the clocks a port or reset belongs to: the main one where it does not say."""
    return table.choice("clock", [clock.name for clock in clocks], clocks[0].name)


def _each(root: Table, key: str, read: Callable[[Table], T], pin: Callable[[T], str]) -> tuple[T, ...]:
    tables = root.tables(key) if root.is_array(key) else [root.table(key)]
    if not tables:
        raise root.fail(key, "is empty: give at least one")
    found = tuple(read(table) for table in tables)
    pins = [pin(item) for item in found]
    for number, name in enumerate(pins):
        if name in pins[:number]:
            raise tables[number].fail("port", f"{name!r} is named twice")
    return found


def _clock(table: Table) -> Clock:
    port = table.identifier("port")
    clock = Clock(port, table.get("period_ps", int), table.get("name", str, port))
    if not 2 <= clock.period_ps <= 10**9 or clock.period_ps % 2:
        raise table.fail("period_ps", f"is {clock.period_ps}: give an even number from 2 to 10^9")
    table.finish()
    return clock


def _reset(table: Table, clocks: Sequence[Clock]) -> ResetPort:
    active_low = table.choice("active", ("low", "high")) == "low"
    reset = ResetPort(table.identifier("port"), active_low, read_clock_name(table, clocks))
    table.finish()
    return reset
