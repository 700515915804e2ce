"""Random traffic: sessions whose features, queues, interrupts, load and troubles come from the seed.

`virtio-cosim run --test 'random.*' --seeds N` is how it is used.
"""

from __future__ import annotations

from dataclasses import replace

from pymodel.spec import BLK_CFG, BlkFeature, Feature, PciCommand, Status, feature_mask
from tb.env import Env
from tb.sim_test import sim_test
from tb.traffic import Traffic
from tests.sim.drawn import Drawn, draw_session, draw_size

SESSIONS = 2
SHORT_NS = 3_000


async def what_is_offered(env: Env) -> tuple[int, int]:
    """Return the features that the device offers and the driver knows, and the number of queues."""
    await env.driver.discover()
    device, pci = env.driver.device, env.driver.pci
    await device.register()
    await device.add_status(Status.DRIVER)
    offered = await pci.get_features() & (pci.known_features | env.driver.blk.features)
    return offered, await pci.read_common("num_queues")


async def play(env: Env, session: Drawn) -> None:
    """Bring a session up, run its traffic with its troubles, and end it its way."""
    env.note(session.title)
    pci = env.driver.pci
    pci.style.max_elements = session.most_elements
    pci.use_window(session.window)
    blk = await env.driver.start(session.features, queues=session.queues, mode=session.mode)
    await pci.function.limit_dma(*session.dma_sizes)
    assert blk.queue_indexes == tuple(session.queues)
    assert blk.capacity == env.image.sectors
    traffic = Traffic(blk, env.image, env.rng, depth=session.depth, most_sectors=session.most_sectors)
    for requests, trouble in session.steps:
        await traffic.run(requests, finish=False)
        await make_trouble(env, trouble)
    if session.end == "drain":
        await traffic.run(0, finish=True)
        assert not env.driver.in_flight
    if session.end == "flr":
        await pci.function_level_reset()
    await env.driver.reset()
    pci.use_window(False)


async def make_trouble(env: Env, trouble: str) -> None:
    """Disturb the running device, where what was negotiated allows it."""
    if trouble == "pause":
        await env.delay(env.rng.randrange(SHORT_NS))
    elif trouble == "queue reset" and env.driver.has(Feature.RING_RESET):
        queue = env.rng.choice(env.blk.queue_indexes)
        await env.blk.restart_queue(queue, draw_size(env.rng, env.driver.device.features))
    elif trouble == "suspend" and env.driver.has(Feature.SUSPEND):
        await env.driver.device.suspend()
        await env.delay(env.rng.randrange(SHORT_NS))
        await env.driver.device.resume()
    elif trouble == "bus master":
        await env.driver.pci.function.command(clear=PciCommand.BUS_MASTER)
        await env.delay(env.rng.randrange(SHORT_NS))
        await env.driver.pci.function.command(enable=PciCommand.BUS_MASTER)
    elif trouble == "capacity":
        env.resize(env.image.sectors + env.rng.randint(1, 64))
        await env.blk.config_changed(env.driver.device)
    elif trouble == "flush" and env.driver.device.features & feature_mask(BlkFeature.FLUSH):
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
    (capacity,) = await env.driver.device.read_config(BLK_CFG["capacity"])
    assert capacity == env.image.sectors
    assert await env.blk.read(7, 2) == env.image.sector(7, 2)


@sim_test(timeout_us=8000)
async def test_drawn_sessions(env: Env) -> None:
    """Sessions drawn from the seed, one behind the other, then a plain one."""
    offered, queues = await what_is_offered(env)
    for _ in range(SESSIONS):
        await play(env, draw_session(env.rng, offered, queues))
    await closing_session(env)


@sim_test(timeout_us=8000)
async def test_everything_negotiated_at_once(env: Env) -> None:
    """All that is offered on both ring formats in turn, all queues, with drawn sizes and troubles."""
    offered, queues = await what_is_offered(env)
    formats = [offered & ~feature_mask(Feature.RING_PACKED), offered]
    env.rng.shuffle(formats)
    for features in formats:
        drawn = draw_session(env.rng, features, queues)
        sizes = {index: draw_size(env.rng, features) for index in range(queues)}
        await play(env, replace(drawn, features=features, queues=sizes))
    await closing_session(env)
