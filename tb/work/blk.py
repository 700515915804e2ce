"""Work for a block device: reads and writes, every byte held against the medium."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pymodel.driver.blk import BlkRequestState, VirtioBlk
from pymodel.driver.framing import Framed
from pymodel.layout import pack_blk_header
from pymodel.memory import GuestMemory
from pymodel.ring.base import Element, Virtqueue
from pymodel.spec import BLK_SECTOR, BlkFeature, BlkRequest, BlkStatus, DeviceType
from tb.image import Image
from tb.work.base import Part, Unit, Work

HEADER = 16


@dataclass(eq=False)
class BlkUnit(Unit):
    """A read that must return `data`, or a write that must leave it in the medium."""

    request: BlkRequestState
    blk: VirtioBlk
    image: Image
    data: bytes

    async def settle(self) -> None:
        """Wait, and hold the data."""
        got, count = await self.blk.wait(self.request), self._count
        if self.request.kind == BlkRequest.OUT:
            got = self.image.sector(self.request.sector, count)
        first = self.request.sector
        assert got == self.data, f"sectors {first}..{first + count - 1}: {_difference(got, self.data)}"

    @property
    def _count(self) -> int:
        return len(self.data) // BLK_SECTOR

    def overlaps(self, place: int, length: int) -> bool:
        """Whether it is about one of these sectors."""
        return place + length > self.request.sector and self.request.sector + self._count > place


class BlkWork(Work[VirtioBlk]):
    """Reads must return what the medium held, writes must be in the medium once they are done."""

    device_type = DeviceType.BLK
    several = BlkFeature.MQ
    shortest = 2
    parts = (Part(HEADER, False), Part(BLK_SECTOR, True), Part(1, True))

    @classmethod
    def make_driver(cls, queues: int | Mapping[int, int], queue_size: int) -> VirtioBlk:
        """A driver on so many queues."""
        return VirtioBlk(queues=queues, queue_size=queue_size)

    async def begin(
        self, *, size: int = 1, outward: bool = False, queue: int | None = None, kick: bool = True
    ) -> BlkUnit:
        """Read `size` sectors of a drawn place; `outward` writes them, as they are."""
        sector = self.rng.randrange(self.image.sectors - size + 1)
        data, queue = self.image.sector(sector, size), self._queue(queue)
        if outward:
            return self._unit(await self.driver.submit_write(sector, data, queue=queue, kick=kick), data)
        return self._unit(await self.driver.submit_read(sector, size, queue=queue, kick=kick), data)

    def _queue(self, queue: int | None) -> int:
        return self.driver.queue_indexes[0] if queue is None else queue

    def _unit(self, request: BlkRequestState, data: bytes) -> BlkUnit:
        return BlkUnit(request, self.driver, self.image, data)

    async def units(self, count: int, *, queue: int | None = None) -> None:
        """Write sectors, see them in the medium, and read them back."""
        for _ in range(count):
            sector, data = self.rng.randrange(self.image.sectors), self.rng.randbytes(BLK_SECTOR)
            await self.driver.write(sector, data, queue=self._queue(queue))
            assert self.image.sector(sector) == data, f"sector {sector} was written, but not in the medium"
            assert await self.driver.read(sector, queue=self._queue(queue)) == data

    async def draw(self, most: int, busy: Sequence[Unit]) -> BlkUnit | None:
        """A read or a write of sectors that no unit in flight touches."""
        place = self._free_range(most, busy)
        if place is None:
            return None
        sector, count = place
        queue = self.rng.choice(self.driver.queue_indexes)
        kick = self.rng.random() < 0.7
        if self.rng.random() < 0.5:
            data = self.rng.randbytes(count * BLK_SECTOR)
            return self._unit(await self.driver.submit_write(sector, data, queue=queue, kick=kick), data)
        data = self.image.sector(sector, count)
        return self._unit(await self.driver.submit_read(sector, count, queue=queue, kick=kick), data)

    def _free_range(self, most: int, busy: Sequence[Unit]) -> tuple[int, int] | None:
        while True:
            count = self.rng.randint(1, min(most, self.image.sectors))
            sector = self.rng.randrange(self.image.sectors - count + 1)
            if not any(unit.overlaps(sector, count) for unit in busy):
                return sector, count
            if len(busy) * most * 2 > self.image.sectors:
                return None

    def in_pieces(self, chain: int) -> tuple[BlkUnit, Framed]:
        """A read of one sector, the status byte in the last element."""
        sector = chain % self.image.sectors
        framed = Framed(self.driver.requests.device.ops.memory)
        header = framed.memory.alloc(HEADER)
        framed.memory.write(header.addr, pack_blk_header(BlkRequest.IN, sector))
        target = framed.memory.alloc(BLK_SECTOR + 1, high=True)
        framed.allocations += [header, target]
        framed.readable.append(Element(header.addr, HEADER))
        cuts = sorted(self.rng.sample(range(1, BLK_SECTOR + 1), chain - 2))
        for start, end in zip([0, *cuts], [*cuts, BLK_SECTOR + 1], strict=True):
            framed.writable.append(Element(target.addr + start, end - start))
        request = BlkRequestState(kind=BlkRequest.IN, sector=sector, length=BLK_SECTOR)
        return self._unit(request, self.image.sector(sector)), framed

    def longest(self, queue: Virtqueue) -> int:
        """What SEG_MAX allows beside header and status."""
        return min(queue.size, (self.driver.seg_max or 62) + 2)

    def lay(self, memory: GuestMemory, places: Sequence[int]) -> None:
        """A read of sector 0."""
        memory.write(places[0], pack_blk_header(BlkRequest.IN, 0))

    def served(self, memory: GuestMemory, places: Sequence[int]) -> bool:
        """Whether sector 0 arrived, with status OK."""
        _, data, status = places
        return memory.read(data, BLK_SECTOR) == self.image.sector(0) and memory.read(status, 1) == bytes(
            [BlkStatus.OK]
        )


def _difference(got: bytes, wanted: bytes) -> str:
    position = next((i for i, (a, b) in enumerate(zip(got, wanted, strict=False)) if a != b), None)
    if position is None:
        return f"{len(got)} bytes instead of {len(wanted)}"
    return f"byte {position} is {got[position]:#04x} instead of {wanted[position]:#04x}"
