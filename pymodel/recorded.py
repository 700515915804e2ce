"""Guest memory of a recorded session: the device reads what it read then, at each of its reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pymodel.memory import GuestMemory, Region

AHEAD = 512
"""How far a device may run ahead of its recorded order, in reads."""


@dataclass
class RecordedRead:
    """What a device read; the last `left` bytes were not asked for again yet."""

    addr: int
    data: bytes
    left: int

    @property
    def end(self) -> int:
        """First address behind it."""
        return self.addr + len(self.data)


class RecordedMemory(GuestMemory):
    """Guest memory whose driver is known only by what the device read: (address, data), in order.

    A read of the same piece as a recorded one finds what that found; a read in other pieces, as another
    device makes them, finds the oldest recorded content of its bytes.
    """

    def __init__(self, regions: Sequence[Region] | None, reads: Sequence[tuple[int, bytes]]) -> None:
        super().__init__(regions)
        self.reads = reads
        self._records = [RecordedRead(addr, data, len(data)) for addr, data in reads]
        self._oldest = 0

    def dma_read(self, addr: int, length: int) -> bytes:
        """The device reads `length` bytes."""
        self._recall(addr, length)
        return super().dma_read(addr, length)

    def _recall(self, addr: int, length: int) -> None:
        record = self._find(addr, length, whole=True) or self._find(addr, length, whole=False)
        if record is None:
            return
        first, end = max(addr, record.addr), min(addr + length, record.end)
        self.dma_write(first, record.data[first - record.addr : end - record.addr])
        record.left = min(record.left, record.end - end)

    def _find(self, addr: int, length: int, *, whole: bool) -> RecordedRead | None:
        while self._oldest < len(self._records) and not self._records[self._oldest].left:
            self._oldest += 1
        for record in self._records[self._oldest : self._oldest + AHEAD]:
            if not record.left:
                continue
            if whole and (record.addr, len(record.data)) == (addr, length):
                return record
            if not whole and record.addr < addr + length and addr < record.end:
                return record
        return None
