"""Split virtqueues: chains, rings and what DMA touches (virtio 1.4, 2.7)."""

from __future__ import annotations

from typing import ClassVar

from pymodel import spec
from pymodel.checker.facts import (
    AvailIndex,
    BufferUsed,
    ChainMade,
    Dma,
    QueueEnabled,
    UsedIndex,
)
from pymodel.checker.rule import Rule, on
from pymodel.checker.state.chain import Chain
from pymodel.spec import Feature


class RingsAreAligned(Rule):
    """Descriptor table, available and used ring are aligned to 16, 2 and 4 (2.7.1)."""

    clause = "DRV-SPLIT-001"
    packed: ClassVar[bool] = False
    alignment: ClassVar[tuple[int, int, int]] = (
        spec.SPLIT_DESC_ALIGN,
        spec.SPLIT_AVAIL_ALIGN,
        spec.SPLIT_USED_ALIGN,
    )

    @on(QueueEnabled)
    def check(self, fact: QueueEnabled) -> None:
        """A queue is enabled."""
        if self.session.features is None or self.session.has(Feature.RING_PACKED) != self.packed:
            return
        names = ("queue_desc", "queue_driver", "queue_device")
        areas = [fact.queue.area(name) for name in names]
        bad = [n for n, a, m in zip(names, areas, self.alignment, strict=True) if a is not None and a % m]
        self.judge(not bad, f"{', '.join(bad)} of {fact.queue} is not aligned")


class ChainRule(Rule):
    """A rule on chains: a breach if one of `kinds` was found in it."""

    kinds: ClassVar[tuple[str, ...]] = ()
    packed: ClassVar[bool] = False

    def concerns(self, chain: Chain) -> bool:
        """Whether the chain puts the clause to the test."""
        return True

    @on(ChainMade)
    def made(self, fact: ChainMade) -> None:
        """A chain is known whole."""
        chain = fact.chain
        if chain.packed != self.packed or not self.concerns(chain):
            return
        found = [detail for kind, detail in chain.problems if kind in self.kinds]
        if found:
            self.breached(f"{fact.queue}, chain at {chain.head}: {found[0]}")
        elif not chain.problems:
            self.held()


class WritableAfterReadable(ChainRule):
    """Device-writable elements come after device-readable ones (2.7.4.2)."""

    clause = "DRV-SPLIT-002"
    kinds = ("order",)


class ChainsAreLimited(ChainRule):
    """A chain holds at most 2^32 bytes, and no loop (2.7.5.2); a loop shows as an endless chain."""

    clause = "DRV-SPLIT-004"
    kinds = ("bytes", "long")


class NextIsInOrder(ChainRule):
    """With IN_ORDER next is the following descriptor of the table (2.7.5.2)."""

    clause = "DRV-SPLIT-005"
    kinds = ("next-order",)

    def concerns(self, chain: Chain) -> bool:
        """Only with the feature, and chained."""
        return chain.in_order and chain.count > 1


class IndirectIsNegotiated(ChainRule):
    """INDIRECT is not set unless INDIRECT_DESC was negotiated (2.7.5.3.1)."""

    clause = "DRV-SPLIT-006"
    kinds = ("indirect",)


class IndirectIsNotNested(ChainRule):
    """INDIRECT is not set within an indirect table (2.7.5.3.1)."""

    clause = "DRV-SPLIT-007"
    kinds = ("nested",)

    def concerns(self, chain: Chain) -> bool:
        """Only with a table."""
        return chain.table is not None


class ChainsFitTheQueue(ChainRule):
    """A chain, indirect table included, has at most queue size descriptors (2.7.5.3.1)."""

    clause = "DRV-SPLIT-008"
    kinds = ("long",)


class IndirectEndsTheChain(ChainRule):
    """INDIRECT and NEXT are not set together (2.7.5.3.1)."""

    clause = "DRV-SPLIT-009"
    kinds = ("indirect-next",)

    def concerns(self, chain: Chain) -> bool:
        """Only with a table."""
        return chain.table is not None


class IndirectIsSequential(ChainRule):
    """With IN_ORDER the entries of an indirect table follow each other (2.7.5.3.1)."""

    clause = "DRV-SPLIT-010"
    kinds = ("table-order",)

    def concerns(self, chain: Chain) -> bool:
        """Only with the feature and a table."""
        return chain.in_order and chain.table is not None


class AvailIndexOnlyAdvances(Rule):
    """avail.idx never goes back, nor ahead by more than the queue size (2.7.6.1)."""

    clause = "DRV-SPLIT-011"

    @on(AvailIndex)
    def check(self, fact: AvailIndex) -> None:
        """A new value."""
        tracker = fact.queue.tracker
        if tracker is None or tracker.lost:
            return
        back = (fact.new - fact.old) & 0xFFFF >= 0x8000
        ahead = fact.outstanding > tracker.size
        if tracker.dma_seen or back or not ahead:
            good = not back and not ahead
            self.judge(good, f"avail.idx of {fact.queue} goes from {fact.old} to {fact.new}")


class DeviceWritesOnlyWhatIsGiven(Rule):
    """The device writes no device-readable buffer (2.7.5.1), nor any memory it was not given to write.

    Bytes outside every buffer and ring count where the whole of what was given is known.
    """

    clause = "DEV-SPLIT-003"

    @on(Dma)
    def check(self, fact: Dma) -> None:
        """A DMA write."""
        if not fact.write or fact.packed:
            return
        where = f"a write of {fact.length} bytes at {fact.addr:#x}"
        if fact.readable:
            self.breached(f"{where} hits a device-readable buffer")
        elif fact.stray:
            self.breached(f"{where} lies outside every device-writable buffer and the used ring")
        elif fact.stray == 0 and not fact.ring and not fact.table:
            self.held()


