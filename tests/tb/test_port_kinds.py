"""One device behind every kind of port: the same tests end alike and give the same verdicts.

The device is Seedling (tests/duts/seedling): one access at a time and no configuration space of its own,
so that thin adapters make any port of it. `make test` takes a sample, `make nightly` (with
VIRTIO_COSIM_PORTS=all) every description and more tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tb.manifest import Manifest, load_manifest
from tb.paths import ROOT

DUTS = ROOT / "tests" / "duts"
ALL = os.environ.get("VIRTIO_COSIM_PORTS") == "all"
SHORT = ("entropy.test_readable*", "entropy.test_reset_with*")
SUITES = ("entropy.*", "interrupts.*", "negotiation.*", "transport.*")
REFERENCE = "seedling/dut"
DESCRIPTIONS = {
    "seedling/dut": "auto",
    "bypass/dut": "auto",
    "bypass/python": "auto",
    "ports/lite": "native",
    "ports/lite on pins": "portable",
    "ports/wide": "auto",
    "ports/burst": "auto",
    "ports/line": "auto",
}
"""Manifest, and the path of the bench that drives it."""
SAMPLE = ("bypass/python", "ports/lite", "ports/burst", "ports/line")
NO_MSIX = "a level: there is no MSI-X, and so no message, vector or table entry to judge"
CANNOT_SHOW = {
    "ports/line": {
        "DEV-PCI-058": NO_MSIX,
        "DEV-PCI-059": NO_MSIX,
        "DEV-PCI-061": NO_MSIX,
        "DEV-PCI-063": NO_MSIX,
        "DEV-PCI-065": NO_MSIX,
        "DRV-PCI-026": NO_MSIX,
        "DRV-PCI-034": NO_MSIX,
        "DRV-PCI-035": NO_MSIX,
    }
}
"""The clauses that hold on the reference and are not exercised here, and why."""


@dataclass(frozen=True)
class Outcome:
    """How the tests ended, and the verdict of every clause."""

    statuses: dict[str, str]
    clauses: dict[str, str]


def manifest_of(name: str) -> Path:
    return DUTS / f"{name.partition(' ')[0]}.toml"


def globs_for(name: str) -> tuple[str, ...]:
    """What both ends of a comparison run: without MSI-X its tests cannot be asked."""
    if not ALL:
        return SHORT
    return ("entropy.*",) if name in CANNOT_SHOW else SUITES


def run(name: str, globs: tuple[str, ...], folder: Path) -> Outcome:
    tests = [word for glob in globs for word in ("--test", glob)]
    words = ["run", "--dut", str(manifest_of(name)), "--path", DESCRIPTIONS[name], "--waves", "never", *tests]
    command = [sys.executable, "-m", "tb.cli", *words, "--out", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    content = json.loads((folder / "results.json").read_text())
    return Outcome({row["name"]: row["status"] for row in content["tests"]}, content["clauses"])


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Callable[[tuple[str, ...]], Outcome]:
    """The reference's outcome of some tests, run once."""
    return cache(lambda globs: run(REFERENCE, globs, tmp_path_factory.mktemp("reference") / "out"))


def test_descriptions_take_in_every_kind_of_port() -> None:
    manifests: list[Manifest] = [load_manifest(manifest_of(name)) for name in DESCRIPTIONS]
    kinds = {
        table: {getattr(manifest, table).kind for manifest in manifests}
        for table in ("config", "bar", "dma", "irq")
    }
    # Packets have a device, a shim and a comparison of their own: hdl/dut_tlp.toml.
    assert kinds == {
        "config": {"axi4-lite", "reqcpl", "shell", "python"},
        "bar": {"axi4-lite", "axi4", "reqcpl", "python"},
        "dma": {"axi4", "python"},
        "irq": {"msix-write", "msix-pulse", "reqack", "level", "python"},
    }
    assert set(SAMPLE) < set(DESCRIPTIONS)


@pytest.mark.parametrize("name", [name for name in DESCRIPTIONS if name != REFERENCE] if ALL else SAMPLE)
def test_verdicts_are_the_same_behind_other_ports(
    name: str, reference: Callable[[tuple[str, ...]], Outcome], tmp_path: Path
) -> None:
    wanted, found = reference(globs_for(name)), run(name, globs_for(name), tmp_path / "out")
    assert found.statuses == wanted.statuses
    assert "held" in found.clauses.values()
    other = {clause for clause, verdict in wanted.clauses.items() if found.clauses[clause] != verdict}
    assert other <= set(CANNOT_SHOW.get(name, {})), {c: found.clauses[c] for c in other}
    for clause in CANNOT_SHOW.get(name, {}):
        assert (wanted.clauses[clause], found.clauses[clause]) == ("held", "not-exercised"), clause


def test_structure_behind_its_bar_is_the_device_s_fault(tmp_path: Path) -> None:
    """No clause forbids it by name: the driver finds no structure, and says what is wrong with it."""
    words = ["--dut", str(manifest_of("ports/lite")), "--test", "entropy.test_readable*", "--waves", "never"]
    command = [sys.executable, "-m", "tb.cli", "run", *words, "--parameter", "CommonOffset=4096"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "out")], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stdout + done.stderr
    row = json.loads((tmp_path / "out" / "results.json").read_text())["tests"][0]
    assert row["status"] == "fail"
    wanted = "no usable COMMON structure: it ends at 0x1038, behind the 0x1000 bytes of BAR 4"
    assert wanted in row["message"]
