"""Events in words, as a protocol analyser shows them.

The decoder lets the checker's state follow the stream and asks it what an access means: which register,
which ring entry, which buffer of which request. Nothing here judges; findings are the checker's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pymodel import events as ev
from pymodel import spec
from pymodel.checker import Checker, Finding, facts
from pymodel.checker.clauses import demands
from pymodel.checker.state.boundary import State
from pymodel.checker.state.chain import Chain
from pymodel.checker.state.intervals import Segment
from pymodel.checker.state.split import SplitTracker
from pymodel.checker.state.tracker import DESC, Tracker
from pymodel.spec import DESC_LENGTH
from pymodel.vtrace import Header, read_vtrace
from waves.consequences import consequence
from waves.names import hex_text
from waves.ownership import held_slots
from waves.registers import bar_text, config_text, message_text
from waves.requests import buffer_name, request_text, status_name
from waves.ringtext import entry_heads, ring_text, table_text

DRIVER, DEVICE, BENCH = "driver", "device", "bench"
NEAR = 64


@dataclass(slots=True)
class Step:
    """One event in words: what was done by whom, and what follows from it (`notes`).

    `number` counts the events from 0, `queue` is set where the event belongs to one. `buffers` are the
    buffers that it touches or names, and with `payload` it is their content that it touches. `own`
    marks a driver's store to memory that it shares with nobody.
    """

    number: int
    event: ev.Event
    who: str
    text: str
    queue: int | None = None
    notes: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    buffers: list[Chain] = field(default_factory=list)
    payload: bool = False
    own: bool = False

    @property
    def begin(self) -> int:
        """When it was requested, in picoseconds; its completion where that is all that is known."""
        return self.event.t if self.event.t_req is None else self.event.t_req

    @property
    def line(self) -> str:
        """Text and notes in one line."""
        return "; ".join([self.text, *self.notes])


def gist(steps: Sequence[Step], focus: Step) -> list[Step]:
    """The events worth a line: no private stores of the driver, of a run of data only its ends."""
    kept = [step for step in steps if not step.own or step is focus]
    alike = [_bulk(kept[n - 1], kept[n]) for n in range(1, len(kept))]
    middle = {n for n in range(1, len(kept) - 1) if alike[n - 1] and alike[n]}
    return [step for n, step in enumerate(kept) if n not in middle or step is focus]


def _bulk(one: Step, other: Step) -> bool:
    """Whether two events carry data of the same buffer in the same direction, and nothing else."""
    plain = all(step.payload and not step.notes and not step.findings for step in (one, other))
    same = type(one.event) is type(other.event) and one.buffers[:1] == other.buffers[:1]
    return plain and same


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, and the event that it was seen in."""

    finding: Finding
    step: Step

    @property
    def mandatory(self) -> bool:
        """Whether it breaches a MUST."""
        return demands()[self.finding.clause].mandatory


