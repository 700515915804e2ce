"""Unfriendly hosts: latency, back-pressure, reordering, refused accesses."""

from __future__ import annotations

import pytest

from pymodel.driver.blk import BlkError
from pymodel.driver.errors import DeviceNeedsReset
from pymodel.spec import BLK_SECTOR, BlkStatus, Feature, feature_mask
from tb.env import Env
from tb.sim_test import sim_test


@sim_test(stress="harsh", timeout_us=5000, taps=True, device=None)
async def test_traffic_survives_a_harsh_host(env: Env) -> None:
    """Long latencies, stalled channels, reordered and interleaved answers: every byte arrives."""
    await env.driver.start(queues=3)
    await env.traffic(requests=24, depth=12)


@sim_test(stress="harsh", timeout_us=5000, device=None)
async def test_packed_traffic_survives_a_harsh_host(env: Env) -> None:
    """The same through packed rings without indirect tables."""
    await env.driver.start(features=feature_mask(Feature.RING_PACKED, Feature.EVENT_IDX))
    await env.traffic(requests=24, depth=12)


@sim_test(stress="calm", targets=("rtl",), device=None)
async def test_refused_ring_read_asks_for_reset(env: Env) -> None:
    """A host that refuses reads of the rings makes the device give up in order; a reset mends it."""
    await env.driver.start(features=0)
    queue = env.driver.device.queues[0]
    env.dma.refuse(queue.addresses[0], queue.addresses[0] + 15)
    unit = await env.begin()
    with pytest.raises(DeviceNeedsReset):
        await unit.settle()
    await env.driver.reset()
    env.dma.allow()
    await env.driver.start(features=0)
    await env.units()


@sim_test(stress="calm", targets=("rtl",))
async def test_refused_medium_ends_the_request_with_ioerr(env: Env) -> None:
    """A medium error is the request's status, not the device's end."""
    await env.driver.start()
    assert env.medium is not None
    env.medium.refuse(8 * BLK_SECTOR, 9 * BLK_SECTOR - 1)
    with pytest.raises(BlkError) as caught:
        await env.blk.read(8)
    assert caught.value.status == BlkStatus.IOERR
    assert await env.blk.read(9) == env.image.sector(9)
