"""Hunts planted bugs: each in a private copy of the tree, by the suite in its most promising order."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tb.errors import ToolError
from tb.ground import copy_bench
from tb.mutants import ERROR, KILLED, SURVIVED, Fate, Mutant
from tb.paths import ROOT, SIM_TESTS, build_root
from tb.ranking import Ranking
from tb.request import MODEL
from tb.results import ERROR as DIED
from tb.results import FAIL, PASS, Result
from tb.sim_test import discover, select

LIMIT_S = 600.0
TIME_SCALE = 0.2
"""No test of the unharmed suite needs more of its simulated time; one that hangs costs no more than it."""


class Hunt:
    """Runs the suite against mutants; `begun` and `done` hear of every one.

    All trees share one cache of builds, so a bug outside of the RTL needs no build, nor does one that was
    hunted before.
    """

    def __init__(
        self,
        mutants: Sequence[Mutant],
        ranking: Ranking,
        jobs: int,
        begun: Callable[[Mutant], None],
        done: Callable[[Mutant, Fate], None],
    ) -> None:
        self._mutants = mutants
        self._ranking = ranking
        self._jobs = jobs
        self._begun = begun
        self._done = done
        self._work = build_root() / "mutants"
        self._trees = self._pristine = self._work
        self._tests = [test.name for test in select(discover(SIM_TESTS), ())]

    def run(self) -> list[Fate]:
        """Hunt all; raises ToolError where a test that killed one fails without any mutant, too."""
        (self._work / "logs").mkdir(parents=True, exist_ok=True)
        # A folder of our own: two hunts at once must not share trees.
        with tempfile.TemporaryDirectory(prefix="hunt-", dir=self._work) as trees:
            self._trees = Path(trees)
            self._pristine = copy_bench(ROOT, self._trees / "pristine")
            with ThreadPoolExecutor(self._jobs) as pool:
                fates = list(pool.map(self._try, self._mutants))
            for one in {(mutant.ground, mutant.dut): mutant for mutant in self._mutants}.values():
                killers = [
                    fate.test
                    for m, fate in zip(self._mutants, fates, strict=True)
                    if (m.ground, m.dut) == (one.ground, one.dut) and fate.test in self._tests
                ]
                if killers:
                    self._acquit(one, list(dict.fromkeys(killers)))
        return fates

    def _acquit(self, mutant: Mutant, tests: list[str]) -> None:
        """Hold the tests that killed on a mutant's ground against the unharmed tree: they must pass there."""
        tree = self._tree(mutant, f"unharmed-{(mutant.dut or 'rtl').replace('/', '-')}")
        results, log = self._suite(tree, mutant, tests, "")
        bad = [result for result in results if result.status != PASS]
        if bad or not results:
            reason = f"{bad[0].name}: {bad[0].message}" if bad else "no result"
            raise ToolError(f"without any mutant a test that killed one does not pass: {reason}", log)

    def _try(self, mutant: Mutant) -> Fate:
        started = time.monotonic()
        self._begun(mutant)
        try:
            fate = self._fate(mutant)
        except ToolError as error:
            fate = Fate(mutant.name, ERROR, message=str(error))
        fate.seconds = round(time.monotonic() - started, 2)
        self._done(mutant, fate)
        return fate

    def _tree(self, mutant: Mutant, name: str) -> Path:
        """A copy of the mutant's project of its own."""
        if mutant.ground.has_bench:
            return copy_bench(self._pristine, self._trees / name)
        return mutant.ground.copy(self._trees / name)

    def _fate(self, mutant: Mutant) -> Fate:
        tree = self._tree(mutant, mutant.name)
        problem = problem_of(mutant.patch, tree, check=False)
        if problem:
            return Fate(mutant.name, ERROR, message=f"does not apply: {problem}", applies=False)
        order = self._ranking.order(mutant, self._tests)
        until = "violation" if mutant.expect else "failure"
        results, log = self._suite(tree, mutant, order, until)
        shutil.rmtree(tree, ignore_errors=True)
        failed = [result for result in results if result.status == FAIL]
        if not failed:
            died = [result for result in results if result.status == DIED]
            if died or not results:
                return Fate(mutant.name, ERROR, message=died[0].message if died else f"no result (see {log})")
            return Fate(mutant.name, SURVIVED, message=mutant.title)
        return _killed(mutant, failed)

    def _suite(
        self, tree: Path, mutant: Mutant, order: Sequence[str], until: str
    ) -> tuple[list[Result], Path]:
        """Run the tests of a tree in this order, up to the first with what ends a hunt."""
        bench = tree if mutant.ground.has_bench else self._pristine
        out, log = tree / "run", self._work / "logs" / f"{tree.name}.log"
        command = [sys.executable, "-m", "tb.cli", "run", "--out", str(out), "--jobs", "1", "--hasty"]
        command += ["--waves", "never", "--keep-going"]
        command += ["--time-scale", str(TIME_SCALE), *(("--until", until) if until else ())]
        command += (
            ["--dut", mutant.dut if mutant.dut == MODEL else str(tree / mutant.dut)] if mutant.dut else []
        )
        command += [word for name in order for word in ("--test", name)]
        env = {**os.environ, "PYTHONPATH": str(bench), "VIRTIO_COSIM_BUILD": str(self._work / "builds")}
        code = _bounded(command, bench, env, log)
        rows = [Result.load(path) for path in out.glob("*/result.json")]
        if code is None and not any(row.status == FAIL for row in rows):
            raise ToolError(f"no end within {LIMIT_S:.0f} s", log)
        if code is not None and not (out / "results.json").exists():
            raise ToolError(f"the suite ended with exit status {code}: {_last_line(log)}", log)
        place = {name: index for index, name in enumerate(order)}
        return sorted(rows, key=lambda row: place.get(row.name, len(place))), log


def _killed(mutant: Mutant, failed: Sequence[Result]) -> Fate:
    """The fate of a mutant that tests failed on: a violation tells more than a failure without one."""
    killer = max(failed, key=lambda result: (bool(result.violations), bool(_hits(mutant, result))))
    clauses = list(dict.fromkeys(violation["clause"] for violation in killer.violations))
    cycles = killer.cycles
    if killer.violations and killer.sim_ns:
        first = min(violation["t"] for violation in killer.violations)
        cycles = min(cycles, first * killer.cycles // (killer.sim_ns * 1000))
    return Fate(
        mutant.name, KILLED, clauses, _hits(mutant, killer), killer.name, cycles, message=killer.message
    )


def _hits(mutant: Mutant, result: Result) -> list[str]:
    """The expected clauses that a result breaches as warnings only: those of SHOULD."""
    should = {warning["clause"] for warning in result.warnings}
    return [clause for clause in mutant.expect if clause in should]


def _bounded(command: list[str], tree: Path, env: dict[str, str], log: Path) -> int | None:
    """Run a command with all that it starts; return its exit status, None where it took too long."""
    with log.open("w") as stream:
        process = subprocess.Popen(
            command, cwd=tree, env=env, stdout=stream, stderr=stream, start_new_session=True
        )
        try:
            return process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            # The interrupt lets the run end its simulators, which have sessions of their own.
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            return None


def problem_of(patch: Path, tree: Path = ROOT, *, check: bool = True) -> str:
    """Why a patch does not apply to a tree, empty where it does; without `check` it is applied."""
    env = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent.resolve())}
    command = ["git", "apply", "-p1", "--whitespace=nowarn", *(["--check"] if check else []), str(patch)]
    done = subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["git apply failed"])[0]


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
