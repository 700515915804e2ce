"""The RTL's throughput in clock cycles, in steady state, over a memory that answers after 250 cycles.

The driver is the reference driver without randomness; its own work takes no simulated time, and it looks
every 25 cycles, so the ring of 256 is as full as the device lets it be. Interrupts are off.

A "64-byte buffer" is one descriptor of 64 device-writable bytes, all of which the device writes: what an
entropy device is asked for (virtio 1.4, 5.4), on the front end, ring engine and DMA initiator that the
block device has. A block request cannot be that: it has a header to read and a status byte to write, so
two descriptors and a read of its own. By Little's law 32 reads in flight of 250 cycles are one read in
7.8 cycles. A small block request costs, beside what is read in batches (16 descriptors, 32 available
ring entries), its header; and on the split ring, where the second descriptor of a chain is known only
from the first, and neither is another chain's neighbour, a read each for both of them. That bounds it
to 23.4 cycles on split and to 7.8 on packed, whatever the RTL does; these two are measured as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from pymodel.driver.interrupts import InterruptMode
from pymodel.layout import pack_blk_header
from pymodel.ring.base import Element, RingFull, Virtqueue
from pymodel.spec import BLK_SECTOR, BlkRequest, BlkStatus, Feature, feature_mask
from tb.env import Env
from tb.sim_test import sim_test

QUEUE_SIZE = 256
HEADER, STATUS = 16, 1
SMALL = 64
LARGE = 4096
BEAT = 32
CYCLE_NS = 4
UNASSIGNED = 0x400
LOOK_NS = 25 * CYCLE_NS

PACKED = feature_mask(Feature.RING_PACKED)

Chain = tuple[list[Element], list[Element]]


@dataclass
class Rate:
    """A queue that is kept full, and when how many buffers were used."""

    env: Env
    queue: Virtqueue
    chain: Callable[[int], Chain]
    posted: int = 0
    used: int = 0

    def _refill(self, total: int) -> None:
        try:
            while self.posted < total:
                self.queue.add_chain(*self.chain(self.posted))
                self.posted += 1
        except RingFull:
            return

    async def cycles(self, total: int) -> float:
        """Return cycles a buffer, over the second and third quarter of `total` buffers."""
        start, marks = total // 4, []
        while self.used < total:
            self._refill(total)
            await self.env.driver.device.kick(self.queue)
            await self.env.delay(LOOK_NS)
            while self.queue.get_used():
                self.used += 1
            if start <= self.used <= 3 * start:
                marks.append((self.env.now_ns, self.used))
            assert self.env.now_ns < 10**7, f"{self.used} of {total} buffers in 10 ms"
        (since, first), (until, last) = marks[0], marks[-1]
        return (until - since) / CYCLE_NS / (last - first)


async def bring_up(env: Env, features: int, chain: Callable[[int], Chain]) -> Rate:
    """Start a session that polls one queue of 256."""
    env.driver.pci.style.rng = None
    await env.driver.start(features, queues=1, queue_size=QUEUE_SIZE, mode=InterruptMode.POLL)
    return Rate(env, env.driver.device.queues[0], chain)


def places(env: Env, length: int) -> list[int]:
    """Memory of that length for every buffer that can be in flight."""
    start = env.memory.alloc(length * QUEUE_SIZE, 4096).addr
    return [start + length * number for number in range(QUEUE_SIZE)]


async def buffers(env: Env, features: int) -> float:
    """Cycles for a device-writable buffer of 64 bytes in one descriptor."""
    slots = places(env, SMALL)
    env.driver.pci.style.rng = None
    await env.driver.start(features, queue_size=QUEUE_SIZE, mode=InterruptMode.POLL)

    def chain(number: int) -> Chain:
        return [], [Element(slots[number % QUEUE_SIZE], SMALL)]

    cycles = await Rate(env, env.driver.device.queues[0], chain).cycles(16 * QUEUE_SIZE)
    found = {env.memory.read(slot + part, 8) for slot in slots for part in range(0, SMALL, 8)}
    assert len(found) == QUEUE_SIZE * SMALL // 8, "a buffer was not filled"
    return cycles


async def small(env: Env, features: int) -> float:
    """Cycles for a block request of 64 bytes in two descriptors: 16 bytes to the device, 48 from it.

    The standard has no block request of that size: an unassigned type carries it, which the device
    answers with UNSUPP.
    """
    slots = places(env, SMALL)
    for slot in slots:
        env.memory.write(slot, pack_blk_header(UNASSIGNED, 0))

    def chain(number: int) -> Chain:
        slot = slots[number % QUEUE_SIZE]
        return [Element(slot, HEADER)], [Element(slot + HEADER, SMALL - HEADER)]

    cycles = await (await bring_up(env, features, chain)).cycles(4000)
    assert all(env.memory.read(slot + SMALL - 1, STATUS)[0] == BlkStatus.UNSUPP for slot in slots)
    return cycles


async def large(env: Env, kind: BlkRequest) -> float:
    """Share of the cycles in which a data beat of a 4 KiB request moves, in its direction."""
    headers, data = places(env, BEAT), places(env, LARGE)
    sectors = LARGE // BLK_SECTOR
    for number, header in enumerate(headers):
        content = pack_blk_header(kind, number % (env.image.sectors // sectors) * sectors)
        env.memory.write(header, content)

    def chain(number: int) -> Chain:
        header, place = headers[number % QUEUE_SIZE], Element(data[number % QUEUE_SIZE], LARGE)
        head, end = Element(header, HEADER), Element(header + HEADER, STATUS)
        return ([head, place], [end]) if kind == BlkRequest.OUT else ([head], [place, end])

    cycles = await (await bring_up(env, 0, chain)).cycles(400)
    assert all(env.memory.read(header + HEADER, STATUS)[0] == BlkStatus.OK for header in headers)
    return LARGE / BEAT / cycles


def write_down(env: Env, **figures: float) -> None:
    """Leave figures in the test's folder."""
    (env.folder / "figures.json").write_text(json.dumps(figures))


@sim_test(timeout_us=20_000, stress="distant", targets=("rtl",), device="entropy")
async def test_split(env: Env) -> None:
    """64-byte buffers through a split ring."""
    write_down(env, split_64B_cycles=await buffers(env, 0))


@sim_test(timeout_us=20_000, stress="distant", targets=("rtl",), device="entropy")
async def test_packed(env: Env) -> None:
    """64-byte buffers through a packed ring."""
    write_down(env, packed_64B_cycles=await buffers(env, PACKED))


@sim_test(timeout_us=20_000, stress="distant", targets=("rtl",))
async def test_small_requests_split(env: Env) -> None:
    """Block requests of 64 bytes through a split ring."""
    write_down(env, blk_small_split_cycles=await small(env, 0))


@sim_test(timeout_us=20_000, stress="distant", targets=("rtl",))
async def test_small_requests_packed(env: Env) -> None:
    """Block requests of 64 bytes through a packed ring."""
    write_down(env, blk_small_packed_cycles=await small(env, PACKED))


@sim_test(timeout_us=20_000, stress="distant", targets=("rtl",))
async def test_large_writes(env: Env) -> None:
    """4 KiB from guest memory to the medium."""
    write_down(env, blk_4KiB_out_share=await large(env, BlkRequest.OUT))


@sim_test(timeout_us=20_000, stress="distant", targets=("rtl",))
async def test_large_reads(env: Env) -> None:
    """4 KiB from the medium to guest memory."""
    write_down(env, blk_4KiB_in_share=await large(env, BlkRequest.IN))
