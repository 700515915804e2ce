"""A memory behind the device's AXI4 initiator: latency, back-pressure, reordering, errors.

A burst takes effect at one instant: its bytes are read or written and reported to the store at once,
some cycles after its request and some before its answer, in order within an id.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import cocotb
from cocotb.task import Task
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
from tb.ports.waiting import Waiting

OKAY = 0
DECERR = 3
INTERLEAVED = 4


class Store(Protocol):
    """What lies behind the target; None or False refuses the access (a DECERR response)."""

    def read(self, addr: int, length: int, asked: int) -> bytes | None:
        """Return `length` bytes; `asked` is the time of the request."""
        ...

    def write(self, addr: int, data: bytes, asked: int) -> bool:
        """Store `data`."""
        ...


@dataclass(frozen=True, slots=True)
class _Refusal:
    first: int
    last: int
    reads: bool
    writes: bool


class AxiTarget:
    """Serves one AXI4 initiator from a store."""

    def __init__(
        self,
        pins: Pins,
        store: Store,
        knobs: TargetKnobs,
        rng: random.Random,
        now: Callable[[], int],
    ) -> None:
        self.faults: list[str] = []
        self._refusals: list[_Refusal] = []
        self._store = store
        self._knobs = knobs
        self._rng = rng
        self._period = pins.period_ps
        self._now = now
        self._lanes = pins.width("wdata") // 8
        self._open_channels(pins)
        self._reads: Waiting[Burst] = Waiting(now, rng, reorder=knobs.reorder)
        self._writes: Waiting[Burst] = Waiting(now, rng, reorder=knobs.reorder)
        self._read_answers: Waiting[list[Any]] = Waiting(now, rng, reorder=knobs.reorder)
        self._write_answers: Waiting[Any] = Waiting(now, rng, reorder=knobs.reorder)
        self._active: list[list[Any]] = []
        self._busy = 0
        self._tasks: list[Task[None]] = []
        self.restart()

    def _open_channels(self, pins: Pins) -> None:
        self._ar = pins.channel(AxiARSink)
        self._r = pins.channel(AxiRSource)
        self._aw = pins.channel(AxiAWSink)
        self._w = pins.channel(AxiWSink)
        self._b = pins.channel(AxiBSource)
        self._r.queue_occupancy_limit = 2
        self._channels = (self._ar, self._r, self._aw, self._w, self._b)
        for channel in self._channels:
            stall(channel, self._knobs.stall, self._rng, self._period)

    def restart(self) -> None:
        """Forget what is in flight: the device is being reset."""
        for task in self._tasks:
            task.cancel()
        for queue in (self._reads, self._writes, self._read_answers, self._write_answers, *self._channels):
            queue.clear()
        self._busy = 0
        loops = (
            self._take_reads,
            self._take_writes,
            self._read,
            self._write,
            self._answer,
            self._acknowledge,
        )
        self._tasks = [cocotb.start_soon(loop()) for loop in loops]

    @property
    def idle(self) -> bool:
        """No burst is accepted and unanswered."""
        waiting = (self._reads, self._writes, self._read_answers, self._write_answers)
        received = (self._ar, self._aw, self._w)
        return (
            not self._busy
            and not self._active
            and not any(len(queue) for queue in waiting)
            and all(channel.empty() for channel in received)
            and self._r.idle()
            and self._b.idle()
        )

    def refuse(self, first: int, last: int, *, reads: bool = True, writes: bool = True) -> None:
        """Answer bursts that touch bytes `first` to `last` with DECERR from now on."""
        self._refusals.append(_Refusal(first, last, reads, writes))

    async def _take_reads(self) -> None:
        while True:
            burst = self._burst(await self._ar.recv(), "ar")
            self._reads.add(burst, burst.ident, self._effect_time(burst, self._knobs.read_latency))

    async def _take_writes(self) -> None:
        while True:
            burst = self._burst(await self._aw.recv(), "aw")
            self._busy += 1
            words = []
            for beat in range(burst.beats):
                item = await self._w.recv()
                words.append((int(item.wdata), int(item.wstrb)))
                if bool(item.wlast) != (beat == burst.beats - 1):
                    self.faults.append(f"wlast is wrong at beat {beat} of the burst {burst}")
            self.faults += write_faults(burst, words)
            burst.runs = strobed_runs(burst, words)
            self._busy -= 1
            self._writes.add(burst, burst.ident, self._effect_time(burst, self._knobs.write_latency))

    def _burst(self, announced: Any, channel: str) -> Burst:
        def number(name: str) -> int:
            return int(getattr(announced, channel + name))

        burst = Burst(
            number("id"), number("addr"), number("len") + 1, number("size"), self._lanes, self._now()
        )
        self.faults += burst_faults(burst, number("burst"))
        return burst

    def _effect_time(self, burst: Burst, latency: tuple[int, int]) -> int:
        """Draw when the burst takes effect and when it is answered."""
        cycles = self._rng.randint(*latency)
        burst.answer = self._now() + cycles * self._period
        return self._now() + self._rng.randint(0, cycles) * self._period

    async def _read(self) -> None:
        while True:
            burst = await self._reads.take()
            data = None
            if not self._refused(burst, write=False):
                data = self._store.read(burst.addr, burst.length, burst.asked)
            words = burst.lane_words(bytes(burst.length) if data is None else data)
            response = DECERR if data is None else OKAY
            beats = [AxiRTransaction(rid=burst.ident, rdata=word, rresp=response, rlast=0) for word in words]
            beats[-1].rlast = 1
            self._read_answers.add(beats, burst.ident, burst.answer)

    async def _answer(self) -> None:
        """Send read data: burst by burst, or the beats of bursts of different ids mixed."""
        active = self._active
        while True:
            if not active:
                active.append(await self._read_answers.take())
            elif self._knobs.interleave and len(active) < INTERLEAVED:
                more = self._read_answers.poll(frozenset(beats[0].rid for beats in active))
                active += [more] if more else []
            beats = self._rng.choice(active)
            await self._r.send(beats[0])
            del beats[0]
            if not beats:
                active[:] = [other for other in active if other]

    async def _write(self) -> None:
        while True:
            burst = await self._writes.take()
            refused = self._refused(burst, write=True)
            done = [not refused and self._store.write(addr, data, burst.asked) for addr, data in burst.runs]
            answer = AxiBTransaction(bid=burst.ident, bresp=OKAY if all(done) else DECERR)
            self._write_answers.add(answer, burst.ident, burst.answer)

    async def _acknowledge(self) -> None:
        while True:
            await self._b.send(await self._write_answers.take())

    def _refused(self, burst: Burst, *, write: bool) -> bool:
        return any(
            refusal.first < burst.addr + burst.length
            and burst.addr <= refusal.last
            and (refusal.writes if write else refusal.reads)
            for refusal in self._refusals
        )
