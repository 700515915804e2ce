"""Virtqueues: full, wrapping, and chains of every length."""

from __future__ import annotations

import struct

from pymodel.driver.blk import BlkRequestState, VirtioBlk
from pymodel.driver.framing import Framed
from pymodel.driver.interrupts import InterruptMode
from pymodel.layout import SplitDesc, pack_blk_header
from pymodel.ring.base import Element
from pymodel.ring.split import SplitQueue
from pymodel.spec import BLK_SECTOR, BlkFeature, BlkRequest, DescFlag, Feature, feature_mask
from tb.env import Env
from tb.sim_test import sim_test

SIZE = 16


def read_in_pieces(env: Env, blk: VirtioBlk, sector: int, chain: int) -> tuple[BlkRequestState, Framed]:
    """Frame a read of one sector as a chain of `chain` elements, at least two."""
    framed = Framed(env.memory)
    header = env.memory.alloc(16)
    env.memory.write(header.addr, pack_blk_header(BlkRequest.IN, sector))
    target = env.memory.alloc(BLK_SECTOR + 1, high=True)
    framed.allocations += [header, target]
    framed.readable.append(Element(header.addr, 16))
    cuts = sorted(env.rng.sample(range(1, BLK_SECTOR + 1), chain - 2))
    for start, end in zip([0, *cuts], [*cuts, BLK_SECTOR + 1], strict=True):
        framed.writable.append(Element(target.addr + start, end - start))
    return BlkRequestState(kind=BlkRequest.IN, sector=sector, length=BLK_SECTOR), framed


async def read_as_chain(env: Env, chain: int, indirect: int | None) -> bytes:
    """Read a sector through a chain of that many elements."""
    request, framed = read_in_pieces(env, env.blk, chain % env.image.sectors, chain)
    await env.blk.requests.add(request, framed, indirect, kick=True)
    return await env.blk.wait(request)


