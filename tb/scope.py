"""What a manifest puts out of scope, applied to verdicts: never held, and what breaks it stays visible.

The rules know nothing of it: both twins judge everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from tb.results import Result

NOT_APPLICABLE = "not-applicable"


def waive(result: Result, scope: Mapping[str, str]) -> None:
    """Take out-of-scope clauses out of a judged result: their findings become waived, with the reason."""
    if not scope:
        return
    findings = [*result.violations, *result.warnings]
    result.waived = [{**f, "reason": scope[f["clause"]]} for f in findings if f["clause"] in scope]
    result.violations = [finding for finding in result.violations if finding["clause"] not in scope]
    result.warnings = [finding for finding in result.warnings if finding["clause"] not in scope]
    result.clauses |= {clause: NOT_APPLICABLE for clause in scope if clause in result.clauses}
    result.outcomes = {clause: row for clause, row in result.outcomes.items() if clause not in scope}


def out_of_scope(scope: Mapping[str, str], results: Iterable[Result]) -> dict[str, dict[str, Any]]:
    """What results.json says of the clauses out of scope: why, and how many findings were waived."""
    counts = Counter(str(finding["clause"]) for result in results for finding in result.waived)
    return {clause: {"reason": reason, "findings": counts[clause]} for clause, reason in scope.items()}


def told(scope: Mapping[str, Mapping[str, Any]]) -> str:
    """The run's line about its scope; empty where everything is in it."""
    findings = sum(int(row["findings"]) for row in scope.values())
    waived = f"; {findings} finding{'s' * (findings != 1)} there waived" if findings else ""
    return f"out of scope: {len(scope)} clauses{waived}" if scope else ""
