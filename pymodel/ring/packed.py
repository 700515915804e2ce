"""The driver side of a packed virtqueue (virtio 1.4, 2.8)."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from pymodel import spec
from pymodel.layout import (
    PACKED_DESC_FLAGS,
    PackedDesc,
    PackedRing,
    pack_packed_event,
    unpack_packed_event,
)
from pymodel.memory import Allocation, GuestMemory
from pymodel.ring.base import Chain, Element, Virtqueue
from pymodel.spec import DescFlag, Feature, RingEvent

_STATE = DescFlag.AVAIL | DescFlag.USED


class PackedQueue(Virtqueue):
    """A packed virtqueue; of each list the flags of its head are stored last (virtio 1.4, 2.8.21.1).

    A used length counts only with the WRITE flag, unless `length_needs_write` is false (2.8.4).
    """

    def __init__(
        self, index: int, size: int, memory: GuestMemory, features: int, rng: Random | None = None
    ) -> None:
        super().__init__(index, size, memory, features, rng)
        self.ring = PackedRing(
            size,
            self.ring_memory.take(spec.DESC_LENGTH * size, spec.PACKED_RING_ALIGN),
            self.ring_memory.take(spec.PACKED_EVENT_LENGTH, spec.PACKED_EVENT_ALIGN),
            self.ring_memory.take(spec.PACKED_EVENT_LENGTH, spec.PACKED_EVENT_ALIGN),
        )
        self.length_needs_write = True
        self.id_in_last_only = True
        self._free_ids = list(range(size))
        self._avail_slot, self._avail_wrap = 0, 1
        self._used_slot, self._used_wrap = 0, 1
        self._heads: list[tuple[int, int, Chain]] = []
        self._published = (0, 1)
        self._kicked = (0, 1)
        self._since_kick = 0

    @property
    def addresses(self) -> tuple[int, int, int]:
        """Addresses of descriptor ring, driver event and device event suppression."""
        return self.ring.desc, self.ring.driver_event, self.ring.device_event

    def _take_id(self) -> int:
        if self.rng:
            self.rng.shuffle(self._free_ids)
        return self._free_ids.pop(0)

    def _add(self, elements: Sequence[tuple[Element, bool]], indirect: int | None) -> Chain:
        if indirect:
            raise ValueError("a packed list is either direct or one indirect table (virtio 1.4, 2.8.19)")
        writable = sum(element.length for element, write in elements if write)
        table = None if indirect is None else self._write_table(elements)
        chain_id = self._take_id()
        if table is None:
            rows = [(e.addr, e.length, DescFlag.WRITE if write else DescFlag(0)) for e, write in elements]
        else:
            rows = [(table.addr, table.length, DescFlag.INDIRECT)]
        slots: list[int] = []
        for position, (addr, length, flags) in enumerate(rows):
            following = DescFlag.NEXT if position + 1 < len(rows) else DescFlag(0)
            state = DescFlag.AVAIL if self._avail_wrap else DescFlag.USED
            desc = PackedDesc(addr, length, self._id_field(chain_id, following), flags | following | state)
            self._store(desc, head=position == 0)
            slots.append(self._avail_slot)
            self._avail_slot, self._avail_wrap = self._after(self._avail_slot, self._avail_wrap, 1)
            if position == 0:
                head_flags = int(desc.flags)
        chain = Chain(self._new_token(), chain_id, tuple(slots), writable, table)
        self._heads.append((self.ring.desc_entry(slots[0]) + PACKED_DESC_FLAGS, head_flags, chain))
        return chain

    def _id_field(self, chain_id: int, following: DescFlag) -> int:
        """The id of a descriptor; only the last one's of a list counts (virtio 1.4, 2.8.6)."""
        free = following and self.id_in_last_only
        return self.rng.getrandbits(16) if self.rng and free else chain_id

    def _store(self, desc: PackedDesc, *, head: bool) -> None:
        """Store a descriptor in the next slot; of a head all but its flags."""
        data = desc.pack()
        self.memory.write(self.ring.desc_entry(self._avail_slot), data[:PACKED_DESC_FLAGS] if head else data)

    def _write_table(self, elements: Sequence[tuple[Element, bool]]) -> Allocation:
        high = bool(self.rng and self.rng.randrange(2))
        table = self.memory.alloc(spec.DESC_LENGTH * len(elements), high=high)
        rows = [PackedDesc(e.addr, e.length, 0, DescFlag.WRITE if write else 0) for e, write in elements]
        self.memory.write(table.addr, b"".join(row.pack() for row in rows))
        return table

    def _after(self, slot: int, wrap: int, count: int) -> tuple[int, int]:
        slot += count
        return (slot - self.size, wrap ^ 1) if slot >= self.size else (slot, wrap)

    def publish(self) -> None:
        """Store the head flags of every list added so far, in ring order."""
        for addr, flags, chain in self._heads:
            self.memory.write_int(addr, 2, flags)
            chain.published = True
            self._published = self._after(*self._published, len(chain.slots))
            self._since_kick += len(chain.slots)
        self._heads.clear()

    def kick_needed(self) -> bool:
        """Decide by the device event suppression structure (virtio 1.4, 2.8.10)."""
        start, wrap = self._kicked
        count, self._since_kick = self._since_kick, 0
        self._kicked = self._published
        if not count:
            return False
        data = self.memory.read(self.ring.device_event, spec.PACKED_EVENT_LENGTH)
        event_slot, event_wrap, flags = unpack_packed_event(data)
        if flags == RingEvent.DESC and self.has(Feature.EVENT_IDX):
            distance = event_slot - start + (0 if event_wrap == wrap else self.size)
            return 0 <= distance < count
        return flags != RingEvent.DISABLE

    def position(self) -> tuple[int, int]:
        """Return slot and wrap counter of the next descriptor to be made available."""
        return self._published

    def enable_interrupts(self, delay: int = 0) -> bool:
        """Ask for notifications by the driver event suppression structure."""
        flags = RingEvent.DESC if self.has(Feature.EVENT_IDX) else RingEvent.ENABLE
        slot, wrap = self._after(self._used_slot, self._used_wrap, delay)
        self._set_event(slot, wrap, flags)
        return not self.used_pending()

    def enable_interrupts_delayed(self) -> bool:
        """Ask at the last descriptor in flight; a device that skips over it has used it (2.8.5)."""
        out = sum(len(chain.slots) for chain in self._chains.values() if chain.published)
        return self.enable_interrupts(max(0, out - 1))

    def disable_interrupts(self) -> None:
        """Switch notifications off."""
        self._set_event(0, 0, RingEvent.DISABLE)

    def _set_event(self, slot: int, wrap: int, flags: RingEvent) -> None:
        self.memory.write(self.ring.driver_event, pack_packed_event(slot, wrap, flags))

    def used_pending(self) -> bool:
        """Whether the descriptor in the next used slot is used."""
        if self._ready:
            return True
        if not self._chains:
            return False
        flags = self.memory.read_int(self.ring.desc_entry(self._used_slot) + PACKED_DESC_FLAGS, 2)
        return flags & _STATE == (_STATE if self._used_wrap else 0)

    def _reap(self) -> list[tuple[Chain, int]]:
        desc = PackedDesc.unpack(self.memory.read(self.ring.desc_entry(self._used_slot), spec.DESC_LENGTH))
        length = desc.len if desc.flags & DescFlag.WRITE or not self.length_needs_write else 0
        batch = self._used_chains(desc.id, length, len(self._chains))
        skipped = sum(len(chain.slots) for chain, _ in batch)
        self._used_slot, self._used_wrap = self._after(self._used_slot, self._used_wrap, skipped)
        return batch

    def _release(self, chain: Chain) -> None:
        self._free_ids.append(chain.id)
