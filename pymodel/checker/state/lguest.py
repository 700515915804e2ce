"""lguest's bus: the descriptor page as the guest sees it (BAR 0), the notify hypercall (BAR 1), and the
Launcher's window (BAR 2); see `pymodel.lguest`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pymodel import lguest, spec
from pymodel.checker import facts
from pymodel.checker.state import legacy
from pymodel.checker.state.session import Phase
from pymodel.layout import legacy_ring

if TYPE_CHECKING:
    from pymodel.checker.state.boundary import State

_PAGE = spec.LEGACY_PAGE_SIZE


@dataclass(slots=True)
class _Ring:
    index: int
    size: int
    page: int

    @property
    def start(self) -> int:
        return self.page * _PAGE

    @property
    def length(self) -> int:
        """Bytes from the first descriptor to the end of the used ring."""
        used = legacy_ring(self.size, 0, _PAGE).used
        return used + 6 + 8 * self.size


class LguestState:
    """Shadow of the page's one device; `top` is where guest memory ends and the page begins.

    Of a page with several devices the first one is followed.
    """

    def __init__(self, state: State, top: int) -> None:
        self._state = state
        self._top = top
        self._page: list[int | None] = [None] * lguest.LGUEST_PAGE
        self._first = False
        self._early = 0
        self._console: int | None = None
        self._zeroed = 0
        self._seen = False
        self._fresh = False

    def read(self, bar: int, addr: int, data: bytes) -> None:
        """The guest, or the Launcher, read `data`."""
        if bar == lguest.LGUEST_BAR_PAGE:
            for place, byte in enumerate(data, addr):
                self._byte_read(place, byte)
        elif bar == lguest.LGUEST_BAR_LAUNCHER and addr == lguest.LGUEST_LAUNCHER_WARNINGS:
            value = int.from_bytes(data, "little")
            fact = facts.LguestWarnings(self._early & 0xFFFF, value & 0xFFFF)
            self._state.publish(fact)
            self._early = value & 0xFFFF

    def _byte_read(self, place: int, byte: int) -> None:
        if place >= lguest.LGUEST_PAGE:
            return
        self._page[place] = byte
        if place == self._status_place:
            self._status_read(byte)
        accepted = self._accepted_place
        if accepted is not None and accepted <= place < accepted + 4 and self._fresh:
            self._state.publish(facts.LguestAccepted(byte))

    def _status_read(self, value: int) -> None:
        session = self._state.session
        session.needs_reset = session.needs_reset or bool(value & spec.Status.DEVICE_NEEDS_RESET)
        if session.phase != Phase.RESETTING or value:
            return
        if self._fresh and self._seen and session.reset_kind == "status":
            needed = sum(ring.length for ring in self._rings())
            self._state.publish(facts.LguestZeroed(self._zeroed, needed))
        self._state.end_reset(by_read=True)

    @property
    def _status_place(self) -> int:
        return lguest.LGUEST_FIRST_STATUS if self._first else lguest.LGUEST_LATER_STATUS

    def _known(self, place: int, length: int) -> bytes | None:
        found = [byte for byte in self._page[place : place + length] if byte is not None]
        return bytes(found) if len(found) == length else None

    def _is_type(self, place: int, kind: int) -> bool:
        byte = self._page[place] if place < lguest.LGUEST_PAGE else None
        return byte is not None and byte & ~lguest.LGUEST_FIELD_USED == kind

    def _rings(self) -> list[_Ring]:
        """The queue records, as far as they were read."""
        count, place, step = 0, lguest.LGUEST_LATER_HEADER, lguest.LGUEST_QUEUE_LENGTH
        if self._first:
            place, step = lguest.LGUEST_FIRST_HEADER, step + lguest.LGUEST_FIELD_HEADER
            while self._is_type(place + step * count, lguest.LGUEST_FIELD_VIRTQUEUE):
                count += 1
            place += lguest.LGUEST_FIELD_HEADER
        else:
            count = self._page[1] or 0
        rings = []
        for index in range(min(count, 8)):
            record = self._known(place + step * index, lguest.LGUEST_QUEUE_LENGTH)
            if record is not None:
                size, page = int.from_bytes(record[:2], "little"), int.from_bytes(record[4:], "little")
                rings.append(_Ring(index, size, page))
        return rings

    @property
    def _accepted_place(self) -> int | None:
        """Where the four accepted bytes begin."""
        if self._first:
            count = len(self._rings())
            step = lguest.LGUEST_QUEUE_LENGTH + lguest.LGUEST_FIELD_HEADER
            place = lguest.LGUEST_FIRST_HEADER + count * step
            known = self._is_type(place, lguest.LGUEST_FIELD_FEATURES)
            if not known or self._known(place + 1, 1) != b"\x08":
                return None
            return place + lguest.LGUEST_FIELD_HEADER + 4
        if self._page[1] is None or self._page[2] != 4:
            return None
        return lguest.LGUEST_LATER_HEADER + self._page[1] * lguest.LGUEST_QUEUE_LENGTH + 4

    def write(self, bar: int, addr: int, data: bytes) -> None:
        """The guest stored or notified, or the Launcher chose a layout."""
        if bar == lguest.LGUEST_BAR_PAGE:
            self._store(addr, data)
        elif bar == lguest.LGUEST_BAR_NOTIFY and addr == 0 and len(data) == 4:
            self._notified(int.from_bytes(data, "little"))
        elif bar == lguest.LGUEST_BAR_LAUNCHER and addr == lguest.LGUEST_LAUNCHER_LAYOUT:
            self._first = bool(data[0] & 1)
            self._page = [None] * lguest.LGUEST_PAGE

    def _store(self, addr: int, data: bytes) -> None:
        accepted = self._accepted_place
        for place, byte in enumerate(data, addr):
            if place < lguest.LGUEST_PAGE and (place != self._status_place or byte):
                self._page[place] = byte
            if accepted is not None and accepted <= place < accepted + 4:
                self._fresh = False

    def _notified(self, address: int) -> None:
        if address == self._top:
            self._state.begin_reset("status")
            self._zeroed, self._fresh = 0, True
            for queue in self._state.queues.values():
                legacy.close_block(self._state, queue)
            return
        for ring in self._rings():
            if ring.page == address // _PAGE:
                self._kicked(ring)
                return
        self._console = address if address < self._top else None

    def _kicked(self, ring: _Ring) -> None:
        if not self._page[self._status_place]:
            self._early += 1
            return
        if not self._state.session.known:
            return
        legacy.begin(self._state)
        place = self._accepted_place
        accepted = self._known(place, 4) if place is not None else None
        self._state.session.accepted = {0: int.from_bytes(accepted or b"", "little"), 1: 0}
        queue = self._state.queue(ring.index)
        opened = queue.tracker is None
        legacy.open_block(self._state, queue, ring.size, ring.page)
        if opened and queue.tracker is not None:
            queue.tracker.opened_by_kick = True
        legacy.kick(queue)

    def printed(self, addr: int, data: bytes) -> bool:
        """Whether a read is the console's, of the string whose address was notified."""
        if self._console is None or not addr <= self._console < addr + len(data):
            return False
        ended = 0 in data[self._console - addr :]
        self._console = None if ended else addr + len(data)
        return True

    def wrote(self, addr: int, data: bytes) -> None:
        """The device wrote guest memory."""
        self._seen = True
        if self._state.session.phase == Phase.RESETTING and not any(data):
            for ring in self._rings():
                low, high = max(addr, ring.start), min(addr + len(data), ring.start + ring.length)
                self._zeroed += max(0, high - low)
