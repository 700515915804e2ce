"""Two runs side by side: which verdicts differ, what is new, what is mended, where evidence was lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pymodel.checker.clauses import Clause
from tb.results import ERROR, FAIL, PASS, SKIP
from waves.conformance.judgement import DEVICE, Judgement, Row, Standing
from waves.conformance.run_folder import RunFolder, text

V, N, H = Standing.VIOLATED, Standing.NOT_FOLLOWED, Standing.HELD
_WORST = (FAIL, ERROR, PASS, SKIP)


@dataclass(frozen=True, slots=True)
class Change:
    """A clause on which two runs differ (or which both break): its row in either."""

    clause: Clause
    ours: Row
    theirs: Row


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of change and what it means, in the order of weight; `brief` ones are told by reason."""

    title: str
    meaning: str
    bad: bool
    brief: bool
    fits: Callable[[Standing, Standing], bool]


KINDS = (
    Kind("New violations", "violated in A, not in B", True, False, lambda a, b: a is V and b is not V),
    Kind(
        "Mended", "violated in B; put to the test in A and held", False, False, lambda a, b: b is V and a is H
    ),
    Kind(
        "Violated in B, not put to the test in A",
        "nothing shows that they are mended",
        True,
        False,
        lambda a, b: b is V and a not in (V, H),
    ),
    Kind("Violated in both", "neither new nor mended", True, False, lambda a, b: a is V and b is V),
    Kind("Lost evidence", "held in B, untested in A", True, True, lambda a, b: b is H and a not in (V, H, N)),
    Kind("New evidence", "held in A, untested in B", False, True, lambda a, b: a is H and b not in (V, H, N)),
    Kind(
        "Recommendations not followed in A",
        "followed or untested in B",
        True,
        False,
        lambda a, b: a is N and b is not N,
    ),
    Kind(
        "Recommendations not followed in B",
        "followed or untested in A",
        False,
        False,
        lambda a, b: b is N and a is not N,
    ),
)


@dataclass(frozen=True, slots=True)
class Shift:
    """Clauses that stand otherwise in B than in A for the same reasons, and their IDs."""

    ours: str
    theirs: str
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TestChange:
    """A test whose outcome differs: its worst status in either run, "" where it did not run."""

    name: str
    ours: str
    theirs: str


@dataclass(slots=True)
class Difference:
    """All that differs between run A (`ours`) and run B; features offered by one only by name."""

    changes: dict[Kind, list[Change]] = field(default_factory=dict)
    shifts: list[Shift] = field(default_factory=list)
    offered_by_ours: str = ""
    offered_by_theirs: str = ""
    tests: list[TestChange] = field(default_factory=list)
    only_ours: int = 0
    only_theirs: int = 0
    caveats: list[str] = field(default_factory=list)

    @property
    def none(self) -> bool:
        """Whether no verdict and no outcome of a test differs."""
        both = [kind for kind in self.changes if kind.title != "Violated in both"]
        return not both and not self.shifts and not self.tests


def differ(ours: Judgement, theirs: Judgement, runs: tuple[RunFolder, RunFolder]) -> Difference:
    """Compare run A with run B; what only one of two versions of the bench knows counts as untested."""
    found = Difference()
    changes: dict[Kind | None, list[Change]] = {kind: [] for kind in (*KINDS, None)}
    for name in dict.fromkeys((*ours.rows, *theirs.rows)):
        a, b = _row(ours, theirs, name), _row(theirs, ours, name)
        kind = next((kind for kind in KINDS if kind.fits(a.standing, b.standing)), None)
        if kind is not None or (Standing.GAP in (a.standing, b.standing) and a.standing is not b.standing):
            changes[kind].append(Change(a.clause, a, b))
    found.shifts = shifts(changes[None])
    for kind in KINDS:
        if changes[kind]:
            found.changes[kind] = sorted(changes[kind], key=lambda change: change.clause.side != DEVICE)
    _compare_tests(found, runs)
    found.caveats = list(_caveats(found, *runs))
    found.offered_by_ours = ours.names(ours.offered & ~theirs.offered, ", ")
    found.offered_by_theirs = theirs.names(theirs.offered & ~ours.offered, ", ")
    return found


def shifts(changes: Iterable[Change]) -> list[Shift]:
    """The changes, put together where the reasons are the same."""
    found: dict[tuple[str, str], list[str]] = {}
    for change in changes:
        found.setdefault((_reason(change.ours), _reason(change.theirs)), []).append(change.clause.id)
    return [Shift(*reasons, tuple(names)) for reasons, names in found.items()]


def _row(ours: Judgement, theirs: Judgement, name: str) -> Row:
    row = ours.rows.get(name)
    return row or Row(theirs.rows[name].clause, "", Standing.UNJUDGED, "this run does not know it")


def _reason(row: Row) -> str:
    return f"{row.standing}: {row.why}" if row.why else str(row.standing)


def _compare_tests(found: Difference, runs: tuple[RunFolder, RunFolder]) -> None:
    ours, theirs = map(_outcomes, runs)
    for name in dict.fromkeys((*ours, *theirs)):
        a, b = ours.get(name, ""), theirs.get(name, "")
        if a and b and a != b:
            found.tests.append(TestChange(name, a, b))
        found.only_ours += not b
        found.only_theirs += not a


def _outcomes(run: RunFolder) -> dict[str, str]:
    """The worst outcome of each test over its seeds."""
    worst: dict[str, str] = {}
    for test in run.tests:
        worst[test.name] = min(test.status, worst.get(test.name, SKIP), key=_WORST.index)
    return worst


def _caveats(found: Difference, ours: RunFolder, theirs: RunFolder) -> Iterable[str]:
    """What makes two runs less comparable than they look."""
    if found.only_ours or found.only_theirs:
        yield (
            f"The runs are of other tests: {found.only_ours} ran in A only, {found.only_theirs} in B only. "
            f"Evidence may be new or lost for that alone."
        )
    a, b = ours.about.get("bench"), theirs.about.get("bench")
    hashes = [text(bench.get("sources")) if isinstance(bench, dict) else "" for bench in (a, b)]
    if not all(hashes):
        yield "At least one run does not say which bench made it: rules or tests may differ as well."
    elif hashes[0] != hashes[1]:
        yield "The bench itself differs between the runs: a verdict may differ because a rule does."
    seeds = [{(test.seed, test.stress) for test in run.tests} for run in (ours, theirs)]
    if seeds[0] != seeds[1]:
        yield "Seeds or stress differ: what only some seeds meet may show as a difference of the devices."
    if ours.path.resolve() == theirs.path.resolve():
        yield "Both are the same folder."
