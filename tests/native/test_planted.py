"""A device that goes astray in memory is reported with address, queue and descriptor, on both paths."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tb.results import FAIL
from tb.run import RunReport
from tests.native.test_paths import outcome, run
from waves.failure import write_failure

pytestmark = pytest.mark.simulator

CASES = {
    "test_stray_write": ("DEV-SPLIT-003", r"a write of 112 bytes at (0x\w+) lies outside every device-wr"),
    "test_read_of_freed_memory": ("DEV-VQ-003", r"a read of \d+ bytes at (0x\w+) lies outside all rings"),
    "test_write_into_a_read_only_buffer": (
        "DEV-SPLIT-003",
        r"a write of 96 bytes at (0x\w+) hits a device-readable buffer",
    ),
}


@pytest.fixture(scope="module", params=["portable", "native"])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> RunReport:
    """A path and what it reported."""
    folder = tmp_path_factory.mktemp(request.param)
    return run(folder, request.param, "paths_planted.*", seeds=1)


@pytest.mark.parametrize("name", CASES)
def test_it_is_reported(report: RunReport, name: str) -> None:
    (result,) = (result for result in report.results if result.name.endswith(name))
    clause, wanted = CASES[name]
    assert (result.status, result.violations[0]["clause"]) == (FAIL, clause)
    found = re.search(wanted, result.violations[0]["message"])
    assert found is not None, result.violations[0]["message"]
    assert found[1] in result.violations[0]["event"]
    folder = report.folder / result.folder
    write_failure(folder, result, None)
    assert descriptor_leads_to(int(found[1], 16), (folder / "failure.md").read_text())


def descriptor_leads_to(addr: int, page: str) -> bool:
    """Whether the page shows that queue 0's descriptor 1 took the device there (to within a beat)."""
    taken = re.findall(r"device  reads queue 0: desc\[1\] = (0x\w+) (\d+) bytes", page)
    return any(int(start, 16) <= addr < int(start, 16) + int(length) for start, length in taken)


def test_both_paths_say_the_same(tmp_path: Path) -> None:
    told = [outcome(run(tmp_path, path, "paths_planted.*", seeds=1)) for path in ("portable", "native")]
    assert told[0] == told[1]
    assert len(told[0]) == len(CASES)
