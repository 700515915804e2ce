"""DISCARD and WRITE_ZEROES (virtio 1.4, 5.2.6)."""

from __future__ import annotations

import struct

from pymodel.spec import BLK_SECTOR, BlkFeature, BlkRequest, BlkStatus, feature_mask
from tb.env import Env
from tb.sim_test import sim_test

UNMAP = 1


async def range_status(env: Env, kind: int, sector: int, count: int, flags: int = 0) -> int:
    """Send a request of one range and return its status."""
    request = await env.blk.submit(kind, data=struct.pack("<QII", sector, count, flags))
    await env.blk.requests.wait(request)
    return request.status


@sim_test(timeout_us=3000)
async def test_zeroed_sectors_read_as_zeroes(env: Env) -> None:
    """WRITE_ZEROES zeroes its range, with and without leave to unmap, and nothing beside it."""
    await env.driver.start(features=feature_mask(BlkFeature.WRITE_ZEROES))
    before = env.image.sector(9, 7)
    assert await range_status(env, BlkRequest.WRITE_ZEROES, 10, 3) == BlkStatus.OK
    assert await range_status(env, BlkRequest.WRITE_ZEROES, 13, 2, UNMAP) == BlkStatus.OK
    after = await env.blk.read(9, 7)
    assert after == before[:BLK_SECTOR] + bytes(5 * BLK_SECTOR) + before[-BLK_SECTOR:]


@sim_test(timeout_us=3000)
async def test_flags_that_a_range_must_not_have_are_unsupported(env: Env) -> None:
    """Unknown flags, and unmap in DISCARD, end with UNSUPP and change nothing."""
    await env.driver.start(features=feature_mask(BlkFeature.WRITE_ZEROES, BlkFeature.DISCARD))
    before = env.image.sector(20, 4)
    assert await range_status(env, BlkRequest.WRITE_ZEROES, 20, 4, 1 << 31) == BlkStatus.UNSUPP
    assert await range_status(env, BlkRequest.DISCARD, 20, 4, 2) == BlkStatus.UNSUPP
    with env.expect("DRV-BLK-024"):
        assert await range_status(env, BlkRequest.DISCARD, 20, 4, UNMAP) == BlkStatus.UNSUPP
    assert env.image.sector(20, 4) == before


@sim_test(timeout_us=3000)
async def test_range_may_end_with_the_medium_but_not_beyond(env: Env) -> None:
    """The last sectors can be discarded and zeroed; one more is an error and changes nothing."""
    await env.driver.start(features=feature_mask(BlkFeature.WRITE_ZEROES, BlkFeature.DISCARD))
    end = env.image.sectors
    last = env.image.sector(end - 1)
    assert await range_status(env, BlkRequest.WRITE_ZEROES, end - 1, 2) == BlkStatus.IOERR
    assert await range_status(env, BlkRequest.DISCARD, end - 1, 2) == BlkStatus.IOERR
    assert env.image.sector(end - 1) == last
    assert await range_status(env, BlkRequest.DISCARD, end - 2, 2) == BlkStatus.OK
    assert await range_status(env, BlkRequest.WRITE_ZEROES, end - 1, 1) == BlkStatus.OK
    assert env.image.sector(end - 1) == bytes(BLK_SECTOR)


@sim_test(timeout_us=3000)
async def test_requests_that_were_not_negotiated_are_unsupported(env: Env) -> None:
    """A driver that declined both features gets UNSUPP for both requests."""
    await env.driver.start(features=0)
    before = env.image.sector(30)
    assert await range_status(env, BlkRequest.WRITE_ZEROES, 30, 1) == BlkStatus.UNSUPP
    assert await range_status(env, BlkRequest.DISCARD, 30, 1) == BlkStatus.UNSUPP
    assert env.image.sector(30) == before
