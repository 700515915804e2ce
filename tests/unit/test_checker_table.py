"""The table of clauses, the rules and the reasons for missing ones fit together."""

from collections import Counter

import pytest

from pymodel.checker import Verdict
from pymodel.checker.clauses import CORE_CHAPTERS, clauses, demands, older, unjudged
from pymodel.checker.rule import Rule
from pymodel.checker.rulebook import ALL
from tests.unit import (
    test_checker_blk,
    test_checker_bring_up,
    test_checker_entropy,
    test_checker_pci,
    test_checker_rings,
    test_checker_suspend_config,
)
from tests.unit.checker_cases import Case
from tests.unit.checker_script import packed, split

JUDGED = [rule.clause for rule in ALL if rule.clause in clauses()]
OLDER = [rule.clause for rule in ALL if rule.clause not in clauses()]
CASES: dict[str, Case] = {
    **test_checker_bring_up.CASES,
    **test_checker_blk.CASES,
    **test_checker_entropy.CASES,
    **test_checker_pci.CASES,
    **test_checker_suspend_config.CASES,
    **test_checker_rings.OTHERS,
    **test_checker_rings.PACKED_CASES,
    **test_checker_rings.SPLIT,
}


def test_every_clause_of_the_standard_is_there() -> None:
    assert len(clauses()) == 936
    sides = Counter((clause.side, clause.level) for clause in clauses().values())
    assert sides.total() == 936
    assert {level for _, level in sides} == {"MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"}


def test_a_clause_has_one_rule_at_most_and_it_exists() -> None:
    assert [clause for clause, count in Counter(JUDGED).items() if count > 1] == []
    assert set(JUDGED) <= clauses().keys()


def test_what_is_older_than_the_standard_is_listed_apart() -> None:
    assert set(OLDER) == older().keys()
    assert not older().keys() & clauses().keys()
    assert all(clause.level == "MUST" for clause in older().values())


def test_every_clause_of_core_block_and_entropy_has_a_rule_or_a_reason() -> None:
    chapters = CORE_CHAPTERS | {"blk", "entropy"}
    wanted = {c.id for c in clauses().values() if c.chapter in chapters}
    assert set(JUDGED) | unjudged().keys() == wanted
    assert set(JUDGED) & unjudged().keys() == set()
    assert all(reason and "\n" not in reason for reason in unjudged().values())


def test_no_rule_is_made_of_a_permission() -> None:
    assert [clause for clause in JUDGED if clauses()[clause].level == "MAY"] == []


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.clause)
def test_a_rule_says_what_it_demands_and_where_it_is_written(rule: type[Rule]) -> None:
    text = " ".join((rule.__doc__ or "").split())
    section = demands()[rule.clause].section
    assert section in text
    assert rule.subscriptions()


def test_every_rule_has_a_stream_in_which_it_holds_and_one_that_breaches_it() -> None:
    assert CASES.keys() == set(JUDGED)
    assert [clause for clause, entry in CASES.items() if not entry.breaks] == []


def test_verdicts_cover_all_clauses_and_follow_the_features() -> None:
    verdicts = split().give().use().message().judge().verdicts
    assert verdicts.keys() == clauses().keys()
    assert verdicts["DEV-SPLIT-015"] is Verdict.HELD
    assert verdicts["DEV-PACKED-002"] is Verdict.NOT_APPLICABLE
    assert verdicts["DEV-SPLIT-013"] is Verdict.NOT_APPLICABLE
    assert verdicts["DEV-NET-001"] is Verdict.NOT_APPLICABLE
    assert verdicts["DRV-SPLIT-016"] is Verdict.NOT_EXERCISED
    assert packed().judge().verdicts["DEV-SPLIT-015"] is Verdict.NOT_APPLICABLE
