"""A device that leaves something out: violated, or waived where its manifest gives a reason."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tb.paths import ROOT

SEEDLING = ROOT / "tests" / "duts" / "seedling"
WINDOW = '[[pci.virtio]]\ntype = "pci-cfg"\n'
CLAUSE = "DEV-PCI-053"
REASON = "the vendor's block has no <window>"
SCOPE = f'[[out_of_scope]]\nclauses = ["{CLAUSE}", "DEV-PACKED-*"]\nreason = "{REASON}"\n'
PLAN = """
[plan]
name = "scoped"
seeds = 2
[[configuration]]
name = "seedling"
dut = "dut.toml"
tests = ["entropy.test_readable*"]
"""


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    line = (sys.executable, "-m", "tb.cli", *words)
    return subprocess.run(line, cwd=folder, env=env, capture_output=True, text=True, check=False)


def write_manifest(folder: Path, scope: str) -> None:
    """Seedling without its PCI_CFG window."""
    text = (SEEDLING / "dut.toml").read_text()
    assert WINDOW in text
    (folder / "dut.toml").write_text(text.replace(WINDOW, scope).replace('"*.sv"', f'"{SEEDLING}/*.sv"'))


def run(folder: Path) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """One test, and results.json."""
    test = ("--test", "entropy.test_readable*", "--waves", "never")
    done = command(folder, "run", "--dut", "dut.toml", *test, "--out", "out")
    return done, json.loads((folder / "out" / "results.json").read_text())


def test_what_the_device_lacks_is_a_violation(tmp_path: Path) -> None:
    write_manifest(tmp_path, "")
    done, content = run(tmp_path)
    assert done.returncode == 1, done.stderr
    assert content["clauses"][CLAUSE] == "violated"
    assert [row["clause"] for row in content["tests"][0]["violations"]] == [CLAUSE]
    assert content["out_of_scope"] == {}


def test_out_of_scope_it_is_waived_with_its_reason(tmp_path: Path) -> None:
    write_manifest(tmp_path, SCOPE)
    done, content = run(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert content["clauses"][CLAUSE] == "not-applicable"
    assert content["tests"][0]["violations"] == []
    assert [row["clause"] for row in content["tests"][0]["waived"]] == [CLAUSE]
    assert content["out_of_scope"][CLAUSE] == {"reason": REASON, "findings": 1}
    packed = [clause for clause in content["out_of_scope"] if clause.startswith("DEV-PACKED-")]
    assert len(packed) > 5
    assert {content["clauses"].get(clause, "not-applicable") for clause in packed} == {"not-applicable"}
    assert f"out of scope: {len(packed) + 1} clauses; 1 finding there waived" in done.stdout
    assert command(tmp_path, "report", "out").returncode == 0
    page = "".join(path.read_text() for path in (tmp_path / "out").glob("*.html"))
    assert "has no &lt;window&gt;" in page
    assert "<window>" not in page


def test_a_night_carries_it_along(tmp_path: Path) -> None:
    write_manifest(tmp_path, SCOPE)
    (tmp_path / "plan.toml").write_text(PLAN)
    done = command(tmp_path, "regress", "plan.toml", "--jobs", "1", "--out", "nights")
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = (tmp_path / "nights").rglob("results.json")
    content = json.loads(path.read_text())
    assert content["out_of_scope"][CLAUSE] == {"reason": REASON, "findings": 2}
    assert content["clauses"][CLAUSE] == "not-applicable"
    (page,) = (tmp_path / "nights").glob("night-*/report.html")
    assert "2 waived: the vendor&#39;s block has no &lt;window&gt;" in page.read_text()
