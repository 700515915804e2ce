"""Runs batches in processes of this machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from tb.regress.desk import Batch, Desk
from tb.regress.plan import RegressPlan
from tb.request import build_for
from tb.simulate import POLL_S, Process, Simulation

COVERED = "coverage"


def simulation_of(
    batch: Batch, scratch: Path, timeout_s: float, desk: Desk, tell: Callable[[str], None]
) -> Simulation:
    """What the processes for batches of this kind share; builds their simulator. Raises ToolError."""
    configuration = batch.configuration
    manifest = configuration.manifest(batch.interface)
    built, coverage = None, None
    if manifest is not None:
        built = build_for(configuration.request, manifest, tell, waves=False)
        coverage = scratch.parent.parent / COVERED / configuration.name / built.folder.name
    scratch.mkdir(parents=True, exist_ok=True)
    if coverage is not None and configuration.coverage:
        coverage.mkdir(parents=True, exist_ok=True)
    else:
        coverage = None
    folder = configuration.request.folder.resolve()
    return Simulation(manifest, built, folder, scratch, desk.arrive, limit_s=timeout_s, coverage=coverage)


class LocalExecutor:
    """Keeps `workers` processes busy; a process takes a batch."""

    def __init__(self, workers: int, scratch: Path, tell: Callable[[str], None]) -> None:
        self._workers = workers
        self._scratch = scratch
        self._tell = tell
        self._numbers = count()

    def run(self, plan: RegressPlan, desk: Desk, deadline: float | None) -> bool:
        """Work until nothing is pending; False where the deadline (of time.monotonic) came first."""
        simulations: dict[tuple[str, str], Simulation] = {}
        running: list[Process] = []

        def start(batch: Batch) -> Process:
            kind = batch.configuration.name, batch.interface
            if kind not in simulations:
                place = self._scratch / "-".join(kind)
                simulations[kind] = simulation_of(batch, place, plan.timeout_s, desk, self._tell)
            return Process(simulations[kind], next(self._numbers), batch.jobs)

        try:
            while True:
                running = [process for process in running if process.poll()]
                desk.flush()
                if deadline is not None and time.monotonic() > deadline:
                    return False
                while len(running) < self._workers and (batch := desk.next_batch(self._workers)):
                    running.append(start(batch))
                if not running:
                    return True
                time.sleep(POLL_S)
        finally:
            for process in running:
                process.stop()
