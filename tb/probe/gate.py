"""The gate before the tests of a DUT of another make: one probe says whether it comes up at all.

Three hundred tests of a device that does not come up would end one after the other at their time limits
and say the same thing; the probe says it once, and at which step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tb.manifest import Manifest
from tb.paths import SIM_TESTS, bundled_manifests
from tb.probe.journal import Journal
from tb.probe.steps import ACKNOWLEDGE, STEPS
from tb.results import ERROR, FAIL, SKIP, Result
from tb.session import Job
from tb.sim_test import SimTest, discover
from tb.simulate import Simulation, simulate_jobs

PROBE = Path(__file__).parent
LIMIT_S = 60.0
"""Real time for the probe; a device that comes up takes a second or two."""


def applies(manifest: Manifest, tests: Path) -> bool:
    """Whether to probe first: a virtio-pci function that is not bundled, under the project's own tests."""
    foreign = manifest.path not in bundled_manifests()
    return foreign and tests.resolve() == SIM_TESTS and manifest.config.kind != "none"


def probe_test() -> SimTest:
    """The probe."""
    (test,) = discover(PROBE)
    return test


def probe_job(test: SimTest, manifest: Manifest, seed: int, folder: Path, replay: str) -> Job:
    """The probe of a manifest's DUT, in the run folder `folder`."""
    argument = "" if manifest.device_type is None else str(manifest.device_type)
    return Job(test, seed, folder / test.name, replay=replay, argument=argument)


def probe(simulation: Simulation, job: Job) -> Result | None:
    """Run the probe; its result where the device does not come up, None where it does.

    What the checker finds on the way, or where the bench itself breaks, is no matter here: the tests find
    it again.
    """
    result = _once(simulation, job)
    if result.bench_broke:
        return None
    journal = Journal.load(job.folder)
    if journal is None or journal.complete:
        return result if journal is None and result.status in (FAIL, ERROR) else None
    if result.status == ERROR:
        journal.found = result.message
        journal.save(job.folder)
        result.status = FAIL
        result.message = journal.headline
        result.save(job.folder / "result.json")
    return result


def try_other_reset(simulation: Simulation, job: Job) -> None:
    """Note in the journal of a failed probe whether the device gets further with the reset's other level."""
    journal = Journal.load(job.folder)
    manifest, simulator = simulation.manifest, simulation.build
    if journal is None or manifest is None or simulator is None:
        return
    if simulator.toplevel != manifest.hdl.toplevel or STEPS.index(journal.step) > STEPS.index(ACKNOWLEDGE):
        return
    folder = simulation.scratch / "other-reset"
    _once(replace(simulation, invert_reset=True, scratch=folder), replace(job, folder=folder / job.test.name))
    other = Journal.load(folder / job.test.name)
    if other is not None and len(other.notes) > len(journal.notes):
        level = "high" if manifest.reset.active_low else "low"
        where = "all through" if other.complete else f"to step {len(other.notes) + 1}, {other.step.name}"
        journal.hint = (
            f'with [reset] active = "{level}" bring-up gets {where}: the manifest has the wrong level'
        )
        journal.save(job.folder)


def _once(simulation: Simulation, job: Job) -> Result:
    bounded = replace(simulation, tests=PROBE, tell=lambda job, result: None, limit_s=LIMIT_S, until="")
    (result,) = simulate_jobs(bounded, [job], 1)
    return result


def not_run(jobs: Sequence[Job], journal: Journal | None) -> list[Result]:
    """The tests that the gate kept from running, as results."""
    why = journal.headline if journal else "bring-up fails"
    return [
        Result(job.test.name, job.seed, SKIP, message=f"not run: {why}", replay=job.replay) for job in jobs
    ]
