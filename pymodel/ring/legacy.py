"""The split virtqueue of the legacy interface: one contiguous block (virtio 1.4, 2.7.2)."""

from __future__ import annotations

from random import Random

from pymodel.layout import SplitRing, legacy_ring, legacy_ring_length
from pymodel.memory import GuestMemory
from pymodel.ring.split import SplitQueue
from pymodel.spec import LEGACY_PAGE_SIZE


class LegacyQueue(SplitQueue):
    """Descriptors, available ring, padding to `align`, used ring; the block begins at a page."""

    def __init__(
        self,
        index: int,
        size: int,
        memory: GuestMemory,
        features: int,
        rng: Random | None = None,
        *,
        align: int = LEGACY_PAGE_SIZE,
    ) -> None:
        self._align = align
        super().__init__(index, size, memory, features, rng)

    def _place(self) -> SplitRing:
        length = legacy_ring_length(self.size, self._align)
        return legacy_ring(self.size, self.ring_memory.take(length, self._align), self._align)

    @property
    def page(self) -> int:
        """The page number of the block."""
        return self.ring.desc // self._align
