"""The README's table of reset and restore names files, clauses and tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pymodel.checker.rulebook import ALL

ROOT = Path(__file__).parents[2]
COLUMNS = 6
FOLDERS = ("pymodel/driver", "hdl", "pymodel/device")
AREAS = ("reset", "restore", "lguest", "legacy")


def rows() -> list[list[str]]:
    table = re.search(r"<!-- seeds -->(.*)<!-- /seeds -->", (ROOT / "README.md").read_text(), re.DOTALL)
    assert table is not None
    return [[c.strip() for c in line.strip("|").split("|")] for line in table[1].split("\n")[3:-1]]


def names_of(module: str) -> set[str]:
    """The simulation tests that a module defines."""
    text = (ROOT / "tests" / "sim" / f"test_{module}.py").read_text()
    return set(re.findall(r"^async def (test_\w+)", text, re.MULTILINE))


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0][:40])
def test_row_is_true(row: list[str]) -> None:
    assert len(row) == COLUMNS
    *places, clauses, tests = row[1:]
    for place, folder in zip(places, FOLDERS, strict=True):
        assert place.startswith(folder)
        assert (ROOT / place).is_file()
    if clauses != "-":
        assert set(clauses.split(", ")) <= {rule.clause for rule in ALL}
    for test in tests.split(", "):
        module, _, name = test.partition(".")
        assert module.startswith(AREAS)
        assert name in names_of(module)


def test_every_area_has_a_row() -> None:
    named = {test.partition(".")[0].partition("_")[0] for row in rows() for test in row[-1].split(", ")}
    assert named == set(AREAS)
