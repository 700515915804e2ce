"""A device in VHDL: simulated by GHDL as it stands, judged and told like any other."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tb.errors import UsageError
from tb.manifest import load_manifest
from tb.paths import ROOT
from waves.fst import full_names

SAPLING = ROOT / "tests" / "duts" / "sapling"
TEST = "entropy.test_readable_buffer_does_no_harm"

pytestmark = pytest.mark.skipif(shutil.which("ghdl") is None, reason="GHDL is not installed")


def run(folder: Path, device: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "VIRTIO_COSIM_BUILD": str(folder / "build")}
    command = [sys.executable, "-m", "tb.cli", "run", "--dut", str(device / "dut.toml"), "--test", TEST]
    return subprocess.run(
        [*command, "--out", "out", *words], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAPLING, tmp_path / "sapling"))


def alter(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


def test_vhdl_is_judged_and_its_waves_are_written(tmp_path: Path) -> None:
    done = run(tmp_path, SAPLING, "--waves", "always")
    assert done.returncode == 0, done.stdout + done.stderr
    clauses = json.loads((tmp_path / "out" / "results.json").read_text())["clauses"]
    assert clauses["DEV-SPLIT-016"] == "held"
    assert "violated" not in clauses.values()
    names = full_names(tmp_path / "out" / TEST / "wave.fst")
    assert any(name.endswith("step") for name in names), "internal signals are in the wave"


def test_a_bug_in_vhdl_is_named_by_its_clause(tmp_path: Path, copy: Path) -> None:
    alter(
        copy / "sapling_dma.vhd",
        "wdata    <= std_logic_vector(filled)",
        "wdata    <= std_logic_vector(filled + 1)",
    )
    done = run(tmp_path, copy, "--waves", "never")
    assert done.returncode == 1
    assert "DEV-SPLIT-016" in done.stdout


def test_vhdl_that_does_not_compile_is_named_with_its_line(tmp_path: Path, copy: Path) -> None:
    alter(copy / "sapling_dma.vhd", "irq_request <= irq_pending;", "irq_request <= irq_pendin;")
    done = run(tmp_path, copy)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "sapling_dma.vhd:80:" in done.stderr


def test_names_know_no_case_and_a_missing_port_is_named(tmp_path: Path, copy: Path) -> None:
    assert load_manifest(copy / "dut.toml").bar.prefix == "s_axil_"
    alter(copy / "dut.toml", '"M_AXI_"', '"M_AXI_MEM_"')
    done = run(tmp_path, copy)
    assert done.returncode == 2
    assert "[ports.dma] prefix: sapling_top has no port 'm_axi_mem_awaddr'" in done.stderr


def test_two_languages_in_one_manifest_are_refused(copy: Path) -> None:
    (copy / "more.sv").write_text("module more; endmodule\n")
    alter(copy / "dut.toml", '["*.vhd"]', '["*.vhd", "more.sv"]')
    with pytest.raises(UsageError, match="are Verilog and VHDL"):
        load_manifest(copy / "dut.toml")


@pytest.mark.parametrize("words", [("--simulator", "icarus"), ("--path", "native")])
def test_what_ghdl_cannot_do_is_bad_input(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = run(tmp_path, SAPLING, *words)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "ghdl" in done.stderr
