"""The list of known deviations is well-formed, and none of its entries is left without a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from pymodel.checker import clauses
from tests.peers.verdicts import case_name, known_deviations, seen_by_driver


def test_every_entry_names_a_clause_and_gives_a_reason() -> None:
    for deviation in known_deviations():
        assert deviation.clause in clauses()
        assert deviation.reason.strip()


def test_every_pattern_matches_a_test(request: pytest.FixtureRequest) -> None:
    names = {case_name(item.nodeid) for item in request.session.items}
    files = {path.name for path in Path(__file__).parent.glob("test_*.py")}
    if not files <= {name.split("::")[0] for name in names}:
        pytest.skip("only a part of the peer tests was collected")
    assert set(seen_by_driver()) <= names
    unused = [d for d in known_deviations() if not any(d.concerns(name) for name in names)]
    assert unused == []
