"""Two entropy devices in RTL side by side, and a planted bug against the clean device."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tb.ground import copy_bench
from tb.hunt import problem_of
from tb.mutants import load_mutants
from tb.paths import ENTROPY_MANIFEST, MUTANTS, ROOT
from tests.conformance.runs import rows, section
from tests.conformance.test_difference import compared, kinds
from tests.waves.command import Command

SEEDLING = ROOT / "tests" / "duts" / "seedling" / "dut.toml"
MUTANT, TEST, CLAUSE = "bug-020", "discovery.test_first_sector_read_arrives", "DEV-SPLIT-022"


def rtl_run(out: Path, *words: str, tree: Path = ROOT) -> Path:
    """A run of the RTL from a tree of the project."""
    command = [sys.executable, "-m", "tb.cli", "run", "--out", str(out), "--waves", "never", *words]
    env = {**os.environ, "PYTHONPATH": str(tree)}
    done = subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True, check=False)
    assert (out / "results.json").exists(), done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def rng(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rtl_run(tmp_path_factory.mktemp("rng") / "rng", "--dut", str(ENTROPY_MANIFEST))


@pytest.fixture(scope="module")
def seedling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rtl_run(tmp_path_factory.mktemp("seedling") / "seedling", "--dut", str(SEEDLING))


def test_two_makes_of_one_device_type(command: Command, rng: Path, seedling: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.md"
    text = compared(command, seedling, rng, out)
    assert "offered by A only: nothing" in text
    assert "offered by B only: INDIRECT_DESC, EVENT_IDX" in text
    lost = kinds(text)["Lost evidence"]
    assert lost
    assert "not applicable: RING_PACKED is not offered" in lost
    assert "New violations" not in kinds(text)
    devices = rows(section(out.read_text(), "Transport and queues"))
    assert devices["BARs"] == ["BAR0 mem32 64 KiB; BAR4 mem32 4 KiB", "BAR0 mem64 64 KiB", "yes"]
    assert devices["device type"][:2] == ["entropy", "entropy"]
    assert devices["packed rings"][0] == "none enabled"


def test_report_says_what_the_shell_supplies(command: Command, seedling: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.md"
    assert command("report", seedling, "--format", "markdown", "--out", out)[0] == 0
    identity = rows(section(out.read_text(), "Identity"))["configuration seedling"][0]
    assert "PCI configuration space is the bench's, from [pci] of the manifest" in identity.replace("\\", "")
    assert "RTL sources' hash" in identity


@pytest.mark.nightly
def test_planted_bug_in_rtl_is_the_new_violation(command: Command, tmp_path: Path) -> None:
    (mutant,) = [mutant for mutant in load_mutants(MUTANTS) if mutant.name.startswith(f"{MUTANT}-")]
    tree = copy_bench(ROOT, tmp_path / "tree")
    assert not problem_of(mutant.patch, tree, check=False)
    clean = rtl_run(tmp_path / "clean", "--test", TEST)
    broken = rtl_run(tmp_path / "broken", "--test", TEST, tree=tree)
    out = tmp_path / "out.md"
    assert kinds(compared(command, broken, clean, out))["New violations"] == [CLAUSE]
    (sources,) = [
        row for label, row in rows(section(out.read_text(), "Identity")).items() if "vio-blk" in label
    ]
    assert sources[-1] == "yes"
