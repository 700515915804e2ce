"""Events as they were observed, a line each: what results say of a violation."""

from __future__ import annotations

from pymodel.events import Event


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
