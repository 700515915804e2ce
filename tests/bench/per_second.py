"""What whole runs cost: CPU seconds of the simulator processes, and trivial tests a second."""

from __future__ import annotations

import resource
import shutil
from pathlib import Path

from tb.request import RunRequest
from tb.run import Run
from tests.bench.runs import Workshop

TRIVIAL = Path(__file__).parent / "trivial"
PASSING = Path(__file__).parent / "passing"
FEW, MANY = 10, 1010


def tests_per_second(shop: Workshop) -> float:
    """Trivial tests a CPU second of the one simulator process, its start left out."""
    few, many = run_cpu(shop, TRIVIAL, FEW), run_cpu(shop, TRIVIAL, MANY)
    return (MANY - FEW) / (many - few)


def run_cpu(shop: Workshop, folder: Path, seeds: int, waves: str = "never") -> float:
    """CPU seconds of the simulator process that runs a folder's one test, which must pass."""
    out = shop.folder / folder.name
    shutil.rmtree(out, ignore_errors=True)
    request = RunRequest(
        dut=str(shop.manifest.path), seeds=seeds, folder=folder, out=out, jobs=1, path="native", waves=waves
    )
    before = _children()
    report = Run(request, lambda text: None, lambda result: None).execute()
    assert report.count("pass") == seeds, f"{seeds - report.count('pass')} tests of {folder} did not pass"
    return _children() - before


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
