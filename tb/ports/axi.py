"""A memory behind the device's AXI4 initiator: latency, back-pressure, reordering, errors.

The channels move at the rising clock edge. Everything else happens at the falling edge, in a fixed
order, so that the native path can do the same in C (native/target.c): a burst takes effect at one
instant, its bytes are read or written and reported to the store at once, some cycles after its
request and some before its answer, in order within an id.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import cocotb
from cocotb.task import Task
from cocotb.triggers import Event, FallingEdge, First, Timer
from cocotbext.axi.axi_channels import (
    AxiARSink,
    AxiAWSink,
    AxiBSource,
    AxiBTransaction,
    AxiRSource,
    AxiRTransaction,
    AxiWSink,
)

from tb.knobs import TargetKnobs
from tb.ports.burst import Burst, burst_faults, strobed_runs, write_faults
from tb.ports.channels import Pins, stall
from tb.ports.dice import Dice
from tb.ports.refusals import Refusals
from tb.ports.waiting import Waiting

OKAY = 0
DECERR = 3
AHEAD = 2
INTERLEAVED = 4


class Store(Protocol):
    """What lies behind the target; None or False answers with DECERR, as does what the host refuses."""

    def read(self, addr: int, length: int, asked: int, refused: bool) -> bytes | None:
        """Return `length` bytes; `asked` is the time of the request."""
        ...

    def write(self, addr: int, data: bytes, asked: int, refused: bool) -> bool:
        """Store `data`."""
        ...


class AxiTarget:
    """Serves one AXI4 initiator from a store."""

    posted = False

    def __init__(
        self, pins: Pins, store: Store, knobs: TargetKnobs, seed: int, now: Callable[[], int]
    ) -> None:
        self.faults: list[str] = []
        self._refusals = Refusals()
        self._store = store
        self._knobs = knobs
        self._dice = Dice(seed)
        self._period = pins.period_ps
        self._now = now
        self._clock = pins.clock
        self._lanes = pins.width("wdata") // 8
        self._news = Event()
        self._open_channels(pins)
        reorder = knobs.reorder
        self._reads, self._writes, self._answers, self._acks = (
            Waiting[Burst](self._dice, reorder=reorder) for _ in range(4)
        )
        self._receiving: list[Burst] = []
        self._words: list[tuple[int, int]] = []
        self._active: list[Burst] = []
        self.may_issue: Callable[[], bool] = lambda: True
        """Whether bursts that the device asks for go on to the host: else they wait where they are."""
        self._task: Task[None] | None = None
        self.restart()

    def _open_channels(self, pins: Pins) -> None:
        self._ar = pins.channel(AxiARSink)
        self._r = pins.channel(AxiRSource)
        self._aw = pins.channel(AxiAWSink)
        self._w = pins.channel(AxiWSink)
        self._b = pins.channel(AxiBSource)
        self._channels = (self._ar, self._r, self._aw, self._w, self._b)
        for channel in self._channels:
            stall(channel, self._knobs.stall, self._dice.roll(), self._period)
        for sink in (self._ar, self._aw, self._w):
            # One event for all three: cocotbext-axi sets it with every item that it receives.
            sink.active_event = self._news

    def restart(self) -> None:
        """Forget what is in flight: the device is being reset."""
        if self._task is not None:
            self._task.cancel()
        for queue in (self._reads, self._writes, self._answers, self._acks, *self._channels):
            queue.clear()
        for bursts in (self._receiving, self._words, self._active):
            bursts.clear()
        self._task = cocotb.start_soon(self._run())

    @property
    def idle(self) -> bool:
        """No burst is accepted and unanswered."""
        waiting = (self._reads, self._writes, self._answers, self._acks, self._receiving, self._active)
        received = (self._ar, self._aw, self._w)
        return (
            not any(len(queue) for queue in waiting)
            and not self._words
            and all(channel.empty() for channel in received)
            and self._r.idle()
            and self._b.idle()
        )

    def refuse(self, first: int, last: int, *, reads: bool = True, writes: bool = True) -> None:
        """Answer bursts that touch bytes `first` to `last` with DECERR from now on."""
        self._refusals.add(first, last, reads=reads, writes=writes)

    def allow(self) -> None:
        """Refuse nothing any more."""
        self._refusals.clear()

    async def _run(self) -> None:
        falling = FallingEdge(self._clock)
        while True:
            await self._sleep()
            await falling
            self._take_reads()
            self._take_writes()
            self._read()
            self._write()
            self._answer()
            self._acknowledge()

    async def _sleep(self) -> None:
        """Return behind the last rising edge before the next falling edge that matters."""
        self._news.clear()
        if not all(sink.empty() for sink in (self._ar, self._aw, self._w)) or self._active:
            return
        queues = (self._reads, self._writes, self._answers, self._acks)
        dues = [due for queue in queues if (due := queue.next_due()) is not None]
        if not dues:
            await self._news.wait()
            return
        wait = min(dues) - self._now() - self._period // 2
        if wait > 0:
            await First(Timer(wait, "ps"), self._news.wait())

    def _take_reads(self) -> None:
        while self.may_issue() and not self._ar.empty():
            self._schedule(self._burst(self._ar.recv_nowait(), "ar"), self._reads, self._knobs.read_latency)

    def _take_writes(self) -> None:
        while self.may_issue() and not self._aw.empty():
            self._receiving.append(self._burst(self._aw.recv_nowait(), "aw"))
        while self._receiving and not self._w.empty():
            self._take_word(self._receiving[0], self._w.recv_nowait())

    def _take_word(self, burst: Burst, item: Any) -> None:
        self._words.append((int(item.wdata), int(item.wstrb)))
        beat = len(self._words) - 1
        if bool(item.wlast) != (beat == burst.beats - 1):
            self.faults.append(f"wlast is wrong at beat {beat} of the burst {burst}")
        if beat < burst.beats - 1:
            return
        self.faults += write_faults(burst, self._words)
        burst.runs = strobed_runs(burst, self._words)
        self._words.clear()
        self._receiving.pop(0)
        self._schedule(burst, self._writes, self._knobs.write_latency)

    def _burst(self, announced: Any, channel: str) -> Burst:
        def number(name: str) -> int:
            return int(getattr(announced, channel + name))

        asked = self._now() - self._period // 2
        burst = Burst(number("id"), number("addr"), number("len") + 1, number("size"), self._lanes, asked)
        self.faults += burst_faults(burst, number("burst"))
        return burst

    def _schedule(self, burst: Burst, queue: Waiting[Burst], latency: tuple[int, int]) -> None:
        """Draw when the burst takes effect and when it is answered, and queue it."""
        cycles = effect = 0
        if latency[1] > 0:
            cycles = self._dice.between(*latency)
            effect = self._dice.between(0, cycles)
        burst.answer = self._now() + cycles * self._period
        burst.due = self._now() + effect * self._period
        queue.add(burst)

    def _read(self) -> None:
        while (burst := self._reads.take(self._now())) is not None:
            refused = self._refusals.hit(burst.addr, burst.length, write=False)
            data = self._store.read(burst.addr, burst.length, burst.asked, refused)
            words = burst.lane_words(bytes(burst.length) if data is None else data)
            response = DECERR if data is None else OKAY
            burst.items = [
                AxiRTransaction(rid=burst.ident, rdata=word, rresp=response, rlast=0) for word in words
            ]
            burst.items[-1].rlast = 1
            burst.due = burst.answer
            self._answers.add(burst)

    def _answer(self) -> None:
        """Send read data: burst by burst, or the beats of bursts of different ids mixed."""
        while self._r.count() < AHEAD:
            active = self._active
            if not active or (self._knobs.interleave and len(active) < INTERLEAVED):
                more = self._answers.take(self._now(), active)
                active += [more] if more else []
            if not active:
                return
            burst = active[self._dice.below(len(active)) if len(active) > 1 else 0]
            self._r.send_nowait(burst.items.pop(0))
            if not burst.items:
                active.remove(burst)

    def _write(self) -> None:
        while (burst := self._writes.take(self._now())) is not None:
            refused = self._refusals.hit(burst.addr, burst.length, write=True)
            done = [self._store.write(addr, data, burst.asked, refused) for addr, data in burst.runs]
            burst.items = [AxiBTransaction(bid=burst.ident, bresp=OKAY if all(done) else DECERR)]
            burst.due = burst.answer
            self._acks.add(burst)

    def _acknowledge(self) -> None:
        while (burst := self._acks.take(self._now())) is not None:
            self._b.send_nowait(burst.items[0])
