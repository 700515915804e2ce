"""`virtio-cosim check`: the golden checker over saved traces."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from native.library import NativeBuildError
from pymodel.checker import Finding, Results, check_file
from pymodel.checker.report import merge_verdicts, to_json, to_text
from pymodel.vtrace import VtraceError
from tb.errors import ToolError, UsageError

NATIVE, PYTHON = "native", "python"
Say = Callable[[str], None]


def check(traces: Sequence[Path], form: str, twin: str | None, say: Say, warn: Say) -> int:
    """Judge traces and say what was found; return 0 or 1; raises UsageError for one that cannot be read.

    `twin`: "native" or "python"; None for native, or Python where the other cannot be built (`warn` is
    told so). Nothing is said before the last trace is read, so that a broken one leaves no half
    result. Several traces in JSON become one object: verdicts merged, each finding with its "trace".
    Raises ToolError if the native twin is asked for and cannot be built.
    """
    judge = _judge(twin, warn)
    results = {}
    for trace in traces:
        try:
            results[str(trace)] = judge(trace)
        except VtraceError as error:
            raise UsageError(str(error)) from None
    if form == "json":
        say(json.dumps(_json(results), indent=1))
    else:
        for name, result in results.items():
            say(to_text(name, result))
    return 0 if all(result.clean for result in results.values()) else 1


def _judge(twin: str | None, warn: Say) -> Callable[[Path], Results]:
    if twin == PYTHON:
        return check_file
    from native import twin as native

    try:
        native.binding()
    except (NativeBuildError, OSError) as error:
        if twin == NATIVE:
            raise ToolError(str(error)) from None
        warn(f"judged in Python, which takes longer: {error}")
        return check_file
    return native.check_file


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
