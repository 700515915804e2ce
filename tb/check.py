"""`virtio-cosim check`: the golden checker over saved traces."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pymodel.checker import Finding, Results, check_file
from pymodel.checker.report import merge_verdicts, to_json, to_text
from pymodel.vtrace import VtraceError
from tb.errors import UsageError


def check(traces: Sequence[Path], form: str, say: Callable[[str], None]) -> int:
    """Judge traces and say what was found; return 0 or 1; raises UsageError for one that cannot be read.

    Nothing is said before the last trace is read, so that a broken one leaves no half result. Several
    traces in JSON become one object: verdicts merged, each finding with its "trace".
    """
    results = {}
    for trace in traces:
        try:
            results[str(trace)] = check_file(trace)
        except VtraceError as error:
            raise UsageError(str(error)) from None
    if form == "json":
        say(json.dumps(_json(results), indent=1))
    else:
        for name, result in results.items():
            say(to_text(name, result))
    return 0 if all(result.clean for result in results.values()) else 1


def _json(results: dict[str, Results]) -> dict[str, Any]:
    if len(results) == 1:
        return to_json(next(iter(results.values())))
    return {
        "violations": [_named(name, f) for name, result in results.items() for f in result.violations],
        "clauses": {clause: str(verdict) for clause, verdict in merge_verdicts(results.values()).items()},
        "warnings": [_named(name, f) for name, result in results.items() for f in result.warnings],
        "events": sum(result.events for result in results.values()),
        "ignored": sum(result.ignored for result in results.values()),
    }


def _named(name: str, finding: Finding) -> dict[str, Any]:
    return {"trace": name, **finding.to_json()}
