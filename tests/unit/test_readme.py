"""The README says what is true: its table of judged clauses, and commands that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pymodel.checker.clauses import CORE_CHAPTERS, Clause, clauses
from pymodel.checker.rulebook import ALL
from tb.cli import cli

README = (Path(__file__).parents[2] / "README.md").read_text()
JUDGED = {rule.clause for rule in ALL}


def share(found: list[Clause]) -> str:
    return f"{sum(clause.id in JUDGED for clause in found)} of {len(found)}"


@pytest.mark.parametrize("chapter", sorted(CORE_CHAPTERS | {"blk"}))
def test_table_of_judged_clauses_is_true(chapter: str) -> None:
    table = re.search(r"<!-- judged -->(.*)<!-- /judged -->", README, re.DOTALL)
    mine = [clause for clause in clauses().values() if clause.chapter == chapter]
    device = [clause for clause in mine if clause.mandatory and clause.side == "device"]
    driver = [clause for clause in mine if clause.mandatory and clause.side == "driver"]
    advice = [clause for clause in mine if clause.level.startswith("SHOULD")]
    assert table is not None
    assert f"| {chapter} | {share(device)} | {share(driver)} | {share(advice)} |" in table[1]


def test_commands_exist() -> None:
    named = set(re.findall(r"virtio-cosim ([a-z-]+)", README))
    assert named <= set(cli.commands)
    assert {"run", "check", "mutants", "doctor"} <= named
