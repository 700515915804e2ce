"""What there is to tell of a failed test: what was demanded, the moments that matter, the rings before."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pymodel.checker.clauses import demands
from pymodel.checker.rulebook import ALL
from pymodel.checker.state.boundary import State
from waves.decode import After, Decoder, Found, Step, decode, gist
from waves.ownership import RingState, rings_of

BEFORE, AFTER = 24, 6
MOMENTS_MAX = 4
LIFE_MAX = 40


@dataclass(frozen=True, slots=True)
class Rule:
    """A clause in words: what it demands, where it stands, how it is judged."""

    clause: str
    level: str
    section: str
    title: str
    demand: str
    check: str


@dataclass(slots=True)
class Moment:
    """A place in the trace worth looking at: the event, what was said about it, what stood around it.

    `rings` is how the rings stood just before; `life` all that happened to the buffer concerned.
    """

    title: str
    step: Step
    verdicts: list[str]
    events: list[Step]
    left_out: int
    rings: list[RingState] = field(default_factory=list)
    life: list[Step] = field(default_factory=list)


@dataclass(slots=True)
class Story:
    """A decoded trace and its moments, the first breach first."""

    decoder: Decoder
    moments: list[Moment]


def rule_of(clause: str) -> Rule:
    """A clause in words; what is not in the table is named only."""
    known = demands().get(clause)
    doc = next((inspect.getdoc(rule) for rule in ALL if rule.clause == clause), None)
    demand = (doc or "").partition("\n")[0]
    if known is None:
        return Rule(clause, "", "", "", demand, "")
    return Rule(clause, known.level, known.section, known.title, demand or known.check, known.check)


def tell(trace: Path, violations: Sequence[dict[str, Any]], *after: After) -> Story:
    """Decode a trace and find the moments of these violations; the end where there is none.

    `after` hears every event. Raises VtraceError where the trace cannot be read.
    """
    decoder = decode(trace, *after)
    places = list(_places(decoder, violations))[:MOMENTS_MAX]
    rings: dict[int, list[RingState]] = {}
    wanted = {step.number for _, step, _ in places}

    def look(number: int, state: State) -> None:
        if number in wanted:
            rings[number] = rings_of(state)

    if wanted:
        decode(trace, before=look)
    moments = []
    for title, step, verdicts in places:
        events, left_out = _around(decoder.steps, step)
        life = _life(decoder.steps, step)
        moments.append(Moment(title, step, verdicts, events, left_out, rings.get(step.number, []), life))
    return Story(decoder, moments)


def _places(decoder: Decoder, violations: Sequence[dict[str, Any]]) -> Iterator[tuple[str, Step, list[str]]]:
    """Yield (title, event, verdicts) of each moment, without naming one event twice."""
    seen: set[int] = set()
    for violation in violations:
        found = _found(decoder, violation)
        if found is None:
            continue
        text = f"{found.finding.clause}: {found.finding.message}"
        if found.finding.since is not None:
            cause = _at(decoder.steps, found.finding.since)
            if cause is not None and cause.number not in seen:
                seen.add(cause.number)
                yield f"{found.finding.clause}: where it arose", cause, [text]
        if found.step.number not in seen:
            seen.add(found.step.number)
            others = [f"{item.clause}: {item.message}" for item in found.step.findings]
            yield found.finding.clause, found.step, list(dict.fromkeys([text, *others]))
    if not seen and decoder.steps:
        yield "The end of the test", _last(decoder.steps), []


def _found(decoder: Decoder, violation: dict[str, Any]) -> Found | None:
    clause, t = violation.get("clause"), violation.get("t")
    same = [found for found in decoder.found if found.finding.clause == clause]
    return next((found for found in same if found.finding.t == t), same[0] if same else None)


def _at(steps: Sequence[Step], t: int) -> Step | None:
    """The event at a time that a notification has been owed since: the last device write or store then."""
    there = [step for step in steps if step.event.t == t and not step.own]
    return next((step for step in reversed(there) if step.notes), there[-1] if there else None)


def _last(steps: Sequence[Step]) -> Step:
    return next((step for step in reversed(steps) if step.who != "bench"), steps[-1])


def _around(steps: Sequence[Step], focus: Step) -> tuple[list[Step], int]:
    """The events around one, and how many that are not worth a line were left out of them."""
    lines = gist(steps, focus)
    place = next(n for n, step in enumerate(lines) if step is focus)
    shown = lines[max(0, place - BEFORE) : place + 1 + AFTER]
    return shown, shown[-1].number - shown[0].number + 1 - len(shown)


def _life(steps: Sequence[Step], focus: Step) -> list[Step]:
    """Everything that happened to the buffer that the event in focus is about."""
    if not focus.buffers:
        return []
    buffer = focus.buffers[-1] if focus.notes else focus.buffers[0]
    return [step for step in steps if any(item is buffer for item in step.buffers)][:LIFE_MAX]
