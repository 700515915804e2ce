"""Virtqueue reset and re-enable (virtio 1.4, 2.6.1 and 4.1.4.3)."""

from __future__ import annotations

from pymodel.checker.facts import (
    Breach,
    Dma,
    DriverStore,
    FieldRead,
    QueueEnabled,
    QueueResetDone,
    QueueResetWritten,
    ResetDone,
    SessionOver,
    UsedAdvanced,
    UsedIndex,
)
from pymodel.checker.rule import Rule, on
from pymodel.checker.state.queue import AREAS
from pymodel.spec import NO_VECTOR, Feature


class ResetQueuesAreSilent(Rule):
    """The device executes nothing of a queue that was reset (2.6.1.1.1).

    DMA to the old ring, or to buffers that were in flight, where nobody else was given the memory.
    """

    clause = "DEV-VQ-001"

    @on(QueueResetDone)
    def done(self, _: QueueResetDone) -> None:
        """A queue was reset."""
        if self.state.memory.seen:
            self.held()

    @on(Breach)
    def dma(self, fact: Breach) -> None:
        """DMA into its ground."""
        if fact.kind == "dma-after-queue-reset":
            self.breached(fact.detail, fact.event)


class ResetQueuesStartOver(Rule):
    """A queue that was reset is back in its default state (2.6.1.1.1): indices, size and vector.

    The size is compared with the first reading of the session.
    """

    clause = "DEV-VQ-002"

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._sizes: dict[int, int] = {}

    @on(ResetDone)
    def reset(self, _: ResetDone) -> None:
        """A new session."""
        self._sizes.clear()

    @on(FieldRead)
    def read(self, fact: FieldRead) -> None:
        """Size or vector, not written since."""
        queue = fact.queue
        if queue is None or (fact.name, 0) in queue.written:
            return
        if fact.name == "queue_size" and not queue.was_reset:
            self._sizes.setdefault(queue.index, fact.value)
        elif fact.name == "queue_size" and not queue.resetting and queue.index in self._sizes:
            first = self._sizes[queue.index]
            self.judge(
                fact.value == first, f"queue_size of {queue} reads {fact.value} after its reset, not {first}"
            )
        elif fact.name == "queue_msix_vector" and queue.was_reset:
            self.judge(fact.value == NO_VECTOR, f"the vector of {queue} reads {fact.value} after its reset")

    @on(UsedIndex)
    def used(self, fact: UsedIndex) -> None:
        """The first step of a queue that was enabled again."""
        if fact.queue.was_reset and fact.old == 0:
            message = f"{fact.queue} was reset, and goes on with used.idx {fact.new}"
            self.judge(not fact.excess and not fact.unwritten, message)


class NewConfigurationIsObserved(Rule):
    """The device follows the rings as they are configured now (2.6.1.2.1).

    Breaches are reads outside every ring and buffer that it was given: the old ones, or beyond the
    configured size. Held where a queue enabled again makes progress.
    """

    clause = "DEV-VQ-003"

    @on(UsedAdvanced)
    def used(self, fact: UsedAdvanced) -> None:
        """A queue makes progress."""
        if fact.queue.was_reset:
            self.held()

    @on(Dma)
    def read(self, fact: Dma) -> None:
        """A stray read."""
        if not fact.write and not fact.packed and fact.stray:
            self.breached(
                f"a read of {fact.length} bytes at {fact.addr:#x} lies outside all rings and buffers"
            )


class DriverVerifiesQueueReset(Rule):
    """The driver verifies that a queue was really reset (2.6.1.1.2)."""

    clause = "DRV-VQ-001"

    @on(QueueResetDone)
    def done(self, _: QueueResetDone) -> None:
        """queue_reset read 0."""
        self.held()

    @on(DriverStore)
    def store(self, fact: DriverStore) -> None:
        """The ring is written before that."""
        if fact.problem == "queue-reset":
            self.breached(f"the ring of {fact.queue} is written before queue_reset read 0")

    @on(QueueEnabled)
    def enable(self, fact: QueueEnabled) -> None:
        """The queue is enabled before that."""
        if fact.queue.resetting:
            self.breached(f"{fact.queue} is enabled again before queue_reset read 0")


