"""A process that works off a plan on the device model: `python -m tb.model_entry`."""

from __future__ import annotations

import os
from pathlib import Path

from tb.lifeline import die_with_parent, full_disk_ends_the_process
from tb.model_bench import run_on_model
from tb.plan import STARTED, VARIABLE, Plan


def main() -> None:
    """Run the jobs of the plan, one behind the other."""
    die_with_parent()
    with full_disk_ends_the_process():
        for job in Plan.load(Path(os.environ[VARIABLE])).jobs:
            job.folder.mkdir(parents=True, exist_ok=True)
            (job.folder / STARTED).touch()
            run_on_model(job)


if __name__ == "__main__":
    main()
