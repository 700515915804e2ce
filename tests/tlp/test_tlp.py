"""The bundled device behind PCIe packets: directed tests of its packets, and a sample of the common suite.

VIRTIO_COSIM_TLP_TESTS names other tests of the suite ("*" for all of it).
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from pymodel.vtrace import read_vtrace
from tb.errors import UsageError
from tb.manifest import load_manifest
from tb.paths import BUNDLED_MANIFEST, ROOT, SIM_TESTS
from tb.request import RunRequest
from tb.run import Run, RunReport
from tb.session import TRACE

DUT = BUNDLED_MANIFEST.with_name("dut_tlp.toml")
SIM = Path(__file__).parent / "sim"
ULTRA = ROOT / "tests" / "duts" / "ultra" / "dut.toml"
SAMPLE = "discovery.* registers.* interrupts.* stress.* transport.* reset.test_status_under_load"


def run(folder: Path, tests: tuple[str, ...], where: Path, dut: Path = DUT, stress: str = "") -> RunReport:
    request = RunRequest(
        dut=str(dut), tests=tests, folder=where, out=folder / "out", path="portable", stress=stress, jobs=2
    )
    return Run(request, lambda text: None, lambda result: None).execute()


def bad(report: RunReport) -> list[str]:
    return [f"{r.name}: {r.message}" for r in report.results if r.status not in ("pass", "skip")]


def test_packets_are_what_pci_express_wants(tmp_path: Path) -> None:
    report = run(tmp_path, ("*",), SIM)
    assert not bad(report)
    assert report.count("pass") == 12


def test_the_suite_passes_over_packets(tmp_path: Path) -> None:
    tests = tuple(os.environ.get("VIRTIO_COSIM_TLP_TESTS", SAMPLE).split())
    report = run(tmp_path, tests, SIM_TESTS)
    assert not bad(report)
    assert report.count("pass") > 30
    kinds = set[str]()
    for result in report.results:
        if result.status == "pass":
            reader, stream = read_vtrace(report.folder / result.folder / TRACE)
            with stream:
                kinds |= {type(event).__name__ for event in reader}
    hosts = {"ConfigRead", "ConfigWrite", "BarRead", "BarWrite"}
    assert kinds >= hosts | {"DmaRead", "DmaWrite", "Msix", "Intx", "MemWrite", "Reset"}


def test_the_user_side_of_a_pcie_block_carries_a_device(tmp_path: Path) -> None:
    report = run(tmp_path, ("entropy.*",), SIM_TESTS, ULTRA, "any")
    assert not bad(report)
    assert report.count("pass") >= 4


def test_configuration_space_is_the_pcie_blocks(tmp_path: Path) -> None:
    text = DUT.read_text()
    text = re.sub(r"sources = \[.*?\]", f'sources = ["{ULTRA.parent}/*.sv"]', text, flags=re.DOTALL)
    (tmp_path / "dut.toml").write_text(text.replace('prefix = "tlp_"', 'shape = "ultrascale"'))
    with pytest.raises(UsageError, match=r"\[ports.config\] kind: must be 'shell'"):
        load_manifest(tmp_path / "dut.toml")