class QueueIsConfiguredAgain(Rule):
    """A queue that is enabled again is configured as at first (2.6.1.2.2)."""

    clause = "DRV-VQ-003"

    @on(QueueEnabled)
    def enable(self, fact: QueueEnabled) -> None:
        """The queue is enabled again."""
        if fact.queue.was_reset and not fact.again:
            missing = [name for name in AREAS if (name, 0) not in fact.queue.written]
            self.judge(not missing, f"{fact.queue} is enabled again, {', '.join(missing)} not written")


class QueueResetIsZeroAfterReset(Rule):
    """After a device reset queue_reset reads 0 (4.1.4.3.1)."""

    clause = "DEV-PCI-020"

    @on(FieldRead)
    def check(self, fact: FieldRead) -> None:
        """queue_reset before it was written."""
        queue = fact.queue
        if fact.name != "queue_reset" or queue is None or not self.session.has(Feature.RING_RESET):
            return
        untouched = ("queue_reset", 0) not in queue.written and not queue.was_reset
        if self.session.reset_kind and untouched and queue.enabled is False:
            self.judge(fact.value == 0, f"queue_reset of {queue} reads {fact.value} after a reset")


class QueueResetIsZeroOnceEnabled(Rule):
    """queue_reset reads 0 once the queue is enabled (4.1.4.3.1)."""

    clause = "DEV-PCI-021"

    @on(FieldRead)
    def check(self, fact: FieldRead) -> None:
        """queue_reset of an enabled queue."""
        queue = fact.queue
        if fact.name != "queue_reset" or queue is None or not self.session.has(Feature.RING_RESET):
            return
        if queue.enabled and not queue.resetting:
            self.judge(fact.value == 0, f"queue_reset of {queue} reads {fact.value} once it is enabled")


class QueueResetIsCarriedOut(Rule):
    """Writing 1 to queue_reset resets the queue (4.1.4.3.1); overdue when the session ends."""

    clause = "DEV-PCI-022"

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._since: dict[int, int] = {}

    @on(QueueResetWritten)
    def written(self, fact: QueueResetWritten) -> None:
        """The reset begins."""
        self._since.setdefault(fact.queue.index, self.state.now)

    @on(QueueResetDone)
    def done(self, fact: QueueResetDone) -> None:
        """The reset is complete."""
        self._since.pop(fact.queue.index, None)
        self.held()

    @on(SessionOver)
    def over(self, _: SessionOver) -> None:
        """The session ends."""
        for index, since in self._since.items():
            if self.state.now - since > self.state.settle:
                self.breached(f"queue {index} never finished its reset")
        self._since.clear()


class QueueResetShowsProgress(Rule):
    """queue_reset reads 1 as long as the reset goes on (4.1.4.3.1): when it reads 0 all DMA is done."""

    clause = "DEV-PCI-023"

    @on(FieldRead)
    def read(self, fact: FieldRead) -> None:
        """queue_reset under way."""
        if fact.name == "queue_reset" and fact.queue is not None and fact.queue.resetting and fact.value:
            self.held()

    @on(Breach)
    def dma(self, fact: Breach) -> None:
        """DMA after it read 0."""
        if fact.kind == "dma-after-queue-reset":
            self.breached(fact.detail, fact.event)


class QueueIsDisabledByItsReset(Rule):
    """When a queue's reset is complete queue_enable reads 0 (4.1.4.3.1), and only then.

    A queue that was enabled and not reset does not read as disabled.
    """

    clause = "DEV-PCI-024"

    @on(FieldRead)
    def check(self, fact: FieldRead) -> None:
        """queue_enable is read."""
        queue = fact.queue
        if fact.name != "queue_enable" or queue is None or queue.resetting:
            return
        if queue.was_reset and queue.enabled is False:
            self.judge(fact.value == 0, f"queue_enable of {queue} reads {fact.value} after its reset")
        elif queue.enabled and self.session.known and fact.value == 0:
            self.breached(f"queue_enable of {queue} reads 0, but the queue was enabled and not reset")