class Decoder:
    """Puts one stream of events into words; `state` is what the checker knows after the last one."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.facts: list[Any] = []
        self.found: list[Found] = []
        self.steps: list[Step] = []
        self._by_line: dict[int, Step] = {}
        self._checker = Checker(header, on_fact=self.facts.append, on_finding=self._finding)

    @property
    def state(self) -> State:
        """The checker's state."""
        return self._checker.state

    def _finding(self, finding: Finding) -> None:
        line = finding.event.line if finding.event is not None else 0
        step = self._by_line.get(line, self.steps[-1])
        step.findings.append(finding)
        self.found.append(Found(finding, step))

    def take(self, event: ev.Event) -> Step:
        """Take in the next event and return it in words; `facts` is what it meant to the checker."""
        self.facts.clear()
        step = Step(len(self.steps), event, BENCH, "")
        self.steps.append(step)
        self._by_line[event.line] = step
        touched = self._touched(event)
        before = _before(self.state, event)
        step.buffers = _mentioned(event, touched)
        step.payload = any(segment.kind in ("readable", "writable") for segment in touched)
        step.own = isinstance(event, ev.MemWrite) and not touched
        self._checker.observe(event)
        step.who, step.text = self._words(event, before, touched)
        step.queue = self._queue(touched)
        for fact in self.facts:
            note = consequence(fact, self.state)
            if note:
                step.notes.append(note)
            chain = getattr(fact, "chain", None)
            if isinstance(chain, Chain) and chain not in step.buffers:
                step.buffers.append(chain)
        return step

    def finish(self) -> None:
        """The stream ends: what is owed by now counts."""
        self.facts.clear()
        if self.steps:
            self._checker.finish()

    def _touched(self, event: ev.Event) -> list[Segment]:
        """What the driver gave to the device where this event touches memory."""
        if not isinstance(event, ev.DmaRead | ev.DmaWrite | ev.MemWrite):
            return []
        found = self.state.index.overlapping(event.addr, len(event.data))
        return sorted(found, key=lambda segment: (isinstance(segment.owner, Tracker), segment.addr))

    def _queue(self, touched: list[Segment]) -> int | None:
        owners = [segment.owner.queue.index for segment in touched if hasattr(segment.owner, "queue")]
        if owners:
            return int(owners[0])
        queues = [fact.queue for fact in self.facts if getattr(fact, "queue", None) is not None]
        return int(queues[0].index) if queues else None

    def _words(self, event: ev.Event, before: str, touched: list[Segment]) -> tuple[str, str]:
        if isinstance(event, ev.ConfigRead | ev.ConfigWrite | ev.BarRead | ev.BarWrite):
            return DRIVER, ("write " if isinstance(event, ev.ConfigWrite | ev.BarWrite) else "read ") + before
        if isinstance(event, ev.DmaRead | ev.DmaWrite | ev.MemWrite):
            return self._memory(event, touched)
        if isinstance(event, ev.Msix):
            sent = next((fact for fact in self.facts if isinstance(fact, facts.MessageSent)), None)
            return DEVICE, message_text(self.state, sent.vectors if sent else None)
        if isinstance(event, ev.Intx):
            return DEVICE, f"INTx {'asserted' if event.level else 'released'}"
        if isinstance(event, ev.Reset):
            return BENCH, f"{event.kind} reset"
        return BENCH, f"note: {event.text}" if isinstance(event, ev.Mark) else type(event).__name__

    def _memory(
        self, event: ev.DmaRead | ev.DmaWrite | ev.MemWrite, touched: list[Segment]
    ) -> tuple[str, str]:
        who = DRIVER if isinstance(event, ev.MemWrite) else DEVICE
        verb = "reads" if isinstance(event, ev.DmaRead) else "stores" if who == DRIVER else "writes"
        parts = [self._part(segment, event) for segment in touched]
        shown = [part for part in parts if part]
        if not shown:
            where = f"{len(event.data)} bytes at {event.addr:#x}"
            shown = [f"{where}: {hex_text(event.data)}" if event.data else where]
            known = self.state.session.live and who == DEVICE
            shown[0] += f", memory that no queue gave to it{self._near(event.addr)}" if known else ""
        refused = ", refused by the host" if getattr(event, "err", False) else ""
        return who, f"{verb} {'; '.join(shown)}{refused}"

    def _near(self, addr: int) -> str:
        """The buffer that ends shortly before an address, in words."""
        behind = [s for s in self.state.index.overlapping(max(0, addr - NEAR), NEAR) if s.end <= addr]
        buffers = [segment for segment in behind if isinstance(segment.owner, Chain)]
        if not buffers:
            return ""
        last = max(buffers, key=lambda segment: segment.end)
        distance = f"{addr - last.end} bytes behind" if addr > last.end else "just behind"
        return f", {distance} queue {last.owner.queue.index}: {buffer_name(last.owner)}"

    def _part(self, segment: Segment, event: ev.DmaRead | ev.DmaWrite | ev.MemWrite) -> str:
        """What an access says in one of the areas that it touches."""
        offset, data = segment.clip(event.addr, event.data)
        owner = segment.owner
        if isinstance(owner, Tracker):
            return f"queue {owner.queue.index}: {ring_text(owner, segment.kind, offset, data)}"
        if not isinstance(owner, Chain):
            return f"{owner}'s memory from before its reset ({len(data)} bytes)"
        name = f"queue {owner.queue.index}: {buffer_name(owner)}"
        if segment.kind == "table":
            return f"{name} {table_text(owner.packed, offset, data)}"
        return f"{name} {self._content(owner, segment, offset, data)}"

    def _content(self, chain: Chain, segment: Segment, offset: int, data: bytes) -> str:
        first = segment.offset + offset
        device_type = self.state.device_type
        if segment.kind == "readable":
            if device_type == spec.DeviceType.BLK and first == 0 and len(data) >= spec.BLK_HEADER_LENGTH:
                return f"header: {request_text(chain, device_type)}"
            return f"bytes {first}..{first + len(data) - 1} of {chain.readable}: {hex_text(data, 8)}"
        status = status_name(chain, device_type) if first + len(data) == chain.writable else ""
        if status and len(data) == 1:
            return f"status {status}"
        text = f"bytes {first}..{first + len(data) - 1} of {chain.writable} in: {hex_text(data, 8)}"
        return f"{text}, status {status}" if status else text


def _mentioned(event: ev.Event, touched: list[Segment]) -> list[Chain]:
    """The buffers in flight that an access touches, or names in a ring."""
    found: list[Chain] = []
    for segment in touched:
        owner = segment.owner
        if isinstance(owner, Chain):
            found.append(owner)
        elif isinstance(owner, Tracker) and isinstance(event, ev.DmaRead | ev.DmaWrite | ev.MemWrite):
            found += _in_ring(owner, segment.kind, *segment.clip(event.addr, event.data))
    return list(dict.fromkeys(found))


def _in_ring(tracker: Tracker, part: str, offset: int, data: bytes) -> list[Chain]:
    """The buffers in flight whose descriptors or ring entries lie in these bytes of a ring."""
    if part == DESC:
        slots = range(offset // DESC_LENGTH, -(-(offset + len(data)) // DESC_LENGTH))
        return [chain for chain in tracker.chains() if any(s in slots for s in held_slots(tracker, chain))]
    if not isinstance(tracker, SplitTracker):
        return []
    heads = entry_heads(part, tracker.size, offset, data)
    return [tracker.inflight[head] for head in heads if head in tracker.inflight]


def _before(state: State, event: ev.Event) -> str:
    """A host access in words; registers are banked, so this is asked before the access counts."""
    if isinstance(event, ev.ConfigRead | ev.ConfigWrite):
        return config_text(state, event.addr, event.data, write=isinstance(event, ev.ConfigWrite))
    if isinstance(event, ev.BarRead | ev.BarWrite):
        return bar_text(state, event.bar, event.addr, event.data, write=isinstance(event, ev.BarWrite))
    return ""


Before = Callable[[int, State], None]
After = Callable[[Step, Decoder], None]


def decode(path: Path, *after: After, before: Before | None = None) -> Decoder:
    """Decode the trace at `path`; raises VtraceError where it cannot be read.

    `after` is called behind every event, `before` ahead of it with its number and the state until then.
    """
    reader, stream = read_vtrace(path)
    with stream:
        decoder = Decoder(reader.header)
        for number, event in enumerate(reader):
            if before is not None:
                before(number, decoder.state)
            step = decoder.take(event)
            for listener in after:
                listener(step, decoder)
    decoder.finish()
    return decoder
