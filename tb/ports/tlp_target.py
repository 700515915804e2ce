"""Guest memory behind the device's PCIe requests: latency, reordering, split completions, refusals.

Posted requests and completions take effect in the order in which they came; a read takes effect behind
all that was posted before it. Reads of different tags are answered in any order where the knobs say so,
their completions cut at the read completion boundary and mixed. A refused read ends in a Completer Abort,
one where no memory is in an Unsupported Request; a refused write is dropped, and nobody tells the device.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from cocotbext.pcie.core.tlp import CplStatus

from tb.knobs import TargetKnobs
from tb.ports.axi import INTERLEAVED, Store
from tb.ports.dice import Dice
from tb.ports.refusals import Refusals
from tb.ports.tlp_packets import (
    MAX_PART,
    completion,
    completions,
    places_to_cut,
    request_faults,
    wanted_bytes,
    written_runs,
)
from tb.ports.waiting import Waiting


@dataclass(slots=True, eq=False)
class Request:
    """A memory read of the device; times in picoseconds, `ident` its tag, `parts` what is to be sent."""

    tlp: Any
    ident: int
    asked: int
    due: int
    answer: int
    parts: list[Any] = field(default_factory=list)


class TlpTarget:
    """Serves the device's requests from a store; `step` is to be called at falling clock edges."""

    posted = True

    def __init__(
        self,
        store: Store,
        knobs: TargetKnobs,
        seed: int,
        period_ps: int,
        now: Callable[[], int],
        send: Callable[[Any], None],
    ) -> None:
        self.faults: list[str] = []
        self._refusals = Refusals()
        self._store = store
        self._knobs = knobs
        self._dice = Dice(seed)
        self._period = period_ps
        self._now = now
        self.send = send
        self._in_order: deque[tuple[int, Callable[[], None], bool]] = deque()
        self._reads, self._answers = (Waiting[Request](self._dice, reorder=knobs.reorder) for _ in range(2))
        self._active: list[Request] = []
        self._tags: set[int] = set()

    def restart(self) -> None:
        """Forget what is in flight: the device is being reset."""
        for queue in (self._in_order, self._reads, self._answers, self._active, self._tags):
            queue.clear()

    @property
    def idle(self) -> bool:
        """Nothing has come that is not answered or without effect."""
        return not self._in_order and not self._tags

    def refuse(self, first: int, last: int, *, reads: bool = True, writes: bool = True) -> None:
        """Abort reads that touch bytes `first` to `last`, drop writes, from now on."""
        self._refusals.add(first, last, reads=reads, writes=writes)

    def allow(self) -> None:
        """Refuse nothing any more."""
        self._refusals.clear()

    def in_order(self, work: Callable[[], None], *, late: bool = False, alone: bool = False) -> None:
        """Do this behind all that was posted before; `late` draws a write's latency for it.

        `alone`: what comes behind it waits for the next clock cycle, so that software can act on it.
        """
        cycles = self._dice.between(0, self._dice.between(*self._knobs.write_latency)) if late else 0
        due = max(self._now() + cycles * self._period, self._posted_due())
        self._in_order.append((due, work, alone))

    def _posted_due(self) -> int:
        return self._in_order[-1][0] if self._in_order else 0

    def write(self, tlp: Any, asked: int) -> None:
        """Take a memory write."""
        self.faults += request_faults(tlp)
        self.in_order(lambda: self._write(tlp, asked), late=True)

    def _write(self, tlp: Any, asked: int) -> None:
        for addr, data in written_runs(tlp):
            self._store.write(addr, data, asked, self._refusals.hit(addr, len(data), write=True))

    def read(self, tlp: Any, asked: int) -> None:
        """Take a memory read."""
        self.faults += request_faults(tlp)
        if tlp.tag in self._tags:
            self.faults.append(f"a read with tag {tlp.tag}, which is in use")
        self._tags.add(tlp.tag)
        cycles = self._dice.between(*self._knobs.read_latency)
        effect = self._now() + self._dice.between(0, cycles) * self._period
        answer = self._now() + cycles * self._period
        self._reads.add(Request(tlp, tlp.tag, asked, max(effect, self._posted_due()), answer))

    def step(self, room: int) -> None:
        """Let happen what is due; `room` beats may be sent."""
        now = self._now()
        while self._in_order and self._in_order[0][0] <= now:
            _, work, alone = self._in_order.popleft()
            work()
            if alone:
                break
        while (request := self._reads.take(now)) is not None:
            request.parts = self._answer(request)
            request.due = max(now, request.answer)
            self._answers.add(request)
        self._send_parts(room)

    def _answer(self, request: Request) -> list[Any]:
        addr, count = wanted_bytes(request.tlp)
        if not count:
            return completions(request.tlp, b"", [])
        refused = self._refusals.hit(addr, count, write=False)
        data = self._store.read(addr, count, request.asked, refused)
        if data is None:
            return [completion(request.tlp, CplStatus.CA if refused else CplStatus.UR)]
        return completions(request.tlp, data, self._cuts(request.tlp, addr))

    def _cuts(self, tlp: Any, start: int) -> list[int]:
        """Where to cut: where a completion would be too long, and with stress anywhere allowed."""
        stress = self._knobs.reorder or self._knobs.interleave
        cuts: list[int] = []
        places = [*places_to_cut(tlp), sum(wanted_bytes(tlp))]
        for place, following in pairwise(places):
            since = cuts[-1] if cuts else start
            if following - since > MAX_PART or (stress and self._dice.below(2)):
                cuts.append(place)
        return cuts

    def _send_parts(self, room: int) -> None:
        while room > 0:
            if not self._active or (self._knobs.interleave and len(self._active) < INTERLEAVED):
                more = self._answers.take(self._now())
                self._active += [more] if more else []
            if not self._active:
                return
            request = self._active[self._dice.below(len(self._active)) if len(self._active) > 1 else 0]
            self.send(request.parts.pop(0))
            room -= 1
            if not request.parts:
                self._active.remove(request)
                self._tags.discard(request.ident)

    def next_due(self) -> int | None:
        """When something happens next, None if nothing waits; the past while an answer waits for room."""
        if self._active:
            return 0
        dues = [self._in_order[0][0]] if self._in_order else []
        dues += [due for queue in (self._reads, self._answers) if (due := queue.next_due()) is not None]
        return min(dues, default=None)
