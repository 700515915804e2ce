"""Clock and reset of a top level, by name, width and use."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tb.newdut.design import Design

_CLOCK = re.compile(
    r"(?:^|_)[a-z]*(?:clk|clock)[0-9]*(?=_|$)(?!.*_(?:en|enable|gate|sel|ok|locked|req)(?:_|$))",
    re.IGNORECASE,
)
_RESET = re.compile(r"(?:^|_)(?:[a-z]*n?re?se?t|por)(?:_?n|_?b|_?p)?[0-9]*(?:_?(?:ni|i|in))?$", re.IGNORECASE)
_LOW = re.compile(r"(?:_n|_ni|_b|[a-z]rstn|^rstn|resetn|_n_i|_n_in)$|(?:^|_)n_?(?:rst|reset)", re.IGNORECASE)
_MAIN = re.compile(r"(?:^|_)(?:core|axi|user|sys|main|a|s|m)_?clk", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OtherReset:
    """One more reset: its level with the reason of the guess, and the clock that it likely belongs to."""

    port: str
    active: str
    reason: str
    clock: str


@dataclass(frozen=True, slots=True)
class Clocking:
    """The ports found ("" where none could be), at which level the reset resets, and why it is thought so.

    `others` are the clocks and resets that are left.
    """

    clock: str
    clock_reason: str
    reset: str
    active: str
    reset_reason: str
    other_clocks: tuple[str, ...] = ()
    other_resets: tuple[OtherReset, ...] = ()


def find_clocking(design: Design) -> Clocking:
    """Find the clock that most of the design runs on, and the reset that goes with it."""
    inputs = design.single("input")
    clocks = [name for name in inputs if _CLOCK.search(name)]
    if not clocks:
        clocks = [
            name for name in inputs if design.edges.get(name, {}).get("POS") and not _RESET.search(name)
        ]
    clock = max(clocks, key=lambda name: (_uses(design, name), bool(_MAIN.search(name))), default="")
    resets = [name for name in inputs if name not in clocks and _RESET.search(name)]
    if not resets:
        resets = [name for name in inputs if name not in clocks and design.edges.get(name)]
    reset = max(resets, key=lambda name: (_kinship(name, clock), _uses(design, name)), default="")
    active, reason = _active(design, reset)
    return Clocking(
        clock,
        _clock_reason(design, clock, clocks),
        reset,
        active,
        f"{reason}; {len(resets)} ports look like resets" if len(resets) > 1 else reason,
        tuple(name for name in clocks if name != clock),
        tuple(_other(design, name, clocks) for name in resets if name != reset),
    )


def _other(design: Design, reset: str, clocks: list[str]) -> OtherReset:
    active, reason = _active(design, reset)
    return OtherReset(
        reset, active, reason, max(clocks, key=lambda clock: _kinship(reset, clock), default="")
    )


def _uses(design: Design, name: str) -> int:
    return sum(design.edges.get(name, {}).values())


def _kinship(reset: str, clock: str) -> int:
    """How many letters both names begin with."""
    return next(
        (n for n, (a, b) in enumerate(zip(reset, clock, strict=False)) if a != b), min(len(reset), len(clock))
    )


def _clock_reason(design: Design, clock: str, clocks: list[str]) -> str:
    """Why this clock; "" where there is nothing to doubt: the one clock by name, and used as one."""
    if not clock:
        return ""
    if len(clocks) > 1:
        return f"of {', '.join(clocks)} the one that most always blocks run on"
    if not _CLOCK.search(clock):
        return "not named like a clock, but always blocks wait for its edge"
    return "" if _uses(design, clock) else "by its name; no always block seen that runs on it"


def _active(design: Design, reset: str) -> tuple[str, str]:
    """The level, and the reason where it is a guess ("" where the design says so)."""
    if not reset:
        return "", ""
    edges = design.edges.get(reset, {})
    by_edge = "low" if edges.get("NEG") else "high" if edges.get("POS") else ""
    by_name = "low" if _LOW.search(reset) else "high"
    if by_edge:
        return (
            by_edge,
            ""
            if by_edge == by_name
            else f"always blocks wait for its {'falling' if by_edge == 'low' else 'rising'} edge",
        )
    if not _RESET.search(reset):
        return by_name, "not named like a reset"
    return by_name, f"by its name, {'as it ends like one' if by_name == 'low' else 'which has no _n'}"
