"""The entropy device (virtio 1.4, 5.4): `virtio-cosim run --dut hdl/rng.toml`."""

from __future__ import annotations

from pymodel.driver.entropy import VirtioEntropy
from pymodel.ring.base import Element
from pymodel.spec import Feature, feature_mask
from tb.env import Env
from tb.sim_test import sim_test
from tests.sim.hostile import needs_reset

PACKED = feature_mask(Feature.RING_PACKED)
EVERYTHING = -1


async def take(env: Env, entropy: VirtioEntropy, requests: int) -> set[bytes]:
    """Take random bytes in requests of many lengths; return the first 16 of each that has so many."""
    lengths = [env.rng.choice((1, 16, 64, env.rng.randint(16, 300), 5000)) for _ in range(requests)]
    open_ = [(length, await entropy.submit(length, kick=env.rng.random() < 0.6)) for length in lengths]
    await entropy.requests.kick_all()
    found = []
    for length, request in open_:
        data = await entropy.wait(request)
        # The device may write less than the whole buffer (5.4.6.2).
        assert 1 <= len(data) <= length
        if len(data) >= 16:
            found.append(data[:16])
    assert len(found) == len(set(found)), "two requests got the same bytes"
    return set(found)


@sim_test(timeout_us=8_000, device="entropy")
async def test_every_request_gets_other_bytes(env: Env) -> None:
    """Requests of 1 byte to more than a page, on both ring formats, with and without the features."""
    found: set[bytes] = set()
    for features in (*await env.driver.forms(0, PACKED), EVERYTHING, EVERYTHING):
        await env.driver.start(features, queue_size=env.rng.choice((1, 1, 2, 4, 16, 64)))
        news = await take(env, env.entropy, 24)
        assert not news & found
        found |= news
        await env.driver.reset()


@sim_test(timeout_us=8_000, device="entropy")
async def test_no_request_is_forgotten(env: Env) -> None:
    """A full queue, and a queue whose requests come one by one, with doorbells as the device wants them."""
    event_idx = feature_mask(Feature.EVENT_IDX)
    for features in await env.driver.forms(0, event_idx, PACKED, PACKED | event_idx):
        size = env.rng.choice((2, 4, 8))
        await env.driver.start(features, queue_size=size)
        entropy = env.entropy
        full = [await entropy.submit(16, kick=False) for _ in range(size)]
        await entropy.requests.kick_all()
        for request in full:
            await entropy.wait(request)
        for _ in range(24):
            first = await entropy.submit(16)
            # The second may come just when the device sees that it has nothing more to do.
            await env.delay(env.rng.randrange(300))
            second = await entropy.submit(16)
            await entropy.wait(first)
            await entropy.wait(second)
        await env.driver.reset()


@sim_test(timeout_us=8_000, device="entropy")
async def test_reset_with_requests_in_flight(env: Env) -> None:
    """A reset forgets what was asked for; the next session finds a device like new."""
    for features in await env.driver.forms(0, PACKED):
        await env.driver.start(features, queue_size=8)
        for _ in range(env.rng.randint(1, 8)):
            await env.entropy.submit(5000)
        await env.delay(env.rng.randrange(2_000))
        await env.driver.reset()
        await env.driver.start(features)
        await take(env, env.entropy, 8)
        await env.driver.reset()


@sim_test(timeout_us=8_000, device="entropy")
async def test_readable_buffer_does_no_harm(env: Env) -> None:
    """What an entropy driver may not offer (5.4.6.1) is left alone or ends in DEVICE_NEEDS_RESET."""
    for features in await env.driver.forms(0, PACKED):
        await env.driver.start(features)
        queue, place = env.driver.device.queues[0], env.memory.alloc(64)
        env.memory.write(place.addr, b"readable" * 4)
        with env.expect("DRV-RNG-001"):
            queue.add_chain([Element(place.addr, 32)], [Element(place.addr + 32, 32)])
            await env.driver.device.kick(queue)
            assert await needs_reset(env) or queue.used_pending()
        assert env.memory.read(place.addr, 32) == b"readable" * 4
        await env.driver.reset()
        await env.driver.start(features)
        await take(env, env.entropy, 4)
        await env.driver.reset()
