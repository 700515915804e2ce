"""All nights of a regression in one SQLite file: what is to run, and every result as it comes.

A run without a status is still to be done, so what is missing can be seen in the file itself. Results
are written in transactions (write-ahead log): a process that is killed leaves a whole file.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tb.errors import DiskFull, ToolError, UsageError
from tb.results import RANK, Result

APPLICATION = 0x7610C051
VERSION = 1
_REMEDY = "move it away or choose another --out"
_SCHEMA = """
CREATE TABLE night (
  number INTEGER PRIMARY KEY, plan TEXT NOT NULL, text TEXT NOT NULL, started REAL NOT NULL,
  sources TEXT NOT NULL, seeds TEXT NOT NULL, seconds REAL NOT NULL DEFAULT 0, ended REAL
);
CREATE TABLE run (
  id INTEGER PRIMARY KEY, night INTEGER NOT NULL REFERENCES night, configuration TEXT NOT NULL,
  test TEXT NOT NULL, seed INTEGER NOT NULL, stress TEXT NOT NULL, attempt INTEGER NOT NULL DEFAULT 0,
  status TEXT, sources TEXT, clause TEXT, message TEXT, place TEXT, state TEXT, signature TEXT,
  seconds REAL, sim_ns INTEGER, cycles INTEGER, buffers INTEGER, replay TEXT, folder TEXT, violations TEXT,
  UNIQUE (night, configuration, test, seed, stress, attempt)
);
CREATE INDEX run_pending ON run (night, id) WHERE status IS NULL;
CREATE INDEX run_failed ON run (configuration, test, seed) WHERE status IN ('fail', 'error');
CREATE INDEX run_same ON run (configuration, test, seed, stress);
CREATE TABLE clause (
  night INTEGER NOT NULL, configuration TEXT NOT NULL, clause TEXT NOT NULL, verdict TEXT NOT NULL,
  warned INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (night, configuration, clause)
) WITHOUT ROWID;
CREATE TABLE sample (
  night INTEGER NOT NULL, configuration TEXT NOT NULL, point TEXT NOT NULL, hits INTEGER NOT NULL,
  PRIMARY KEY (night, configuration, point)
) WITHOUT ROWID;
CREATE TABLE figure (
  night INTEGER NOT NULL, name TEXT NOT NULL, value REAL NOT NULL, detail TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (night, name)
) WITHOUT ROWID;
"""

# Not there in files of earlier versions.
_WAIVED = """
CREATE TABLE IF NOT EXISTS waived (
  night INTEGER NOT NULL, configuration TEXT NOT NULL, clause TEXT NOT NULL, reason TEXT NOT NULL,
  findings INTEGER NOT NULL, PRIMARY KEY (night, configuration, clause)
) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class Key:
    """What a run is: a test of a configuration under a seed and a stress level ("own": the test's)."""

    configuration: str
    test: str
    seed: int
    stress: str
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Night:
    """A night's row; `started` and `ended` (None: never came to its end) are Unix times."""

    number: int
    plan: str
    text: str
    started: float
    sources: str
    seeds: tuple[int, ...]
    seconds: float
    ended: float | None


@dataclass(frozen=True, slots=True)
class Pending:
    """A run that is still to be done."""

    id: int
    key: Key


@dataclass(frozen=True, slots=True)
class Judged:
    """A result with what triage makes of it."""

    run: int
    result: Result
    place: str = ""
    state: str = ""
    signature: str = ""


