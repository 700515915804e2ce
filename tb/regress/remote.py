"""One batch on a Dask worker, in a process of its own: `python -m tb.regress.remote BUNDLE SCRATCH`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from tb.build import Build
from tb.lifeline import die_with_parent
from tb.manifest import load_manifest
from tb.results import Result
from tb.session import RESULT, Job
from tb.sim_test import discover
from tb.simulate import POLL_S, Process, Simulation


def simulation_of(bundle: Path, scratch: Path, order: dict[str, Any]) -> Simulation:
    """What the order says, with this machine's paths."""
    manifest, built = None, None
    if order["simulator"]:
        executable = bundle / order["simulator"]
        manifest = load_manifest(bundle / order["manifest"])
        built = Build(executable.parent, executable, False, False, order["toplevel"])
    tests, limit = bundle / order["tests"], float(order["timeout_s"])
    return Simulation(manifest, built, tests, scratch, _keep, limit_s=limit)


def _keep(job: Job, result: Result) -> None:
    """Results lie in the jobs' folders; one of a process that died was written there as well."""
    assert (job.folder / RESULT).exists(), result.name


def main(bundle: Path, scratch: Path) -> None:
    """Work the order off."""
    die_with_parent()
    order = json.loads((scratch / "order.json").read_text())
    simulation = simulation_of(bundle, scratch, order)
    known = {test.name: test for test in discover(simulation.tests)}
    jobs = [
        Job(
            known[row["test"]],
            row["seed"],
            scratch / "jobs" / str(index),
            replay=row["replay"],
            stress=row["stress"],
        )
        for index, row in enumerate(order["jobs"])
    ]
    process = Process(simulation, 0, jobs)
    while process.poll():
        time.sleep(POLL_S)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
