"""The life of every buffer in a trace: made available, fetched, its data, used, announced by an interrupt."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

from pymodel import events as ev
from pymodel.checker import facts
from pymodel.checker.state.chain import Chain
from waves.decode import Decoder, Step
from waves.requests import request_text, status_name

CONTENT_MAX = 1 << 20


@dataclass(slots=True)
class Life:
    """One buffer's times in picoseconds; None where the trace does not show it.

    `session` counts driver sessions, `place` the buffers of a queue in the order of availability (its
    free-running index).
    `length` is what the device returned with it (None for one that an in-order device passed over),
    `written` the prefix that it had written.
    """

    session: int
    queue: int
    place: int
    chain: Chain
    request: str = ""
    status: str = ""
    available: int | None = None
    fetched: int | None = None
    first_data: int | None = None
    last_data: int | None = None
    used: int | None = None
    interrupt: int | None = None
    length: int | None = None
    written: int | None = None
    content: bytearray = field(default_factory=bytearray)

    def before(self, other: Life) -> bool:
        """Whether it was made available earlier in the same queue; places of a split ring have 16 bits."""
        return self.queue == other.queue and 0 < (other.place - self.place) & 0xFFFF < 0x8000

    @property
    def digest(self) -> str:
        """What the device wrote into the buffer, in eight hex digits."""
        return f"{zlib.crc32(self.content):08x}"

    def wrote(self, event: ev.DmaWrite) -> None:
        """The device wrote; what lies in the buffer's device-writable part is its content."""
        for segment in self.chain.segments:
            low, high = max(segment.addr, event.addr), min(segment.end, event.addr + len(event.data))
            if segment.kind != "writable" or low >= high or event.err:
                continue
            offset, data = segment.clip(event.addr, event.data)
            end = segment.offset + offset + len(data)
            if end <= CONTENT_MAX:
                self.content.extend(bytes(max(0, end - len(self.content))))
                self.content[end - len(data) : end] = data

    @property
    def name(self) -> str:
        """The buffer as driver and device call it, and its request."""
        return f"{self.chain.id}: {self.request}"


@dataclass(slots=True)
class BufferLog:
    """Collects the lives of all buffers: hand `after` to `decode`."""

    lives: list[Life] = field(default_factory=list)
    session: int = 0
    _open: dict[int, Life] = field(default_factory=dict)
    _unannounced: dict[int, list[Life]] = field(default_factory=dict)

    def after(self, step: Step, decoder: Decoder) -> None:
        """Take in an event."""
        self._find_new(step, decoder)
        for fact in decoder.facts:
            if isinstance(fact, facts.ResetDone):
                self.session += 1
                self._unannounced.clear()
            elif isinstance(fact, facts.BufferUsed) and fact.chain is not None:
                self._used(fact, step, decoder)
            elif isinstance(fact, facts.MessageSent):
                self._interrupt(fact, step, decoder)
        for chain in step.buffers:
            life = self._open.get(id(chain))
            if life is not None:
                self._touched(life, step)

    def _find_new(self, step: Step, decoder: Decoder) -> None:
        """Buffers in flight that were not before this event: it made them available, or shows them."""
        queue = decoder.state.queues.get(step.queue) if step.queue is not None else None
        if queue is None or queue.tracker is None or isinstance(step.event, ev.DmaWrite):
            return
        time = step.event.t if isinstance(step.event, ev.MemWrite) else step.begin
        for chain in queue.tracker.chains():
            if id(chain) not in self._open:
                life = Life(self.session, queue.index, chain.position, chain, available=time)
                self._open[id(chain)] = life
                self.lives.append(life)

    def _touched(self, life: Life, step: Step) -> None:
        event = step.event
        if isinstance(event, ev.DmaRead) and not step.payload and life.first_data is None:
            life.fetched = event.t
        elif isinstance(event, ev.DmaRead | ev.DmaWrite) and step.payload:
            life.first_data = step.begin if life.first_data is None else life.first_data
            life.last_data = event.t
            if isinstance(event, ev.DmaWrite):
                life.wrote(event)

    def _used(self, fact: facts.BufferUsed, step: Step, decoder: Decoder) -> None:
        assert fact.chain is not None
        life = self._open.get(id(fact.chain))
        if life is None:
            return
        life.length, life.written = fact.length, fact.written
        done = [life]
        if fact.skipped:
            done += [one for one in self._open.values() if one.before(life)]
        for one in done:
            self._close(one, step, decoder)

    def _close(self, life: Life, step: Step, decoder: Decoder) -> None:
        """The buffer went back, named itself or passed over by an in-order device."""
        del self._open[id(life.chain)]
        device_type = decoder.state.device_type
        life.used = step.event.t
        life.request = request_text(life.chain, device_type)
        life.status = status_name(life.chain, device_type)
        self._unannounced.setdefault(life.queue, []).append(life)

    def _interrupt(self, fact: facts.MessageSent, step: Step, decoder: Decoder) -> None:
        for queue in decoder.state.queues.values():
            if fact.vectors is None or queue.vector in fact.vectors:
                for life in self._unannounced.pop(queue.index, []):
                    life.interrupt = step.event.t

    def finish(self, decoder: Decoder) -> list[Life]:
        """The stream is over: name what never came back as well, and return all lives."""
        for life in self._open.values():
            life.request = request_text(life.chain, decoder.state.device_type)
        return sorted(self.lives, key=lambda life: (life.available or 0, life.place))
