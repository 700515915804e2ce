"""Packed virtqueues (virtio 1.4, 2.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymodel import spec
from pymodel.checker.facts import BufferUsed, Dma, Doorbell, DriverStore, PackedUsed
from pymodel.checker.rule import Rule, on
from pymodel.checker.rules.split import ChainRule, RingsAreAligned
from pymodel.checker.state.chain import Chain
from pymodel.checker.state.packed import PackedTracker
from pymodel.spec import Feature

if TYPE_CHECKING:
    from pymodel.checker.state.queue import Queue


class PackedPartsAreAligned(RingsAreAligned):
    """Descriptor ring and both event suppression structures are aligned to 16, 4 and 4 (2.8.11)."""

    clause = "DRV-PACKED-001"
    packed = True
    alignment = (spec.PACKED_RING_ALIGN, spec.PACKED_EVENT_ALIGN, spec.PACKED_EVENT_ALIGN)


class _Store(Rule):
    problem = ""

    @on(DriverStore)
    def store(self, fact: DriverStore) -> None:
        """A store into a packed ring."""
        if fact.queue.packed:
            self.judge(fact.problem != self.problem, f"{fact.queue}: {fact.detail}")


class DescriptorStaysUntilUsed(_Store):
    """The driver changes a descriptor only once it saw it used (2.8.16); needs its stores."""

    clause = "DRV-PACKED-002"
    problem = "exposed"


class DescriptorStaysOnceAvailable(_Store):
    """The driver does not change a descriptor that it made available (2.8.16); needs its stores."""

    clause = "DRV-PACKED-003"
    problem = "exposed"


class HeadIsAvailableLast(_Store):
    """The first descriptor of a list becomes available after all others (2.8.17); needs the stores."""

    clause = "DRV-PACKED-011"
    problem = "partial"


class DoorbellTellsNextSlot(Rule):
    """With NOTIFICATION_DATA next_off and next_wrap name the next descriptor to come (2.8.16)."""

    clause = "DRV-PACKED-004"

    @on(Doorbell)
    def doorbell(self, fact: Doorbell) -> None:
        """A doorbell whose ring is known from the driver's stores."""
        queue = fact.queue
        if queue is None or fact.length != 4 or not queue.has(Feature.NOTIFICATION_DATA):
            return
        tracker = queue.tracker
        if isinstance(tracker, PackedTracker) and tracker.stores_seen and tracker.certain:
            told = (fact.value >> 16 & 0x7FFF, fact.value >> 31)
            wanted = (tracker.position, tracker.wrap)
            self.judge(told == wanted, f"the doorbell of {queue} tells {told}, the next slot is {wanted}")


class ListsFitTheQueue(ChainRule):
    """A list has at most queue size descriptors (2.8.17)."""

    clause = "DRV-PACKED-007"
    kinds = ("long",)
    packed = True


class WritableAfterReadable(ChainRule):
    """Device-writable elements come after device-readable ones (2.8.17)."""

    clause = "DRV-PACKED-008"
    kinds = ("order",)
    packed = True


class ListsFitTheFreeSlots(ChainRule):
    """A list is made available only if there is room for all of it (2.8.17)."""

    clause = "DRV-PACKED-010"
    kinds = ("space",)
    packed = True


class IndirectIsNegotiated(ChainRule):
    """INDIRECT is not set unless INDIRECT_DESC was negotiated (2.8.19)."""

    clause = "DRV-PACKED-012"
    kinds = ("indirect",)
    packed = True


class IndirectFlags(ChainRule):
    """Entries of an indirect table have no flag but WRITE (2.8.19)."""

    clause = "DRV-PACKED-013"
    kinds = ("table-flags",)
    packed = True

    def concerns(self, chain: Chain) -> bool:
        """Only with a table."""
        return chain.table is not None


class IndirectStandsAlone(ChainRule):
    """A descriptor with INDIRECT is in no list linked by NEXT (2.8.19)."""

    clause = "DRV-PACKED-015"
    kinds = ("indirect-next",)
    packed = True

    def concerns(self, chain: Chain) -> bool:
        """Only with a table."""
        return chain.table is not None


