"""A device that goes astray in memory; run on both paths by tests/native/test_planted.py.

The device is honest: what it sees in memory is not what the driver wrote, for the driver's stores below
leave no event. So it does just what one with a bug in its descriptor handling would do.
"""

from __future__ import annotations

from pymodel.layout import pack_blk_header
from pymodel.spec import BlkRequest, DescFlag
from tb.env import Env
from tb.sim_test import sim_test


def unseen(env: Env, addr: int, data: bytes) -> None:
    """Change guest memory behind the bench's back."""
    for region in env.memory.regions:
        if region.base <= addr < region.end:
            region.view[addr - region.base : addr - region.base + len(data)] = data


async def started(env: Env) -> int:
    """Bring one plain split queue up; its descriptor table's address."""
    await env.driver.start(features=0, queues=1)
    return env.driver.device.queues[0].addresses[0]


@sim_test(stress="calm", targets=("rtl",))
async def test_stray_write(env: Env) -> None:
    """Descriptor 1 leads elsewhere."""
    table = await started(env)
    elsewhere = env.memory.alloc(512, 16)
    request = await env.blk.submit_read(3, kick=False)
    unseen(env, table + 16, elsewhere.addr.to_bytes(8, "little"))
    await env.blk.requests.kick_all()
    await env.blk.wait(request)


@sim_test(stress="calm", targets=("rtl",))
async def test_read_of_freed_memory(env: Env) -> None:
    """Descriptor 1 leads to memory that was given back."""
    table = await started(env)
    request = await env.blk.submit_write(4, env.rng.randbytes(512), kick=False)
    freed = env.memory.alloc(512, 16)
    env.memory.free(freed)
    unseen(env, table + 16, freed.addr.to_bytes(8, "little"))
    await env.blk.requests.kick_all()
    await env.blk.wait(request)


@sim_test(stress="calm", targets=("rtl",))
async def test_write_into_a_read_only_buffer(env: Env) -> None:
    """A write becomes a read: the buffer that the device shall read is written."""
    table = await started(env)
    request = await env.blk.submit_write(3, bytes(512), kick=False)
    header = int.from_bytes(env.memory.read(table, 8), "little")
    unseen(env, header, pack_blk_header(BlkRequest.IN, 3))
    unseen(env, table + 16 + 12, (DescFlag.NEXT | DescFlag.WRITE).to_bytes(2, "little"))
    await env.blk.requests.kick_all()
    await env.blk.wait(request)
