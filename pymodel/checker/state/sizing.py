"""BARs as the host sizes them: all ones written, and what reads back (PCI; virtio 1.4, 4.1.4)."""

from __future__ import annotations

from dataclasses import dataclass

from pymodel import spec
from pymodel.events import ConfigRead, ConfigWrite

_BAR0 = spec.PCI_CFG["bar0"].offset
BARS = 6
_ONES = b"\xff\xff\xff\xff"


@dataclass(frozen=True, slots=True)
class BarAnswer:
    """What BAR `index` answers to sizing: `mask` of `width` bits, and its kind from the low bits.

    `kind` is "io", "mem32" or "mem64"; `reserved` says that its type bits name none of these. A "mem64"
    of 32 bits is BAR 5, which has no upper half.
    """

    index: int
    mask: int
    width: int
    kind: str
    prefetchable: bool = False
    reserved: bool = False

    @property
    def size(self) -> int | None:
        """Its size in bytes, None where the mask is none of a power of two, or not whole."""
        if self.kind == "mem64" and self.width == 32:
            return None
        size = -self.mask & ((1 << self.width) - 1)
        return size if size > 0 and size & (size - 1) == 0 else None


class BarSizing:
    """Follows the host's sizing of six BARs."""

    def __init__(self) -> None:
        self._sizing: set[int] = set()
        self._lower: dict[int, int] = {}

    def write(self, event: ConfigWrite) -> None:
        """A write of all ones to a BAR begins, any other write ends its sizing."""
        index, rest = divmod(event.addr - _BAR0, 4)
        if 0 <= index < BARS and not rest and len(event.data) == 4:
            if event.data == _ONES:
                self._sizing.add(index)
            else:
                self._sizing.discard(index)

    def read(self, event: ConfigRead) -> BarAnswer | None:
        """What a read tells: the whole answer of a BAR, or None; the low half of a 64-bit one waits."""
        index, rest = divmod(event.addr - _BAR0, 4)
        if rest or len(event.data) != 4 or index not in self._sizing:
            return None
        value = int.from_bytes(event.data, "little")
        if index in self._lower:
            low = self._lower[index]
            mask = low & ~0xF | value << 32
            return BarAnswer(index - 1, mask, 64, "mem64", bool(low & 8))
        if value & 1:
            mask = value & ~0x3
            return BarAnswer(index, mask | (0xFFFF0000 if mask < 0x10000 else 0), 32, "io")
        if value & 6 == 4 and index < BARS - 1:
            self._lower[index + 1] = value
            return None
        if not value:
            return None
        kind = "mem64" if value & 6 == 4 else "mem32"
        return BarAnswer(index, value & ~0xF, 32, kind, bool(value & 8), bool(value & 2))
