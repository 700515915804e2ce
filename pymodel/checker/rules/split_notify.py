"""Split virtqueues: suppression of notifications (virtio 1.4, 2.7.7 and 2.7.10)."""

from __future__ import annotations

from typing import ClassVar

from pymodel.checker.facts import AvailFlags, Doorbell, Due, Spurious, UsedFlags
from pymodel.checker.rule import Rule, on
from pymodel.checker.state.queue import Queue
from pymodel.checker.state.split import SplitTracker
from pymodel.spec import AVAIL_F_NO_INTERRUPT, USED_F_NO_NOTIFY, Feature


class _Flags(Rule):
    event_idx: ClassVar[bool]

    def flags(self, queue: Queue, value: int, name: str) -> None:
        """Judge a value of avail.flags or used.flags."""
        if queue.has(Feature.EVENT_IDX) == self.event_idx:
            limit = 0 if self.event_idx else 1
            self.judge(value <= limit, f"{name} of {queue} is {value:#x}")


class AvailFlagsAreZeroOrOne(_Flags):
    """Without EVENT_IDX avail.flags is 0 or 1 (2.7.7.1)."""

    clause = "DRV-SPLIT-012"
    event_idx = False

    @on(AvailFlags)
    def check(self, fact: AvailFlags) -> None:
        """A value is seen."""
        self.flags(fact.queue, fact.value, "avail.flags")


class AvailFlagsAreZero(_Flags):
    """With EVENT_IDX avail.flags is 0 (2.7.7.1)."""

    clause = "DRV-SPLIT-014"
    event_idx = True

    @on(AvailFlags)
    def check(self, fact: AvailFlags) -> None:
        """A value is seen."""
        self.flags(fact.queue, fact.value, "avail.flags")


class UsedFlagsAreZeroOrOne(_Flags):
    """Without EVENT_IDX used.flags is 0 or 1 (2.7.10.2)."""

    clause = "DEV-SPLIT-018"
    event_idx = False

    @on(UsedFlags)
    def check(self, fact: UsedFlags) -> None:
        """A value is written."""
        self.flags(fact.queue, fact.value, "used.flags")


class UsedFlagsAreZero(_Flags):
    """With EVENT_IDX used.flags is 0 (2.7.10.2)."""

    clause = "DEV-SPLIT-020"
    event_idx = True

    @on(UsedFlags)
    def check(self, fact: UsedFlags) -> None:
        """A value is written."""
        self.flags(fact.queue, fact.value, "used.flags")


class _Owed(Rule):
    what: ClassVar[str]

    @on(Due)
    def due(self, fact: Due) -> None:
        """A notification came, or is overdue."""
        if fact.what != self.what or fact.queue is None:
            return
        ring = fact.queue.tracker
        if isinstance(ring, SplitTracker) and self.concerns(ring):
            self.judge(not fact.late, f"{fact.queue}: {fact.detail}")

    def concerns(self, ring: SplitTracker) -> bool:
        """Whether the ring puts the clause to the test."""
        return True


class InterruptsFollowFlags(_Owed):
    """Without EVENT_IDX, used buffers are announced while avail.flags is 0 (2.7.7.2).

    Needs the driver's stores, or a read of avail.flags by the device behind its used index. The
    standard names no time limit: overdue is what is missing when the session ends.
    """

    clause = "DEV-SPLIT-011"
    what = "used-flags"


class InterruptsFollowUsedEvent(_Owed):
    """With EVENT_IDX, a step of used.idx over used_event is announced (2.7.7.2); as DEV-SPLIT-011."""

    clause = "DEV-SPLIT-013"
    what = "used-event"


class UsedEventIsIgnored(_Owed):
    """Without EVENT_IDX the device ignores used_event (2.7.7.2).

    Judged where the driver stored something there that would not call for a notification.
    """

    clause = "DEV-SPLIT-009"
    what = "used-flags"

    def concerns(self, ring: SplitTracker) -> bool:
        """used_event lies elsewhere."""
        return ring.used_event != 0