class Store:
    """The file of results; every method that writes is one transaction."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; raises UsageError for one that is damaged or something else."""
        self.path = path
        _check(path)
        with self._guard():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=60)
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            with self.transaction():
                if not self._db.execute("PRAGMA user_version").fetchone()[0]:
                    for statement in _SCHEMA.split(";\n"):
                        self._db.execute(statement)
                    self._db.execute(f"PRAGMA application_id = {APPLICATION}")
                    self._db.execute(f"PRAGMA user_version = {VERSION}")
                self._db.execute(_WAIVED)
        self._verdicts: dict[tuple[int, str], dict[str, tuple[int, bool]]] = {}

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """Turn what SQLite and the file system say into the one line that is for people."""
        try:
            yield
        except sqlite3.OperationalError as error:
            code = error.sqlite_errorcode & 0xFF
            if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and not _grows(self.path)):
                raise DiskFull(self.path) from None
            raise ToolError(f"{self.path}: {error}") from None
        except sqlite3.DatabaseError as error:
            raise UsageError(
                f"{self.path}: is damaged ({error}): restore it or choose another --out"
            ) from None
        except OSError as error:
            raise UsageError(f"{self.path}: cannot be made: {error.strerror}") from None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing."""
        with self._guard():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                self._verdicts = {}
                raise

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """The rows of a query."""
        with self._guard():
            return self._db.execute(sql, values).fetchall()

    def begin_night(self, plan: str, text: str, sources: str, now: float, seeds: Sequence[int]) -> int:
        """Record a new night and return its number; call it within `transaction`, with `add_runs`."""
        cursor = self._db.execute(
            "INSERT INTO night (plan, text, started, sources, seeds) VALUES (?, ?, ?, ?, ?)",
            (plan, text, now, sources, json.dumps(list(seeds))),
        )
        return int(cursor.lastrowid or 0)

    def next_night(self) -> int:
        """The number that a night begun now gets."""
        return int(self.rows("SELECT coalesce(max(number), 0) + 1 FROM night")[0][0])

    def night(self, number: int) -> Night:
        """The night of this number."""
        return _night(self.rows("SELECT * FROM night WHERE number = ?", number)[0])

    def nights(self) -> list[Night]:
        """All nights, oldest first."""
        return [_night(row) for row in self.rows("SELECT * FROM night ORDER BY number")]

    def last_night(self, plan: str) -> Night | None:
        """The latest night of a plan."""
        rows = self.rows("SELECT * FROM night WHERE plan = ? ORDER BY number DESC LIMIT 1", plan)
        return _night(rows[0]) if rows else None

    def spend(self, night: int, seconds: float, ended: float | None) -> None:
        """Add to a night's real time; `ended` where it came to its end."""
        with self.transaction():
            self._db.execute(
                "UPDATE night SET seconds = seconds + ?, ended = ? WHERE number = ?", (seconds, ended, night)
            )

    def add_runs(self, night: int, keys: Iterable[Key]) -> None:
        """Record what is to run; call it within `transaction`. What is there already stays as it is."""
        self._db.executemany(
            "INSERT OR IGNORE INTO run (night, configuration, test, seed, stress, attempt)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            ((night, k.configuration, k.test, k.seed, k.stress, k.attempt) for k in keys),
        )

    def pending(self, night: int) -> list[Pending]:
        """What is still to be done, in order."""
        sql = (
            "SELECT id, configuration, test, seed, stress, attempt FROM run"
            " WHERE night = ? AND status IS NULL ORDER BY id"
        )
        return [Pending(row["id"], Key(*tuple(row)[1:])) for row in self.rows(sql, night)]

    def counts(self, night: int) -> dict[str | None, int]:
        """Runs by status, without those done again; None for those to be done."""
        sql = (
            "SELECT status, count(*) FROM run WHERE night = ? AND (attempt = 0 OR status IS NULL)"
            " GROUP BY status"
        )
        rows = self.rows(sql, night)
        return {row[0]: row[1] for row in rows}

    def failed_seeds(self) -> list[tuple[str, str, int, str]]:
        """(configuration, test, seed, stress) of every run that ever failed, newest first."""
        sql = (
            "SELECT configuration, test, seed, stress FROM run WHERE status IN ('fail', 'error')"
            " GROUP BY configuration, test, seed, stress ORDER BY max(id) DESC"
        )
        return [tuple(row) for row in self.rows(sql)]

    def flaky(self, night: int) -> list[tuple[str, str, int, str]]:
        """(configuration, test, seed, stress) of runs whose verdict differs from one on the same sources.

        The other one is of the same night (the run was done again) or of an earlier one.
        """
        sql = (
            "SELECT DISTINCT a.configuration, a.test, a.seed, a.stress FROM run a JOIN run b"
            " USING (configuration, test, seed, stress, sources) WHERE a.night = ? AND b.night <= a.night"
            " AND (a.status IN ('fail', 'error') OR b.status IN ('fail', 'error'))"
            " AND a.status IS NOT b.status AND a.status IS NOT NULL AND b.status IS NOT NULL"
        )
        return [tuple(row) for row in self.rows(sql, night)]

    def record(self, night: int, configuration: str, sources: str, judged: Sequence[Judged]) -> int:
        """Store results and what they say of the clauses; return how many of them were still wanted."""
        with self.transaction():
            new = [item for item in judged if self._finish(item, sources)]
            self._merge(night, configuration, [item.result for item in new])
        return len(new)

    def _finish(self, item: Judged, sources: str) -> bool:
        result = item.result
        first = result.violations[0]["clause"] if result.violations else ""
        cursor = self._db.execute(
            "UPDATE run SET status = ?, sources = ?, clause = ?, message = ?, place = ?, state = ?,"
            " signature = ?, seconds = ?, sim_ns = ?, cycles = ?, buffers = ?, replay = ?, folder = ?,"
            " violations = ? WHERE id = ? AND status IS NULL",
            (
                *(result.status, sources, first, result.message, item.place, item.state, item.signature),
                *(result.seconds, result.sim_ns, result.cycles, result.buffers, result.replay),
                *(result.folder, json.dumps(result.violations) if result.violations else None, item.run),
            ),
        )
        return cursor.rowcount == 1

    def _merge(self, night: int, configuration: str, results: Sequence[Result]) -> None:
        """Write the verdicts of clauses that these results raise, and count their coverage samples."""
        known = self._known(night, configuration)
        changed: dict[str, tuple[int, bool]] = {}
        for result in results:
            warned = {str(warning["clause"]) for warning in result.warnings}
            for clause, verdict in result.clauses.items():
                before = known.get(clause, (-1, False))
                after = max(before[0], RANK.index(verdict)), before[1] or clause in warned
                if after != before:
                    known[clause] = changed[clause] = after
            self._db.executemany(
                "INSERT INTO waived VALUES (?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET findings = findings + 1",
                [(night, configuration, f["clause"], f["reason"]) for f in result.waived],
            )
            for point in result.coverage:
                self._db.execute(
                    "INSERT INTO sample VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET hits = hits + 1",
                    (night, configuration, json.dumps(point)),
                )
        self._db.executemany(
            "INSERT OR REPLACE INTO clause VALUES (?, ?, ?, ?, ?)",
            [(night, configuration, clause, RANK[r], w) for clause, (r, w) in changed.items()],
        )

    def _known(self, night: int, configuration: str) -> dict[str, tuple[int, bool]]:
        key = night, configuration
        if key not in self._verdicts:
            sql = "SELECT clause, verdict, warned FROM clause WHERE night = ? AND configuration = ?"
            rows = self._db.execute(sql, key)
            self._verdicts[key] = {row[0]: (RANK.index(row[1]), bool(row[2])) for row in rows}
        return self._verdicts[key]

    def set_figure(self, night: int, name: str, value: float, detail: Any = "") -> None:
        """Record a figure of a night, for the trends."""
        with self.transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO figure VALUES (?, ?, ?, ?)",
                (night, name, value, json.dumps(detail) if detail else ""),
            )


