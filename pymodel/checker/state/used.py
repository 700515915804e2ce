"""The used ring of a split virtqueue: what came back, and what that calls for (virtio 1.4, 2.7.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymodel import events as ev
from pymodel import spec
from pymodel.checker import facts
from pymodel.layout import need_event, unpack_used_element

if TYPE_CHECKING:
    from pymodel.checker.state.split import SplitTracker

_MASK = 0xFFFF
_HEADER, _ELEMENT = spec.SPLIT_USED_HEADER, spec.SPLIT_USED_ELEMENT


class UsedRing:
    """Elements written since they were last covered by used.idx, and the index itself."""

    def __init__(self, tracker: SplitTracker) -> None:
        self._tracker = tracker
        self.index = 0
        self.flags = 0
        self.avail_event = 0
        self._elements: dict[int, tuple[bytearray, int]] = {}
        self._undecided: tuple[int, int] | None = None
        self._written_t = 0

    def write(self, offset: int, data: bytes, event: ev.DmaWrite) -> None:
        """The device wrote `data` at `offset`; an element and the index in one write are one step."""
        tracker = self._tracker
        end = offset + len(data)
        first = max(0, (offset - _HEADER) // _ELEMENT)
        for slot in range(first, min(tracker.size, -(-(end - _HEADER) // _ELEMENT))):
            start = _HEADER + _ELEMENT * slot
            low, high = max(start, offset), min(start + _ELEMENT, end)
            if low < high:
                self._store(slot, low - start, data[low - offset : high - offset])
        if offset == 0 and end >= 2:
            self.flags = int.from_bytes(data[:2], "little")
            if self.flags & spec.USED_F_NO_NOTIFY and not tracker.event_idx:
                tracker.settle_kick()
            tracker.state.publish(facts.UsedFlags(tracker.queue, self.flags))
        tail = _HEADER + _ELEMENT * tracker.size
        if offset <= tail and end >= tail + 2:
            event_index = int.from_bytes(data[tail - offset : tail - offset + 2], "little")
            if tracker.event_idx and event_index != self.avail_event:
                tracker.settle_kick()
            self.avail_event = event_index
        if offset <= 2 and end >= 4:
            self._advance(int.from_bytes(data[2 - offset : 4 - offset], "little"), event)

    def _store(self, slot: int, inner: int, piece: bytes) -> None:
        content, mask = self._elements.get(slot, (bytearray(_ELEMENT), 0))
        content[inner : inner + len(piece)] = piece
        self._elements[slot] = (content, mask | ((1 << len(piece)) - 1) << inner)

    def _take(self, position: int) -> tuple[int, int] | None:
        """Return (id, len) of the element at a free-running index, if it is whole; forget it."""
        content, mask = self._elements.pop(position % self._tracker.size, (b"", 0))
        return unpack_used_element(bytes(content)) if mask == 0xFF else None

    def _advance(self, new: int, event: ev.DmaWrite) -> None:
        tracker, old = self._tracker, self.index
        self.index = new
        delta = (new - old) & _MASK
        if delta == 0:
            return
        judged = tracker.avail_seen and not tracker.lost
        outstanding = (tracker.cover - old) & _MASK if judged else delta
        excess = max(0, delta - outstanding)
        if excess or delta > tracker.size:
            tracker.lost = True
            self._elements.clear()
            if judged:
                tracker.state.publish(facts.UsedIndex(tracker.queue, old, new, 0, excess))
            return
        unwritten = self._return_buffers(old, new, delta)
        tracker.state.publish(facts.UsedIndex(tracker.queue, old, new, unwritten, 0))
        self._written_t = event.t
        self._call(old, new)

    def _return_buffers(self, old: int, new: int, delta: int) -> int:
        """Take back what the elements of a step name; returns how many elements are missing."""
        tracker = self._tracker
        done, missing = 0, 0
        while done < delta:
            position = (old + done) & _MASK
            element = self._take(position)
            if element is None:
                missing += 1
                done += 1
                continue
            done += self._return(position, element, delta - done)
        if missing and tracker.in_order:
            tracker.lost = True
        return missing

    def _return(self, position: int, element: tuple[int, int], room: int) -> int:
        """Take back the buffer that an element names; returns how many buffers it stands for."""
        tracker = self._tracker
        head, length = element
        chain = tracker.inflight.get(head)
        certain = (chain is not None and not tracker.lost) or tracker.certain
        skipped = 0
        if chain is not None and tracker.in_order:
            skipped = (chain.position - position) & _MASK
            skipped = skipped if skipped < room else 0
        in_order = chain is not None and (chain.position - position) & _MASK == skipped
        batch = [c for c in tracker.chains() if (c.position - position) & _MASK < skipped] if skipped else []
        written = chain.written.prefix if chain is not None and chain.complete else None
        fact = facts.BufferUsed(tracker.queue, chain, head, length, written, in_order, skipped, certain)
        for passed in batch:
            tracker.give_back(passed)
        if chain is not None:
            tracker.give_back(chain)
        else:
            self._forget_unknown(position)
        tracker.state.publish(fact)
        return skipped + 1

    def _forget_unknown(self, position: int) -> None:
        """An id that is not known by name stands for the oldest entry whose head was never read."""
        covers = self._tracker.covers
        if covers:
            del covers[position if position in covers else next(iter(covers))]

    # Notifications.

    def _call(self, old: int, new: int) -> None:
        """Decide whether a step of the used index calls for a notification."""
        tracker = self._tracker
        interrupts = tracker.state.interrupts
        if not tracker.stores_seen:
            self._undecided = (self._undecided[0] if self._undecided else old, new)
            interrupts.advanced(tracker.queue, True)
            return
        if tracker.event_idx:
            called, what = need_event(tracker.used_event, new, old), "used-event"
        else:
            called, what = not tracker.flags & spec.AVAIL_F_NO_INTERRUPT, "used-flags"
        interrupts.advanced(tracker.queue, called)
        if called:
            interrupts.owe(what, tracker.queue)

    def _fresh(self, event: ev.DmaRead) -> bool:
        return event.t_req is None or event.t_req >= self._written_t

    def asked(self, wanted: bool, event: ev.DmaRead) -> None:
        """The device read avail.flags after its last step (without EVENT_IDX)."""
        if self._undecided is None or self._tracker.stores_seen or not self._fresh(event):
            return
        self._undecided = None
        if wanted:
            self._tracker.state.interrupts.owe("used-flags", self._tracker.queue)

    def asked_event(self, value: int, event: ev.DmaRead) -> None:
        """The device read used_event after its last step."""
        if self._undecided is None or self._tracker.stores_seen or not self._fresh(event):
            return
        (old, new), self._undecided = self._undecided, None
        if need_event(value, new, old):
            self._tracker.state.interrupts.owe("used-event", self._tracker.queue)
