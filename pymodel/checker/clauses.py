"""The table of clauses: every requirement of virtio 1.4, and for which features it speaks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

CORE_CHAPTERS = frozenset(
    (
        "status",
        "feature-bits",
        "reset",
        "config-space",
        "virtqueues",
        "split",
        "packed",
        "init",
        "suspend",
        "pci",
        "notifications",
        "reserved-features",
    )
)
DEVICE_CHAPTERS = {"net": 1, "blk": 2, "console": 3, "entropy": 4, "balloon": 5, "scsi": 8}
_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Clause:
    """One requirement: its ID, section, level ("MUST", ...), who is bound ("device" or "driver").

    `needs` and `lacks` are feature bits that must (not) be negotiated for it to apply, `offers` and
    `offers_not` such that must (not) be offered.
    """

    id: str
    section: str
    title: str
    level: str
    side: str
    chapter: str
    check: str
    needs: int = 0
    lacks: int = 0
    offers: int = 0
    offers_not: int = 0

    @property
    def mandatory(self) -> bool:
        """Whether a breach is a violation; else it is a warning."""
        return self.level.startswith("MUST")

    def applies(self, offered: int, negotiated: int | None) -> bool | None:
        """Whether it applies in a session with these features; None if that is not known."""
        if offered & self.offers != self.offers or offered & self.offers_not:
            return False
        if not self.needs and not self.lacks:
            return True
        if negotiated is None:
            return None
        return negotiated & self.needs == self.needs and not negotiated & self.lacks


def _mask(bits: list[int]) -> int:
    return sum(1 << bit for bit in bits)


def _clause(row: dict[str, Any]) -> Clause:
    masks: dict[str, Any] = {
        key: _mask(row.pop(key, [])) for key in ("needs", "lacks", "offers", "offers_not")
    }
    return Clause(**row, **masks)


@cache
def clauses() -> dict[str, Clause]:
    """Return all clauses by ID, in the order of the standard."""
    rows = json.loads((_FOLDER / "clauses.json").read_text("utf-8"))
    return {row["id"]: _clause(row) for row in rows}


@cache
def older() -> dict[str, Clause]:
    """Return, by ID, what is demanded of interfaces from before virtio 1; no clauses of the table."""
    rows = json.loads((_FOLDER / "older.json").read_text("utf-8"))
    return {row["id"]: _clause(row) for row in rows}


@cache
def demands() -> dict[str, Clause]:
    """Return all that a rule may be made of: `clauses` and `older`."""
    return {**clauses(), **older()}


@cache
def unjudged() -> dict[str, str]:
    """Return, by ID, why a clause has no rule: one line each, for the core, block and entropy devices."""
    reasons: dict[str, str] = json.loads((_FOLDER / "unjudged.json").read_text("utf-8"))
    return reasons
