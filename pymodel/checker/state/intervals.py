"""Address ranges with owners, overlapping freely, found by address in logarithmic time."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True, eq=False)
class Segment:
    """`length` bytes at `addr`; `kind` and `owner` mean something to whoever added it."""

    addr: int
    length: int
    kind: str
    owner: Any
    offset: int = 0

    @property
    def end(self) -> int:
        """First address behind the segment."""
        return self.addr + self.length

    def clip(self, addr: int, data: bytes) -> tuple[int, bytes]:
        """Return the part of `data` at `addr` that lies in the segment, and its offset in it."""
        low = max(addr, self.addr)
        high = min(addr + len(data), self.end)
        return low - self.addr, data[low - addr : high - addr]


class IntervalIndex:
    """Segments by size class: in a class of lengths below 2^k only starts within 2^k can overlap."""

    def __init__(self) -> None:
        self._classes: dict[int, list[tuple[int, int, Segment]]] = {}
        self._serials: dict[int, int] = {}
        self._next = 0

    def add(self, segment: Segment) -> None:
        """Add a segment of at least one byte; the same object only once."""
        self._next += 1
        self._serials[id(segment)] = self._next
        rows = self._classes.setdefault(segment.length.bit_length(), [])
        insort(rows, (segment.addr, self._next, segment))

    def remove(self, segment: Segment) -> None:
        """Remove a segment that was added."""
        serial = self._serials.pop(id(segment))
        size = segment.length.bit_length()
        rows = self._classes[size]
        del rows[bisect_left(rows, (segment.addr, serial))]
        if not rows:
            del self._classes[size]

    def overlapping(self, addr: int, length: int) -> list[Segment]:
        """Return the segments that share a byte with [addr, addr + length), in no special order."""
        found = []
        end = addr + length
        for size, rows in self._classes.items():
            index = bisect_left(rows, (addr - (1 << size) + 1, 0))
            while index < len(rows) and rows[index][0] < end:
                segment = rows[index][2]
                if segment.end > addr:
                    found.append(segment)
                index += 1
        return found


def uncovered(addr: int, length: int, segments: list[Segment]) -> list[tuple[int, int]]:
    """Return the (addr, length) pieces of a range that no segment covers."""
    pieces = []
    cursor, end = addr, addr + length
    for segment in sorted(segments, key=lambda s: s.addr):
        if segment.addr > cursor:
            pieces.append((cursor, min(segment.addr, end) - cursor))
        cursor = max(cursor, segment.end)
        if cursor >= end:
            return pieces
    pieces.append((cursor, end - cursor))
    return pieces


class Coverage:
    """Which bytes of [0, length) were written, as merged ranges; gives up beyond `LIMIT` pieces."""

    LIMIT = 1024

    def __init__(self) -> None:
        self._ranges: list[tuple[int, int]] = []
        self.lost = False

    def add(self, start: int, end: int) -> None:
        """Mark [start, end) as written."""
        ranges = self._ranges
        if ranges and ranges[-1][0] <= start <= ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], max(ranges[-1][1], end))
            return
        index = bisect_left(ranges, (start,))
        if index and ranges[index - 1][1] >= start:
            index -= 1
            start = ranges[index][0]
        last = index
        while last < len(ranges) and ranges[last][0] <= end:
            end = max(end, ranges[last][1])
            last += 1
        ranges[index:last] = [(start, end)]
        self.lost = self.lost or len(ranges) > self.LIMIT
        if self.lost:
            ranges.clear()

    @property
    def prefix(self) -> int | None:
        """Number of bytes written without a gap from the start; None when the record was given up."""
        if self.lost:
            return None
        return self._ranges[0][1] if self._ranges and self._ranges[0][0] == 0 else 0