class InterruptFlagIsIgnored(_Owed):
    """With EVENT_IDX the device ignores bit 0 of avail.flags (2.7.7.2); judged where it is set."""

    clause = "DEV-SPLIT-012"
    what = "used-event"

    def concerns(self, ring: SplitTracker) -> bool:
        """avail.flags has bit 0."""
        return bool(ring.flags & AVAIL_F_NO_INTERRUPT)


class AvailEventIsIgnored(_Owed):
    """Without EVENT_IDX the driver ignores avail_event (2.7.10.1); judged where it is not 0."""

    clause = "DRV-SPLIT-020"
    what = "doorbell-flags"

    def concerns(self, ring: SplitTracker) -> bool:
        """avail_event lies elsewhere."""
        return ring.used.avail_event != 0


class NotifyFlagIsIgnored(_Owed):
    """With EVENT_IDX the driver ignores bit 0 of used.flags (2.7.10.1); judged where it is set."""

    clause = "DRV-SPLIT-023"
    what = "doorbell-event"

    def concerns(self, ring: SplitTracker) -> bool:
        """used.flags has bit 0."""
        return bool(ring.used.flags & USED_F_NO_NOTIFY)


class DoorbellsFollowFlags(_Owed):
    """Without EVENT_IDX, available buffers are announced while used.flags is 0 (2.7.10.1).

    Needs the driver's stores; overdue is what is missing when the session ends.
    """

    clause = "DRV-SPLIT-022"
    what = "doorbell-flags"


class DoorbellsFollowAvailEvent(_Owed):
    """With EVENT_IDX, a step of avail.idx over avail_event is announced (2.7.10.1); as DRV-SPLIT-022."""

    clause = "DRV-SPLIT-024"
    what = "doorbell-event"


class _NoNeedlessInterrupt(_Owed):
    event_idx: ClassVar[bool]

    @on(Spurious)
    def spurious(self, fact: Spurious) -> None:
        """An interrupt that nothing called for."""
        if not fact.queue.packed and fact.queue.has(Feature.EVENT_IDX) == self.event_idx:
            self.breached(f"an interrupt for {fact.queue} that nothing called for")

    @on(Due)
    def due(self, fact: Due) -> None:
        """One that was called for."""
        if fact.what == self.what and not fact.late:
            self.held()


class NoInterruptUnlessAsked(_NoNeedlessInterrupt):
    """Without EVENT_IDX no interrupt is sent while avail.flags is 1 (2.7.7.2)."""

    clause = "DEV-SPLIT-010"
    what = "used-flags"
    event_idx = False


class NoInterruptUnlessCrossed(_NoNeedlessInterrupt):
    """With EVENT_IDX no interrupt is sent unless used_event is crossed (2.7.7.2)."""

    clause = "DEV-SPLIT-014"
    what = "used-event"
    event_idx = True


class _NoNeedlessDoorbell(Rule):
    event_idx: ClassVar[bool]

    @on(Doorbell)
    def doorbell(self, fact: Doorbell) -> None:
        """A doorbell of a split ring whose stores are seen."""
        queue = fact.queue
        if queue is None or queue.tracker is None or queue.packed or not queue.tracker.stores_seen:
            return
        if queue.has(Feature.EVENT_IDX) == self.event_idx:
            self.judge(not queue.tracker.needless_kick, f"a doorbell of {queue} that nothing called for")


class NoDoorbellUnlessAsked(_NoNeedlessDoorbell):
    """Without EVENT_IDX no doorbell is rung while used.flags is 1 (2.7.10.1)."""

    clause = "DRV-SPLIT-021"
    event_idx = False


class NoDoorbellUnlessCrossed(_NoNeedlessDoorbell):
    """With EVENT_IDX no doorbell is rung unless avail_event is crossed (2.7.10.1)."""

    clause = "DRV-SPLIT-025"
    event_idx = True
