"""The golden checker beside a running test: what was violated, and what the test said it would provoke."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pymodel.events import Event


@dataclass(frozen=True, slots=True)
class Violation:
    """A breach of a clause at time `t` (ps)."""

    clause: str
    t: int
    message: str
    line: int = 0


@dataclass(slots=True)
class Verdict:
    """What the checker says at the end: violations nobody announced, warnings, verdict per clause."""

    violations: list[Violation] = field(default_factory=list)
    warnings: list[Violation] = field(default_factory=list)
    clauses: dict[str, str] = field(default_factory=dict)
    unmet: list[str] = field(default_factory=list)


class Judge:
    def __init__(self) -> None:
        self._verdict = Verdict()

    def __call__(self, event: Event) -> None: ...

    @contextmanager
    def expect(self, clause: str) -> Iterator[None]:
        yield

    buffers = 0

    def sections(self) -> dict[str, str]:
        return {}

    def finish(self) -> Verdict:
        return self._verdict
