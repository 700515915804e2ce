"""What the checker found: findings, and a verdict for every clause of the standard."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from pymodel.events import Event


class Verdict(StrEnum):
    """The outcome for one clause.

    A SHOULD that was not followed is a warning: it is not violated, and it did not hold either, so its
    verdict is not-exercised, and `Results.warnings` tells the rest.
    """

    HELD = "held"
    VIOLATED = "violated"
    NOT_EXERCISED = "not-exercised"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, slots=True)
class Finding:
    """A breach of `clause`, seen in `event` at `t` picoseconds (`line` of the trace, 0 when live).

    `since` is when that began which was then missed, for a notification that is overdue.
    """

    clause: str
    t: int
    line: int
    message: str
    event: Event | None = None
    since: int | None = None

    def to_json(self) -> dict[str, str | int]:
        """Return it as `check --format json` prints it."""
        return {"clause": self.clause, "t": self.t, "line": self.line, "message": self.message}


@dataclass(slots=True)
class Outcome:
    """How often a clause was put to the test and held, and how often it was breached."""

    held: int = 0
    breached: int = 0


@dataclass(slots=True)
class Results:
    """The result of one trace or run; `older` holds the verdicts on interfaces from before virtio 1.

    `violations` holds the first breach of each MUST clause in the order in which they became certain,
    `warnings` the same for SHOULD clauses; `outcomes` counts all. `notes` say what could not be judged.
    """

    violations: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    older: dict[str, Verdict] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    events: int = 0
    ignored: int = 0
    orderly: bool = False

    @property
    def clean(self) -> bool:
        """Whether no MUST clause was breached."""
        return not self.violations