def _night(row: sqlite3.Row) -> Night:
    seeds = tuple(json.loads(row["seeds"]))
    head = row["number"], row["plan"], row["text"], row["started"], row["sources"]
    return Night(*head, seeds, row["seconds"], row["ended"])


def _grows(path: Path) -> bool:
    """Whether a file beside this one can be as large as it: a quota looks like any I/O error to SQLite."""
    wal = path.with_name(path.name + "-wal")
    size = max(file.stat().st_size if file.exists() else 0 for file in (path, wal)) + 65536
    try:
        with tempfile.TemporaryFile(dir=path.parent) as probe:
            os.posix_fallocate(probe.fileno(), 0, size)
    except OSError:
        return False
    return True


def _check(path: Path) -> None:
    """See without writing whether the file is there and whole; raises UsageError."""
    if not path.exists():
        return
    problem = ""
    try:
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            application = db.execute("PRAGMA application_id").fetchone()[0]
            version = db.execute("PRAGMA user_version").fetchone()[0]
            state = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        finally:
            db.close()
        if state != "ok":
            problem = f"is damaged ({' '.join(state.split())})"
        elif application != APPLICATION and (application, version) != (0, 0):
            problem = "is a database of something else"
        elif version > VERSION:
            problem = f"is of a later version ({version})"
    except sqlite3.DatabaseError as error:
        problem = f"is damaged ({error})"
    if problem:
        raise UsageError(f"{path}: {problem}: {_REMEDY}")
