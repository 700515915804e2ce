"""A packed virtqueue as the boundary shows it (virtio 1.4, 2.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymodel import events as ev
from pymodel import spec
from pymodel.checker import facts
from pymodel.checker.state.cells import CellStore
from pymodel.checker.state.chain import INDIRECT, NEXT, Chain
from pymodel.checker.state.packed_used import PackedUsedSide
from pymodel.checker.state.queue import Queue
from pymodel.checker.state.tracker import DESC, DEVICE, DRIVER, Tracker
from pymodel.layout import PackedDesc, unpack_packed_event

if TYPE_CHECKING:
    from pymodel.checker.state.boundary import State

AVAIL, USED = int(spec.DescFlag.AVAIL), int(spec.DescFlag.USED)


def is_available(flags: int, wrap: int) -> bool:
    """Whether these flags make a descriptor available in the lap of wrap counter `wrap`."""
    return bool(flags & AVAIL) == bool(wrap) and bool(flags & USED) != bool(wrap)


class PackedTracker(Tracker):
    """Lists in flight, from the driver's stores where they are seen, else from the device's reads.

    `position` and `wrap` say where the next list will be made available; the device owns the
    `outstanding` slots from the used side's position on.
    """

    def __init__(
        self, state: State, queue: Queue, size: int, desc: int, driver_event: int, device_event: int
    ) -> None:
        super().__init__(state, queue, size)
        self.add_area(DESC, desc, spec.DESC_LENGTH * size)
        self.add_area(DRIVER, driver_event, spec.PACKED_EVENT_LENGTH)
        self.add_area(DEVICE, device_event, spec.PACKED_EVENT_LENGTH)
        self.table = CellStore(size)
        self.position = 0
        self.wrap = 1
        self.serial = 0
        self.outstanding = 0
        self.inflight: dict[int, Chain] = {}
        self.seen = False
        self.stuck = False
        self.driver_event = bytearray(spec.PACKED_EVENT_LENGTH)
        self.used = PackedUsedSide(self)

    def chains(self) -> list[Chain]:
        """All lists in flight."""
        return list(self.inflight.values())

    @property
    def certain(self) -> bool:
        """Whether all that the device can know of is known here."""
        return self.seen and not self.lost and not self.stuck

    def next_slot(self, slot: int, wrap: int) -> tuple[int, int]:
        """Return the slot behind this one, and the wrap counter there."""
        return (slot + 1, wrap) if slot + 1 < self.size else (0, wrap ^ 1)

    def owned(self, slot: int) -> bool:
        """Whether the device may write into this slot."""
        return (slot - self.used.position) % self.size < self.outstanding

    def event(self) -> tuple[int, int, int]:
        """The driver's event suppression structure: offset, wrap, flags."""
        return unpack_packed_event(bytes(self.driver_event))

    def told(self, value: int) -> None:
        """A doorbell with notification data tells nothing that flags do not tell."""

    def device_read(self, part: str, offset: int, data: bytes, event: ev.DmaRead) -> None:
        """The device read a part of the ring."""
        if part == DESC:
            self.seen = True
            for index, inner, piece in self.table.pieces(offset, data):
                self.table.cell(index).load(inner, piece, self.state.number, event.t_req)
            self._collect()
        elif part == DRIVER:
            if not self.stores_seen:
                self.driver_event[offset : offset + len(data)] = data
                del self.driver_event[spec.PACKED_EVENT_LENGTH :]
            if offset + len(data) >= spec.PACKED_EVENT_LENGTH:
                self.used.asked(event)

    def device_write(self, part: str, offset: int, data: bytes, event: ev.DmaWrite) -> None:
        """The device wrote a part of the ring."""
        if part == DESC:
            for index, inner, piece in self.table.pieces(offset, data):
                self.used.write(index, inner, piece, event)
        elif part == DEVICE and offset + len(data) >= spec.PACKED_EVENT_LENGTH and offset <= 2:
            flags = int.from_bytes(data[2 - offset : 4 - offset], "little")
            self.state.publish(facts.DeviceEventArea(self.queue, flags))

    def driver_store(self, part: str, offset: int, data: bytes, event: ev.MemWrite) -> None:
        """The driver stored into a part of the ring."""
        self.store_allowed()
        if part == DESC:
            self.seen = self.stores_seen = True
            for index, inner, piece in self.table.pieces(offset, data):
                self._desc_store(index, inner, piece, event)
            self._collect()
        elif part == DRIVER:
            self.stores_seen = True
            self.driver_event[offset : offset + len(data)] = data
            del self.driver_event[spec.PACKED_EVENT_LENGTH :]
            self.state.interrupts.void(self.queue)
            self.state.interrupts.called(self.queue)

    def _desc_store(self, index: int, inner: int, piece: bytes, event: ev.MemWrite) -> None:
        cell = self.table.cell(index)
        mask = ((1 << len(piece)) - 1) << inner
        changes = cell.known & mask == mask and cell.stored[inner : inner + len(piece)] != piece
        self.expose_changed(self.owned(index) and changes, f"slot {index} is still the device's")
        if self.stuck and changes and index == self.position:
            # The head of a list without an end is taken back: what a device took of it is open.
            self.lost = True
        cell.store(inner, piece, event.t)
        if index == self.position and inner + len(piece) > 14 and not self.lost:
            self._judge_head(index)

    def _judge_head(self, slot: int) -> None:
        """When a list's head becomes available, all of its other descriptors must be already."""
        wrap = self.wrap
        flags = self.table.cell(slot).flags
        if flags is None or not is_available(flags, wrap) or not flags & NEXT:
            return
        for _ in range(self.size - 1):
            slot, wrap = self.next_slot(slot, wrap)
            cell = self.table.cells.get(slot)
            flags = cell.flags if cell is not None else None
            if flags is None or not is_available(flags, wrap):
                detail = f"the descriptor in slot {slot} is not available yet"
                self.state.publish(facts.DriverStore(self.queue, "partial", detail))
                return
            if not flags & NEXT:
                return

    def _collect(self) -> None:
        """Make chains of the lists that are available and known."""
        while not self.lost:
            found = self._list_at(self.position, self.wrap)
            if found is None:
                return
            self._begin(found)

    def _list_at(self, slot: int, wrap: int) -> list[PackedDesc] | None:
        """Return the descriptors of the list at `slot`, None if it is not available or not known."""
        self.stuck = False
        descs: list[PackedDesc] = []
        while len(descs) <= self.size:
            cell = self.table.cells.get(slot)
            flags = cell.flags if cell is not None else None
            raw = cell.value(0) if cell is not None else None
            if cell is None or flags is None or raw is None or not is_available(flags, wrap):
                self.stuck = bool(descs) and cell is not None and cell.touched
                return None
            desc = PackedDesc.unpack(raw)
            descs.append(desc)
            if not desc.flags & NEXT:
                return descs
            slot, wrap = self.next_slot(slot, wrap)
        return descs

    def _begin(self, descs: list[PackedDesc]) -> None:
        chain = Chain(self.queue, self.position, 0, self.state.now)
        chain.id, chain.slots, chain.count = descs[-1].id, len(descs), len(descs)
        head = self.table.cell(self.position)
        chain.cover = head.since if not head.known and head.since >= 0 else self.state.number
        chain.position = self.serial
        self.serial += 1
        for _ in descs:
            self.position, self.wrap = self.next_slot(self.position, self.wrap)
        self._judge_list(chain, descs)
        self.outstanding += chain.slots
        if chain.id in self.inflight:
            chain.problem("duplicate", f"buffer id {chain.id} is in flight already")
            self.made(chain)
            return
        self.inflight[chain.id] = chain
        for desc in descs:
            self.take_element(chain, desc.addr, desc.len, desc.flags)
        if chain.table is not None:
            chain.count -= 1
            self.walk_table(chain)
        else:
            self.made(chain)

    def _judge_list(self, chain: Chain, descs: list[PackedDesc]) -> None:
        if len(descs) > self.size:
            chain.problem("long", f"more than {self.size} descriptors")
        elif self.outstanding + len(descs) > self.size:
            if self.dma_seen:
                chain.problem(
                    "space", f"{len(descs)} descriptors, but {self.size - self.outstanding} free slots"
                )
            self.lost = True
        if len(descs) > 1 and any(desc.flags & INDIRECT for desc in descs):
            chain.problem("indirect-next", "a list linked by NEXT holds a descriptor with INDIRECT")

    def resume(self, chain: Chain) -> None:
        """More of the list's indirect table is known."""
        self.walk_table(chain)

    def settle(self) -> None:
        """The session ends."""
        super().settle()
        self.used.settle()
