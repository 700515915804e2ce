"""X on a pin under Icarus Verilog: the test fails at once, and names the pin."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tb.paths import ROOT

HERE = Path(__file__).parent


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")
@pytest.mark.parametrize(
    ("pin", "message"),
    [
        ("arready", "UnknownLevel: s_bar_axil_arready reads X"),
        ("rdata", "UnknownLevel: rdata reads XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX during a read of 4 at BAR 0"),
    ],
)
def test_pin_without_a_level_is_named(tmp_path: Path, pin: str, message: str) -> None:
    shutil.copytree(HERE / "dut", tmp_path, dirs_exist_ok=True)
    source = tmp_path / "copy_engine.sv"
    cut = source.read_text().replace(f".{pin} (s_bar_axil_{pin})", f".{pin} ()")
    assert cut != source.read_text()
    source.write_text(cut)
    command = [
        "run",
        "--dut",
        str(tmp_path / "dut.toml"),
        "--simulator",
        "icarus",
        "--tests",
        str(HERE / "sim"),
    ]
    command += ["--out", str(tmp_path / "run"), "--test", "intx_*"]
    done = subprocess.run(
        [sys.executable, "-m", "tb.cli", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout + done.stderr
    (row,) = json.loads((tmp_path / "run" / "results.json").read_text())["tests"]
    assert row["message"].startswith(message)
