"""The work order for one simulator process, as a JSON file: which tests, seeds and folders."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tb.results import write_whole
from tb.session import Job
from tb.sim_test import SimTest, discover

VARIABLE = "VIRTIO_COSIM_PLAN"
STARTED = "started"


@dataclass(frozen=True, slots=True)
class Plan:
    """What one process works off: a manifest (None: the device model), the folder that the tests come
    from, whether to write waves, the jobs in order, and whether the manifest's reset level is inverted.
    """

    manifest: Path | None
    tests: Path
    waves: bool
    jobs: tuple[Job, ...]
    invert_reset: bool = False

    def save(self, path: Path) -> None:
        """Write the plan to a file."""
        rows = [
            {
                "test": job.test.name,
                "seed": job.seed,
                "folder": str(job.folder),
                "image": str(job.image) if job.image else None,
                "replay": job.replay,
                "argument": job.argument,
                "wave_from_ns": job.wave_from_ns,
                "wave_until_ns": job.wave_until_ns,
                "twin": job.twin,
                "stress": job.stress,
                "time_scale": job.time_scale,
            }
            for job in self.jobs
        ]
        content = {
            "manifest": str(self.manifest) if self.manifest else None,
            "tests": str(self.tests),
            "waves": self.waves,
            "jobs": rows,
            "invert_reset": self.invert_reset,
        }
        write_whole(path, json.dumps(content))

    @classmethod
    def load(cls, path: Path) -> Plan:
        """Read a plan that `save` wrote, importing its tests."""
        content = json.loads(path.read_text())
        folder = Path(content["tests"])
        known = {test.name: test for test in discover(folder)}
        jobs = tuple(_job(row, known) for row in content["jobs"])
        manifest = Path(content["manifest"]) if content["manifest"] else None
        return cls(manifest, folder, content["waves"], jobs, content["invert_reset"])


def _job(row: dict[str, str | float | None], known: dict[str, SimTest]) -> Job:
    return Job(
        test=known[str(row["test"])],
        seed=int(row["seed"] or 0),
        folder=Path(str(row["folder"])),
        image=Path(str(row["image"])) if row["image"] else None,
        replay=str(row["replay"]),
        argument=str(row["argument"]),
        wave_from_ns=int(row["wave_from_ns"] or 0),
        wave_until_ns=int(row["wave_until_ns"] or 0),
        twin=str(row["twin"]),
        stress=str(row["stress"]),
        time_scale=float(row["time_scale"] or 1),
    )


def split(jobs: Sequence[Job], parts: int) -> list[list[Job]]:
    """Deal jobs out to at most `parts` processes."""
    return [list(jobs[index::parts]) for index in range(min(parts, len(jobs)))]
