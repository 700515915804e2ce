"""Work for an entropy device: random bytes, of which no two requests may get the same (virtio 1.4, 5.4)."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pymodel.driver.entropy import EntropyRequest, VirtioEntropy
from pymodel.driver.framing import Framed
from pymodel.memory import GuestMemory
from pymodel.ring.base import Element
from pymodel.spec import DeviceType
from tb.image import Image
from tb.sim_test import Skip
from tb.work.base import Part, Unit, Work

LEAST = 64
"""Bytes of a plain request."""
TELLING = 16
"""So many bytes are never twice the same, nor all zeroes."""
BLOCK = 512


@dataclass(eq=False)
class EntropyUnit(Unit):
    """A request for up to `length` bytes."""

    request: EntropyRequest
    work: EntropyWork
    length: int

    async def settle(self) -> None:
        """Wait; the length is 1 at least and what was asked for at most, and the bytes are new."""
        self.work.hold(await self.work.driver.wait(self.request), self.request.used, self.length)


class EntropyWork(Work[VirtioEntropy]):
    """Takes random bytes; what it has seen is kept for as long as the driver."""

    device_type = DeviceType.ENTROPY
    parts = (Part(TELLING, True), Part(LEAST, True), Part(1, True))

    def __init__(self, driver: VirtioEntropy, image: Image, rng: random.Random) -> None:
        super().__init__(driver, image, rng)
        self._seen: set[bytes] = set()

    @classmethod
    def make_driver(cls, queues: int | Mapping[int, int], queue_size: int) -> VirtioEntropy:
        """A driver on the one queue; raises Skip where another one is asked for."""
        if not isinstance(queues, Mapping):
            return VirtioEntropy(queue_size=queue_size)
        if set(queues) != {0}:
            raise Skip(f"an entropy device has no queue {max(queues)}")
        return VirtioEntropy(queue_size=queues[0])

    def hold(self, data: bytes, used: int, length: int) -> None:
        """Hold what a request for `length` bytes got, by the used length that the device reported."""
        assert 1 <= used <= length, f"{used} bytes came of {length}"
        assert len(data) == used
        assert bytes(TELLING) not in data, f"zeroes among {used} random bytes"
        if len(data) >= TELLING:
            assert data[:TELLING] not in self._seen, "two requests got the same bytes"
            self._seen.add(data[:TELLING])

    async def begin(
        self, *, size: int = 1, outward: bool = False, queue: int | None = None, kick: bool = True
    ) -> EntropyUnit:
        """Ask for `size` times 64 bytes; nothing goes outward."""
        return await self._ask(size * LEAST, kick=kick)

    async def _ask(self, length: int, *, kick: bool) -> EntropyUnit:
        return EntropyUnit(await self.driver.submit(length, kick=kick), self, length)

    async def draw(self, most: int, busy: Sequence[Unit]) -> EntropyUnit:
        """Ask for a drawn number of bytes, up to `most` times 64."""
        rng = self.rng
        few = (1, TELLING, LEAST, rng.randint(1, 2 * LEAST), rng.randint(LEAST, 5 * LEAST))
        length = rng.choice((*few, LEAST * rng.randint(1, most)))
        return await self._ask(length, kick=rng.random() < 0.7)

    def in_pieces(self, chain: int) -> tuple[EntropyUnit, Framed]:
        """A request for 512 bytes."""
        framed = Framed(self.driver.requests.device.ops.memory)
        target = framed.memory.alloc(BLOCK, high=True)
        framed.allocations.append(target)
        cuts = sorted(self.rng.sample(range(1, BLOCK), chain - 1))
        for start, end in zip([0, *cuts], [*cuts, BLOCK], strict=True):
            framed.writable.append(Element(target.addr + start, end - start))
        return EntropyUnit(EntropyRequest(), self, BLOCK), framed

    def lay(self, memory: GuestMemory, places: Sequence[int]) -> None:
        """Nothing is read of such a request."""

    def served(self, memory: GuestMemory, places: Sequence[int]) -> bool:
        """Whether random bytes arrived: the device may have written less than all."""
        return memory.read(places[0], TELLING) != bytes(TELLING)
