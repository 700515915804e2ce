"""What a result does not say by itself of a violation: its event in a line, and since when it was due."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from pymodel.checker import Checker, Finding
from pymodel.events import Event
from pymodel.vtrace import VtraceError, read_vtrace


def since(trace: Path, clause: str, t: int) -> int:
    """When (ps) that began which was overdue at `t`; `t` itself for what breaks a clause at once."""
    found: list[Finding] = []
    try:
        reader, stream = read_vtrace(trace)
        with closing(stream):
            checker = Checker(reader.header, on_finding=found.append)
            for event in reader:
                checker.observe(event)
            checker.finish()
    except VtraceError:
        return t
    times = [item.since for item in found if (item.clause, item.t) == (clause, t)]
    return next((time for time in times if time is not None), t)


def describe(event: Event) -> str:
    """One event in one line."""
    parts = [f"{event.t / 1000:12.3f} ns  {type(event).__name__:11}"]
    for name in event.__dataclass_fields__:
        value = getattr(event, name)
        if name in ("t", "t_req", "line") or value is None:
            continue
        if isinstance(value, bytes):
            parts.append(f"{name}={value[:32].hex()}{'...' if len(value) > 32 else ''} ({len(value)})")
        elif isinstance(value, bool) or name in ("bar", "level", "text", "kind", "vector"):
            parts.append(f"{name}={value}")
        else:
            parts.append(f"{name}={value:#x}")
    return " ".join(parts)
