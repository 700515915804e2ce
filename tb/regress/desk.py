"""Where work is handed out and results come in: batches of pending runs, committed as they end."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tb.regress.plan import OWN, Configuration, RegressPlan
from tb.regress.store import Judged, Key, Pending, Store
from tb.regress.triage import judged
from tb.request import RunRequest, is_bundled, manifest_of, replay_command
from tb.results import PASS, SKIP, Result
from tb.session import RESULT, Job
from tb.sim_test import SimTest, discover

MOST_IN_BATCH = 64


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs for one process, of a configuration and (of the bundled device) one interface."""

    configuration: Configuration
    interface: str
    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A night's folder, the hash of its sources, and who hears every result once it is stored."""

    folder: Path
    sources: str
    told: Callable[[Result], None]


class Desk:
    """One night's pending runs."""

    def __init__(self, plan: RegressPlan, store: Store, night: int, place: Place) -> None:
        self._plan = plan
        self._store = store
        self._night = night
        self._folder = place.folder
        self._sources = place.sources
        self._told = place.told
        self._queues: dict[tuple[str, str], deque[Pending]] = {}
        self._wanted: dict[Path, Pending] = {}
        self._jobs: dict[Path, Job] = {}
        self._tests = {item.name: _tests(item.request) for item in plan.configurations}
        self._manifests = {item.name: manifest_of(item.request) for item in plan.configurations}
        self._arrived: list[tuple[Job, Result]] = []

    def load(self) -> int:
        """Take up what is pending and what a killed run left behind; return how many wait."""
        self._queues.clear()
        for pending in self._store.pending(self._night):
            job = self._job(pending)
            self._wanted[job.folder] = pending
            self._jobs[job.folder] = job
            left = _left_behind(job.folder / RESULT)
            if left is not None:
                self._arrived.append((job, left))
            else:
                self._queues.setdefault(self._kind(pending.key), deque()).append(pending)
        self.flush()
        return sum(map(len, self._queues.values()))

    def next_batch(self, workers: int) -> Batch | None:
        """The next jobs for one process; batches shrink towards the end so that all processes end alike."""
        waiting = [queue for queue in self._queues.values() if queue]
        if not waiting:
            return None
        queue = min(waiting, key=lambda queue: queue[0].id)
        left = sum(map(len, waiting))
        size = min(len(queue), MOST_IN_BATCH, max(1, left // (2 * workers)))
        chosen = [queue.popleft() for _ in range(size)]
        jobs = tuple(self._jobs[self._place(pending.key)] for pending in chosen)
        configuration, interface = self._kind(chosen[0].key)
        return Batch(self._plan.configuration(configuration), interface, jobs)

    def put_back(self, jobs: Sequence[Job]) -> None:
        """Jobs that were handed out but not done are pending again."""
        for job in reversed(jobs):
            pending = self._wanted.get(job.folder)
            if pending is not None:
                self._queues[self._kind(pending.key)].appendleft(pending)

    def arrive(self, job: Job, result: Result) -> None:
        """A result came; it is stored with the next `flush`."""
        self._arrived.append((job, result))

    def flush(self) -> None:
        """Commit what arrived, then drop the folders of what passed; raises DiskFull."""
        arrived, self._arrived = self._arrived, []
        groups: dict[str, list[Judged]] = {}
        for job, result in arrived:
            pending = self._wanted.pop(job.folder, None)
            if pending is None:
                continue
            result.folder = str(job.folder.relative_to(self._folder.parent))
            groups.setdefault(pending.key.configuration, []).append(judged(pending.id, result))
        for configuration, items in groups.items():
            self._store.record(self._night, configuration, self._sources, items)
        for job, result in arrived:
            if result.status in (PASS, SKIP):
                shutil.rmtree(job.folder, ignore_errors=True)
            self._told(result)

    def _kind(self, key: Key) -> tuple[str, str]:
        """What jobs of one process have in common: configuration and interface."""
        bundled = is_bundled(self._manifests[key.configuration])
        return key.configuration, self._tests[key.configuration][key.test].interface if bundled else ""

    def _place(self, key: Key) -> Path:
        name = f"{key.test}-{key.seed}"
        name += f"-{key.stress}" if key.stress != OWN else ""
        name += "-again" if key.attempt else ""
        return self._folder / key.configuration / name

    def _job(self, pending: Pending) -> Job:
        key = pending.key
        configuration = self._plan.configuration(key.configuration)
        test = self._tests[key.configuration][key.test]
        stress = "" if key.stress == OWN else key.stress
        request = RunRequest(
            dut=configuration.request.dut,
            folder=configuration.request.folder,
            stress=stress,
            parameters=configuration.request.parameters,
            defines=configuration.request.defines,
        )
        replay = replay_command(request, self._manifests[key.configuration], test, key.seed)
        return Job(test, key.seed, self._place(key), replay=replay, stress=stress)


def _tests(request: RunRequest) -> dict[str, SimTest]:
    return {test.name: test for test in discover(request.folder)}


def _left_behind(path: Path) -> Result | None:
    """The whole result that an earlier process wrote here, if it did."""
    try:
        return Result.load(path)
    except (OSError, ValueError, TypeError):
        return None
