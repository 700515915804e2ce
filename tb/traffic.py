"""Random block traffic: reads and writes in flight on all queues, every byte checked."""

from __future__ import annotations

import random

from pymodel.driver.blk import BlkRequestState, VirtioBlk
from pymodel.spec import BLK_SECTOR, BlkRequest
from tb.image import Image


class Traffic:
    """Keeps up to `depth` requests in flight whose sectors do not overlap.

    A read must return what the medium held, a write must be in the medium once it is done. A request
    that was lost in a queue reset is forgotten.
    """

    def __init__(
        self, blk: VirtioBlk, image: Image, rng: random.Random, *, depth: int, most_sectors: int
    ) -> None:
        self._blk = blk
        self._image = image
        self._rng = rng
        self._depth = depth
        self._most = most_sectors
        self._open: list[tuple[BlkRequestState, int, bytes]] = []
        self.done = 0

    async def run(self, requests: int, *, finish: bool) -> None:
        """Submit `requests` requests; with `finish` wait for all of them."""
        for _ in range(requests):
            while len(self._open) >= self._depth:
                await self._settle()
            await self._submit()
        while finish and self._open:
            await self._settle()

    async def _submit(self) -> None:
        sector, count = await self._free_range()
        queue = self._rng.choice(self._blk.queue_indexes)
        kick = self._rng.random() < 0.7
        if self._rng.random() < 0.5:
            data = self._rng.randbytes(count * BLK_SECTOR)
            request = await self._blk.submit_write(sector, data, queue=queue, kick=kick)
        else:
            data = self._image.sector(sector, count)
            request = await self._blk.submit_read(sector, count, queue=queue, kick=kick)
        self._open.append((request, count, data))

    async def _free_range(self) -> tuple[int, int]:
        """Draw a range of sectors that no request in flight touches."""
        while True:
            count = self._rng.randint(1, min(self._most, self._image.sectors))
            sector = self._rng.randrange(self._image.sectors - count + 1)
            if all(
                sector + count <= other.sector or other.sector + length <= sector
                for other, length, _ in self._open
            ):
                return sector, count
            if len(self._open) * self._most * 2 > self._image.sectors:
                await self._settle()

    async def _settle(self) -> None:
        """Wait for the oldest request and check it."""
        request, count, data = self._open.pop(0)
        if request.lost:
            return
        await self._blk.requests.kick_all()
        got = await self._blk.wait(request)
        if request.kind == BlkRequest.OUT:
            got = self._image.sector(request.sector, count)
        assert got == data, (
            f"sectors {request.sector}..{request.sector + count - 1}: {_difference(got, data)}"
        )
        self.done += 1


def _difference(got: bytes, wanted: bytes) -> str:
    position = next((i for i, (a, b) in enumerate(zip(got, wanted, strict=False)) if a != b), None)
    if position is None:
        return f"{len(got)} bytes instead of {len(wanted)}"
    return f"byte {position} is {got[position]:#04x} instead of {wanted[position]:#04x}"
