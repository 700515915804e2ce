"""A trace as lanes that do not depend on time: registers, device configuration, buffers, interrupts.

Polls are folded, for how often a driver asks depends on when the device answers; so is the order in
which buffers come back, and how many interrupts announce them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pymodel import events as ev
from pymodel.checker import facts
from waves.buffers import BufferLog, Life
from waves.decode import DEVICE, DRIVER, Decoder, Step, decode

REGISTERS, CONFIGURATION, INTERRUPTS = "registers", "device configuration", "interrupts"
_ADDRESSES = ("queue_desc", "queue_driver", "queue_device")
_UNTIMED = ("ISR", "doorbell", "MSI-X pending bits")


@dataclass(slots=True)
class Item:
    """One entry of a lane: what was done, with what outcome, by whom the outcome is, and when (ps)."""

    what: str
    value: str
    by: str
    t: int
    step: Step | None = None


@dataclass(slots=True)
class Lane:
    """Entries in the order in which they are to agree; `name` says what they are about."""

    name: str
    items: list[Item] = field(default_factory=list)


@dataclass(slots=True)
class Lanes:
    """All lanes of a trace, by name, and the decoder that made them."""

    decoder: Decoder
    lanes: dict[str, Lane]

    @property
    def end(self) -> int:
        """The time of the last event."""
        return max((step.event.t for step in self.decoder.steps), default=0)


def lanes_of(trace: Path) -> Lanes:
    """Decode a trace into lanes; raises VtraceError."""
    accesses, buffers = _AccessLog(), BufferLog()
    decoder = decode(trace, accesses.after, buffers.after)
    lanes = accesses.lanes
    for life in buffers.finish(decoder):
        name = f"session {life.session}, queue {life.queue}"
        asked, returned = _buffer_items(life, decoder.steps[-1].event.t)
        lanes.setdefault(name, Lane(name)).items.append(asked)
        lanes.setdefault(f"{name}, returned", Lane(f"{name}, returned")).items.append(returned)
    return Lanes(decoder, lanes)


class _AccessLog:
    """Collects what is no buffer."""

    def __init__(self) -> None:
        self.lanes = {REGISTERS: Lane(REGISTERS)}
        self._session = 0

    def after(self, step: Step, decoder: Decoder) -> None:
        self._session += sum(isinstance(fact, facts.ResetDone) for fact in decoder.facts)
        if isinstance(step.event, ev.BarRead | ev.BarWrite):
            self._access(step, step.text)
        elif isinstance(step.event, ev.ConfigRead | ev.ConfigWrite) and "by PCI_CFG: " in step.text:
            self._access(step, step.text.replace("by PCI_CFG: ", ""))
        elif isinstance(step.event, ev.ConfigWrite) and step.text.startswith("write PCI command"):
            self._access(step, step.text)
        elif isinstance(step.event, ev.Msix | ev.Intx):
            self._once(INTERRUPTS, step.text, "seen", step)

    def _access(self, step: Step, text: str) -> None:
        write = text.startswith("write ")
        what, _, value = text.partition(" := " if write else " = ")
        if any(word in what for word in _UNTIMED):
            return
        if "config." in what or "config_generation" in what:
            if not write and "config_generation" not in what:
                self._once(CONFIGURATION, what, value, step)
            return
        if any(name in what for name in _ADDRESSES):
            value = "an address"
        items = self.lanes[REGISTERS].items
        if not write and items and items[-1].what == what:
            items.pop()
        items.append(Item(what, value, DRIVER if write else DEVICE, step.event.t, step))

    def _once(self, kind: str, what: str, value: str, step: Step) -> None:
        """An entry whose place among the others says nothing: the last value in a session counts."""
        name = f"session {self._session}, {kind}"
        items = self.lanes.setdefault(name, Lane(name)).items
        known = next((item for item in items if item.what == what), None)
        if known is not None:
            known.value = value
            return
        items.append(Item(what, value, DEVICE, step.event.t, step))
        items.sort(key=lambda item: item.what)


def _buffer_items(life: Life, end: int) -> tuple[Item, Item]:
    """A buffer as two entries: what the driver asked, and what it got back until the trace's end."""
    asked = Item(f"buffer {life.place}", life.request, DRIVER, life.available or 0)
    what = f"what came back of buffer {life.place} ({life.request})"
    if life.used is None:
        return asked, Item(what, "nothing", DEVICE, end)
    parts = [f"len {life.length}"] if life.length is not None else ["passed over"]
    parts += [f"status {life.status}"] if life.status else []
    parts += [f"data with CRC {life.digest}"] if life.content else []
    return asked, Item(what, ", ".join(parts), DEVICE, life.used)
