"""Malformed rings: the device neither hangs nor touches foreign memory, and a reset brings it back."""

from __future__ import annotations

from collections.abc import Sequence

from pymodel.spec import Status
from tb.env import Env
from tb.sim_test import sim_test
from tests.sim.hostile import needs_reset, start_hostile, works_again
from tests.sim.malformed_rings import (
    PACKED,
    PACKED_LISTS,
    PACKED_TABLES,
    SPLIT_CHAINS,
    SPLIT_INDEXES,
    SPLIT_TABLES,
    TABLES,
    Case,
    packed_request,
    split_request,
)
from tests.sim.messes import ring


async def suffer(env: Env, cases: Sequence[Case]) -> None:
    """Give the device each malformed ring in a session of its own, where it can be asked for one."""
    await env.driver.discover()
    kind = env.driver.device.device_type
    reads, offered = not env.work.parts[0].writable, await env.driver.offered()
    forms = await env.driver.forms(*(case.features for case in cases))
    for case in cases:
        if case.features not in forms or case.device not in (None, kind):
            continue
        name, features = case.build.__name__, case.features | case.may & offered
        env.note(name)
        with env.expect(*case.clauses, *(case.readable if reads else case.unread)):
            hostile = await start_hostile(env, features)
            await case.build(hostile)
            gave_up = await needs_reset(env)
        was_used = hostile.was_used
        hostile.untouched()
        await works_again(env, features)
        # Devices that only write take what they can: nothing in the standard has them look for the fault.
        fatal = case.fatal and reads
        assert gave_up or (was_used and not fatal), f"{name}: no DEVICE_NEEDS_RESET"


@sim_test(timeout_us=20_000, device=None)
async def test_split_chains(env: Env) -> None:
    """Loops, next fields outside the table, elements in the wrong order, of no length, nowhere, missing."""
    await suffer(env, SPLIT_CHAINS)


@sim_test(timeout_us=20_000, device=None)
async def test_split_indexes(env: Env) -> None:
    """Heads outside the table and an avail.idx that jumps by more than the queue size."""
    await suffer(env, SPLIT_INDEXES)


@sim_test(timeout_us=20_000, device=None)
async def test_split_tables(env: Env) -> None:
    """Indirect tables that loop, are nested, mis-sized, linked, too long, or not negotiated."""
    await suffer(env, SPLIT_TABLES)


@sim_test(timeout_us=20_000, device=None)
async def test_packed_lists(env: Env) -> None:
    """Lists longer than the ring, without an end, in the wrong order, with a wild id."""
    await suffer(env, PACKED_LISTS)


@sim_test(timeout_us=20_000, device=None)
async def test_packed_tables(env: Env) -> None:
    """Packed indirect tables that are nested, mis-sized, linked, or not negotiated."""
    await suffer(env, PACKED_TABLES)


@sim_test(timeout_us=5_000, device=None)
async def test_doorbells_to_absent_queues_change_nothing(env: Env) -> None:
    """Doorbells whose value names no queue, or one that is not enabled, are ignored."""
    await env.driver.start(features=0, queues=1)
    pci = env.driver.pci
    count = await pci.read_common("num_queues")
    absent = [count - 1] if count > 1 else []
    with env.expect("DRV-NOTIF-003"):
        await ring(env, *absent, count, 0x7FFF, 0xFFFF)
    await env.delay(2_000)
    assert not await pci.get_status() & Status.DEVICE_NEEDS_RESET
    await env.traffic(requests=6)


@sim_test(timeout_us=10_000, stress="calm", targets=("rtl",), device=None)
async def test_refused_dma(env: Env) -> None:
    """A host that refuses what every buffer needs, of the queue or of the buffer: a reset brings all back.

    Over PCIe nobody tells the device of a write that was refused: there only reads are.
    """
    offered = await env.driver.offered()
    for features in await env.driver.forms(TABLES & offered, PACKED | TABLES):
        parts = 2 if features & PACKED else 3
        for part in range(parts + 3):
            hostile = await start_hostile(env, features)
            places = (*hostile.queue.addresses[:parts], *hostile.places)
            written = [place for place, write in zip(hostile.places, hostile.writes, strict=True) if write]
            if env.dma.posted and places[part] in (hostile.queue.addresses[2], *written):
                continue
            env.dma.refuse(places[part], places[part] + 3)
            if features & PACKED:
                await hostile.offer_packed(*packed_request(hostile))
            else:
                await hostile.offer_split(*split_request(hostile))
            assert await needs_reset(env), f"part {part} with {features:#x} was refused"
            env.dma.allow()
            hostile.untouched()
            await works_again(env, features)
