"""`python -m tb.coverage RUN...`: which judged clauses the runs put to the test, by chapter, and which not.

A clause that no run exercises is a gap of the suite, unless tests/sim/elsewhere.json says where it is
exercised instead. Exit status 1 if the core has a gap, 2 for a folder that is no run.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from pymodel.checker.clauses import CORE_CHAPTERS, Clause, clauses
from pymodel.checker.rulebook import ALL
from tb.errors import UsageError
from tb.paths import SIM_TESTS

ELSEWHERE = SIM_TESTS / "elsewhere.json"
_TESTED = ("held", "violated")


@dataclass(frozen=True, slots=True)
class Coverage:
    """The judged clauses, those that were put to the test, and why others are not in the suite."""

    judged: tuple[Clause, ...]
    exercised: frozenset[str]
    elsewhere: dict[str, str]

    def of(self, chapter: str) -> list[Clause]:
        """The judged clauses of a chapter."""
        return [clause for clause in self.judged if clause.chapter == chapter]

    def gaps(self, clauses: Iterable[Clause]) -> list[Clause]:
        """Those of the clauses that nothing exercises."""
        return [c for c in clauses if c.id not in self.exercised and c.id not in self.elsewhere]

    def core_gaps(self) -> list[Clause]:
        """The gaps of the core's chapters."""
        return self.gaps(clause for clause in self.judged if clause.chapter in CORE_CHAPTERS)


def exercised_in(content: dict[str, Any]) -> set[str]:
    """The clauses that a run's results.json shows as put to the test: a warning counts as well."""
    found = {clause for clause, verdict in content["clauses"].items() if verdict in _TESTED}
    return found.union(warning["clause"] for test in content["tests"] for warning in test.get("warnings", ()))


def cover(runs: Iterable[Path]) -> Coverage:
    """Merge the results of run folders; raises UsageError for one that is no run."""
    table = clauses()
    exercised: set[str] = set()
    for run in runs:
        path = run / "results.json"
        try:
            exercised |= exercised_in(json.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"{path}: is no result of a run: {type(error).__name__}: {error}") from None
    judged = tuple(table[rule.clause] for rule in ALL if rule.clause in table)
    return Coverage(judged, frozenset(exercised), json.loads(ELSEWHERE.read_text(encoding="utf-8")))


def print_coverage(coverage: Coverage, console: Console) -> None:
    """Print a row a chapter, the core first, and below it each clause that the runs leave out, with why."""
    table = Table(
        "chapter", "judged", "exercised", "elsewhere", "never", title="judged clauses in these runs"
    )
    chapters = list(dict.fromkeys(clause.chapter for clause in coverage.judged))
    for chapter in sorted(chapters, key=lambda name: name not in CORE_CHAPTERS):
        judged, never = coverage.of(chapter), coverage.gaps(coverage.of(chapter))
        tested = sum(clause.id in coverage.exercised for clause in judged)
        counts = (len(judged), tested, len(judged) - tested - len(never), len(never))
        table.add_row(chapter if chapter in CORE_CHAPTERS else f"{chapter} (device)", *map(str, counts))
    console.print(table)
    for clause in coverage.judged:
        if clause.id not in coverage.exercised:
            reason = coverage.elsewhere.get(clause.id, "NEVER EXERCISED")
            console.print(f"{clause.id} ({clause.level}, {clause.section}): {reason}", soft_wrap=True)


def main(words: Sequence[str]) -> int:
    """Print the table; 0, 1 for a gap in the core, 2 for bad usage."""
    console = Console(width=110, highlight=False)
    try:
        if not words:
            raise UsageError("name the run folders: python -m tb.coverage RUN...")
        coverage = cover(map(Path, words))
    except UsageError as error:
        print(f"coverage: {error}", file=sys.stderr)
        return 2
    print_coverage(coverage, console)
    return 1 if coverage.core_gaps() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
