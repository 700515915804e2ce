"""The used side of a packed virtqueue: used descriptors and what they call for (virtio 1.4, 2.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymodel import events as ev
from pymodel import spec
from pymodel.checker import facts
from pymodel.layout import PackedDesc

if TYPE_CHECKING:
    from pymodel.checker.state.chain import Chain
    from pymodel.checker.state.packed import PackedTracker

AVAIL, USED, WRITE = int(spec.DescFlag.AVAIL), int(spec.DescFlag.USED), int(spec.DescFlag.WRITE)


class PackedUsedSide:
    """Where the device will write its next used descriptor, and those that it wrote ahead of that."""

    def __init__(self, tracker: PackedTracker) -> None:
        self._tracker = tracker
        self.position = 0
        self.wrap = 1
        self.serial = 0
        self._early: dict[int, PackedDesc] = {}
        self._undecided: tuple[int, int, int] | None = None
        self._written_t = 0

    def write(self, slot: int, inner: int, piece: bytes, event: ev.DmaWrite) -> None:
        """The device wrote into a slot; with the flags the used descriptor is visible."""
        tracker = self._tracker
        judged = tracker.certain
        if judged and (not tracker.owned(slot) or slot in self._early):
            self._publish(slot, "changed", "is not the device's: it is used already, or never was available")
        cell = tracker.table.cell(slot)
        cell.store(inner, piece, event.t, own=True)
        if inner + len(piece) < spec.DESC_LENGTH or tracker.lost:
            return
        raw = cell.value(0)
        if raw is None or (judged and not tracker.owned(slot)):
            tracker.lost = True
            if raw is not None and tracker.in_order:
                self._returns_nothing(PackedDesc.unpack(raw))
            return
        self._written_t = event.t
        self._used(slot, PackedDesc.unpack(raw))

    def _returns_nothing(self, desc: PackedDesc) -> None:
        """In order, a used descriptor in a slot that is not the device's returns a buffer a second time."""
        queue = self._tracker.queue
        fact = facts.BufferUsed(queue, None, desc.id, desc.len, None, False, 0, True)
        self._tracker.state.publish(fact)

    def _publish(self, slot: int, problem: str = "", detail: str = "") -> None:
        tracker = self._tracker
        tracker.state.publish(facts.PackedUsed(tracker.queue, slot, problem, detail))

    def _used(self, slot: int, desc: PackedDesc) -> None:
        wrap = self.wrap if slot >= self.position else self.wrap ^ 1
        if bool(desc.flags & AVAIL) != bool(wrap) or bool(desc.flags & USED) != bool(wrap):
            if self._tracker.certain:
                self._publish(slot, "polarity", f"has flags {desc.flags:#06x} with wrap counter {wrap}")
            self._tracker.lost = True
            return
        self._early[slot] = desc
        old = (self.position, self.wrap)
        count = 0
        while self.position in self._early and not self._tracker.lost:
            at = self.position
            steps = self._return(self._early.pop(at))
            if steps:
                count += steps
                self._publish(at)
        if count:
            self._call(*old, count)

    def _return(self, desc: PackedDesc) -> int:
        """Take back the buffer that a used descriptor names; returns the slots that go with it."""
        tracker = self._tracker
        chain = tracker.inflight.get(desc.id)
        certain = tracker.certain
        oldest = min((c.position for c in tracker.inflight.values()), default=0)
        skipped: list[Chain] = []
        if chain is not None and tracker.in_order:
            skipped = [c for c in tracker.chains() if c.position < chain.position]
        in_order = chain is not None and (chain.position == oldest or tracker.in_order)
        length = desc.len if desc.flags & WRITE else 0
        written = chain.written.prefix if chain is not None and chain.complete else None
        fact = facts.BufferUsed(
            tracker.queue, chain, desc.id, length, written, in_order, len(skipped), certain
        )
        slots = 0
        if chain is None:
            tracker.lost = True
        else:
            for returned in [*skipped, chain]:
                slots += returned.slots
                del tracker.inflight[returned.id]
                tracker.retire(returned)
            self._step(slots)
        tracker.state.publish(fact)
        return slots

    def _step(self, slots: int) -> None:
        tracker = self._tracker
        tracker.outstanding = max(0, tracker.outstanding - slots)
        self.position += slots
        if self.position >= tracker.size:
            self.position -= tracker.size
            self.wrap ^= 1

    def settle(self) -> None:
        """The session ends: used descriptors that were never reached were put into wrong slots."""
        if self._early and self._tracker.certain:
            slot = next(iter(self._early))
            self._publish(slot, "gap", f"was written although the next used slot was {self.position}")
        self._early.clear()

    def _crosses(self, position: int, wrap: int, count: int) -> bool | None:
        """Whether a step of `count` slots from here calls for a notification; None if it cannot be said."""
        offset, event_wrap, flags = self._tracker.event()
        if flags == spec.RingEvent.DESC and self._tracker.event_idx:
            distance = offset - position + (0 if event_wrap == wrap else self._tracker.size)
            return 0 <= distance < count
        if flags == spec.RingEvent.ENABLE:
            return True
        return False if flags == spec.RingEvent.DISABLE else None

    def _call(self, position: int, wrap: int, count: int) -> None:
        tracker = self._tracker
        interrupts = tracker.state.interrupts
        if not tracker.stores_seen:
            if self._undecided is not None:
                position, wrap, count = *self._undecided[:2], self._undecided[2] + count
            self._undecided = (position, wrap, count)
            interrupts.advanced(tracker.queue, True)
            return
        called = self._crosses(position, wrap, count)
        interrupts.advanced(tracker.queue, called is not False)
        if called:
            interrupts.owe("packed", tracker.queue)

    def asked(self, event: ev.DmaRead) -> None:
        """The device read the driver's event suppression structure after its last step."""
        fresh = event.t_req is None or event.t_req >= self._written_t
        if self._undecided is None or self._tracker.stores_seen or not fresh:
            return
        undecided, self._undecided = self._undecided, None
        if self._crosses(*undecided):
            self._tracker.state.interrupts.owe("packed", self._tracker.queue)
