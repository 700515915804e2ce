"""Runs jobs in simulator processes, watches them, and turns what dies into results of status "error"."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cocotb_tools.config
import find_libpython

from tb.build import WAVE_FILE, Build
from tb.errors import DiskFull, ToolError, UsageError
from tb.lifeline import BAD_INPUT, DISK_FULL, PARENT, REFUSED
from tb.manifest import Manifest
from tb.paths import ROOT
from tb.plan import STARTED, VARIABLE, Plan, split
from tb.results import ERROR, FAIL, Result
from tb.session import LOG, RESULT, WAVE, Job

WALL_LIMIT_S = 300.0
LONG_LIMIT_S = 3600.0
POLL_S = 0.02
PROCESS_LOG = "simulator.log"
COVERAGE = "VIRTIO_COSIM_COVERAGE"
ENDED = "the design ended the simulation"
STUCK = 76
"""The exit status of a simulator whose design never ends a time step (see sim_main.cpp)."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """What every process of a run shares; without manifest and build it is the device model.

    `tell` hears every result as it comes. `limit_s` is the real time that a test may take, in place of
    the usual limits. `coverage` is the folder for RTL coverage, a file for each process. `invert_reset`
    takes the reset's level for the other one than the manifest says.
    """

    manifest: Manifest | None
    build: Build | None
    tests: Path
    scratch: Path
    tell: Callable[[Job, Result], None]
    until: str = ""
    limit_s: float = 0.0
    coverage: Path | None = None
    invert_reset: bool = False

    @property
    def command(self) -> list[str]:
        """What to execute."""
        if self.build is None:
            return [sys.executable, "-m", "tb.model_entry"]
        return [*self.build.launcher, str(self.build.executable)]

    def plan(self, jobs: Sequence[Job]) -> Plan:
        """The work order for one process."""
        manifest = self.manifest.path if self.manifest else None
        waves = bool(self.build and self.build.waves)
        return Plan(manifest, self.tests, waves, tuple(jobs), self.invert_reset)

    def environment(self, plan: Path, first: Job) -> dict[str, str]:
        """The environment of a process that works off the plan in this file, beginning with that job."""
        toplevel = self.build.toplevel if self.build else ""
        cocotb = cocotb_environment(toplevel, "tb.sim_entry", plan.with_suffix(".xml"))
        if self.build and self.build.launcher:
            # Our own main orders writes; another simulator needs cocotb's own phase for them.
            cocotb["COCOTB_TRUST_INERTIAL_WRITES"] = "0"
        own = {VARIABLE: str(plan), PARENT: str(os.getpid()), REFUSED: str(refusal_of(plan))}
        if self.build and self.build.wave_each:
            own[WAVE_FILE] = str(first.folder / WAVE)
        if self.coverage is not None:
            own[COVERAGE] = str(self.coverage / f"{time.time_ns()}.dat")
        return {**cocotb, **own}


class Process:
    """One simulator process working through its jobs; started again behind a job that killed it."""

    def __init__(self, simulation: Simulation, number: int, jobs: Sequence[Job]) -> None:
        self._simulation = simulation
        self._number = number
        self._jobs = list(jobs)
        self._launches = 0
        self.results: list[Result] = []
        self._launch()

    def _launch(self) -> None:
        work = self._simulation
        for job in self._jobs:
            for leftover in (STARTED, RESULT):
                (job.folder / leftover).unlink(missing_ok=True)
        self._jobs[0].folder.mkdir(parents=True, exist_ok=True)
        stem = f"{self._number}-{self._launches}"
        plan = self._plan = work.scratch / f"plan-{stem}.json"
        work.plan(self._jobs).save(plan)
        self.log = work.scratch / f"{stem}-{PROCESS_LOG}"
        self._launches += 1
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                work.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=work.scratch,
                env=work.environment(plan, self._jobs[0]),
                start_new_session=True,
            )
        self._since = time.monotonic()

    def poll(self) -> bool:
        """Collect finished jobs; return whether there is more to come."""
        code = self._process.poll()
        while self._jobs and (self._jobs[0].folder / RESULT).exists():
            job = self._jobs.pop(0)
            self._finish(job, Result.load(job.folder / RESULT))
        if not self._jobs:
            if code is None and time.monotonic() - self._since < 10:
                return True
            self.stop()
            return False
        limit = self._simulation.limit_s or (LONG_LIMIT_S if self._jobs[0].test.long else WALL_LIMIT_S)
        if code is None and time.monotonic() - self._since > limit:
            self._bury(f"no result within {limit:.0f} s of real time")
        elif code in (DISK_FULL, -signal.SIGXFSZ):
            raise DiskFull(self._jobs[0].folder)
        elif code == BAD_INPUT:
            raise UsageError(refusal_of(self._plan).read_text(encoding="utf-8"))
        elif code is not None:
            self._bury(_cause(code))
        return bool(self._jobs)

    def _finish(self, job: Job, result: Result) -> None:
        self._since = time.monotonic()
        self.results.append(result)
        self._simulation.tell(job, result)

    def _bury(self, cause: str) -> None:
        """Give the job up that the process died on, and go on behind it."""
        self.stop()
        job = self._jobs.pop(0)
        if not (job.folder / STARTED).exists():
            cause = "the simulator ended" if cause == ENDED else cause
            raise ToolError(f"{cause} before its first test", self.log)
        own = job.folder / LOG
        log = own if own.exists() else self.log
        message = f"{_told(cause, log)} (see {log})"
        result = Result(job.test.name, job.seed, ERROR, message=message, replay=job.replay)
        result.folder, result.stress = job.folder.name, job.stress
        job.folder.mkdir(parents=True, exist_ok=True)
        result.details = log.read_text(errors="replace")[-4000:]
        result.save(job.folder / RESULT)
        self._finish(job, result)
        if self._jobs:
            self._launch()

    def stop(self) -> None:
        """End the process and what it started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def refusal_of(plan: Path) -> Path:
    """Where a process says why it cannot work off the plan."""
    return plan.with_suffix(".refused")


