"""`virtio-cosim new-dut` on the two DUTs of the tree, and on what it must refuse."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tb.cli import cli
from tb.errors import UsageError
from tb.manifest import Manifest, load_manifest
from tb.paths import ROOT

SEEDLING = ROOT / "tests" / "duts" / "seedling"
HDL = ROOT / "hdl"
EDITS_MAX = 5


def new_dut(out: Path, *words: str | Path) -> str:
    """Run the command and return what it printed."""
    arguments = ["new-dut", "--out", str(out), *map(str, words)]
    done = CliRunner().invoke(cli, arguments, catch_exceptions=False, standalone_mode=False)
    assert done.exception is None
    return done.output


def fill_in(lines: Sequence[str], working: dict[str, Any]) -> list[str]:
    """The proposed lines with every open one filled in from a manifest that works."""
    offsets = {item["type"]: item.get("offset") for item in working["pci"]["virtio"]}
    filled, capability, table = [], "", ""
    for line in lines:
        table = line.strip("[]") if line.startswith("[") else table
        if table == "pci.virtio" and line.startswith("type"):
            capability = line.split('"')[1]
        if '"?"' in line and not line.startswith("#"):
            key = line.split(" =")[0]
            known = offsets[capability] if table == "pci.virtio" else working[table][key]
            line = f"{key} = {known!r}".replace("'", '"')
        filled.append(line)
    return filled


@pytest.mark.parametrize(("words", "most"), [((), EDITS_MAX), (("--device", "entropy"), 3)])
def test_second_dut_runs_with_few_edits(tmp_path: Path, words: tuple[str, ...], most: int) -> None:
    for source in SEEDLING.glob("*.sv"):
        shutil.copy(source, tmp_path)
    manifest, run = tmp_path / "dut.toml", tmp_path / "run"
    assert "seedling_top" in new_dut(manifest, *words, *tmp_path.glob("*.sv"))
    lines = manifest.read_text().splitlines()
    working = tomllib.loads((SEEDLING / "dut.toml").read_text())
    edited = fill_in(lines, working)
    assert 0 < sum(old != new for old, new in zip(lines, edited, strict=True)) <= most
    manifest.write_text("\n".join(edited))
    if words:
        return
    arguments = ["run", "--dut", str(manifest), "--out", str(run), "--test", "entropy.*readable*"]
    done = CliRunner().invoke(cli, arguments, standalone_mode=False)
    assert "1 passed, 0 failed" in done.output, done.output


def alike(manifest: Manifest) -> Manifest:
    """A manifest without what does not matter here: its place, its name, its parameters."""
    hdl = replace(manifest.hdl, name="", parameters={}, sources=tuple(sorted(manifest.hdl.sources)))
    return replace(manifest, path=Path(), hdl=hdl)


def test_bundled_block_device_needs_no_edit(tmp_path: Path) -> None:
    new_dut(tmp_path / "dut.toml", "--top", "vio_top", HDL / "vio.f")
    assert alike(load_manifest(tmp_path / "dut.toml")) == alike(load_manifest(HDL / "dut.toml"))


def test_bundled_entropy_device_needs_no_edit(tmp_path: Path) -> None:
    wanted = load_manifest(HDL / "rng.toml")
    new_dut(tmp_path / "dut.toml", "--top", "vio_rng_top", *reversed(wanted.hdl.sources))
    assert alike(load_manifest(tmp_path / "dut.toml")) == alike(wanted)


def test_bundled_device_behind_packets_needs_no_edit(tmp_path: Path) -> None:
    wanted = load_manifest(HDL / "dut_tlp.toml")
    new_dut(tmp_path / "dut.toml", "--top", "vio_tlp_top", *wanted.hdl.sources)
    assert alike(load_manifest(tmp_path / "dut.toml")) == alike(wanted)


def test_several_clocks_and_resets(tmp_path: Path) -> None:
    ports = SEEDLING.parent / "ports"
    sources = [*SEEDLING.glob("*.sv"), *ports.glob("*.sv")]
    new_dut(tmp_path / "dut.toml", "--top", "burst_top", *sources)
    found = tomllib.loads((tmp_path / "dut.toml").read_text())
    assert [clock["port"] for clock in found["clock"]] == ["core_clk", "host_clk"]
    assert [(reset["port"], reset["active"]) for reset in found["reset"]] == [
        ("core_rst", "high"),
        ("host_rst_n", "low"),
    ]
    assert found["reset"][1]["clock"] == "host_clk"


def test_every_guess_and_gap_is_marked(tmp_path: Path) -> None:
    printed = new_dut(tmp_path / "dut.toml", *SEEDLING.glob("*.sv"))
    text = (tmp_path / "dut.toml").read_text()
    counted = re.search(r"(\d+) guessed, (\d+) to fill in", printed)
    assert counted
    assert int(counted[1]) == text.count("# guessed:") > 5
    open_ = [line for line in text.splitlines() if '"?"' in line and not line.startswith("#")]
    assert int(counted[2]) >= len(open_) == sum("# fill in:" in line for line in open_) == 5


MODULES = """
package p; typedef logic [7:0] byte_t; endpackage
module one import p::*; (input logic clk, input byte_t data, output logic q); endmodule
module two (input logic clk, output logic q); endmodule
module bench; logic q; two u (.clk(1'b0), .q); endmodule
"""


@pytest.mark.parametrize(
    ("text", "words", "says"),
    [
        (MODULES, (), "several modules could be the top level: say --top with one of one, two"),
        (MODULES, ("--top", "three"), "--top three: the sources hold no such module"),
        ("module x (input a; endmodule", (), "x.sv:1:.*syntax error"),
        ("module bench; endmodule", (), "no module with ports"),
        ("module x (input a); endmodule", ("-I", "nowhere"), "-I nowhere: there is no such folder"),
        ("module x (input a); endmodule", ("-D", "7"), "--define '7': give NAME=VALUE"),
    ],
)
def test_one_line_says_what_is_wrong(tmp_path: Path, text: str, words: tuple[str, ...], says: str) -> None:
    (tmp_path / "x.sv").write_text(text)
    with pytest.raises(UsageError, match=says) as caught:
        new_dut(tmp_path / "dut.toml", *words, tmp_path / "x.sv")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "dut.toml").exists()


def test_a_manifest_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "x.sv").write_text("module x (input logic clk); endmodule")
    (tmp_path / "dut.toml").write_text("mine")
    with pytest.raises(UsageError, match="--force"):
        new_dut(tmp_path / "dut.toml", tmp_path / "x.sv")
    assert (tmp_path / "dut.toml").read_text() == "mine"
    new_dut(tmp_path / "dut.toml", "--force", tmp_path / "x.sv")
    assert "toplevel" in (tmp_path / "dut.toml").read_text()