async def read_by_all_lengths(env: Env, features: int, indirect: int | None) -> None:
    """Read through chains of 2 elements up to the queue size (or what SEG_MAX allows)."""
    blk = await env.driver.start(features=features, queue_size=64)
    longest = min(env.driver.device.queues[0].size, (blk.seg_max or 62) + 2)
    for chain in (*range(2, 12), longest // 2, longest - 1, longest):
        assert await read_as_chain(env, chain, indirect) == env.image.sector(chain)


@sim_test()
async def test_chains_of_every_length_split(env: Env) -> None:
    """Direct chains of 2 descriptors up to the queue size."""
    await read_by_all_lengths(env, feature_mask(BlkFeature.SEG_MAX), None)


@sim_test()
async def test_chains_of_every_length_packed(env: Env) -> None:
    """The same in a packed ring."""
    await read_by_all_lengths(env, feature_mask(BlkFeature.SEG_MAX, Feature.RING_PACKED), None)


@sim_test()
async def test_indirect_tables_of_every_length_split(env: Env) -> None:
    """Chains of one descriptor: an indirect table of 2 entries up to the queue size."""
    await read_by_all_lengths(env, feature_mask(BlkFeature.SEG_MAX, Feature.INDIRECT_DESC), 0)


@sim_test()
async def test_indirect_tables_of_every_length_packed(env: Env) -> None:
    """The same in a packed ring."""
    features = feature_mask(BlkFeature.SEG_MAX, Feature.INDIRECT_DESC, Feature.RING_PACKED)
    await read_by_all_lengths(env, features, 0)


async def fill_and_drain(env: Env, features: int, rounds: int) -> None:
    """Make a whole queue of requests available at once, several times over."""
    await env.driver.start(features=features, queue_size=SIZE)
    queue = env.driver.device.queues[0]
    for number in range(rounds):
        requests = [await env.blk.submit_read((number + n) % 256, kick=False) for n in range(queue.size)]
        assert queue.free_count == 0
        await env.blk.requests.kick_all()
        wanted = [env.image.sector(request.sector) for request in requests]
        assert await env.blk.wait_all(requests) == wanted


@sim_test(stress="calm")
async def test_full_ring_is_drained_split(env: Env) -> None:
    """As many indirect requests as the queue has descriptors, available at once."""
    await fill_and_drain(env, feature_mask(Feature.INDIRECT_DESC), rounds=3)


@sim_test(stress="calm")
async def test_full_ring_is_drained_packed(env: Env) -> None:
    """The same in a packed ring, over its wrap."""
    await fill_and_drain(env, feature_mask(Feature.INDIRECT_DESC, Feature.RING_PACKED), rounds=3)


@sim_test(timeout_us=3000)
async def test_small_ring_wraps_under_traffic(env: Env) -> None:
    """Traffic through a ring of 16 that wraps many times, with requests waiting for free descriptors."""
    await env.driver.start(queue_size=SIZE, queues=1)
    await env.traffic(requests=60)


@sim_test(stress="calm")
async def test_first_buffer_of_every_session_interrupts(env: Env) -> None:
    """What was announced in the session before does not count in the next one."""
    for packed in (0, feature_mask(Feature.RING_PACKED)):
        for _ in range(3):
            await env.driver.start(features=feature_mask(Feature.EVENT_IDX) | packed, queues=1)
            assert await env.blk.read(3) == env.image.sector(3)
            await env.driver.reset()


@sim_test(stress="calm")
async def test_in_order_from_the_first_buffer_on(env: Env) -> None:
    """With IN_ORDER the first buffer of a session comes back first, also where a second one follows it."""
    await env.driver.start(features=feature_mask(Feature.IN_ORDER), queues=1)
    requests = []
    for sector in (1, 2, 3):
        requests.append(await env.blk.submit_read(sector))
        await env.delay(2_000)
    assert await env.blk.wait_all(requests) == [env.image.sector(sector) for sector in (1, 2, 3)]


@sim_test(timeout_us=3000)
async def test_long_tables_side_by_side(env: Env) -> None:
    """Several indirect tables of nearly the queue size, made available at once."""
    for packed in (0, feature_mask(Feature.RING_PACKED)):
        wanted = feature_mask(BlkFeature.SEG_MAX, Feature.INDIRECT_DESC) | packed
        await env.driver.start(features=wanted, queue_size=64, queues=1)
        requests = []
        for sector in range(6):
            request, framed = read_in_pieces(env, env.blk, sector, 60)
            await env.blk.requests.add(request, framed, 0, kick=False)
            requests.append(request)
        await env.blk.requests.kick_all()
        assert await env.blk.wait_all(requests) == [env.image.sector(sector) for sector in range(6)]
        await env.driver.reset()


@sim_test(stress="calm")
async def test_buffer_added_under_way_is_announced_later(env: Env) -> None:
    """A buffer added while the device is awake, and made available when it sleeps, calls for a doorbell."""
    for features in (0, feature_mask(Feature.EVENT_IDX)):
        await env.driver.start(features=features, queues=1)
        for sector in range(4):
            first = await env.blk.submit_read(sector)
            second = await env.blk.submit_read(sector + 8, kick=False)
            assert await env.blk.wait(first) == env.image.sector(sector)
            await env.delay(3_000)
            await env.blk.requests.kick_all()
            assert await env.blk.wait(second) == env.image.sector(sector + 8)
        await env.driver.reset()


class Flushes:
    """A split queue of 256 whose table holds 128 flush requests for good: a round costs 256 bytes."""

    def __init__(self, env: Env) -> None:
        queue = env.driver.device.queues[0]
        assert isinstance(queue, SplitQueue)
        self.env, self.queue, self.offered = env, queue, 0
        self.requests = queue.size // 2
        headers = env.memory.alloc(16 * self.requests).addr
        self.status = env.memory.alloc(self.requests).addr
        env.memory.write(headers, pack_blk_header(BlkRequest.FLUSH, 0) * self.requests)
        for number in range(self.requests):
            rows = (
                SplitDesc(headers + 16 * number, 16, DescFlag.NEXT, 2 * number + 1),
                SplitDesc(self.status + number, 1, DescFlag.WRITE, 0),
            )
            for place, row in enumerate(rows):
                env.memory.write(queue.ring.desc_entry(2 * number + place), row.pack())

    async def round(self) -> None:
        """Make all of them available in any order and wait until each was used once, with status OK."""
        memory, ring, count = self.env.memory, self.queue.ring, self.requests
        heads = [2 * number for number in range(count)]
        self.env.rng.shuffle(heads)
        memory.write(self.status, b"\xff" * count)
        memory.write(ring.avail_entry(self.offered), struct.pack(f"<{count}H", *heads))
        self.offered += count
        memory.write_int(ring.avail_idx, 2, self.offered % 0x10000)
        await self.env.driver.device.notify(self.queue)
        while memory.read_int(ring.used_idx, 2) != self.offered % 0x10000:
            await self.env.delay(200)
        used = memory.read(ring.used_entry(self.offered - count), 8 * count)
        assert sorted(struct.unpack(f"<{2 * count}I", used)[::2]) == sorted(heads)
        assert memory.read(self.status, count) == bytes(count)


@sim_test(timeout_us=20_000, stress="calm", long=True, targets=("rtl",))
async def test_ring_index_wraps_past_65535(env: Env) -> None:
    """The free-running indexes of a split ring go through 65535 to 0 with nothing lost."""
    await env.driver.start(
        features=feature_mask(BlkFeature.FLUSH), queue_size=256, queues=1, mode=InterruptMode.POLL
    )
    flushes = Flushes(env)
    while flushes.offered < 0x10000 + 2 * flushes.requests:
        await flushes.round()
