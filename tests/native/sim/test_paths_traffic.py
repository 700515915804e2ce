"""Random traffic, waits, reordering and errors; run on both paths by tests/native/test_paths.py."""

from __future__ import annotations

import pytest

from pymodel.driver.errors import DeviceNeedsReset
from tb.env import Env
from tb.sim_test import sim_test


@sim_test(timeout_us=20_000, stress="any")
async def test_traffic(env: Env) -> None:
    """Reads and writes of random shape and number on random queues."""
    await env.driver.start(queues=env.rng.randint(1, 3))
    await env.traffic(requests=env.rng.randint(3, 10), depth=6, most=env.rng.randint(1, 8))


@sim_test(timeout_us=20_000, stress="any", targets=("rtl",))
async def test_traffic_into_an_error(env: Env) -> None:
    """The host refuses the descriptors while requests are in flight; then all begins anew."""
    await env.driver.start(queues=1)
    await env.traffic(requests=2, depth=2)
    queue = env.driver.device.queues[0]
    requests = [await env.blk.submit_read(env.rng.randrange(env.image.sectors)) for _ in range(2)]
    env.dma.refuse(queue.addresses[0], queue.addresses[0] + 16 * queue.size - 1)
    requests.append(await env.blk.submit_read(0))
    with pytest.raises(DeviceNeedsReset):
        await env.blk.wait_all(requests)
    await env.driver.reset()
    env.dma.allow()
    await env.driver.start(queues=1)
    await env.traffic(requests=2, depth=2)
