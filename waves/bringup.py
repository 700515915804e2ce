"""A bring-up that failed, in words: the steps, the last register accesses, what a correct device answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pymodel import events as ev
from pymodel.vtrace import VtraceError
from tb.paths import shown
from tb.probe.journal import Journal
from tb.probe.steps import STEPS
from tb.session import TRACE
from waves.correct import CorrectDevice
from waves.decode import DRIVER, Decoder, Step, decode
from waves.names import time_text

ACCESSES = 8
WAVE = "wave.fst"


@dataclass(frozen=True, slots=True)
class Row:
    """One step: its number, name and section, whether it was done ("ok", "FAIL", "-"), and what it showed."""

    number: int
    name: str
    section: str
    status: str
    note: str


@dataclass(frozen=True, slots=True)
class Access:
    """A register access in words, and what a correct device had answered where this one did not."""

    time: str
    text: str
    correct: str


@dataclass(frozen=True, slots=True)
class BringUpStory:
    """All that there is to say of a bring-up that failed."""

    journal: Journal
    rows: tuple[Row, ...]
    accesses: tuple[Access, ...]


def story_of(folder: Path) -> BringUpStory | None:
    """Read a test's folder; None where it holds no bring-up that failed."""
    journal = Journal.load(folder)
    if journal is None or journal.complete:
        return None
    return BringUpStory(journal, tuple(_rows(journal)), tuple(_accesses(folder)))


def _rows(journal: Journal) -> list[Row]:
    done = len(journal.notes)
    rows = []
    for place, step in enumerate(STEPS):
        status = "ok" if place < done else "FAIL" if place == done else "-"
        note = journal.notes[place] if place < done else journal.found if place == done else ""
        rows.append(Row(place + 1, step.name, step.section, status, note))
    return rows


def _accesses(folder: Path) -> list[Access]:
    """The last register accesses of the trace, decoded."""
    correct = CorrectDevice()
    steps: list[tuple[Step, str]] = []

    def take(step: Step, decoder: Decoder) -> None:
        answer = correct.answer(step, decoder)
        if step.who == DRIVER and not isinstance(step.event, ev.MemWrite | ev.DmaRead | ev.DmaWrite):
            steps.append((step, answer))

    try:
        decode(folder / TRACE, take)
    except VtraceError:
        return []
    return [Access(time_text(step.event.t), step.text, answer) for step, answer in steps[-ACCESSES:]]


def diagnosis(folder: Path) -> str:
    """What the terminal says of a bring-up that failed."""
    story = story_of(folder)
    if story is None:
        return ""
    journal = story.journal
    lines = ["", "bring-up (virtio 1.4, 3.1.1 and 4.1.5):"]
    lines += [f"  {row.status:4} {row.number:2} {row.name:18} {row.note}".rstrip() for row in story.rows]
    lines += [f"a correct device: {journal.correct} (virtio 1.4, {journal.step.section})"] * bool(
        journal.correct
    )
    lines += [f"look here: {journal.hint}"] * bool(journal.hint)
    if story.accesses:
        lines.append("last register accesses:")
        for access in story.accesses:
            note = f"   <- a correct device: {access.correct}" if access.correct else ""
            lines.append(f"  {access.time:>16}  {access.text}{note}")
    lines.append(f"page: {shown(folder / 'failure.md')}")
    if (folder / WAVE).exists():
        lines.append(f"wave: {shown(folder / WAVE)}; `virtio-cosim wave {shown(folder)}` opens it there")
    lines.append("the other tests were not run; --keep-going runs them all the same")
    return "\n".join(lines)
