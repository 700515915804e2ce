"""Random traffic: sessions whose features, queues, interrupts, load and troubles come from the seed.

`virtio-cosim run --test 'random.*' --seeds N` is how it is used.
"""

from __future__ import annotations

from dataclasses import replace

from pymodel.spec import BLK_CFG, BlkFeature, DeviceType, Feature, PciCommand, feature_mask
from tb.env import Env
from tb.sim_test import sim_test
from tb.traffic import Traffic
from tests.sim.drawn import Drawn, draw_session, draw_size

SESSIONS = 2
PACKED = feature_mask(Feature.RING_PACKED)
SHORT_NS = 3_000


async def what_is_offered(env: Env) -> tuple[int, int]:
    """Return the features that the device offers and the driver knows, and the number of queues."""
    offered = await env.driver.offered()
    return offered, await env.driver.pci.read_common("num_queues")


def is_blk(env: Env) -> bool:
    """Whether the device is a block device: with a medium that grows, and with flushes."""
    return env.driver.device.device_type == DeviceType.BLK


async def play(env: Env, session: Drawn) -> None:
    """Bring a session up, run its traffic with its troubles, and end it its way."""
    env.note(session.title)
    pci = env.driver.pci
    pci.style.max_elements = session.most_elements
    pci.use_window(session.window)
    bound = await env.driver.start(session.features, queues=session.queues, mode=session.mode)
    if env.driver.can_function_reset():
        await pci.function.limit_dma(*session.dma_sizes)
    assert bound.queue_indexes == tuple(session.queues)
    if is_blk(env):
        assert env.blk.capacity == env.image.sectors
    traffic = Traffic(env.work, depth=session.depth, most=session.most)
    for requests, trouble in session.steps:
        await traffic.run(requests, finish=False)
        await make_trouble(env, trouble)
    if session.end == "drain":
        await traffic.run(0, finish=True)
        assert not env.driver.in_flight
    if session.end == "flr" and env.driver.can_function_reset():
        await pci.function_level_reset()
    await env.driver.reset()
    pci.use_window(False)


async def make_trouble(env: Env, trouble: str) -> None:
    """Disturb the running device, where what was negotiated allows it."""
    if trouble == "pause":
        await env.delay(env.rng.randrange(SHORT_NS))
    elif trouble == "queue reset" and env.driver.has(Feature.RING_RESET):
        queue = env.rng.choice(env.driver.bound.queue_indexes)
        await env.driver.bound.restart_queue(queue, draw_size(env.rng, env.driver.device.features))
    elif trouble == "suspend" and env.driver.has(Feature.SUSPEND):
        await env.driver.device.suspend()
        await env.delay(env.rng.randrange(SHORT_NS))
        await env.driver.device.resume()
    elif trouble == "bus master":
        await env.driver.pci.function.command(clear=PciCommand.BUS_MASTER)
        await env.delay(env.rng.randrange(SHORT_NS))
        await env.driver.pci.function.command(enable=PciCommand.BUS_MASTER)
    elif trouble == "capacity" and is_blk(env):
        env.resize(env.image.sectors + env.rng.randint(1, 64))
        await env.blk.config_changed(env.driver.device)
    elif trouble == "flush" and is_blk(env) and env.driver.device.features & feature_mask(BlkFeature.FLUSH):
        await env.blk.flush(queue=env.rng.choice(env.blk.queue_indexes))
    elif trouble.endswith("mask"):
        await mask_for_a_while(env, whole=trouble == "function mask")


async def mask_for_a_while(env: Env, *, whole: bool) -> None:
    """Hold back one vector, or all of them, while requests are in flight."""
    msix = env.driver.pci.interrupts.msix
    if msix is None or not msix.enabled:
        return
    vector = env.rng.choice(sorted(set(env.driver.pci.interrupts.queue_vectors.values())))
    if whole:
        await msix.control(enable=True, masked=True)
    else:
        await msix.mask(vector, masked=True)
    await env.delay(env.rng.randrange(SHORT_NS))
    if whole:
        await msix.control(enable=True, masked=False)
    else:
        await msix.mask(vector, masked=False)


async def closing_session(env: Env) -> None:
    """Whatever came before: a plain driver finds a device like new."""
    await env.driver.start(features=0)
    if is_blk(env):
        (capacity,) = await env.driver.device.read_config(BLK_CFG["capacity"])
        assert capacity == env.image.sectors
    await (await env.begin(size=2)).settle()


@sim_test(timeout_us=8000, device=None)
async def test_drawn_sessions(env: Env) -> None:
    """Sessions drawn from the seed, one behind the other, then a plain one."""
    offered, queues = await what_is_offered(env)
    for _ in range(SESSIONS):
        await play(env, draw_session(env.rng, offered, queues, env.work.several))
    await closing_session(env)


@sim_test(timeout_us=8000, device=None)
async def test_everything_negotiated_at_once(env: Env) -> None:
    """All that is offered on both ring formats in turn, all queues, with drawn sizes and troubles."""
    offered, queues = await what_is_offered(env)
    formats = await env.driver.forms(offered & ~PACKED, offered | PACKED)
    env.rng.shuffle(formats)
    for features in formats:
        drawn = draw_session(env.rng, features, queues, env.work.several)
        sizes = {index: draw_size(env.rng, features) for index in range(queues if env.work.several else 1)}
        await play(env, replace(drawn, features=features, queues=sizes))
    await closing_session(env)
