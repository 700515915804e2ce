"""Guest memory: sparse regions of a 64-bit address space, an allocator, and the driver's stores as events."""

from __future__ import annotations

import mmap
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

LOW_BASE = 0x0010_0000
HIGH_BASE = 0x1_0000_0000
REGION_LENGTH = 64 << 20


class MemoryFault(Exception):
    """An access outside guest memory; `addr` and `length` say which."""

    def __init__(self, addr: int, length: int) -> None:
        super().__init__(f"no guest memory at {addr:#x}..{addr + length - 1:#x}")
        self.addr = addr
        self.length = length


@dataclass
class Region:
    """A contiguous piece of guest memory; `view` is its content, writable and shared where it is mapped."""

    base: int
    view: memoryview
    cursor: int = 0
    free: list[tuple[int, int]] = field(default_factory=list)

    @property
    def end(self) -> int:
        """First address behind the region."""
        return self.base + len(self.view)

    @classmethod
    def anonymous(cls, base: int, length: int) -> Region:
        """A zeroed region whose pages cost nothing until they are touched."""
        return cls(base, memoryview(mmap.mmap(-1, length)))


@dataclass(frozen=True, slots=True)
class Allocation:
    """A piece of guest memory handed out: first address and length in bytes."""

    addr: int
    length: int


def default_regions() -> list[Region]:
    """One region below and one above 4 GiB."""
    return [Region.anonymous(LOW_BASE, REGION_LENGTH), Region.anonymous(HIGH_BASE, REGION_LENGTH)]


class GuestMemory:
    """The memory that driver and device share.

    `read` and `write` are the driver's loads and stores (a store is shown to `observer`, which makes
    it a MemWrite event); `dma_read` and `dma_write` are the device's, and leave no event here: the
    port that carries them out records them. All raise MemoryFault outside the regions. Whoever keeps
    a map of the regions of his own is the `watcher`.
    """

    def __init__(self, regions: Sequence[Region] | None = None) -> None:
        self.regions = sorted(default_regions() if regions is None else regions, key=lambda r: r.base)
        self._bases = [region.base for region in self.regions]
        self.observer: Callable[[int, bytes], None] | None = None
        self.watcher: Callable[[int, memoryview | None], None] | None = None

    def map(self, region: Region) -> None:
        """Add a region, which must not overlap another one; `watcher` hears its base and content."""
        place = bisect_right(self._bases, region.base)
        self.regions.insert(place, region)
        self._bases.insert(place, region.base)
        if self.watcher is not None:
            self.watcher(region.base, region.view)

    def unmap(self, base: int) -> None:
        """Take the region at `base` away; `watcher` hears its base and None. Raises ValueError."""
        place = self._bases.index(base)
        if self.watcher is not None:
            self.watcher(base, None)
        del self.regions[place], self._bases[place]

    def _locate(self, addr: int, length: int) -> tuple[memoryview, int]:
        index = bisect_right(self._bases, addr) - 1
        if index >= 0:
            region = self.regions[index]
            if addr + length <= region.end:
                return region.view, addr - region.base
        raise MemoryFault(addr, length)

    def read(self, addr: int, length: int) -> bytes:
        """The driver loads `length` bytes."""
        view, offset = self._locate(addr, length)
        return bytes(view[offset : offset + length])

    def write(self, addr: int, data: bytes) -> None:
        """The driver stores `data`."""
        view, offset = self._locate(addr, len(data))
        view[offset : offset + len(data)] = data
        if self.observer is not None:
            self.observer(addr, bytes(data))

    def read_int(self, addr: int, length: int) -> int:
        """The driver loads a little-endian integer of `length` bytes."""
        return int.from_bytes(self.read(addr, length), "little")

    def write_int(self, addr: int, length: int, value: int) -> None:
        """The driver stores a little-endian integer of `length` bytes."""
        self.write(addr, value.to_bytes(length, "little"))

    def dma_read(self, addr: int, length: int) -> bytes:
        """The device reads `length` bytes."""
        view, offset = self._locate(addr, length)
        return bytes(view[offset : offset + length])

    def dma_write(self, addr: int, data: bytes) -> None:
        """The device writes `data`."""
        view, offset = self._locate(addr, len(data))
        view[offset : offset + len(data)] = data

    def alloc(self, length: int, align: int = 16, *, high: bool = False) -> Allocation:
        """Hand out zeroed memory, above 4 GiB if `high`; raises MemoryError when the region is full."""
        region = self.regions[-1 if high else 0]
        for index, (start, size) in enumerate(region.free):
            addr = -(-start // align) * align
            if addr + length <= start + size:
                del region.free[index]
                pieces = ((start, addr - start), (addr + length, start + size - addr - length))
                region.free.extend(piece for piece in pieces if piece[1])
                break
        else:
            addr = -(-(region.base + region.cursor) // align) * align
            if addr + length > region.end:
                raise MemoryError(f"guest memory region at {region.base:#x} is full")
            region.cursor = addr + length - region.base
        view, offset = self._locate(addr, length)
        view[offset : offset + length] = bytes(length)
        return Allocation(addr, length)

    def free(self, allocation: Allocation) -> None:
        """Take memory back; its content stays until it is handed out again."""
        self._region_of(allocation).free.append((allocation.addr, allocation.length))

    def poison(self, allocation: Allocation, value: int = 0xA5) -> None:
        """Fill memory with a pattern without an event, to prove later that nobody touched it."""
        view, offset = self._locate(allocation.addr, allocation.length)
        view[offset : offset + allocation.length] = bytes([value]) * allocation.length

    def _region_of(self, allocation: Allocation) -> Region:
        return self.regions[bisect_right(self._bases, allocation.addr) - 1]