def _unread(queue: Queue, chain: Chain) -> Chain | None:
    """Return a list made available before `chain` whose head the device never read."""
    tracker = queue.tracker
    if not isinstance(tracker, PackedTracker):
        return None
    for other in tracker.chains():
        cell = tracker.table.cells.get(other.head)
        if other.position < chain.position and (cell is None or cell.since < other.cover):
            return other
    return None


class ListsStartInOrder(Rule):
    """The device starts on descriptors in ring order (2.8.12).

    A breach is a buffer used while an earlier list's first descriptor was never read.
    """

    clause = "DEV-PACKED-001"

    @on(BufferUsed)
    def used(self, fact: BufferUsed) -> None:
        """A buffer comes back."""
        if fact.chain is not None and fact.chain.packed and fact.certain:
            other = _unread(fact.queue, fact.chain)
            message = (
                f"{fact.queue}: id {fact.id} is used, the list at slot {other.head if other else 0} unread"
            )
            self.judge(other is None, message)


class _Used(Rule):
    problems: tuple[str, ...] = ()

    @on(PackedUsed)
    def used(self, fact: PackedUsed) -> None:
        """A used descriptor is written."""
        if fact.problem in self.problems:
            self.breached(f"{fact.queue}: slot {fact.slot} {fact.detail}")
        elif not fact.problem:
            self.held()


class UsedDescriptorsFollowEachOther(_Used):
    """Used descriptors are written slot after slot, with the device's wrap counter (2.8.12)."""

    clause = "DEV-PACKED-002"
    problems = ("polarity", "gap")


class UsedDescriptorsStay(_Used):
    """The device does not change a descriptor once it is used, nor one not yet available (2.8.15)."""

    clause = "DEV-PACKED-007"
    problems = ("changed",)


class DeviceWritesOnlyWhatIsGiven(Rule):
    """The device writes no device-readable buffer (2.8.15), nor any memory it was not given to write."""

    clause = "DEV-PACKED-004"

    @on(Dma)
    def check(self, fact: Dma) -> None:
        """A DMA write."""
        if not fact.write or not fact.packed:
            return
        where = f"a write of {fact.length} bytes at {fact.addr:#x}"
        if fact.readable or fact.table:
            self.breached(f"{where} hits a device-readable buffer or table")
        elif fact.stray:
            self.breached(f"{where} lies outside every device-writable buffer and the ring")
        elif fact.stray == 0 and not fact.ring:
            self.held()


class WritableIsNotRead(Rule):
    """The device does not read device-writable buffers (2.8.15)."""

    clause = "DEV-PACKED-005"

    @on(Dma)
    def check(self, fact: Dma) -> None:
        """A DMA read."""
        if not fact.write and fact.packed and not fact.ring:
            self.judge(
                not fact.writable_only, f"a read of {fact.length} bytes at {fact.addr:#x}, device-writable"
            )


class OnlyAvailableIsUsed(Rule):
    """The device uses a descriptor only once it is available (2.8.15).

    A used id that is not in flight, and reads outside everything that was given, are breaches.
    """

    clause = "DEV-PACKED-006"

    @on(BufferUsed)
    def used(self, fact: BufferUsed) -> None:
        """A buffer comes back."""
        if fact.queue.packed and (fact.chain is not None or fact.certain):
            self.judge(fact.chain is not None, f"{fact.queue}: used id {fact.id} is not in flight")

    @on(Dma)
    def read(self, fact: Dma) -> None:
        """A stray read."""
        if not fact.write and fact.packed and fact.stray:
            self.breached(
                f"a read of {fact.length} bytes at {fact.addr:#x} lies outside all that is available"
            )


class DataFillsTheList(Rule):
    """The elements of a list are used in order (2.8.18): used length bytes from its start are written."""

    clause = "DEV-PACKED-008"

    @on(BufferUsed)
    def used(self, fact: BufferUsed) -> None:
        """A buffer comes back."""
        if fact.chain is not None and fact.chain.packed and fact.written is not None:
            message = (
                f"{fact.queue}: length of id {fact.id} is {fact.length}, written are {fact.written} bytes"
            )
            self.judge(fact.length <= fact.written, message)
