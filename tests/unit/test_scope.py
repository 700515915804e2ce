"""What is out of scope: not applicable, never held, and what breaks it is kept with its reason."""

from __future__ import annotations

from tb.results import Result
from tb.scope import out_of_scope, told, waive

SCOPE = {"DEV-A-001": "no A", "DEV-A-002": "no A"}


def judged() -> Result:
    result = Result("test", 1, "pass")
    result.violations = [{"clause": "DEV-A-001", "t": 1}, {"clause": "DEV-B-001", "t": 2}]
    result.warnings = [{"clause": "DEV-A-002", "t": 3}]
    result.clauses = {"DEV-A-001": "violated", "DEV-A-002": "held", "DEV-B-001": "violated"}
    result.outcomes = {"DEV-A-002": [1, 1], "DEV-B-001": [0, 1]}
    return result


def test_findings_are_waived_with_their_reason() -> None:
    result = judged()
    waive(result, SCOPE)
    assert [finding["clause"] for finding in result.violations] == ["DEV-B-001"]
    assert result.warnings == []
    assert [(f["clause"], f["t"], f["reason"]) for f in result.waived] == [
        ("DEV-A-001", 1, "no A"),
        ("DEV-A-002", 3, "no A"),
    ]
    assert result.clauses == {
        "DEV-A-001": "not-applicable",
        "DEV-A-002": "not-applicable",
        "DEV-B-001": "violated",
    }
    assert result.outcomes == {"DEV-B-001": [0, 1]}


def test_count_of_waived_findings_is_told() -> None:
    results = [judged(), judged()]
    for result in results:
        waive(result, SCOPE)
    found = out_of_scope(SCOPE, results)
    assert found["DEV-A-001"] == {"reason": "no A", "findings": 2}
    assert told(found) == "out of scope: 2 clauses; 4 findings there waived"
    assert told(out_of_scope(SCOPE, [])) == "out of scope: 2 clauses"


def test_without_a_scope_nothing_changes() -> None:
    result = judged()
    waive(result, {})
    assert result == judged()
    assert told(out_of_scope({}, [result])) == ""
