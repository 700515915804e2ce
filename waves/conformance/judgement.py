"""How a run stands on every clause, and why: the checker's verdicts, and what they rest on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from pymodel.checker.clauses import DEVICE_CHAPTERS, Clause, clauses, older, unjudged
from pymodel.checker.rulebook import ALL
from pymodel.spec import DeviceType
from waves.conformance.evidence import Evidence
from waves.conformance.profile import LEGACY, LGUEST, MODERN, union
from waves.conformance.run_folder import Breach, Count, RunFolder, TestRun
from waves.names import feature_names

DEVICE = "device"
PERMISSION = "a permission: nothing can breach it"
UNKNOWN = "unknown"
_OLDER_INTERFACE = {LEGACY: "the legacy interface", LGUEST: "lguest's bus"}


class Standing(StrEnum):
    """What a run says about one clause.

    GAP: a rule judges it, the clause may apply, and nothing in this run put it to the test. UNJUDGED:
    the bench has no rule for it. NOT_FOLLOWED is of recommendations (SHOULD) only.
    """

    VIOLATED = "violated"
    NOT_FOLLOWED = "not followed"
    HELD = "held"
    GAP = "gap"
    NOT_APPLICABLE = "not applicable"
    OUT_OF_SCOPE = "out of scope"
    UNJUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class First:
    """The first breach of a clause in a run, and the test that met it."""

    test: TestRun
    breach: Breach


@dataclass(frozen=True, slots=True)
class Row:
    """A clause in a run: `verdict` as results.json has it, `why` where that needs a reason.

    `first` is its first breach, `met` in how many test runs there was one. Out of scope that is waived.
    """

    clause: Clause
    verdict: str
    standing: Standing
    why: str = ""
    count: Count | None = None
    first: First | None = None
    met: int = 0

    @property
    def times(self) -> int | None:
        """How often it was put to the test, None where the run did not count."""
        return self.count.held + self.count.breached if self.count else None


@cache
def ruled() -> frozenset[str]:
    """The clauses that a rule judges."""
    return frozenset(rule.clause for rule in ALL)


class Judgement:
    """The rows of a run, by clause."""

    def __init__(self, run: RunFolder, evidence: Evidence) -> None:
        self._run = run
        self._sessions = evidence.sessions
        self._types = evidence.types
        # Not every driver reads the whole offer: one without a bit above 31 was not.
        whole = [row for row in self._sessions if row.interface == MODERN and row.offered >> 32]
        self._offers = [row.offered for row in whole or self._sessions]
        self._interfaces = {row.interface for row in self._sessions}
        self._accepted = union(row.accepted or 0 for row in self._sessions)
        self._breaches = _firsts(run, "violations")
        self._warnings = _firsts(run, "warnings")
        self._waived = _firsts(run, "waived")
        self.rows = {row.clause.id: row for row in self._all()}

    def of(self, *standings: Standing, side: str = DEVICE) -> list[Row]:
        """The rows of one side that stand so."""
        return [row for row in self.rows.values() if row.clause.side == side and row.standing in standings]

    def _all(self) -> Iterator[Row]:
        for clause in (*clauses().values(), *older().values()):
            yield self._row(clause)
        known = clauses().keys() | older().keys()
        for name in dict.fromkeys((*self._run.verdicts, *self._breaches)):
            if name not in known:
                side = "driver" if name.startswith("DRV-") else DEVICE
                yield self._row(Clause(name, "", "", "MUST", side, UNKNOWN, ""))

    def _row(self, clause: Clause) -> Row:
        name = clause.id
        count = self._run.counts.get(name)
        if name in self._run.scope:
            first, met = self._waived.get(name, (None, 0))
            verdict = self._run.verdicts.get(name, "")
            return Row(clause, verdict, Standing.OUT_OF_SCOPE, self._run.scope[name], None, first, met)
        if name in self._breaches:
            first, met = self._breaches[name]
            return Row(clause, "violated", Standing.VIOLATED, "", count, first, met)
        verdict = self._run.verdicts.get(name) or self._older_verdict(clause, count)
        if verdict == "violated":
            return Row(clause, verdict, Standing.VIOLATED, "no test of this run tells where", count)
        if name in self._warnings:
            first, met = self._warnings[name]
            return Row(clause, verdict, Standing.NOT_FOLLOWED, "", count, first, met)
        if verdict == "held":
            return Row(clause, verdict, Standing.HELD, "", count)
        standing, why = self._untested(clause, verdict)
        return Row(clause, verdict, standing, why)

    def _older_verdict(self, clause: Clause, count: Count | None) -> str:
        """A verdict on an older interface: results.json has none, but it counts."""
        return "held" if clause.id in older() and count is not None and count.held else ""

    def _untested(self, clause: Clause, verdict: str) -> tuple[Standing, str]:
        if clause.chapter == UNKNOWN:
            return Standing.UNJUDGED, "this version of the checker does not know it"
        foreign = self._other_device(clause, verdict) or self._other_interface(clause) or self._absent(clause)
        if foreign:
            return Standing.NOT_APPLICABLE, foreign
        if clause.level == "MAY":
            return Standing.UNJUDGED, PERMISSION
        if clause.id not in ruled():
            return Standing.UNJUDGED, unjudged().get(clause.id, "no rule of this version judges it")
        undriven = self._undriven(clause)
        if verdict == "not-applicable" and not undriven:
            return Standing.NOT_APPLICABLE, "it speaks of no session of this run"
        if not verdict:
            return Standing.GAP, "this run gave no verdict: it is of another version of the bench"
        return Standing.GAP, undriven or "nothing in this run put it to the test"

    def _other_device(self, clause: Clause, verdict: str) -> str:
        kind = DEVICE_CHAPTERS.get(clause.chapter)
        if kind is None or kind in self._types or (not self._types and verdict != "not-applicable"):
            return ""
        ours = ", ".join(type_name(number) for number in sorted(self._types))
        this = f"; this is a device of type {ours}" if ours else ""
        return f"it is of the chapter on {type_name(kind)} devices{this}"

    def _other_interface(self, clause: Clause) -> str:
        interface = _OLDER_INTERFACE.get(clause.chapter)
        if interface is None or clause.chapter in self._interfaces:
            return ""
        return f"no session of this run was by {interface}"

    @property
    def offered(self) -> int:
        """The features offered in the sessions that read the whole offer."""
        return union(self._offers)

    def names(self, mask: int, joint: str = " and ") -> str:
        """A feature set in words."""
        kind = min(self._types) if len(self._types) == 1 else None
        return joint.join(feature_names(mask, kind))

    def _absent(self, clause: Clause) -> str:
        """Why a clause speaks of another device, told by the features that were offered."""
        if not self._sessions:
            return ""
        missing = (clause.needs | clause.offers) & ~self.offered
        if missing:
            return f"{self.names(missing)} {_is(missing)} not offered"
        always = clause.offers_not
        for offered in self._offers:
            always &= offered
        if not always:
            return ""
        return f"{self.names(always)} {_is(always)} offered, and it speaks of devices without"

    def _undriven(self, clause: Clause) -> str:
        """Why no session could put a clause to the test, told by the features that were accepted."""
        if not self._sessions:
            return ""
        unaccepted = clause.needs & ~self._accepted
        if unaccepted:
            return f"{self.names(unaccepted)} {_is(unaccepted)} offered, but never accepted"
        features = [row.accepted for row in self._sessions if row.accepted is not None]
        if any(mask & clause.needs == clause.needs and not mask & clause.lacks for mask in features):
            return ""
        if not clause.lacks:
            return "no session had the features that it speaks of"
        needed = f"{self.names(clause.needs)} and " if clause.needs else ""
        return f"no session had {needed}not {self.names(clause.lacks)}"


def _is(mask: int) -> str:
    return "is" if mask.bit_count() == 1 else "are"


def type_name(number: int) -> str:
    """A device type in a word."""
    return DeviceType(number).name.lower() if number in list(DeviceType) else f"number {number}"


def _firsts(run: RunFolder, what: str) -> dict[str, tuple[First | None, int]]:
    """By clause, its first breach of that sort, and the number of test runs with one."""
    found: dict[str, tuple[First | None, int]] = {}
    for test in run.tests:
        for clause, breach in {breach.clause: breach for breach in reversed(getattr(test, what))}.items():
            first, met = found.get(clause, (First(test, breach), 0))
            found[clause] = first, met + 1
    return found
