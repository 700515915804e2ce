"""A buffer that the driver made available: its elements, and what the device did with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymodel import spec
from pymodel.checker.state.cells import CELL, CellStore
from pymodel.checker.state.intervals import Coverage, Segment
from pymodel.layout import SplitDesc

if TYPE_CHECKING:
    from pymodel.checker.state.queue import Queue

NEXT, WRITE, INDIRECT = int(spec.DescFlag.NEXT), int(spec.DescFlag.WRITE), int(spec.DescFlag.INDIRECT)
CAPTURE = 16 + 16 * 32
REPLY = 32
CHAIN_BYTES_MAX = 1 << 32
_SPACE = 1 << 64


class Chain:
    """A descriptor chain or list in flight.

    `head` is its first descriptor (split) or ring slot (packed), `id` what the device returns it by,
    `position` its free-running place in the order of availability, `since` when it became known (ps),
    `slots` how many ring slots it takes,
    `ring` the descriptors of the ring that are its own, `cover` the event number as of which reads of
    it are fresh. `problems` are the driver's breaches found in it, as (kind, detail).
    """

    __slots__ = (
        "capture",
        "captured",
        "complete",
        "count",
        "cover",
        "elements",
        "fetched",
        "head",
        "id",
        "in_order",
        "indirect_write",
        "packed",
        "position",
        "problems",
        "queue",
        "readable",
        "refused",
        "reply",
        "ring",
        "segments",
        "since",
        "slots",
        "status",
        "table",
        "table_addr",
        "table_entry",
        "writable",
        "written",
    )

    def __init__(self, queue: Queue, head: int, cover: int, since: int) -> None:
        self.queue = queue
        self.head = head
        self.id = head
        self.position = 0
        self.since = since
        self.slots = 1
        self.ring: list[int] = []
        self.cover = cover
        self.packed = queue.packed
        self.in_order = queue.has(spec.Feature.IN_ORDER)
        self.elements: list[tuple[int, int, bool]] = []
        self.segments: list[Segment] = []
        self.problems: list[tuple[str, str]] = []
        self.count = 0
        self.readable = 0
        self.writable = 0
        self.written = Coverage()
        self.capture = bytearray()
        self.captured = Coverage()
        self.fetched = Coverage()
        self.reply = bytearray(REPLY)
        self.status: int | None = None
        self.complete = False
        self.refused = False
        self.indirect_write = False
        self.table: CellStore | None = None
        self.table_addr = 0
        self.table_entry = 0

    @property
    def header(self) -> bytes:
        """The start of the device-readable part as the device read it, without a gap."""
        return bytes(self.capture[: self.captured.prefix or 0])

    def problem(self, kind: str, detail: str) -> None:
        """Note a breach by the driver."""
        self.problems.append((kind, detail))

    def add_element(self, addr: int, length: int, write: bool) -> Segment | None:
        """Append a buffer element; returns its segment, None for an empty one."""
        if not write and self.writable:
            self.problem("order", "a device-readable element follows a device-writable one")
        self.elements.append((addr, length, write))
        offset = self.writable if write else self.readable
        if write:
            self.writable += length
        else:
            self.readable += length
        if self.readable + self.writable > CHAIN_BYTES_MAX:
            self.problem("bytes", "the chain is longer than 2^32 bytes")
        clipped = min(length, _SPACE - addr)
        if clipped <= 0:
            return None
        segment = Segment(addr, clipped, "writable" if write else "readable", self, offset)
        self.segments.append(segment)
        return segment

    def begin_table(self, addr: int, length: int) -> Segment | None:
        """The chain goes on in an indirect table; returns its segment."""
        self.table = CellStore(length // CELL)
        self.table_addr = addr
        self.table_entry = 0
        clipped = min(length, _SPACE - addr)
        if clipped <= 0:
            return None
        segment = Segment(addr, clipped, "table", self)
        self.segments.append(segment)
        return segment

    def wrote(self, offset: int, data: bytes) -> None:
        """The device wrote `data` at `offset` of the writable part."""
        end = offset + len(data)
        self.written.add(offset, end)
        if offset < REPLY:
            self.reply[offset : min(end, REPLY)] = data[: REPLY - offset]
        if end == self.writable:
            self.status = data[-1]

    def read(self, offset: int, data: bytes) -> None:
        """The device read `data` at `offset` of the readable part."""
        self.fetched.add(offset, offset + len(data))
        data = data[: max(0, CAPTURE - offset)]
        if not data:
            return
        if len(self.capture) < offset + len(data):
            self.capture.extend(bytes(offset + len(data) - len(self.capture)))
        self.capture[offset : offset + len(data)] = data
        self.captured.add(offset, offset + len(data))

    def walk_table(self, size: int) -> list[Segment] | None:
        """Take in table entries as far as they are known; returns new segments, None when stuck.

        Sets `complete` at the end of the table's list. `size` is the queue size.
        """
        table = self.table
        assert table is not None
        added: list[Segment] = []
        while not self.complete:
            if self.table_entry >= table.count:
                if not self.packed or not table.count:
                    self.problem("range", "an indirect table is left by next, or empty")
                self.complete = True
                break
            cell = table.cells.get(self.table_entry)
            raw = cell.value(self.cover) if cell else None
            if raw is None:
                return added
            self._take_entry(raw, added)
            if self.count > size and not self.complete:
                self.problem("long", f"more than {size} descriptors")
                self.complete = True
        return added

    def _take_entry(self, raw: bytes, added: list[Segment]) -> None:
        desc = SplitDesc.unpack(raw)
        flags = desc.next if self.packed else desc.flags
        self.count += 1
        self._judge_entry(flags, desc.next)
        segment = self.add_element(desc.addr, desc.len, bool(flags & WRITE))
        if segment:
            added.append(segment)
        if self.packed:
            self.table_entry += 1
        elif flags & NEXT:
            self.table_entry = desc.next
        else:
            self.complete = True

    def _judge_entry(self, flags: int, link: int) -> None:
        if self.packed:
            if flags & ~WRITE:
                self.problem("table-flags", f"indirect entry {self.table_entry} has flags {flags:#x}")
            return
        if flags & INDIRECT:
            self.problem("nested", f"indirect entry {self.table_entry} has INDIRECT set")
        if self.in_order and flags & NEXT and link != self.table_entry + 1:
            self.problem("table-order", f"indirect entry {self.table_entry} has next {link}")
