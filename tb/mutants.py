"""`virtio-cosim mutants`: plants each known bug in a private copy of the tree; is it found?"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tb.errors import ToolError, UsageError
from tb.paths import ROOT, build_root
from tb.results import FAIL, PASS, Result, write_whole

KILLED, SURVIVED, ERROR = STATUSES = ("killed", "survived", "error")
COPIED = ("hdl", "pymodel", "native", "tb", "waves", "tests")
MAY_CHANGE = ("hdl/", "pymodel/")
LIMIT_S = 900


@dataclass(frozen=True, slots=True)
class Mutant:
    """A planted bug: the patch's stem, what its first line says, the clauses expected to catch it."""

    name: str
    title: str
    expect: tuple[str, ...]
    patch: Path


@dataclass(slots=True)
class Fate:
    """What became of a mutant; `test` is the one that found it, `cycles` what that took."""

    name: str
    status: str
    clauses: list[str] = field(default_factory=list)
    test: str = ""
    cycles: int = 0
    seconds: float = 0.0
    message: str = ""
    applies: bool = True


def load_mutants(folder: Path) -> list[Mutant]:
    """Read the patches of a folder; raises UsageError about what is no mutant."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder of patches")
    mutants = [_load(path) for path in sorted(folder.glob("*.patch"))]
    if not mutants:
        raise UsageError(f"{folder}: holds no *.patch")
    return mutants


def _load(path: Path) -> Mutant:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    title = re.match(r"# (BUG-\w+: .*)", text)
    if title is None:
        raise UsageError(f"{path}: line 1 must be '# BUG-nnn: title'")
    expect = re.search(r"^# expect: (.*)$", text, re.MULTILINE)
    clauses = tuple(re.findall(r"[A-Z0-9]+(?:-[A-Z0-9]+)+", expect[1])) if expect else ()
    for name in re.findall(r"^(?:\+\+\+|---) (?:[ab]/)?(\S+)", text, re.MULTILINE):
        if name != "/dev/null" and (not name.startswith(MAY_CHANGE) or ".." in Path(name).parts):
            raise UsageError(f"{path}: changes {name}: a mutant may change only {' and '.join(MAY_CHANGE)}")
    return Mutant(path.stem, title[1], clauses, path.resolve())


class Hunt:
    """Runs the suite against mutants; `done` hears every fate as it comes."""

    def __init__(self, mutants: Sequence[Mutant], jobs: int, done: Callable[[Fate], None]) -> None:
        self._mutants = mutants
        self._jobs = jobs
        self._done = done
        self._work = build_root() / "mutants"
        self._trees = self._work
        self._history = self._work / "history.json"

    def run(self) -> list[Fate]:
        """Run the suite once without a mutant, then against each; raises ToolError if it is not clean."""
        (self._work / "logs").mkdir(parents=True, exist_ok=True)
        kills: dict[str, str] = self._known_kills()
        # A folder of our own: two hunts at once must not share trees.
        with tempfile.TemporaryDirectory(prefix="hunt-", dir=self._work) as trees:
            self._trees = Path(trees)
            seconds = self._baseline()
            with ThreadPoolExecutor(self._jobs) as pool:
                fates = list(pool.map(lambda mutant: self._try(mutant, seconds, kills), self._mutants))
        kills.update({fate.name: fate.test for fate in fates if fate.status == KILLED})
        write_whole(self._history, json.dumps(kills, indent=1))
        return fates

    def _known_kills(self) -> dict[str, str]:
        try:
            return dict(json.loads(self._history.read_text()))
        except (OSError, ValueError):
            return {}

    def _baseline(self) -> dict[str, float]:
        """Seconds per test of the unharmed tree, all of whose tests must pass."""
        tree = self._copy("baseline")
        results, log = self._suite(tree, [])
        bad = [result for result in results if result.status == FAIL]
        if bad or not any(result.status == PASS for result in results):
            reason = f"{bad[0].name}: {bad[0].message}" if bad else "no test passes"
            raise ToolError(f"without any mutant the suite is not clean: {reason}", log)
        return {result.name: result.seconds for result in results if result.status == PASS}

    def _try(self, mutant: Mutant, seconds: dict[str, float], kills: dict[str, str]) -> Fate:
        started = time.monotonic()
        fate = self._fate(mutant, _ranked(seconds, kills, mutant.name))
        fate.seconds = round(time.monotonic() - started, 2)
        self._done(fate)
        return fate

    def _fate(self, mutant: Mutant, order: list[str]) -> Fate:
        tree = self._copy(mutant.name)
        problem = _apply(mutant.patch, tree)
        if problem:
            return Fate(mutant.name, ERROR, message=f"does not apply: {problem}", applies=False)
        try:
            results, log = self._suite(tree, order)
        except ToolError as error:
            return Fate(mutant.name, ERROR, message=str(error))
        failed = [result for result in results if result.status == FAIL]
        by_clause = [result for result in failed if result.violations]
        if not failed:
            died = [result for result in results if result.status == "error"]
            if died or not results:
                return Fate(mutant.name, ERROR, message=died[0].message if died else f"no result (see {log})")
            return Fate(mutant.name, SURVIVED, message=mutant.title)
        killer = by_clause[0] if by_clause else failed[0]
        clauses = [violation["clause"] for violation in killer.violations]
        shutil.rmtree(tree, ignore_errors=True)
        return Fate(mutant.name, KILLED, clauses, killer.name, killer.cycles, message=killer.message)

    def _copy(self, name: str) -> Path:
        tree = self._trees / name
        ignore = shutil.ignore_patterns("__pycache__", "*.pyc", "*.so")
        for folder in COPIED:
            if (ROOT / folder).is_dir():
                shutil.copytree(ROOT / folder, tree / folder, ignore=ignore)
        return tree

    def _suite(self, tree: Path, order: Sequence[str]) -> tuple[list[Result], Path]:
        """Run the tests of a tree in this order, up to the first that a clause fails."""
        out, log = tree / "run", self._work / "logs" / f"{tree.name}.log"
        command = [sys.executable, "-m", "tb.cli", "run", "--out", str(out), "--jobs", "1"]
        command += ["--waves", "never"]
        command += ["--until-violation"] if order else []
        command += [word for name in order for word in ("--test", name)]
        env = {**os.environ, "PYTHONPATH": str(tree), "VIRTIO_COSIM_BUILD": str(tree / "build")}
        try:
            with log.open("w") as stream:
                code = subprocess.run(
                    command, cwd=tree, env=env, stdout=stream, stderr=stream, check=False, timeout=LIMIT_S
                ).returncode
        except subprocess.TimeoutExpired:
            raise ToolError(f"no end within {LIMIT_S} s", log) from None
        if not (out / "results.json").exists():
            raise ToolError(f"the suite ended with exit status {code}: {_last_line(log)}", log)
        rows = [Result.load(path) for path in out.glob("*/result.json")]
        place = {name: index for index, name in enumerate(order)}
        return sorted(rows, key=lambda row: place.get(row.name, len(place))), log


def _apply(patch: Path, tree: Path) -> str:
    """Apply a patch strictly; return why it does not apply, empty when it did."""
    env = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent.resolve())}
    command = ["git", "apply", "-p1", "--whitespace=nowarn", str(patch)]
    done = subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["git apply failed"])[0]


def _ranked(seconds: dict[str, float], kills: dict[str, str], name: str) -> list[str]:
    """Tests that find bugs soonest first: what found this one before, what found most, what is quick."""
    count = {test: sum(killer == test for killer in kills.values()) for test in seconds}
    return sorted(seconds, key=lambda test: (test != kills.get(name), -count[test], seconds[test]))


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def exit_status(fates: Sequence[Fate]) -> int:
    """0 all killed, 2 one does not apply, 3 the bench failed on one, 1 one survived."""
    if any(not fate.applies for fate in fates):
        return 2
    if any(fate.status == ERROR for fate in fates):
        return 3
    return 1 if any(fate.status == SURVIVED for fate in fates) else 0


def to_json(fates: Sequence[Fate]) -> str:
    """What `mutants --format json` prints."""
    rows = [{key: value for key, value in asdict(fate).items() if key != "applies"} for fate in fates]
    return json.dumps({"mutants": rows}, indent=1)
