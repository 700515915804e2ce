"""The table of exercised clauses."""

import json
from pathlib import Path
from typing import Any

import pytest

from pymodel.checker.clauses import CORE_CHAPTERS, demands
from pymodel.checker.rulebook import ALL
from tb.coverage import ELSEWHERE, cover, main
from tb.errors import UsageError

CORE = [rule.clause for rule in ALL if demands()[rule.clause].chapter in CORE_CHAPTERS]
WHY = json.loads(ELSEWHERE.read_text())


def run_of(folder: Path, verdicts: dict[str, str], warned: str = "") -> Path:
    folder.mkdir()
    warnings: list[dict[str, Any]] = [{"clause": warned}] if warned else []
    content = {"tests": [{"name": "a", "warnings": warnings}], "clauses": verdicts}
    (folder / "results.json").write_text(json.dumps(content))
    return folder


def test_only_judged_clauses_of_the_core_are_exercised_elsewhere() -> None:
    assert set(WHY) <= set(CORE)
    assert all(WHY.values())


def test_runs_are_merged_and_a_warning_counts(tmp_path: Path) -> None:
    first = run_of(tmp_path / "a", {"DEV-STATUS-001": "held", "DEV-PCI-001": "not-exercised"})
    second = run_of(tmp_path / "b", {"DEV-PCI-001": "violated"}, warned="DRV-RSVD-006")
    coverage = cover([first, second])
    assert coverage.exercised == {"DEV-STATUS-001", "DEV-PCI-001", "DRV-RSVD-006"}


def test_a_gap_in_the_core_is_exit_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    needed = [clause for clause in CORE if clause not in WHY]
    whole = run_of(tmp_path / "whole", dict.fromkeys(needed, "held"))
    assert main([str(whole)]) == 0
    lacking = run_of(tmp_path / "lacking", dict.fromkeys(needed[1:], "held"))
    capsys.readouterr()
    assert main([str(lacking)]) == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith(f"{needed[0]} ")]
    assert line.endswith("NEVER EXERCISED")


@pytest.mark.parametrize("content", [None, "{", "[]", '{"clauses":{}}', '{"clauses":[],"tests":[]}'])
def test_what_is_no_run_is_one_line(
    tmp_path: Path, content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "results.json").write_text(content)
    with pytest.raises(UsageError, match=r"results\.json"):
        cover([tmp_path])
    assert main([str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_without_a_run_it_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "python -m tb.coverage RUN..." in capsys.readouterr().err
