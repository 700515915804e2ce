"""Two runs side by side: what a planted bug changed, and nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.runs import edit, model_run, rows, section
from tests.waves.command import Command
from tests.waves.faults import FAULTS

FAULTY = ("used-len-off-by-one", "used-idx-before-element", "feature-word-2-aliases")


def compared(command: Command, ours: Path, theirs: Path, out: Path) -> str:
    words = ("report", ours, "--against", theirs, "--format", "markdown", "--out", out)
    code, _, err = command(*words)
    assert (code, err) == (0, "")
    return section(out.read_text(), "A compared with B")


def results(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run / "results.json").read_text())
    return content


def violated(run: Path) -> set[str]:
    return {clause for clause, verdict in results(run)["clauses"].items() if verdict == "violated"}


def kinds(text: str) -> dict[str, list[str]]:
    """The clauses under each heading of a comparison."""
    parts = [part.partition("\n") for part in text.split("\n### ")[1:]]
    return {head.partition(" (")[0]: list(rows(body))[1:] for head, _, body in parts}


def test_a_run_differs_in_nothing_from_itself(command: Command, good: Path, tmp_path: Path) -> None:
    text = compared(command, good, good, tmp_path / "out.md")
    assert "No verdict on any clause differs" in text
    assert kinds(text) == {}
    assert "Both are the same folder." in text


@pytest.mark.parametrize("name", FAULTY)
def test_planted_bug_is_the_new_violation(command: Command, tmp_path: Path, name: str) -> None:
    fault = FAULTS[name]
    clean = model_run(tmp_path / "clean", fault.test)
    broken = model_run(tmp_path / "broken", fault.test, fault=name)
    found = kinds(compared(command, broken, clean, tmp_path / "out.md"))
    assert found["New violations"][0] == fault.clause
    assert set(found["New violations"]) == violated(broken) - violated(clean)
    back = kinds(compared(command, clean, broken, tmp_path / "out.md"))
    assert set(back["Mended"]) <= violated(broken)
    assert fault.clause in back["Mended"]
    assert "New violations" not in back


def test_tests_that_ended_otherwise_are_named(
    command: Command, good: Path, bad: Path, tmp_path: Path
) -> None:
    text = compared(command, bad, good, tmp_path / "out.md")
    failed = {test["name"] for test in results(bad)["tests"] if test["status"] == "fail"}
    assert {name.strip("`") for name in kinds(text)["Tests that ended otherwise"]} == failed


def test_a_violation_that_is_not_tested_any_more_is_not_mended(
    command: Command, bad: Path, tmp_path: Path
) -> None:
    less = model_run(tmp_path / "less", "registers.*")
    found = kinds(compared(command, less, bad, tmp_path / "out.md"))
    assert found["Violated in B, not put to the test in A"] == ["DEV-SPLIT-016"]
    assert "Mended" not in found
    assert found["Lost evidence"]


def test_verdicts_of_another_bench_come_with_a_warning(command: Command, run: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(run, tmp_path / "other"))
    edit(other, lambda content: content["run"]["bench"].update(sources="0123456789abcdef"))
    assert "The bench itself differs" in compared(command, run, other, tmp_path / "out.md")
    edit(other, lambda content: content["run"].pop("bench"))
    assert "does not say which bench" in compared(command, run, other, tmp_path / "out.md")


def test_features_of_one_alone_are_told(command: Command, good: Path, tmp_path: Path) -> None:
    admin = model_run(tmp_path / "admin", "admin.*")
    text = compared(command, admin, good, tmp_path / "out.md")
    assert "offered by A only: ADMIN_VQ" in text
    assert "offered by B only: nothing" in text
