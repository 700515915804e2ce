"""`virtio-cosim compare`: two traces aligned by what was done, and the first difference in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pymodel.vtrace import VtraceError
from tb.errors import UsageError
from waves.decode import DRIVER
from waves.lanes import Item, Lane, Lanes, lanes_of
from waves.names import time_text
from waves.show import trace_of

SHOWN, CONTEXT, LOOK_AHEAD = 8, 5, 40


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a lane stops to agree: the entries of either trace, None where it has none there."""

    lane: str
    index: int
    left: Item | None
    right: Item | None
    explanation: str

    def when(self, end: int) -> int:
        """Its place in A's time; a trace that ends counts with its end."""
        return self.left.t if self.left else end


def compare(left: Path, right: Path, say: Callable[[str], None]) -> int:
    """Compare two traces (files, or folders of tests) and say what differs; returns 0 or 1.

    Raises UsageError for one that cannot be read.
    """
    try:
        both = lanes_of(trace_of(left)), lanes_of(trace_of(right))
    except VtraceError as error:
        raise UsageError(str(error)) from None
    differences = find(*both)
    say(f"A: {left}\nB: {right}")
    if not differences:
        count = sum(len(lane.items) for lane in both[0].lanes.values())
        say(f"the same: {count} accesses and buffers agree, whatever their times")
        return 0
    for line in _first(differences[0], both):
        say(line)
    rest = differences[1:]
    if rest:
        say("later differences:")
    for difference in rest[:SHOWN]:
        say(f"  {difference.lane}: {_pair(difference)}")
    if len(rest) > SHOWN:
        say(f"  and {len(rest) - SHOWN} more")
    for name, one in zip("AB", both, strict=True):
        say(f"{name} {_verdict(one)}")
    return 1


def find(left: Lanes, right: Lanes) -> list[Difference]:
    """The differences of every lane up to where it stops to be the same one, the earliest first."""
    names = list(dict.fromkeys([*left.lanes, *right.lanes]))
    found: list[Difference] = []
    for name in names:
        found += _of_lane(left.lanes.get(name, Lane(name)), right.lanes.get(name, Lane(name)))
    return sorted(found, key=lambda item: item.when(left.end))


def _of_lane(left: Lane, right: Lane) -> Iterator[Difference]:
    """Entries of other outcome, until one is about something else: then nothing lines up any more."""
    for index in range(max(len(left.items), len(right.items))):
        one = left.items[index] if index < len(left.items) else None
        other = right.items[index] if index < len(right.items) else None
        if one is not None and other is not None and _same(one, other):
            continue
        yield Difference(left.name, index, one, other, _explain(left.items[index:], right.items[index:]))
        if one is None or other is None or one.what != other.what:
            return


def _explain(left: Sequence[Item], right: Sequence[Item]) -> str:
    """What a difference means, told from what follows in both."""
    if not left or not right:
        name = "A" if not left else "B"
        return f"{name} ends here: it stopped before, or never came to it."
    one, other = left[0], right[0]
    if one.what == other.what:
        if one.by == DRIVER:
            return "The driver gave another value: from here on the traces hold another stimulus."
        return "The driver did the same until here, and the device answers otherwise."
    for name, behind, ahead in (("A", one, right), ("B", other, left)):
        skipped = next((n for n, item in enumerate(ahead[:LOOK_AHEAD]) if _same(item, behind)), None)
        if skipped is not None:
            absent = "1 entry" if skipped == 1 else f"{skipped} entries"
            return f"{name} lacks {absent} that the other has here, and goes on as it does."
    return "The driver does something else here: the traces hold another stimulus from here on."


def _same(one: Item, other: Item) -> bool:
    return (one.what, one.value) == (other.what, other.value)


def _pair(difference: Difference) -> str:
    return " | ".join(_entry(item) for item in (difference.left, difference.right))


def _entry(item: Item | None) -> str:
    return "nothing" if item is None else f"{item.what}: {item.value} (at {time_text(item.t)})"


def _first(difference: Difference, both: tuple[Lanes, Lanes]) -> Iterator[str]:
    yield f"first difference: {difference.lane}, entry {difference.index}"
    for name, item in zip("AB", (difference.left, difference.right), strict=True):
        yield f"  {name}: {_entry(item)}"
    yield f"  {difference.explanation}"
    for name, lanes, item in zip("AB", both, (difference.left, difference.right), strict=True):
        if item is None:
            continue
        yield f"around it in {name}:"
        yield from _context(lanes, item)


def _context(lanes: Lanes, item: Item) -> Iterator[str]:
    steps = [step for step in lanes.decoder.steps if not step.own]
    behind = next((n for n, step in enumerate(steps) if step.event.t > item.t), len(steps))
    for step in steps[max(0, behind - CONTEXT) : behind + 1]:
        yield f"  {time_text(step.event.t):>14}  {step.who:6}  {step.line}"


def _verdict(lanes: Lanes) -> str:
    broken = [found.finding for found in lanes.decoder.found if found.mandatory]
    if not broken:
        return "is clean by the checker"
    first = broken[0]
    return f"breaks {first.clause} at {time_text(first.t)}: {first.message}"
