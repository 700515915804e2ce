"""How a request becomes buffer elements: the framing is the driver's choice (virtio 1.4, 2.7.4)."""

from __future__ import annotations

from dataclasses import dataclass, field

from pymodel.driver.config_ops import Style
from pymodel.memory import Allocation, GuestMemory
from pymodel.ring.base import Element, Virtqueue
from pymodel.spec import Feature


@dataclass
class Framed:
    """A request's memory: readable elements (filled in), writable ones, and what to free afterwards."""

    memory: GuestMemory
    readable: list[Element] = field(default_factory=list)
    writable: list[Element] = field(default_factory=list)
    allocations: list[Allocation] = field(default_factory=list)

    def written(self, length: int) -> bytes:
        """Return the first `length` bytes of the writable part."""
        data = b"".join(self.memory.read(element.addr, element.length) for element in self.writable)
        return data[:length]

    def mark_end(self, byte: int) -> None:
        """Store a byte where the device will write the last one."""
        last = self.writable[-1]
        self.memory.write_int(last.addr + last.length - 1, 1, byte)

    def free(self) -> None:
        """Give the memory back."""
        while self.allocations:
            self.memory.free(self.allocations.pop())


class Framer:
    """Cuts requests into elements: at their natural seams, or anywhere where the style has a generator.

    `free` is false where the device may insist on the natural seams (legacy without ANY_LAYOUT, 2.7.4.3).
    """

    def __init__(
        self, memory: GuestMemory, style: Style, largest: int | None = None, *, free: bool = True
    ) -> None:
        self.memory = memory
        self.style = style
        self.largest = largest
        self.free = free

    def frame(self, readable: list[bytes], writable: list[int], most: int) -> Framed:
        """Place a request: `readable` parts, `writable` parts by length, `most` elements in all."""
        framed = Framed(self.memory)
        whole = b"".join(readable)
        room = min(most, self.style.max_elements)
        cuts = self._lengths([len(part) for part in readable], room - bool(writable))
        position = 0
        for length in cuts:
            element = self._place(framed, length)
            self.memory.write(element.addr, whole[position : position + length])
            framed.readable.append(element)
            position += length
        for length in self._lengths(writable, room - len(cuts)):
            framed.writable.append(self._place(framed, length))
        return framed

    def _lengths(self, natural: list[int], most: int) -> list[int]:
        rng, total = self.style.rng, sum(natural)
        natural = [length for length in natural if length]
        if rng is None or not self.free or total == 0:
            return self._bounded(natural)
        pieces = rng.randint(1, max(1, min(most, total)))
        cuts = sorted(rng.sample(range(1, total), pieces - 1)) if pieces > 1 else []
        return self._bounded([b - a for a, b in zip([0, *cuts], [*cuts, total], strict=True)])

    def _bounded(self, lengths: list[int]) -> list[int]:
        """Cut pieces that are longer than the device takes (SIZE_MAX)."""
        limit = self.largest or max(lengths, default=1)
        return [min(limit, length - start) for length in lengths for start in range(0, length, limit)]

    def _place(self, framed: Framed, length: int) -> Element:
        rng = self.style.rng
        pad = rng.randrange(64) if rng else 0
        allocation = self.memory.alloc(length + pad, 16, high=bool(rng and rng.randrange(2)))
        framed.allocations.append(allocation)
        return Element(allocation.addr + pad, length)

    def indirect_from(self, queue: Virtqueue, elements: int) -> int | None:
        """Choose where an indirect table begins in a chain, or None for a chain without one."""
        if not queue.has(Feature.INDIRECT_DESC):
            return None
        if self.style.rng is None:
            return 0 if elements > 1 else None
        mixed = self.style.mixed_indirect and not queue.has(Feature.RING_PACKED)
        choices = elements if mixed else 1
        choice = self.style.rng.randrange(-1, choices)
        return None if choice < 0 else choice