class WritableIsNotRead(Rule):
    """The device does not read device-writable buffers (2.7.5.1)."""

    clause = "DEV-SPLIT-004"

    @on(Dma)
    def check(self, fact: Dma) -> None:
        """A DMA read."""
        if not fact.write and not fact.packed and not fact.ring:
            self.judge(
                not fact.writable_only, f"a read of {fact.length} bytes at {fact.addr:#x}, device-writable"
            )


class DescriptorsAreNotWritten(Rule):
    """The device writes no entry of a descriptor table, direct or indirect (2.7.5.1)."""

    clause = "DEV-SPLIT-006"

    @on(Dma)
    def check(self, fact: Dma) -> None:
        """A DMA write."""
        if fact.write and not fact.packed:
            self.judge(not fact.table, f"a write of {fact.length} bytes at {fact.addr:#x} hits descriptors")


class IndirectWriteFlagIsIgnored(Rule):
    """WRITE in a descriptor that refers to an indirect table means nothing (2.7.5.3.2).

    Judged when such a chain comes back: its table was read, and not written.
    """

    clause = "DEV-SPLIT-007"
    _flagged = 0

    @on(ChainMade)
    def made(self, fact: ChainMade) -> None:
        """Such a chain is available."""
        self._flagged += fact.chain.indirect_write and not fact.chain.packed

    @on(Dma)
    def dma(self, fact: Dma) -> None:
        """A table is written."""
        if fact.write and fact.table and not fact.packed and self._flagged:
            self.breached(f"a write at {fact.addr:#x} treats an indirect table with WRITE as a buffer")

    @on(BufferUsed)
    def used(self, fact: BufferUsed) -> None:
        """Such a chain comes back."""
        if fact.chain is not None and fact.chain.indirect_write and not fact.chain.packed:
            self._flagged -= 1
            self.held()


class ChainMayEndInTable(Rule):
    """Direct descriptors may be followed by one with INDIRECT (2.7.5.3.2).

    A breach is such a chain that comes back though its table was never read.
    """

    clause = "DEV-SPLIT-008"

    @on(BufferUsed)
    def used(self, fact: BufferUsed) -> None:
        """Such a chain comes back."""
        chain = fact.chain
        if chain is None or chain.packed or chain.table is None or not chain.count:
            return
        if fact.certain and self.state.memory.seen:
            self.judge(chain.complete, f"{fact.queue}: chain {chain.head} is used, its indirect table unread")


class UsedElementsComeFirst(Rule):
    """An element, len included, is written before used.idx covers it (2.7.8.2).

    An index that skips, goes back, or covers more than was available covers elements never written.
    An element and the index in one write count as written at once.
    """

    clause = "DEV-SPLIT-015"

    @on(UsedIndex)
    def check(self, fact: UsedIndex) -> None:
        """used.idx moves."""
        step = f"used.idx of {fact.queue} goes from {fact.old} to {fact.new}"
        if fact.excess:
            self.breached(f"{step}: {fact.excess} more than were available")
        else:
            self.judge(not fact.unwritten, f"{step}: {fact.unwritten} elements are not written")


class LengthIsWritten(Rule):
    """len bytes from the start of the writable part are written before used.idx (2.7.8.2).

    A len below what was written is allowed. Buffers with an uncounted number of pieces pass.
    """

    clause = "DEV-SPLIT-016"

    @on(BufferUsed)
    def used(self, fact: BufferUsed) -> None:
        """A buffer comes back."""
        if fact.chain is not None and not fact.chain.packed and fact.written is not None:
            message = (
                f"{fact.queue}: len of chain {fact.id} is {fact.length}, written are {fact.written} bytes"
            )
            self.judge(fact.length <= fact.written, message)


class UsedIdsAreAvailable(Rule):
    """Whatever notifications come, an id in the used ring is that of a buffer in flight (2.7.10.2, 2.7.8).

    An id that was never made available, or came back already, is a breach.
    """

    clause = "DEV-SPLIT-022"

    @on(BufferUsed)
    def used(self, fact: BufferUsed) -> None:
        """A buffer comes back."""
        if not fact.queue.packed and (fact.chain is not None or fact.certain):
            self.judge(fact.chain is not None, f"{fact.queue}: used id {fact.id} is not in flight")


class UsedInOrder(Rule):
    """With IN_ORDER buffers are used in the order in which they were made available (6.2)."""

    clause = "DEV-RSVD-005"

    @on(BufferUsed)
    def used(self, fact: BufferUsed) -> None:
        """A buffer comes back."""
        if fact.queue.has(Feature.IN_ORDER) and (fact.chain is not None or fact.certain):
            good = fact.chain is not None and fact.in_order
            self.judge(good, f"{fact.queue}: id {fact.id} is used out of order")

    @on(UsedIndex)
    def index(self, fact: UsedIndex) -> None:
        """A batch of the split ring is not closed by its last buffer."""
        if fact.queue.has(Feature.IN_ORDER) and fact.unwritten:
            self.breached(
                f"{fact.queue}: used.idx goes to {fact.new}, beyond the batch that its element names"
            )
