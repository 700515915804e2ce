"""How far bring-up got, in a file that is written before every step: what kills the simulator leaves it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tb.probe.steps import STEPS, Step
from tb.results import write_whole

JOURNAL = "bringup.json"


@dataclass(slots=True)
class Journal:
    """Bring-up so far: a note for each step that was done, and the step that runs or failed.

    `found` is what went wrong, "" while nothing did; `correct` what a correct device does there, `hint`
    where to look. `complete` says that all steps were done.
    """

    notes: list[str] = field(default_factory=list)
    found: str = ""
    correct: str = ""
    hint: str = ""
    complete: bool = False

    @property
    def step(self) -> Step:
        """The step that runs or failed; the last one where all were done."""
        return STEPS[min(len(self.notes), len(STEPS) - 1)]

    @property
    def headline(self) -> str:
        """What failed, in a line."""
        number = STEPS.index(self.step) + 1
        where = f"bring-up fails at step {number} of {len(STEPS)}, {self.step.name}"
        return f"{where}: {self.found}" if self.found else where

    def save(self, folder: Path) -> None:
        """Write it into a test's folder."""
        write_whole(folder / JOURNAL, json.dumps(asdict(self)))

    @classmethod
    def load(cls, folder: Path) -> Journal | None:
        """Read the journal in a test's folder; None where there is none that can be read."""
        try:
            return cls(**json.loads((folder / JOURNAL).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
