"""`virtio-cosim run`: builds the DUT, runs tests under seeds, and writes the run folder."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tb.build import Build
from tb.errors import UsageError
from tb.failure import since
from tb.identity import identity
from tb.image import Image
from tb.manifest import Manifest
from tb.paths import bundled_manifests
from tb.probe import gate
from tb.probe.journal import Journal
from tb.request import MODEL, RunRequest, build_for, fitting, is_bundled, manifest_of, replay_command
from tb.results import ERROR, FAIL, PASS, SKIP, Result, write_results
from tb.scope import out_of_scope, told
from tb.session import TRACE, Job
from tb.sim_test import SimTest, discover, select
from tb.simulate import Simulation, ends_hunt, simulate_jobs
from tb.simulators import ICARUS

SCRATCH = ".work"
RECORDED_MAX = 16
TAIL_NS = 500
OVERDUE_NS = 20_000
"""What was owed and never came is waited for until the test's end: so much of that is enough to see."""
STRANGERS_TIME = 4.0
"""Tests are timed for the bundled devices: another one may be so many times slower."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """A run that happened: its folder, its results, and a line about what was out of scope, if anything.

    `bring_up` is the folder of a probe that failed.
    """

    folder: Path
    results: tuple[Result, ...]
    seconds: float
    scope: str = ""
    bring_up: Path | None = None

    def count(self, status: str) -> int:
        """How many tests ended so."""
        return sum(result.status == status for result in self.results)

    @property
    def exit_status(self) -> int:
        """0 all held, 1 a failure, 3 where only the bench or a tool failed."""
        if self.count(FAIL):
            return 1
        return 3 if self.count(ERROR) else 0


Explain = Callable[[Path, Result, "Manifest | None"], None]


class Run:
    """One run from request to run folder; `tell` hears notes, `done` every result as it comes.

    `explain` writes the failure page of a test that failed: it is given the test's folder, its result
    and the DUT's manifest, once its waves are there.
    """

    def __init__(
        self,
        request: RunRequest,
        tell: Callable[[str], None],
        done: Callable[[Result], None],
        explain: Explain | None = None,
    ) -> None:
        self.request = request
        self._tell = tell
        self._done = done
        self._explain = explain
        self._bring_up: Path | None = None
        self.tests = select(discover(request.folder), request.tests)
        if request.image is not None:
            Image.load(request.image)
        self.manifest = manifest_of(request)
        self.tests = fitting(self.tests, self.manifest)

    def _by_manifest(self) -> list[tuple[Manifest, set[str]]]:
        """The configurations that the tests need, in the order of the tests, and the tests of each."""
        found: dict[str, set[str]] = {}
        for test in self.tests:
            found.setdefault(test.interface if is_bundled(self.manifest) else "", set()).add(test.name)
        manifests = [(manifest_of(self.request, interface), names) for interface, names in found.items()]
        return [(manifest, names) for manifest, names in manifests if manifest]

    @property
    def total(self) -> int:
        """Number of test runs."""
        return len(self.tests) * self.request.seeds

    def execute(self) -> RunReport:
        """Build, run, and write results; raises UsageError and ToolError."""
        started = time.monotonic()
        who = identity([manifest for manifest, _ in self._by_manifest()], self.request.simulator)
        results = self._on_rtl() if self.manifest else self._on_model()
        folder = self._folder
        order = {(job.test.name, job.seed): place for place, job in enumerate(self._all_jobs())}
        results.sort(key=lambda result: order.get((result.name, result.seed), -1))
        seconds = time.monotonic() - started
        about = {
            "dut": self.manifest.hdl.name if self.manifest else MODEL,
            "manifest": str(self.manifest.path) if self.manifest else None,
            "tests": str(self.request.folder.resolve()),
            "image": str(self.request.image.resolve()) if self.request.image else None,
            "argument": self.request.argument,
            "parameters": list(self.request.parameters),
            "defines": list(self.request.defines),
            "stress": self.request.stress,
            "seed": self.request.seed,
            "seeds": self.request.seeds,
            "seconds": round(seconds, 3),
            **who,
        }
        scope = out_of_scope(self.manifest.out_of_scope if self.manifest else {}, results)
        write_results(folder, results, about, scope=scope)
        return RunReport(folder, tuple(results), seconds, told(scope), self._bring_up)

    def _on_rtl(self) -> list[Result]:
        results: list[Result] = []
        for number, (one, names) in enumerate(self._by_manifest()):
            results += self._on_manifest(one, names, number)
            if any(ends_hunt(result, self.request.until) for result in results):
                break
        return results

    def _on_manifest(self, manifest: Manifest, names: set[str], number: int) -> list[Result]:
        always = self.request.waves == "always"
        simulator = build_for(self.request, manifest, self._tell, waves=always)
        if number == 0:
            self._folder = _new_folder(self.request.out)
        jobs = [job for job in self._all_jobs() if job.test.name in names]
        down = self._probe(manifest, simulator) if gate.applies(manifest, self.request.folder) else []
        if down and not self.request.keep_going:
            return [*down, *gate.not_run(jobs, Journal.load(self._folder / down[0].folder))]
        # A process a test where waves are written: two tests share no simulator then.
        simulation = self._simulation(manifest, simulator, str(number))
        results = simulate_jobs(simulation, jobs, self.request.jobs)
        failed = [result for result in results if result.status == FAIL]
        if failed and self.request.waves == "on-fail" and self.request.simulator != ICARUS:
            self._record(manifest, failed, number)
        self._explain_failures(results, manifest)
        return [*down, *results]

    def _probe(self, manifest: Manifest, simulator: Build) -> list[Result]:
        """Bring the DUT up once; the result, with its page, where that fails."""
        test = gate.probe_test()
        replay = replay_command(replace(self.request, folder=gate.PROBE), manifest, test, self.request.seed)
        job = gate.probe_job(test, manifest, self.request.seed, self._folder, replay)
        simulation = self._simulation(manifest, simulator, "bring-up")
        result = gate.probe(simulation, job)
        if result is None:
            shutil.rmtree(job.folder)
            return []
        if self.request.waves == "on-fail" and self.request.simulator != ICARUS and result.sim_ns:
            waves = build_for(self.request, manifest, self._tell, waves=True)
            gate.probe(replace(simulation, build=waves), job)
        if result.sim_ns:
            gate.try_other_reset(simulation, job)
        self._bring_up = job.folder
        self._explain_failures([result], manifest)
        self._done(result)
        return [result]

    def _explain_failures(self, results: Sequence[Result], manifest: Manifest | None) -> None:
        if self._explain is None:
            return
        for result in results:
            if result.status in (FAIL, ERROR):
                self._explain(self._folder / result.folder, result, manifest)

    def _record(self, manifest: Manifest, failed: Sequence[Result], number: int) -> None:
        """Run the first failed tests again with waves: same seed, same folder."""
        chosen = {(result.name, result.seed): result for result in failed[:RECORDED_MAX]}
        rest = len(failed) - len(chosen)
        self._tell(
            f"recording waves of {len(chosen)} failed tests"
            + (f"; of the other {rest} `virtio-cosim wave` does" if rest else "")
        )
        simulator = build_for(self.request, manifest, self._tell, waves=True)
        jobs = [
            self._windowed(job, chosen[job.test.name, job.seed])
            for job in self._all_jobs()
            if (job.test.name, job.seed) in chosen
        ]
        quiet = replace_tell(self._simulation(manifest, simulator, f"{number}-waves"))
        for result in simulate_jobs(quiet, jobs, self.request.jobs):
            if result.status != FAIL:
                self._tell(
                    f"{result.name} seed {result.seed} did not fail again: the bench is not repeatable"
                )

    def _windowed(self, job: Job, result: Result) -> Job:
        """The job with waves around the failure: all of the test where no window was asked for."""
        if not self.request.window_ns:
            return job
        moment, until = result.sim_ns, 0
        if result.violations:
            first = result.violations[0]
            moment = since(job.folder / TRACE, first["clause"], first["t"]) // 1000
            until = min(first["t"] // 1000, moment + OVERDUE_NS) + TAIL_NS
        return replace(job, wave_from_ns=max(0, moment - self.request.window_ns), wave_until_ns=until)

    def _on_model(self) -> list[Result]:
        from tb.model_bench import run_on_model

        self._folder = _new_folder(self.request.out)
        results = []
        for job in self._all_jobs():
            results.append(run_on_model(job))
            self._done(results[-1])
            if ends_hunt(results[-1], self.request.until):
                break
        self._explain_failures(results, None)
        return results

    def _simulation(self, manifest: Manifest, simulator: Build, name: str) -> Simulation:
        scratch = self._folder / SCRATCH / name
        folder, until = self.request.folder.resolve(), self.request.until
        return Simulation(manifest, simulator, folder, scratch, lambda _, result: self._done(result), until)

    def _all_jobs(self) -> list[Job]:
        seeds = range(self.request.seed, self.request.seed + self.request.seeds)
        return [self._job(test, seed) for seed in seeds for test in self.tests]

    def _job(self, test: SimTest, seed: int) -> Job:
        name = test.name if self.request.seeds == 1 else f"{test.name}-{seed}"
        image = self.request.image.resolve() if self.request.image else None
        replay = replay_command(self.request, self.manifest, test, seed)
        argument, stress, twin = self.request.argument, self.request.stress, self.request.twin
        ours = self.manifest is None or self.manifest.path in bundled_manifests()
        scale = self.request.time_scale * (1 if ours else STRANGERS_TIME)
        return Job(
            test,
            seed,
            self._folder / name,
            image,
            replay,
            argument,
            twin=twin,
            stress=stress,
            time_scale=scale,
        )


def replace_tell(simulation: Simulation) -> Simulation:
    """The same simulation without progress."""
    return replace(simulation, tell=lambda job, result: None)


def _new_folder(out: Path | None) -> Path:
    """Make the run folder; raises UsageError if it exists with something else in it."""
    folder = out or Path("runs") / time.strftime("%Y%m%d-%H%M%S")
    count = 1
    while out is None and folder.exists():
        count += 1
        folder = folder.with_name(f"{time.strftime('%Y%m%d-%H%M%S')}-{count}")
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not _is_run(folder))):
        raise UsageError(f"{folder}: is there already and is no run folder: choose another --out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be made: {error.strerror}") from None
    for stale in ("results.json", "results.xml"):
        (folder / stale).unlink(missing_ok=True)
    return folder.resolve()


def _is_run(folder: Path) -> bool:
    return (folder / SCRATCH).exists() or (folder / "results.json").exists()


def summary(report: RunReport) -> str:
    """The line that counts."""
    parts = [f"{report.count(PASS)} passed", f"{report.count(FAIL)} failed"]
    parts += [f"{report.count(ERROR)} errors"] if report.count(ERROR) else []
    parts += [f"{report.count(SKIP)} skipped"] if report.count(SKIP) else []
    return ", ".join(parts)
