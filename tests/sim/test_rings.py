"""Virtqueues: full, wrapping, and chains of every length."""

from __future__ import annotations

import struct

from pymodel.driver.interrupts import InterruptMode
from pymodel.layout import SplitDesc, pack_blk_header
from pymodel.ring.split import SplitQueue
from pymodel.spec import BlkFeature, BlkRequest, DescFlag, DeviceType, Feature, feature_mask
from tb.env import Env
from tb.sim_test import sim_test

SIZE = 16


async def long_chains(env: Env) -> int:
    """The features that tell how long a chain may be, where the type has such and the device offers them."""
    offered = await env.driver.offered()
    blk = env.driver.device.device_type == DeviceType.BLK
    return feature_mask(BlkFeature.SEG_MAX) & offered if blk else 0


async def all_lengths(env: Env, features: int, indirect: int | None) -> None:
    """Work through chains of the fewest elements up to the queue size (or what the device says it takes)."""
    await env.driver.demand(features)
    bound = await env.driver.start(features | await long_chains(env), queue_size=64)
    work = env.work
    longest = work.longest(env.driver.device.queues[0])
    for chain in (*range(work.shortest, 12), longest // 2, longest - 1, longest):
        if chain <= longest:
            unit, framed = work.in_pieces(chain)
            await bound.requests.add(unit.request, framed, indirect, kick=True)
            await unit.settle()


@sim_test(device=None)
async def test_chains_of_every_length_split(env: Env) -> None:
    """Direct chains of the fewest descriptors up to the queue size."""
    await all_lengths(env, 0, None)


@sim_test(device=None)
async def test_chains_of_every_length_packed(env: Env) -> None:
    """The same in a packed ring."""
    await all_lengths(env, feature_mask(Feature.RING_PACKED), None)


@sim_test(device=None)
async def test_indirect_tables_of_every_length_split(env: Env) -> None:
    """Chains of one descriptor: an indirect table of the fewest entries up to the queue size."""
    await all_lengths(env, feature_mask(Feature.INDIRECT_DESC), 0)


@sim_test(device=None)
async def test_indirect_tables_of_every_length_packed(env: Env) -> None:
    """The same in a packed ring."""
    await all_lengths(env, feature_mask(Feature.INDIRECT_DESC, Feature.RING_PACKED), 0)


async def fill_and_drain(env: Env, features: int, rounds: int) -> None:
    """Make a whole queue of requests available at once, several times over."""
    await env.driver.demand(features)
    bound = await env.driver.start(features=features, queue_size=SIZE)
    queue = env.driver.device.queues[0]
    for _ in range(rounds):
        units = [await env.begin(kick=False) for _ in range(queue.size)]
        assert queue.free_count == 0
        await bound.requests.kick_all()
        for unit in units:
            await unit.settle()


async def one_descriptor(env: Env) -> int:
    """The features with which a plain request takes one descriptor."""
    await env.driver.discover()
    return feature_mask(Feature.INDIRECT_DESC) if env.work.shortest > 1 else 0


@sim_test(stress="calm", device=None)
async def test_full_ring_is_drained_split(env: Env) -> None:
    """As many requests of one descriptor as the queue has, available at once."""
    await fill_and_drain(env, await one_descriptor(env), rounds=3)


@sim_test(stress="calm", device=None)
async def test_full_ring_is_drained_packed(env: Env) -> None:
    """The same in a packed ring, over its wrap."""
    await fill_and_drain(env, await one_descriptor(env) | feature_mask(Feature.RING_PACKED), rounds=3)


@sim_test(timeout_us=3000, device=None)
async def test_small_ring_wraps_under_traffic(env: Env) -> None:
    """Traffic through a ring of 16 that wraps many times, with requests waiting for free descriptors."""
    await env.driver.start(queue_size=SIZE, queues=1)
    await env.traffic(requests=60)


@sim_test(stress="calm", device=None)
async def test_first_buffer_of_every_session_interrupts(env: Env) -> None:
    """What was announced in the session before does not count in the next one."""
    events = feature_mask(Feature.EVENT_IDX) & await env.driver.offered()
    for features in await env.driver.forms(events, events | feature_mask(Feature.RING_PACKED)):
        for _ in range(3):
            await env.driver.start(features=features, queues=1)
            await (await env.begin()).settle()
            await env.driver.reset()


@sim_test(stress="calm", device=None)
async def test_in_order_from_the_first_buffer_on(env: Env) -> None:
    """With IN_ORDER the first buffer of a session comes back first, also where a second one follows it."""
    await env.driver.demand(feature_mask(Feature.IN_ORDER))
    await env.driver.start(features=feature_mask(Feature.IN_ORDER), queues=1)
    units = []
    for _ in range(3):
        units.append(await env.begin())
        await env.delay(2_000)
    for unit in units:
        await unit.settle()


@sim_test(timeout_us=3000, device=None)
async def test_long_tables_side_by_side(env: Env) -> None:
    """Several indirect tables of nearly the queue size, made available at once."""
    tables = feature_mask(Feature.INDIRECT_DESC)
    for features in await env.driver.forms(tables, tables | feature_mask(Feature.RING_PACKED)):
        bound = await env.driver.start(features | await long_chains(env), queue_size=64, queues=1)
        chain = min(60, env.work.longest(env.driver.device.queues[0]))
        units = []
        for _ in range(6):
            unit, framed = env.work.in_pieces(chain)
            await bound.requests.add(unit.request, framed, 0, kick=False)
            units.append(unit)
        await bound.requests.kick_all()
        for unit in units:
            await unit.settle()
        await env.driver.reset()


@sim_test(stress="calm", device=None)
async def test_buffer_added_under_way_is_announced_later(env: Env) -> None:
    """A buffer added while the device is awake, and made available when it sleeps, calls for a doorbell."""
    for features in await env.driver.forms(0, feature_mask(Feature.EVENT_IDX)):
        bound = await env.driver.start(features=features, queues=1)
        for _ in range(4):
            first, second = await env.begin(), await env.begin(kick=False)
            await first.settle()
            await env.delay(3_000)
            await bound.requests.kick_all()
            await second.settle()
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
