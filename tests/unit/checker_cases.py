"""Tables of cases: for each clause a stream in which it holds, and streams that breach it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pymodel.checker import Verdict
from pymodel.checker.clauses import demands
from tests.unit.checker_script import Script

Stream = Callable[[], Script]


@dataclass(frozen=True)
class Case:
    """A stream in which a clause holds, and the streams that breach it."""

    holds: Stream
    breaks: tuple[Stream, ...]
    aside: tuple[str, ...]


def case(holds: Stream, *breaks: Stream, aside: tuple[str, ...] = ()) -> Case:
    """Return a case; `aside` clauses are breached where it holds, by the other side."""
    return Case(holds, breaks, aside)


def each_holding(table: dict[str, Case]) -> list[tuple[str, Case]]:
    """Return (clause, case) pairs for a parametrized test."""
    return list(table.items())


def each_breach(table: dict[str, Case]) -> list[tuple[str, Stream]]:
    """Return (clause, stream) pairs for a parametrized test."""
    return [(clause, stream) for clause, entry in table.items() for stream in entry.breaks]


def check_holds(clause: str, entry: Case) -> None:
    """The clause is put to the test in the stream, and no MUST clause is breached that is not meant to be."""
    results = entry.holds().judge()
    assert [(f.clause, f.message) for f in results.violations if f.clause not in entry.aside] == []
    assert (results.verdicts | results.older)[clause] is Verdict.HELD


def check_breach(clause: str, stream: Stream) -> None:
    """The stream breaches the clause: a violation of a MUST; for a SHOULD a warning and no verdict."""
    results = stream().judge()
    mandatory = demands()[clause].mandatory
    found = results.violations if mandatory else results.warnings
    assert clause in [finding.clause for finding in found], results.violations
    assert (results.verdicts | results.older)[clause] is (
        Verdict.VIOLATED if mandatory else Verdict.NOT_EXERCISED
    )
