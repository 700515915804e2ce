"""What a test's driver sessions were like, as coverage; and the device's state at a violation, for triage."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Protocol

from pymodel.checker import Checker, Finding
from pymodel.checker.state.session import Phase
from pymodel.spec import Feature, Status
from pymodel.vtrace import VtraceError, read_vtrace

SIZES = (2, 4, 16, 64, 256, 1024, 32768)
"""Upper bounds of the bins for queue sizes."""
RINGS = ("split", "packed")


class Sized(Protocol):
    """A queue."""

    size: int


def size_bins() -> list[str]:
    """The names of the bins for queue sizes, as "5-16"."""
    lowers = (1, *(upper + 1 for upper in SIZES[:-1]))
    return [f"{lower}-{upper}" for lower, upper in zip(lowers, SIZES, strict=True)]


def size_bin(size: int) -> str:
    """The bin that a queue size falls into."""
    return next(name for name, upper in zip(size_bins(), SIZES, strict=True) if size <= upper)


def shapes(features: int, queues: Mapping[int, Sized]) -> set[tuple[str, str, str]]:
    """(feature, ring format, size bin) for every combination that a session of the driver has."""
    ring = RINGS[features >> Feature.RING_PACKED & 1]
    names = [str(feature.name) for feature in Feature if features >> feature & 1]
    return {(name, ring, size_bin(queue.size)) for name in names for queue in queues.values()}


def state_at(trace: Path, clause: str, t: int) -> str:
    """The device's phase, status and ring formats where a clause broke at `t`; empty if it does not."""
    found: list[str] = []

    def look(finding: Finding) -> None:
        if (finding.clause, finding.t) == (clause, t) and not found:
            found.append(_state(checker))

    try:
        reader, stream = read_vtrace(trace)
        with closing(stream):
            checker = Checker(reader.header, on_finding=look)
            for event in reader:
                checker.observe(event)
                if found:
                    return found[0]
            checker.finish()
    except VtraceError:
        return ""
    return found[0] if found else ""


def _state(checker: Checker) -> str:
    session = checker.state.session
    status = session.status or 0
    bits = "|".join(str(bit.name) for bit in Status if bit.value and status & bit) or "0"
    rings = sorted({RINGS[queue.packed] for queue in checker.state.queues.values() if queue.enabled})
    return " ".join((Phase(session.phase).name.lower(), bits, "+".join(rings))).strip()
