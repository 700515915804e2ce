"""Guest memory as the device touches it: DMA held against everything that the driver gave it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymodel import events as ev
from pymodel.checker import facts
from pymodel.checker.state.chain import Chain
from pymodel.checker.state.intervals import Segment, uncovered
from pymodel.checker.state.queue import Queue
from pymodel.checker.state.session import Phase
from pymodel.checker.state.suspects import Suspects
from pymodel.checker.state.tracker import DESC, DEVICE, DRIVER, Tracker

if TYPE_CHECKING:
    from pymodel.checker.state.boundary import State

OVERHANG = 256
_DEAD = "dead"
_SPACE = 1 << 64


class MemoryState:
    """Routes DMA and stores to rings and chains, and judges where they went.

    `seen` says that DMA is observed at all; `retired_t` is when a buffer last went back to the driver.
    A queue that was reset leaves its ring behind as `dead` ground until it is enabled again.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self.suspects = Suspects(state)
        self.seen = False
        self.retired_t = -1
        self._dead: dict[int, list[Segment]] = {}

    def restart(self) -> None:
        """The device was reset: nothing is on the map any more."""
        for index in list(self._dead):
            self._remove_dead(index)

    def bury(self, queue: Queue) -> None:
        """A queue was reset: remember where its ring lay."""
        if queue.tracker is None:
            return
        self._remove_dead(queue.index)
        dead = [Segment(s.addr, s.length, _DEAD, queue) for s in queue.tracker.areas()]
        for chain in queue.tracker.chains():
            dead += [Segment(s.addr, s.length, _DEAD, queue) for s in chain.segments]
        for segment in dead:
            self._state.index.add(segment)
        self._dead[queue.index] = dead

    def unbury(self, queue: Queue) -> None:
        """The queue is enabled again: its old ground is as good as any."""
        self._remove_dead(queue.index)

    def _remove_dead(self, index: int) -> None:
        for segment in self._dead.pop(index, []):
            self._state.index.remove(segment)

    # Stores by the driver.

    def mem_write(self, event: ev.MemWrite) -> None:
        """The driver stored to guest memory."""
        for segment in self._state.index.overlapping(event.addr, len(event.data)):
            if segment.kind in (DESC, DRIVER, DEVICE):
                offset, data = segment.clip(event.addr, event.data)
                segment.owner.driver_store(segment.kind, offset, data, event)
            elif segment.kind == "writable":
                self._taken_back(segment.owner)

    def _taken_back(self, chain: Chain) -> None:
        """The driver stored into a device-writable buffer: it uses the memory for something else."""
        tracker = chain.queue.tracker
        if tracker is not None and tracker.dma_seen and not tracker.lost:
            detail = f"memory of the exposed buffer {chain.id} is written"
            self._state.publish(facts.DriverStore(chain.queue, "taken-back", detail))

    # DMA by the device.

    def dma_read(self, event: ev.DmaRead) -> None:
        """The device read guest memory."""
        self._dma(event, write=False)

    def dma_write(self, event: ev.DmaWrite) -> None:
        """The device wrote guest memory."""
        self._dma(event, write=True)

    def _dma(self, event: ev.DmaRead | ev.DmaWrite, *, write: bool) -> None:
        self.seen = True
        self._state.note_start()
        issued = event.t if event.t_req is None else event.t_req
        self._state.host_took(event.t - issued)
        self._judge_time(event, issued, write)
        segments = self._state.index.overlapping(event.addr, len(event.data))
        packed = any(isinstance(s.owner, Tracker) and s.owner.queue.packed for s in segments)
        before = self._classify(event, issued, write, segments)
        if event.err:
            self._refuse(segments)
        else:
            self._deliver(event, segments)
        if before is not None:
            before.packed = packed or self._packed()
            self._state.publish(before)

    def _packed(self) -> bool:
        return any(queue.enabled and queue.packed for queue in self._state.queues.values())

    def _refuse(self, segments: list[Segment]) -> None:
        """The host refused an access to a buffer: what was not moved is not the device's choice."""
        self._state.session.troubled = True
        for segment in segments:
            if isinstance(segment.owner, Chain):
                segment.owner.refused = True

    def _deliver(self, event: ev.DmaRead | ev.DmaWrite, segments: list[Segment]) -> None:
        """Let chains and rings take note; buffers first, for a ring write may give them back."""
        for segment in segments:
            if isinstance(segment.owner, Chain):
                self._to_chain(segment.owner, segment, event)
        for segment in segments:
            if isinstance(segment.owner, Tracker):
                segment.owner.dma_seen = True
                segment.owner.touched_t = self._state.now
                offset, data = segment.clip(event.addr, event.data)
                if isinstance(event, ev.DmaWrite):
                    segment.owner.device_write(segment.kind, offset, data, event)
                else:
                    segment.owner.device_read(segment.kind, offset, data, event)

    def _to_chain(self, chain: Chain, segment: Segment, event: ev.DmaRead | ev.DmaWrite) -> None:
        offset, data = segment.clip(event.addr, event.data)
        if chain.queue.tracker is not None:
            chain.queue.tracker.worked_t = self._state.now
        if isinstance(event, ev.DmaWrite):
            if segment.kind == "writable":
                chain.wrote(segment.offset + offset, data)
        elif segment.kind == "readable":
            chain.read(segment.offset + offset, data)
        elif segment.kind == "table" and chain.queue.tracker is not None:
            chain.queue.tracker.table_read(chain, offset, data, event)

    def _judge_time(self, event: ev.DmaRead | ev.DmaWrite, issued: int, write: bool) -> None:
        state = self._state
        session = state.session
        what = f"{'write' if write else 'read'} of {len(event.data)} bytes at {event.addr:#x}"
        command = state.config.command
        if command is not None and not state.mastering() and issued > state.command_t:
            self.suspects.add("dma-without-master", what, state.mastering)
        if not session.known or session.phase in (Phase.UNKNOWN, Phase.RESETTING, Phase.LIVE):
            return
        if session.phase == Phase.RESET:
            if session.reset_kind == "status":
                state.publish(facts.Breach("dma-after-reset", what, event))
            return
        if session.draining:
            return
        kind = "dma-before-driver-ok" if session.phase == Phase.INIT else "dma-suspended"
        self.suspects.add(kind, what, lambda: state.session is session and session.live)

    def _certain(self) -> bool:
        state = self._state
        if not state.session.known or not state.session.live or state.session.dirty:
            return False
        return all(
            queue.tracker is not None and queue.tracker.certain
            for queue in state.queues.values()
            if queue.enabled
        )

    def _classify(
        self, event: ev.DmaRead | ev.DmaWrite, issued: int, write: bool, segments: list[Segment]
    ) -> facts.Dma | None:
        if not self._state.session.live:
            return None
        length = len(event.data)
        ring = any(isinstance(s.owner, Tracker) for s in segments)
        fact = facts.Dma(write, event.addr, length, issued, None, 0, 0, False, False, ring)
        if write:
            self._classify_write(fact, segments)
        else:
            self._classify_read(fact, segments)
        return fact

    @staticmethod
    def _may_write(segment: Segment) -> bool:
        owner = segment.owner
        if isinstance(owner, Tracker):
            return segment.kind == DEVICE or (segment.kind == DESC and owner.queue.packed)
        return segment.kind == "writable"

    def _classify_write(self, fact: facts.Dma, segments: list[Segment]) -> None:
        allowed = [segment for segment in segments if self._may_write(segment)]
        pieces = uncovered(fact.addr, fact.length, allowed) if fact.length else []
        stray = 0
        for addr, length in pieces:
            hit = [s for s in segments if s.addr < addr + length and s.end > addr and s not in allowed]
            readable = [s for s in hit if s.kind == "readable"]
            tables = [s for s in hit if s.kind in ("table", DESC)]
            fact.readable += length if readable else 0
            fact.table += length if tables else 0
            stray += 0 if readable or tables else length
            self._judge_dead(hit)
        fact.stray = stray if not stray or self._certain() else None

    def _classify_read(self, fact: facts.Dma, segments: list[Segment]) -> None:
        live = [segment for segment in segments if segment.kind != _DEAD]
        fact.writable_only = bool(live) and all(segment.kind == "writable" for segment in live)
        pieces = uncovered(fact.addr, fact.length, live) if fact.length else []
        stray = sum(length for _, length in pieces if not live or length > OVERHANG)
        if not live:
            self._judge_dead(segments)
        if stray and (fact.issued <= self.retired_t or not self._certain()):
            fact.stray = None
        else:
            fact.stray = stray

    def _judge_dead(self, segments: list[Segment]) -> None:
        for segment in segments:
            if segment.kind == _DEAD and self._state.event is not None:
                detail = f"{segment.owner} was reset; its memory at {segment.addr:#x} was touched"
                self._state.publish(facts.Breach("dma-after-queue-reset", detail, self._state.event))
                return
