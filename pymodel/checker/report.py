"""Checking whole trace files, and putting the results into JSON or text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pymodel.checker.clauses import clauses, demands
from pymodel.checker.engine import Checker
from pymodel.checker.verdicts import Finding, Results, Verdict
from pymodel.vtrace import read_vtrace

TEXT_FINDINGS_MAX = 50


def check_file(path: str | Path) -> Results:
    """Judge the trace at `path`; raises VtraceError if it cannot be read."""
    reader, stream = read_vtrace(path)
    with stream:
        checker = Checker(reader.header)
        for event in reader:
            checker.observe(event)
    results = checker.finish()
    results.ignored = reader.ignored
    return results


def check_files(paths: Iterable[str | Path]) -> dict[str, Results]:
    """Judge several traces, each on its own; raises VtraceError at the first that cannot be read."""
    return {str(path): check_file(path) for path in paths}


_RANK = (Verdict.VIOLATED, Verdict.HELD, Verdict.NOT_EXERCISED, Verdict.NOT_APPLICABLE)


def merge_verdicts(all_results: Iterable[Results]) -> dict[str, Verdict]:
    """Return, by clause, the verdict over several results: violated before held before not-exercised."""
    merged = dict.fromkeys(clauses(), Verdict.NOT_APPLICABLE)
    for results in all_results:
        for clause, verdict in results.verdicts.items():
            merged[clause] = min(merged[clause], verdict, key=_RANK.index)
    return merged


def to_json(results: Results) -> dict[str, Any]:
    """Return the object that `check --format json` prints for one trace."""
    return {
        "violations": [finding.to_json() for finding in results.violations],
        "clauses": {clause: str(verdict) for clause, verdict in results.verdicts.items()},
        "warnings": [finding.to_json() for finding in results.warnings],
        "events": results.events,
        "ignored": results.ignored,
    }


def finding_to_text(finding: Finding) -> str:
    """Return a finding in one line."""
    clause = demands()[finding.clause]
    where = f"line {finding.line}, " if finding.line else ""
    return f"{finding.clause} ({clause.level}, {clause.section}) {where}t={finding.t} ps: {finding.message}"


def to_text(name: str, results: Results) -> str:
    """Return the results of one trace as text, findings first."""
    lines = [f"{name}: {'clean' if results.clean else 'VIOLATED'}"]
    for title, findings in (("violation", results.violations), ("warning", results.warnings)):
        lines += [f"  {title}: {finding_to_text(finding)}" for finding in findings[:TEXT_FINDINGS_MAX]]
    lines += [f"  note: {note}" for note in results.notes]
    counts = Counter(results.verdicts.values())
    verdicts = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict)
    lines.append(f"  clauses: {verdicts}; recommendations not followed: {len(results.warnings)}")
    lines.append(f"  {results.events} events, {results.ignored} ignored")
    return "\n".join(lines)
