"""16-byte cells of ring memory: what the driver stored, what the device read, and how fresh it is."""

from __future__ import annotations

CELL = 16
_FULL = (1 << CELL) - 1


class Cell:
    """One descriptor as memory holds it.

    Driver's stores (and the device's own writes) are the truth where they were observed; the device's
    reads fill in the rest, as of event number `since`.
    """

    __slots__ = ("known", "own", "read", "seen", "since", "stored", "stored_t")

    def __init__(self) -> None:
        self.stored = bytearray(CELL)
        self.known = 0
        self.stored_t = 0
        self.own = False
        self.read = bytearray(CELL)
        self.seen = 0
        self.since = -1

    def store(self, offset: int, data: bytes, t: int, *, own: bool = False) -> None:
        """Memory now holds `data` at `offset`; `own` if it was the device that wrote it."""
        self.own = own
        self.stored[offset : offset + len(data)] = data
        self.known |= ((1 << len(data)) - 1) << offset
        self.stored_t = t

    def load(self, offset: int, data: bytes, number: int, issued: int | None) -> None:
        """The device read `data` at `offset` in event `number`."""
        mask = ((1 << len(data)) - 1) << offset
        if self.known & mask and (self.own or (issued is not None and issued > self.stored_t)):
            known = self.stored[offset : offset + len(data)]
            if any(self.known >> offset + i & 1 and known[i] != data[i] for i in range(len(data))):
                self.known &= ~mask
        if self.seen == _FULL or self.since < 0:
            self.seen = 0
            self.since = number
        self.read[offset : offset + len(data)] = data
        self.seen |= mask

    def value(self, fresh_since: int) -> bytes | None:
        """Return the 16 bytes if each was stored, or read in event `fresh_since` or later."""
        if self.known == _FULL:
            return bytes(self.stored)
        if (self.known | self.seen) != _FULL or self.since < fresh_since:
            return None
        if not self.known:
            return bytes(self.read)
        return bytes(self.stored[i] if self.known >> i & 1 else self.read[i] for i in range(CELL))

    @property
    def flags(self) -> int | None:
        """The packed descriptor's flags as memory or the last read shows them."""
        if self.known >> 14 == 3:
            return int.from_bytes(self.stored[14:], "little")
        return int.from_bytes(self.read[14:], "little") if self.seen >> 14 == 3 else None

    @property
    def touched(self) -> bool:
        """Whether the device has read any of it."""
        return self.since >= 0


class CellStore:
    """A table of cells, made as they are touched; `count` bounds it."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.cells: dict[int, Cell] = {}

    def pieces(self, offset: int, data: bytes) -> list[tuple[int, int, bytes]]:
        """Split bytes at `offset` of the table into (cell, offset in it, bytes), clipped to the table."""
        out = []
        position = 0
        while position < len(data):
            index, inner = divmod(offset + position, CELL)
            if index >= self.count:
                break
            part = data[position : position + CELL - inner]
            out.append((index, inner, part))
            position += len(part)
        return out

    def cell(self, index: int) -> Cell:
        """Return cell `index`, made if need be."""
        cell = self.cells.get(index)
        if cell is None:
            cell = self.cells[index] = Cell()
        return cell
