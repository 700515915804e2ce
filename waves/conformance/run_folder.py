"""A run folder read as foreign input: results.json with every value checked, and where tests lie.

Text comes out as printable single lines. Nothing outside of the folder is ever named by what is in it.
"""

from __future__ import annotations

import json
import math
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pymodel.vtrace import MAX_TIME
from tb.errors import UsageError
from tb.results import ERROR, FAIL, PASS, RANK, SKIP

RESULTS = "results.json"
MOST_BYTES = 256 << 20
STATUSES = (PASS, FAIL, ERROR, SKIP)
_MOST_TEXT = 4096
T = TypeVar("T")


class _Unusable(Exception):
    """A value in results.json that no run writes."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A finding of one test: its clause, time (ps) and words; `event` in a line."""

    clause: str
    t: int
    message: str
    event: str


@dataclass(frozen=True, slots=True)
class TestRun:
    """One test under one seed; `folder` is where it lies, None where there is no such folder."""

    name: str
    seed: int
    status: str
    message: str
    replay: str
    stress: str
    folder: Path | None
    violations: tuple[Breach, ...]
    warnings: tuple[Breach, ...]
    waived: tuple[Breach, ...]

    def file(self, name: str) -> Path | None:
        """A regular file that the test left behind."""
        return _kept(self.folder / name, stat.S_ISREG) if self.folder is not None else None


@dataclass(frozen=True, slots=True)
class Count:
    """How often a clause held and was breached, and in how many test runs it was put to the test."""

    held: int
    breached: int
    runs: int


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run: its tests, verdicts by clause, how often each was put to the test, and what it was of.

    `counts` is empty where the run did not count. `scope` says why a clause is out of scope. `about` is
    the "run" object, whose values are foreign.
    """

    path: Path
    tests: tuple[TestRun, ...]
    verdicts: dict[str, str]
    counts: dict[str, Count]
    scope: dict[str, str]
    about: dict[str, Any]

    @property
    def name(self) -> str:
        """What the device is called."""
        return text(self.about.get("dut")) or "unnamed device"

    def of_status(self, status: str) -> list[TestRun]:
        """The tests that ended so."""
        return [test for test in self.tests if test.status == status]


def load_run(path: Path) -> RunFolder:
    """Read the run folder at `path`; raises UsageError where it is none, or half-written."""
    file = path / RESULTS
    try:
        if file.stat().st_size > MOST_BYTES:
            raise UsageError(f"{file}: is larger than {MOST_BYTES >> 20} MiB: no run writes that")
        content = json.loads(file.read_bytes())
        if not isinstance(content, dict):
            raise _Unusable("it must hold an object")
        return _run(path, content)
    except OSError as error:
        raise UsageError(
            f"{file}: cannot be read: {error.strerror}; name the folder of a run that ended"
        ) from None
    except (ValueError, RecursionError):
        raise UsageError(f"{file}: is no result of a run: it is no whole JSON") from None
    except _Unusable as problem:
        raise UsageError(f"{file}: is no result of a run: {problem}") from None


def _run(path: Path, content: dict[str, Any]) -> RunFolder:
    rows: list[Any] = _typed(content, "tests", list, "it")
    verdicts: dict[str, Any] = _typed(content, "clauses", dict, "it")
    for clause, verdict in verdicts.items():
        if verdict not in RANK:
            raise _Unusable(f"{text(clause)!r} has the verdict {text(verdict)!r}")
    about = content.get("run", {})
    return RunFolder(
        path,
        tuple(_test(path, row, f"test {number}") for number, row in enumerate(rows, 1)),
        {text(clause): str(verdict) for clause, verdict in verdicts.items()},
        _counts(content.get("outcomes", {})),
        _scope(content.get("out_of_scope", {})),
        about if isinstance(about, dict) else {},
    )


def _counts(rows: Any) -> dict[str, Count]:
    if not isinstance(rows, dict):
        raise _Unusable('"outcomes" must be an object')
    names = ("held", "breached", "runs")
    return {
        text(clause): Count(*(_number(row, name, f"outcome {text(clause)!r}") for name in names))
        for clause, row in rows.items()
    }


def _scope(rows: Any) -> dict[str, str]:
    if not isinstance(rows, dict):
        raise _Unusable('"out_of_scope" must be an object')
    return {
        text(clause): text(_typed(row, "reason", str, f"out_of_scope {text(clause)!r}"))
        for clause, row in rows.items()
    }


def _test(path: Path, row: Any, where: str) -> TestRun:
    status = _typed(row, "status", str, where)
    if status not in STATUSES:
        raise _Unusable(f"{where} has the status {text(status)!r}")
    return TestRun(
        name=text(_typed(row, "name", str, where)),
        seed=_number(row, "seed", where),
        status=status,
        message=text(row.get("message")),
        replay=text(row.get("replay")),
        stress=text(row.get("stress")),
        folder=_folder(path, row.get("folder")),
        violations=_breaches(row, "violations", where),
        warnings=_breaches(row, "warnings", where),
        waived=_breaches(row, "waived", where),
    )


def _breaches(row: dict[str, Any], key: str, where: str) -> tuple[Breach, ...]:
    found = row.get(key, [])
    if not isinstance(found, list):
        raise _Unusable(f'"{key}" of {where} must be a list')
    return tuple(_breach(item, f"{key} of {where}") for item in found)


def _breach(item: Any, where: str) -> Breach:
    clause = text(_typed(item, "clause", str, where))
    return Breach(clause, _number(item, "t", where), text(item.get("message")), text(item.get("event")))


def _typed(row: Any, key: str, kind: type[T], where: str) -> T:
    value: Any = row.get(key) if isinstance(row, dict) else None
    if not isinstance(value, kind):
        raise _Unusable(f'{where} has no "{key}" as a run writes it')
    return value


def _number(row: Any, key: str, where: str) -> int:
    value = row.get(key) if isinstance(row, dict) else None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_TIME:
        raise _Unusable(f'"{key}" of {where} must be a whole number')
    return value


def text(value: Any, most: int = _MOST_TEXT) -> str:
    """Foreign text as one line of printable characters, cut off behind `most`; "" for what is no text."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        value = str(value)
    if not isinstance(value, str):
        return ""
    line = "".join(character if character.isprintable() else " " for character in value[:most])
    return line.strip() + ("..." if len(value) > most else "")


def _folder(path: Path, name: Any) -> Path | None:
    """The folder of a test: right below the run, and really there."""
    if not isinstance(name, str) or name in ("", ".", "..") or "/" in name or "\0" in name:
        return None
    return _kept(path / name, stat.S_ISDIR)


def _kept(path: Path, is_kind: Callable[[int], bool]) -> Path | None:
    """The path if it is of that kind itself, and no link to it."""
    try:
        return path if is_kind(path.lstat().st_mode) else None
    except (OSError, ValueError):
        return None
