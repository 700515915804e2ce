"""How many trivial tests one simulator process runs a second."""

from __future__ import annotations

import resource
import shutil
from pathlib import Path

from tb.run import Run, RunRequest
from tests.bench.runs import Workshop

FOLDER = Path(__file__).parent / "trivial"
FEW, MANY = 10, 1010


def tests_per_second(shop: Workshop) -> float:
    """Tests a CPU second of the simulator process, its start left out."""
    few, many = _cpu(shop, FEW), _cpu(shop, MANY)
    return (MANY - FEW) / (many - few)


def _cpu(shop: Workshop, seeds: int) -> float:
    out = shop.folder / "trivial"
    shutil.rmtree(out, ignore_errors=True)
    request = RunRequest(
        dut=str(shop.manifest.path), seeds=seeds, folder=FOLDER, out=out, jobs=1, path="native"
    )
    before = _children()
    report = Run(request, lambda text: None, lambda result: None).execute()
    assert report.count("pass") == seeds, f"{seeds - report.count('pass')} trivial tests did not pass"
    return _children() - before


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
