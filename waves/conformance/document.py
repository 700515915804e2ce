"""The conformance report: all that its templates show, and the files that they make."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pymodel.checker.clauses import DEVICE_CHAPTERS
from tb.paths import shown
from tb.results import ERROR, FAIL, PASS, SKIP
from waves.conformance.difference import differ, shifts
from waves.conformance.evidence import Evidence, gather
from waves.conformance.headline import Headline, headline
from waves.conformance.identity import identity_lines
from waves.conformance.judgement import DEVICE, Judgement, Row, Standing, type_name
from waves.conformance.run_folder import RunFolder, TestRun, load_run
from waves.conformance.tables import Columns, Table, device_table, feature_table
from waves.failure import PAGE as FAILURE_PAGE
from waves.names import time_text
from waves.prepare import WAVE
from waves.render import template
from waves.story import rule_of

MOST_TESTS = 2000
TITLES = {
    "status": "Device status field",
    "feature-bits": "Feature bits",
    "reset": "Device reset",
    "config-space": "Device configuration space",
    "virtqueues": "Virtqueues",
    "split": "Split virtqueues",
    "packed": "Packed virtqueues",
    "init": "Initialization and cleanup",
    "suspend": "Device suspend",
    "pci": "Virtio over PCI",
    "notifications": "Notifications",
    "reserved-features": "Reserved feature bits",
    "shared-mem": "Shared memory regions",
    "admin-vq": "Administration virtqueues",
    "admin-cmd": "Administration commands",
    "legacy": "Legacy interface",
    "lguest": "lguest's bus",
    "unknown": "Not known to this version",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """One run, read whole."""

    run: RunFolder
    evidence: Evidence
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter's clauses of one side; `why` where all are not applicable for one reason."""

    name: str
    title: str
    rows: tuple[Row, ...]
    why: str

    def count(self, level: str, standing: Standing | None = None) -> int:
        """How many clauses of a level ("MUST", "SHOULD", "MAY") there are, or stand so."""
        rows = [row for row in self.rows if row.clause.level.startswith(level)]
        return sum(standing in (None, row.standing) for row in rows)


class Links:
    """Where a test's files lie, seen from the document's folder, and the commands that show it again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def page(self, test: TestRun) -> str:
        """The failure page's address, "" where there is none."""
        return self._address(test.file(FAILURE_PAGE))

    def wave(self, test: TestRun) -> str:
        """The wave file's address, "" where there is none."""
        return self._address(test.file(WAVE))

    def open(self, test: TestRun) -> str:
        """The command that opens the waves at the first violation, "" where nothing lies there."""
        return f"virtio-cosim wave {shlex.quote(shown(test.folder))}" if test.folder is not None else ""

    def _address(self, path: Path | None) -> str:
        if path is None:
            return ""
        return quote(os.path.relpath(path.parent.resolve() / path.name, self._folder))


def read(path: Path) -> Subject:
    """Read a run folder, its traces included; raises UsageError."""
    run = load_run(path)
    evidence = gather(run)
    return Subject(run, evidence, Judgement(run, evidence))


def render(name: str, folder: Path, ours: Subject, theirs: Subject | None = None) -> str:
    """The report of `ours` by the template of that name, to lie in `folder`; `theirs` is compared with."""
    subjects = [ours] if theirs is None else [ours, theirs]
    difference = None
    if theirs is not None:
        difference = differ(ours.judgement, theirs.judgement, (ours.run, theirs.run))
    return template(name).render(
        **_verdicts(ours),
        **_tables(subjects),
        head=headline(ours.run, ours.judgement, ours.evidence),
        against=None if theirs is None else _against(theirs),
        difference=difference,
        shifts=shifts,
        other=None if theirs is None else theirs.run,
        other_folder="" if theirs is None else shown(theirs.run.path),
        links=Links(folder),
        rule_of=rule_of,
        time_text=time_text,
        Standing=Standing,
    )


def _against(theirs: Subject) -> Headline:
    return headline(theirs.run, theirs.judgement, theirs.evidence)


def _verdicts(subject: Subject) -> dict[str, Any]:
    run, judgement = subject.run, subject.judgement
    blamed = [test for test in run.of_status(FAIL) if not test.violations]
    tests = sorted(run.tests, key=lambda test: (FAIL, ERROR, SKIP, PASS).index(test.status))
    left_out = Counter(test.status for test in tests[MOST_TESTS:])
    return {
        "run": run,
        "evidence": subject.evidence,
        "folder": shown(run.path),
        "statuses": Counter(test.status for test in run.tests),
        "violations": judgement.of(Standing.VIOLATED),
        "by_driver": judgement.of(Standing.VIOLATED, side="driver"),
        "troubles": (blamed + run.of_status(ERROR))[:MOST_TESTS],
        "not_followed": judgement.of(Standing.NOT_FOLLOWED),
        "gaps": judgement.of(Standing.GAP),
        "chapters": list(_chapters(judgement, DEVICE)),
        "total": Chapter("", "all chapters", tuple(judgement.of(*Standing)), ""),
        "driver_chapters": list(_chapters(judgement, "driver")),
        "unjudged": _reasons(judgement.of(Standing.UNJUDGED)),
        "out_of_scope": _reasons(
            [row for row in judgement.rows.values() if row.standing == Standing.OUT_OF_SCOPE]
        ),
        "tests": tests[:MOST_TESTS],
        "tests_left_out": ", ".join(f"{count} {status}" for status, count in left_out.items()),
    }


def _chapters(judgement: Judgement, side: str) -> Iterator[Chapter]:
    chapters: dict[str, list[Row]] = {}
    for row in judgement.rows.values():
        if row.clause.side == side:
            chapters.setdefault(row.clause.chapter, []).append(row)
    for name, rows in chapters.items():
        reasons = {row.why for row in rows}
        foreign = all(row.standing == Standing.NOT_APPLICABLE for row in rows)
        why = reasons.pop() if foreign and len(reasons) == 1 else ""
        yield Chapter(name, _title(name), tuple(rows), why)


def _title(chapter: str) -> str:
    kind = DEVICE_CHAPTERS.get(chapter)
    return TITLES.get(chapter, chapter) if kind is None else f"Device type: {type_name(kind)}"


def _reasons(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows by the reason that they have in common."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.why, []).append(row)
    return found


def _tables(subjects: Sequence[Subject]) -> dict[str, Table]:
    """What the runs were of and what their devices showed; columns of A come before those of B."""
    profiles = [profile for subject in subjects for profile in subject.evidence.profiles]
    columns = Columns.of([[profile.name for profile in one.evidence.profiles] for one in subjects])
    return {
        "identity": _identity([subject.run for subject in subjects]),
        "devices": device_table(columns, profiles),
        "features": feature_table(columns, profiles),
    }


def _identity(runs: Sequence[RunFolder]) -> Table:
    columns = Columns.of([[run.name] for run in runs])
    identities = [identity_lines(run) for run in runs]
    labels = dict.fromkeys(label for lines in identities for label in lines)
    lines = [columns.line(label, [one.get(label, "not told") for one in identities]) for label in labels]
    return Table(columns.heads, tuple(lines))