def _cause(code: int) -> str:
    """Why a simulator is gone, from its exit status."""
    if code == STUCK:
        return "the design loops for ever in one time step"
    if code == 0:
        return ENDED
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
    return f"the simulator ended with {how}"


_FINISH = re.compile(r"(\S+\.\w+:\d+): (?:Verilog )?\$finish")
"""What Verilator says, and some Icarus; cocotb ends the simulation by $finish too, from no file."""


def _told(cause: str, log: Path) -> str:
    """The cause, and the line of the simulator's log that says more: its first error, or $finish."""
    lines = log.read_text(errors="replace").splitlines()
    said = next((line for line in lines if line.startswith("%Error")), "")
    if said:
        where = said.partition(": ")[2].strip()
        cause = "a combinational loop of the design never settles" if "did not converge" in said else cause
        return f"{cause}: {where}"
    ends = [match for line in lines if (match := _FINISH.search(line))]
    return f"{cause} ($finish at {ends[0][1]})" if ends else cause


def cocotb_environment(toplevel: str, module: str, results: Path) -> dict[str, str]:
    """The environment in which a simulator runs the cocotb tests of `module`."""
    env = dict(os.environ)
    libpython = find_libpython.find_libpython()
    users = [libpython] if libpython else []
    env.update(
        {
            "COCOTB_TOPLEVEL": toplevel,
            "COCOTB_TEST_MODULES": module,
            "COCOTB_RESULTS_FILE": str(results),
            "COCOTB_REWRITE_ASSERTION_FILES": "test_*.py",
            "COCOTB_TRUST_INERTIAL_WRITES": "1",
            "COCOTB_LOG_LEVEL": "WARNING",
            "GPI_LOG_LEVEL": "WARNING",
            "TOPLEVEL_LANG": "verilog",
            "PYTHONPATH": os.pathsep.join([str(ROOT), *(path for path in sys.path if path)]),
            "PYGPI_PYTHON_BIN": sys.executable,
            "GPI_USERS": ";".join([*users, cocotb_tools.config.pygpi_entry_point()]),
            "PYTHONWARNINGS": "ignore::DeprecationWarning",
        }
    )
    return env


def ends_hunt(result: Result, until: str) -> bool:
    """Whether a run that goes on until a "violation" or "failure" is over with this result."""
    return bool(until and result.violations) or (until == "failure" and result.status == FAIL)


def simulate(simulation: Simulation, groups: Sequence[Sequence[Job]]) -> list[Result]:
    """Run groups of jobs, a process each, and return all results."""
    simulation.scratch.mkdir(parents=True, exist_ok=True)
    processes = [Process(simulation, number, jobs) for number, jobs in enumerate(groups)]
    running = list(processes)
    try:
        while running:
            running = [process for process in running if process.poll()]
            if any(ends_hunt(result, simulation.until) for p in processes for result in p.results):
                break
            time.sleep(POLL_S)
    finally:
        for process in processes:
            process.stop()
    return [result for process in processes for result in process.results]


def simulate_jobs(simulation: Simulation, jobs: Sequence[Job], parts: int) -> list[Result]:
    """Run jobs in at most `parts` processes at a time, and return all results."""
    alone = simulation.build is not None and simulation.build.wave_each
    stride = parts if alone else max(1, len(jobs))
    results: list[Result] = []
    for start in range(0, len(jobs), stride):
        results += simulate(simulation, split(jobs[start : start + stride], parts))
        if any(ends_hunt(result, simulation.until) for result in results):
            break
    return results
