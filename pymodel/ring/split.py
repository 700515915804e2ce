"""The driver side of a split virtqueue (virtio 1.4, 2.7)."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from pymodel import spec
from pymodel.layout import SplitDesc, SplitRing, need_event, unpack_used_element
from pymodel.memory import Allocation, GuestMemory
from pymodel.ring.base import Chain, Element, UsedRingError, Virtqueue
from pymodel.spec import DescFlag, Feature


class SplitQueue(Virtqueue):
    """A split virtqueue; stores go out as descriptors, ring entry, then avail.idx (virtio 1.4, 2.7.13)."""

    def __init__(
        self, index: int, size: int, memory: GuestMemory, features: int, rng: Random | None = None
    ) -> None:
        super().__init__(index, size, memory, features, rng)
        if size & (size - 1):
            raise ValueError(f"the size of a split queue is a power of two, not {size}")
        self.ring = self._place()
        self._free = list(range(size))
        self._staged: list[Chain] = []
        self._next_slot = 0
        self._avail_idx = 0
        self._published_idx = 0
        self._kicked_idx = 0
        self._last_used = 0

    def _place(self) -> SplitRing:
        sizes = SplitRing(self.size, 0, 0, 0)
        return SplitRing(
            self.size,
            self.ring_memory.take(sizes.desc_length, spec.SPLIT_DESC_ALIGN),
            self.ring_memory.take(sizes.avail_length, spec.SPLIT_AVAIL_ALIGN),
            self.ring_memory.take(sizes.used_length, spec.SPLIT_USED_ALIGN),
        )

    @property
    def addresses(self) -> tuple[int, int, int]:
        """Addresses of descriptor table, available ring and used ring."""
        return self.ring.desc, self.ring.avail, self.ring.used

    def _take_slots(self, count: int) -> tuple[int, ...]:
        """Take free descriptors: in ring order with IN_ORDER (virtio 1.4, 2.7.5), else any."""
        if self.has(Feature.IN_ORDER):
            slots = tuple((self._next_slot + i) % self.size for i in range(count))
            self._next_slot = (self._next_slot + count) % self.size
            return slots
        if self.rng:
            self.rng.shuffle(self._free)
        taken, self._free = self._free[:count], self._free[count:]
        return tuple(taken)

    def _add(self, elements: Sequence[tuple[Element, bool]], indirect: int | None) -> Chain:
        direct = len(elements) if indirect is None else indirect
        table = None if indirect is None else self._write_table(elements[indirect:])
        slots = self._take_slots(direct + (table is not None))
        for position, slot in enumerate(slots):
            following = slots[position + 1] if position + 1 < len(slots) else None
            if table is not None and following is None:
                desc = SplitDesc(table.addr, table.length, DescFlag.INDIRECT, 0)
            else:
                desc = _descriptor(*elements[position], following)
            self.memory.write(self.ring.desc_entry(slot), desc.pack())
        self.memory.write_int(self.ring.avail_entry(self._avail_idx), 2, slots[0])
        self._avail_idx = self._avail_idx + 1 & 0xFFFF
        writable = sum(element.length for element, write in elements if write)
        self._staged.append(Chain(self._new_token(), slots[0], slots, writable, table))
        return self._staged[-1]

    def _write_table(self, elements: Sequence[tuple[Element, bool]]) -> Allocation:
        """Write an indirect table, its entries in sequence as IN_ORDER wants them (virtio 1.4, 2.7.5.3)."""
        high = bool(self.rng and self.rng.randrange(2))
        table = self.memory.alloc(spec.DESC_LENGTH * len(elements), high=high)
        last = len(elements) - 1
        rows = [_descriptor(*element, None if i == last else i + 1) for i, element in enumerate(elements)]
        self.memory.write(table.addr, b"".join(row.pack() for row in rows))
        return table

    def publish(self) -> None:
        """Store avail.idx, which exposes every chain added so far."""
        for chain in self._staged:
            chain.published = True
        self._staged.clear()
        self._published_idx = self._avail_idx
        self.memory.write_int(self.ring.avail_idx, 2, self._avail_idx)

    def kick_needed(self) -> bool:
        """Decide by used.flags or avail_event (virtio 1.4, 2.7.10.1)."""
        old, self._kicked_idx = self._kicked_idx, self._published_idx
        if old == self._published_idx:
            return False
        if self.has(Feature.EVENT_IDX):
            return need_event(self.memory.read_int(self.ring.avail_event, 2), self._published_idx, old)
        return not self.memory.read_int(self.ring.used_flags, 2) & spec.USED_F_NO_NOTIFY

    def position(self) -> tuple[int, int]:
        """Return the low 15 bits and bit 15 of avail.idx."""
        return self._published_idx & 0x7FFF, self._published_idx >> 15

    def enable_interrupts(self, delay: int = 0) -> bool:
        """Set used_event or clear avail.flags, then look whether something was used meanwhile."""
        if self.has(Feature.EVENT_IDX):
            self.memory.write_int(self.ring.used_event, 2, self._last_used + delay & 0xFFFF)
            used_idx = self.memory.read_int(self.ring.used_idx, 2)
            return (used_idx - self._last_used) & 0xFFFF <= delay
        self.memory.write_int(self.ring.avail_flags, 2, 0)
        return not self.used_pending()

    def enable_interrupts_delayed(self) -> bool:
        """Put used_event at the last buffer in flight."""
        return self.enable_interrupts(max(0, len(self._chains) - len(self._staged) - 1))

    def disable_interrupts(self) -> None:
        """Set avail.flags, or put used_event as far away as it goes."""
        if self.has(Feature.EVENT_IDX):
            self.memory.write_int(self.ring.used_event, 2, self._last_used - 1 & 0xFFFF)
        else:
            self.memory.write_int(self.ring.avail_flags, 2, spec.AVAIL_F_NO_INTERRUPT)

    def used_pending(self) -> bool:
        """Whether used.idx is ahead of what was taken."""
        return bool(self._ready) or self.memory.read_int(self.ring.used_idx, 2) != self._last_used

    def _reap(self) -> list[tuple[Chain, int]]:
        pending = (self.memory.read_int(self.ring.used_idx, 2) - self._last_used) & 0xFFFF
        if pending > len(self._chains):
            raise UsedRingError(
                f"queue {self.index}: used.idx is {pending} ahead with {len(self._chains)} buffers out"
            )
        entry = self.memory.read(self.ring.used_entry(self._last_used), spec.SPLIT_USED_ELEMENT)
        batch = self._used_chains(*unpack_used_element(entry), pending)
        self._last_used = self._last_used + len(batch) & 0xFFFF
        return batch

    def _release(self, chain: Chain) -> None:
        if not self.has(Feature.IN_ORDER):
            self._free.extend(chain.slots)


def _descriptor(element: Element, write: bool, following: int | None) -> SplitDesc:
    flags = (DescFlag.WRITE if write else 0) | (0 if following is None else DescFlag.NEXT)
    return SplitDesc(element.addr, element.length, flags, following or 0)
