"""Both paths, same seeds: the same verdicts and the same traces. `make paths` does a hundred seeds."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from pymodel.vtrace import read_vtrace
from tb.paths import BUNDLED_MANIFEST
from tb.request import RunRequest
from tb.run import Run, RunReport
from tb.session import TRACE

pytestmark = pytest.mark.simulator

SIM = Path(__file__).parent / "sim"
SEEDS = int(os.environ.get("VIRTIO_COSIM_SEEDS", "3"))
DUT = os.environ.get("VIRTIO_COSIM_DUT", str(BUNDLED_MANIFEST))


def run(folder: Path, path: str, test: str, seeds: int = SEEDS, first: int = 1) -> RunReport:
    request = RunRequest(
        dut=DUT, tests=(test,), seed=first, seeds=seeds, folder=SIM, out=folder / path, path=path, jobs=2
    )
    return Run(request, lambda text: None, lambda result: None).execute()


def outcome(report: RunReport) -> list[tuple[object, ...]]:
    """What the results say, times and places aside."""
    return [
        (r.name, r.seed, r.status, r.message, r.violations, r.warnings, sorted(r.clauses.items()), r.cycles)
        for r in report.results
    ]


@pytest.mark.parametrize("test", ["paths_traffic.test_traffic", "paths_traffic.test_traffic_into_an_error"])
def test_both_paths_give_the_same_trace(tmp_path: Path, test: str) -> None:
    portable, native = run(tmp_path, "portable", test), run(tmp_path, "native", test)
    assert outcome(portable) == outcome(native)
    assert portable.count("pass") == SEEDS
    for one, other in zip(portable.results, native.results, strict=True):
        pins = (portable.folder / one.folder / TRACE).read_bytes()
        assert len(pins) > 10_000
        assert pins == (native.folder / other.folder / TRACE).read_bytes(), f"seed {one.seed} of {test}"


def test_a_killed_simulator_leaves_what_was_flushed(tmp_path: Path) -> None:
    report = run(tmp_path, "native", "paths_death.*", seeds=1)
    status = {result.name.rpartition(".")[2]: result for result in report.results}
    killed = status["test_killed_in_mid_run"]
    assert (killed.status, status["test_behind_it"].status) == ("error", "pass")
    assert "SIGKILL" in killed.message
    reader, stream = read_vtrace(report.folder / killed.folder / TRACE)
    with stream:
        events = list(reader)
    assert len(events) > 100
    assert report.exit_status == 3


def test_order_of_tests_does_not_matter(tmp_path: Path) -> None:
    """One process runs the seeds in three orders; every trace is the same each time."""
    traces = []
    for order in range(3):
        seeds = list(range(1, 9))
        random.Random(order).shuffle(seeds)
        traces.append(_in_order(tmp_path / str(order), seeds))
    assert traces[0] == traces[1] == traces[2]
    assert len(set(traces[0].values())) == 8


def _in_order(folder: Path, seeds: list[int]) -> dict[int, bytes]:
    request = RunRequest(
        dut=DUT,
        tests=("paths_traffic.test_traffic",),
        seeds=len(seeds),
        folder=SIM,
        out=folder,
        path="native",
        jobs=1,
    )
    shuffled = Run(request, lambda text: None, lambda result: None)
    jobs = shuffled._all_jobs
    shuffled._all_jobs = lambda: sorted(jobs(), key=lambda job: seeds.index(job.seed))  # type: ignore[method-assign]
    report = shuffled.execute()
    assert report.count("pass") == len(seeds)
    return {r.seed: (report.folder / r.folder / TRACE).read_bytes() for r in report.results}
