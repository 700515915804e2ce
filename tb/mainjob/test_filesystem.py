"""The main job: a real file system goes through the device's virtqueues, both ways."""

from __future__ import annotations

import random
from collections import deque
from pathlib import Path

from pymodel.driver.blk import BlkRequestState
from pymodel.spec import BLK_SECTOR, BlkFeature, Feature, feature_mask
from tb.env import Env
from tb.mainjob.filesystem import BLOCK, VICTIM, blocks_of, digest, files, verify
from tb.sim_test import sim_test

SECTORS_PER_REQUEST = 4
DEPTH = 16
BLK = feature_mask(BlkFeature.FLUSH, BlkFeature.MQ, BlkFeature.BLK_SIZE, BlkFeature.SEG_MAX)
PLATFORM = feature_mask(Feature.ACCESS_PLATFORM, Feature.ORDER_PLATFORM, Feature.NOTIF_CONFIG_DATA)
PLAIN_SPLIT = BLK | PLATFORM
SPLIT = PLAIN_SPLIT | feature_mask(Feature.INDIRECT_DESC, Feature.EVENT_IDX)
PACKED = SPLIT | feature_mask(Feature.RING_PACKED)


async def read_sectors(env: Env, first: int, end: int) -> bytes:
    """Read sectors `first` to `end` - 1 in order, several requests in flight, spread over the queues."""
    pulled = bytearray()
    pending: deque[BlkRequestState] = deque()
    sector = first
    while sector < end or pending:
        while sector < end and len(pending) < DEPTH:
            count = min(SECTORS_PER_REQUEST, end - sector)
            queue = sector // SECTORS_PER_REQUEST % env.blk.queue_count
            pending.append(await env.blk.submit_read(sector, count, queue=queue))
            sector += count
        pulled += await env.blk.wait(pending.popleft())
    return bytes(pulled)


@sim_test(timeout_us=100_000, stress="calm", wave_window=True)
async def test_file_system_is_read_whole(env: Env) -> None:
    """Every sector, read in two sessions with other features, gives a file system that is whole."""
    await env.driver.start(features=PLAIN_SPLIT)
    half = env.blk.capacity // 2
    pulled = await read_sectors(env, 0, half)
    await env.driver.start(features=SPLIT)
    pulled += await read_sectors(env, half, env.blk.capacity)
    image = env.folder / "pulled.img"
    image.write_bytes(pulled)
    verify(image, digest(files()))
    assert pulled == env.image.sector(0, env.image.sectors)


@sim_test(timeout_us=100_000, stress="calm", wave_window=True)
async def test_file_is_overwritten_in_place(env: Env) -> None:
    """A file's blocks written through a split and a packed ring leave a sound file system."""
    await env.driver.start(features=SPLIT)
    before = saved(env, "before.img")
    content = files()
    content[VICTIM] = random.Random(env.seed).randbytes(len(content[VICTIM]))
    blocks = blocks_of(before, VICTIM)
    with env.waves():
        await write_block(env, blocks[0], content[VICTIM][:BLOCK])
    await env.driver.start(features=PACKED)
    for index, block in enumerate(blocks[1:], start=1):
        await write_block(env, block, content[VICTIM][index * BLOCK : (index + 1) * BLOCK])
    await env.blk.flush()
    verify(saved(env, "after.img"), digest(content))


async def write_block(env: Env, block: int, data: bytes) -> None:
    """Write one block of the file system."""
    await env.blk.write(block * (BLOCK // BLK_SECTOR), data)


def saved(env: Env, name: str) -> Path:
    """Save the medium as it is now beside the test's results."""
    path = env.folder / name
    env.image.save(path)
    return path
