"""What a packed ring held before: the device takes nothing of it for the driver's (virtio 1.4, 2.8.1)."""

from __future__ import annotations

from pymodel.layout import PackedDesc
from pymodel.ring.packed import PackedQueue
from pymodel.spec import DescFlag, Status
from tb.env import Env
from tb.sim_test import sim_test
from tests.sim.hostile import PATTERN, WRITE, Hostile, start_hostile, works_again
from tests.sim.malformed_rings import PACKED, packed_request

DECOY = 512
USED_BEFORE = int(DescFlag.AVAIL | DescFlag.USED)


def lay_decoys(hostile: Hostile, slots: range, state: int) -> None:
    """Put descriptors of memory that is not the device's into slots."""
    assert isinstance(hostile.queue, PackedQueue)
    memory = hostile.env.memory
    decoy = memory.alloc(DECOY)
    memory.poison(decoy, PATTERN)
    hostile.guards.append(decoy)
    for slot in slots:
        stale = PackedDesc(decoy.addr, DECOY, slot, WRITE | state)
        memory.write(hostile.queue.ring.desc_entry(slot), stale.pack())


async def is_served(env: Env, hostile: Hostile) -> None:
    """The proper list at slot 0 is used, and nothing else is touched."""
    await hostile.offer_packed(*packed_request(hostile))
    deadline = env.now_ns + 40_000
    while not hostile.was_used and env.now_ns < deadline:
        await env.delay(500)
    assert hostile.was_used
    await env.delay(2_000)
    assert hostile.was_served
    hostile.untouched()
    assert not await env.driver.pci.get_status() & Status.DEVICE_NEEDS_RESET
    await works_again(env, PACKED)


@sim_test(device=None)
async def test_used_descriptors_of_before_are_not_available(env: Env) -> None:
    """Slots with AVAIL and USED both set, as an earlier session leaves them, end what is available."""
    await env.driver.demand(PACKED)
    hostile = await start_hostile(env, PACKED)
    lay_decoys(hostile, range(3, hostile.size), USED_BEFORE)
    await is_served(env, hostile)


@sim_test(device=None)
async def test_descriptor_is_read_with_its_flags(env: Env) -> None:
    """A slot that was looked at while it was not available counts as it stands once it is."""
    await env.driver.demand(PACKED)
    hostile = await start_hostile(env, PACKED)
    lay_decoys(hostile, range(hostile.size), 0)
    await env.driver.device.notify(hostile.queue)
    await env.delay(3_000)
    await is_served(env, hostile)
