"""A split virtqueue as the boundary shows it (virtio 1.4, 2.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymodel import events as ev
from pymodel import spec
from pymodel.checker import facts
from pymodel.checker.state.cells import Cell, CellStore
from pymodel.checker.state.chain import INDIRECT, NEXT, Chain
from pymodel.checker.state.queue import Queue
from pymodel.checker.state.tracker import DESC, DEVICE, DRIVER, Tracker
from pymodel.checker.state.used import UsedRing
from pymodel.layout import SplitDesc, SplitRing, need_event

if TYPE_CHECKING:
    from pymodel.checker.state.boundary import State

_MASK = 0xFFFF


class _Slot:
    """An entry of the available ring: the driver's store, and the device's last read of it."""

    __slots__ = ("number", "read", "stored", "stored_t")

    def __init__(self) -> None:
        self.stored: int | None = None
        self.stored_t = 0
        self.read: int | None = None
        self.number = -1


class SplitTracker(Tracker):
    """Available side: which chains are in flight, from stores where seen, else from the device's reads."""

    def __init__(self, state: State, queue: Queue, size: int, desc: int, avail: int, used: int) -> None:
        super().__init__(state, queue, size)
        self.ring = SplitRing(size, desc, avail, used)
        self.add_area(DESC, desc, self.ring.desc_length)
        self.add_area(DRIVER, avail, self.ring.avail_length)
        self.add_area(DEVICE, used, self.ring.used_length)
        self.table = CellStore(size)
        self.slots: dict[int, _Slot] = {}
        self.cover = 0
        self.covers: dict[int, int] = {}
        self.inflight: dict[int, Chain] = {}
        self.waiting: dict[int, Chain] = {}
        self.positions: dict[int, int] = {}
        self.avail_seen = False
        self.avail_stored: int | None = None
        self.avail_read = 0
        self.avail_read_t = -1
        self.flags = 0
        self.used_event = 0
        self.used = UsedRing(self)

    def chains(self) -> list[Chain]:
        """All chains in flight."""
        return list(self.inflight.values())

    @property
    def certain(self) -> bool:
        """Whether nothing that the device may have prefetched is still to be read again."""
        if self.lost or not self.avail_seen:
            return False
        for position in self.covers:
            slot = self.slots.get(position % self.size)
            if slot is not None and slot.number >= 0:
                return False
        return not any(self._prefetched(chain) for chain in self.open)

    def _prefetched(self, chain: Chain) -> bool:
        if chain.table is not None:
            return False
        return any(
            self.table.cells[index].touched
            for index, waiting in self.waiting.items()
            if waiting is chain and index in self.table.cells
        )

    # The device's reads.

    def device_read(self, part: str, offset: int, data: bytes, event: ev.DmaRead) -> None:
        """The device read a part of the ring."""
        if part == DRIVER:
            self._avail_read(offset, data, event)
        elif part == DESC:
            number = self.state.number
            for index, inner, piece in self.table.pieces(offset, data):
                self.table.cell(index).load(inner, piece, number, event.t_req)
                waiting = self.waiting.get(index)
                if waiting is not None:
                    self._walk(waiting, index)

    def _avail_read(self, offset: int, data: bytes, event: ev.DmaRead) -> None:
        end = offset + len(data)
        first = max(0, -(-(offset - spec.SPLIT_AVAIL_HEADER) // 2))
        for index in range(first, min(self.size, (end - spec.SPLIT_AVAIL_HEADER) // 2)):
            at = spec.SPLIT_AVAIL_HEADER + 2 * index - offset
            self._slot_read(index, int.from_bytes(data[at : at + 2], "little"), event)
        if offset <= 2 and end >= 4:
            self._index_read(int.from_bytes(data[2 - offset : 4 - offset], "little"), event)
        else:
            self._resolve(range(first, min(self.size, (end - spec.SPLIT_AVAIL_HEADER) // 2)))
        if offset == 0 and end >= 2:
            self._flags_read(int.from_bytes(data[:2], "little"), event)
        tail = spec.SPLIT_AVAIL_HEADER + 2 * self.size
        if self.event_idx and offset <= tail and end >= tail + 2:
            self._event_read(int.from_bytes(data[tail - offset : tail - offset + 2], "little"), event)

    def _slot_read(self, index: int, value: int, event: ev.DmaRead) -> None:
        slot = self.slots.get(index)
        if slot is None:
            slot = self.slots[index] = _Slot()
        slot.read, slot.number = value, self.state.number
        later = event.t_req is not None and event.t_req > slot.stored_t
        if slot.stored is not None and slot.stored != value and later:
            slot.stored = None

    def _index_read(self, value: int, event: ev.DmaRead) -> None:
        self.avail_seen = True
        issued = event.t if event.t_req is None else event.t_req
        old, ordered = self.avail_read, issued >= self.avail_read_t
        if ordered:
            self.avail_read, self.avail_read_t = value, event.t
        if old != value and ordered:
            outstanding = (value - self.used.index) & _MASK
            self.state.publish(facts.AvailIndex(self.queue, True, old, value, outstanding))
        self._extend(value)

    def _flags_read(self, value: int, event: ev.DmaRead) -> None:
        if not self.stores_seen:
            self.flags = value
        self.state.publish(facts.AvailFlags(self.queue, value))
        if not self.event_idx:
            self.used.asked(not value & spec.AVAIL_F_NO_INTERRUPT, event)

    def _event_read(self, value: int, event: ev.DmaRead) -> None:
        if not self.stores_seen:
            self.used_event = value
        self.used.asked_event(value, event)

    # The driver's stores.

    def driver_store(self, part: str, offset: int, data: bytes, event: ev.MemWrite) -> None:
        """The driver stored into a part of the ring."""
        self.store_allowed()
        if part == DESC:
            self._desc_store(offset, data, event)
        elif part == DRIVER:
            self._avail_store(offset, data, event)

    def _desc_store(self, offset: int, data: bytes, event: ev.MemWrite) -> None:
        for index, inner, piece in self.table.pieces(offset, data):
            cell = self.table.cell(index)
            owner = self._owner(index)
            head = owner.head if owner is not None else 0
            detail = f"descriptor {index} belongs to the exposed chain {head}"
            self.expose_changed(owner is not None and self._changes(cell, inner, piece), detail)
            cell.store(inner, piece, event.t)

    def _owner(self, index: int) -> Chain | None:
        return self.inflight.get(self.positions.get(index, -1))

    @staticmethod
    def _changes(cell: Cell, inner: int, piece: bytes) -> bool:
        mask = ((1 << len(piece)) - 1) << inner
        return cell.known & mask == mask and cell.stored[inner : inner + len(piece)] != piece

    def _avail_store(self, offset: int, data: bytes, event: ev.MemWrite) -> None:
        self.stores_seen = True
        end = offset + len(data)
        first = max(0, -(-(offset - spec.SPLIT_AVAIL_HEADER) // 2))
        for index in range(first, min(self.size, (end - spec.SPLIT_AVAIL_HEADER) // 2)):
            at = spec.SPLIT_AVAIL_HEADER + 2 * index - offset
            slot = self.slots.setdefault(index, _Slot())
            slot.stored, slot.stored_t = int.from_bytes(data[at : at + 2], "little"), event.t
        if offset == 0 and end >= 2:
            self._flags_store(int.from_bytes(data[:2], "little"))
        tail = spec.SPLIT_AVAIL_HEADER + 2 * self.size
        if offset <= tail and end >= tail + 2:
            self.used_event = int.from_bytes(data[tail - offset : tail - offset + 2], "little")
            if self.event_idx:
                self.state.interrupts.void(self.queue)
                self.state.interrupts.called(self.queue)
        if offset <= 2 and end >= 4:
            self._index_store(int.from_bytes(data[2 - offset : 4 - offset], "little"))

    def _flags_store(self, value: int) -> None:
        self.flags = value
        self.state.publish(facts.AvailFlags(self.queue, value))
        if value & spec.AVAIL_F_NO_INTERRUPT:
            self.state.interrupts.void(self.queue)
        else:
            self.state.interrupts.called(self.queue)

    def _index_store(self, value: int) -> None:
        first = self.avail_stored is None
        old = self.cover if self.avail_stored is None else self.avail_stored
        self.avail_stored = value
        self.avail_seen = True
        if value == old:
            return
        outstanding = (value - self.used.index) & _MASK
        self.state.publish(facts.AvailIndex(self.queue, False, old, value, outstanding))
        if not first and (value - old) & _MASK >= 0x8000:
            # A device cannot tell a step back from one that is far too long: what it takes is open.
            self.lost = True
        if (not self.dma_seen and not first) or (first and self.opened_by_kick):
            self.kick_called = True
        elif self.event_idx:
            if need_event(self.used.avail_event, value, old):
                self.owe_kick("doorbell-event")
        elif not self.used.flags & spec.USED_F_NO_NOTIFY:
            self.owe_kick("doorbell-flags")
        self._extend(value)

    # Chains.

    def told(self, value: int) -> None:
        """A doorbell carried avail.idx."""
        self.avail_seen = True
        self._extend(value & _MASK)

    def _extend(self, value: int) -> None:
        """Entries up to the free-running index `value` are available."""
        step = (value - self.cover) & _MASK
        if step >= 0x8000:
            return
        beyond = ((value - self.used.index) & _MASK) > self.size
        if beyond and not self.dma_seen:
            return
        if self.lost or beyond:
            self.lost = True
            self.cover = value
            self.covers.clear()
            return
        touched = []
        for ahead in range(step):
            position = (self.cover + ahead) & _MASK
            self.covers[position] = self.state.number
            touched.append(position % self.size)
        self.cover = value
        if step:
            self._resolve(touched)

    def _resolve(self, slots: range | list[int]) -> None:
        """Make chains of the available entries whose slot is known by now."""
        if not self.covers:
            return
        pending = {position % self.size: position for position in self.covers}
        for index in slots:
            slot = self.slots.get(index)
            if index not in pending or slot is None:
                continue
            position = pending[index]
            number = self.covers[position]
            if slot.stored is not None:
                head: int | None = slot.stored
            else:
                head = slot.read if slot.number >= number else None
            if head is not None:
                del self.covers[position], pending[index]
                slot.number = -1
                slot.stored = None
                self._begin(position, head, number)

    def _begin(self, position: int, head: int, number: int) -> None:
        chain = Chain(self.queue, head, number, self.state.now)
        chain.position = position
        if head >= self.size or head in self.inflight:
            kind = "range" if head >= self.size else "duplicate"
            chain.problem(kind, f"the available entry names descriptor {head}")
            self.made(chain)
            return
        self.inflight[head] = chain
        self._walk(chain, head)

    def _walk(self, chain: Chain, index: int) -> None:
        """Follow the chain from descriptor `index` as far as descriptors are known."""
        self.waiting.pop(index, None)
        while True:
            cell = self.table.cells.get(index)
            raw = cell.value(chain.cover) if cell is not None else None
            if raw is None:
                self.waiting[index] = chain
                if chain not in self.open:
                    self.open.append(chain)
                return
            self.positions[index] = chain.head
            chain.ring.append(index)
            desc = SplitDesc.unpack(raw)
            chain.count += 1
            if chain.count > self.size:
                chain.problem("long", f"more than {self.size} descriptors")
                self.made(chain)
                return
            self.take_element(chain, desc.addr, desc.len, desc.flags)
            if desc.flags & NEXT and desc.flags & INDIRECT:
                chain.problem("indirect-next", f"descriptor {index} has INDIRECT and NEXT set")
            if desc.flags & INDIRECT:
                chain.count -= 1
                self.walk_table(chain)
                return
            if not desc.flags & NEXT:
                self.made(chain)
                return
            if self.in_order and desc.next != (index + 1) % self.size:
                chain.problem("next-order", f"descriptor {index} has next {desc.next}")
            if desc.next >= self.size:
                chain.problem("range", f"descriptor {index} has next {desc.next}")
                self.made(chain)
                return
            index = desc.next

    def resume(self, chain: Chain) -> None:
        """More of the chain's indirect table is known."""
        self.walk_table(chain)

    def give_back(self, chain: Chain) -> None:
        """The device returned the chain."""
        del self.inflight[chain.head]
        for index in chain.ring:
            self.positions.pop(index, None)
        for index in [index for index, waiting in self.waiting.items() if waiting is chain]:
            del self.waiting[index]
        self.retire(chain)

    # The device's writes.

    def device_write(self, part: str, offset: int, data: bytes, event: ev.DmaWrite) -> None:
        """The device wrote a part of the ring."""
        if part == DEVICE:
            self.used.write(offset, data, event)
