"""failure.md: what broke, where, and the one command that shows it again."""

from __future__ import annotations

from collections.abc import Sequence

from pymodel.events import Event
from tb.results import Result

LAST_EVENTS = 24


def failure_page(result: Result, events: Sequence[Event]) -> str:
    """Return the page of a failed test, with its last events."""
    lines = [f"# {result.name} {'failed' if result.status == 'fail' else 'ended in an error'}", ""]
    lines += [
        result.message,
        "",
        f"Seed {result.seed}, simulated time {result.sim_ns} ns. Again, with waves:",
        "",
    ]
    lines += [f"    {result.replay}", ""]
    if result.violations:
        lines += ["## Violations", "", "| clause | section | time (ns) | what |", "|---|---|---|---|"]
        for item in result.violations:
            place = f"{item['section']} | {item['t'] / 1000:.3f}"
            what = f"{item['message']}; seen in: {item['event']}".replace("|", "\\|")
            lines.append(f"| {item['clause']} | {place} | {what} |")
        lines.append("")
    if events:
        lines += ["## Last events", "", "```"]
        lines += [describe(event) for event in events[-LAST_EVENTS:]]
        lines += ["```", ""]
    if result.details:
        lines += ["## Where the test stood", "", "```", result.details.rstrip(), "```", ""]
    return "\n".join(lines)


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
