"""Broken drivers, a function each: what they leave behind is for the next driver's reset to mend."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pymodel.driver.config_ops import QueueRequest
from pymodel.layout import PackedDesc, SplitDesc
from pymodel.ring.packed import PackedQueue
from pymodel.spec import DescFlag, Feature, Status, feature_mask
from tb.env import Env
from tests.sim.hostile import start_hostile

CONFIGURED = Status.ACKNOWLEDGE | Status.DRIVER | Status.FEATURES_OK
LIVE = CONFIGURED | Status.DRIVER_OK
RINGS = ("queue_desc", "queue_driver", "queue_device")
GARBAGE_STEPS = 600

Mess = Callable[[Env, int], Awaitable[None]]


async def negotiated(env: Env, features: int) -> None:
    """Everything up to FEATURES_OK."""
    await env.driver.discover()
    device, pci = env.driver.device, env.driver.pci
    await device.register()
    await device.add_status(Status.DRIVER)
    offered = await pci.get_features()
    device.features = (features | feature_mask(Feature.VERSION_1)) & offered
    await pci.finalize_features(device.features)
    await device.add_status(Status.FEATURES_OK)


async def ring(env: Env, *values: int) -> None:
    """Ring doorbells raw, at the place of queue 0's."""
    pci = env.driver.pci
    cap = pci.layout.notify
    await pci.write_common("queue_select", 0)
    offset = cap.offset + await pci.read_common("queue_notify_off") * cap.multiplier
    for value in values:
        await env.transport.bar_write(cap.bar, offset, 2, value)


async def driver_ok_at_once(env: Env, features: int) -> None:
    """DRIVER_OK straight behind the reset, nothing negotiated, and a doorbell."""
    await env.driver.discover()
    await env.driver.device.reset()
    await env.driver.pci.write_common("device_status", LIVE)
    await ring(env, 0)


async def queues_before_features(env: Env, features: int) -> None:
    """A queue is set up and enabled before anything was negotiated."""
    await env.driver.discover()
    await env.driver.device.register()
    pci = env.driver.pci
    await pci.setup_vq(QueueRequest(0, 4))
    await pci.write_common("queue_enable", 1)
    await pci.finalize_features(features | feature_mask(Feature.VERSION_1))
    await pci.write_common("device_status", LIVE)
    await ring(env, 0)


async def half_a_queue(env: Env, features: int) -> None:
    """Queues enabled with one ring address of three, or none, then DRIVER_OK and doorbells."""
    await negotiated(env, features)
    pci = env.driver.pci
    for queue in range(min(3, await pci.read_common("num_queues"))):
        await pci.write_common("queue_select", queue)
        for name in RINGS[:queue]:
            await pci.write_common(name, env.memory.alloc(4096, 4096).addr)
        await pci.write_common("queue_enable", 1)
    await pci.write_common("device_status", LIVE)
    await ring(env, 0, 1, 2)


async def garbage_rings(env: Env, features: int) -> None:
    """Live rings full of random bytes."""
    await env.driver.start(features, queues=2, queue_size=8)
    for queue in env.driver.device.queues.values():
        for place in queue.memory_in_use():
            env.memory.write(place.addr, env.rng.randbytes(place.length))
    await ring(env, 0, 1)


async def failed(env: Env, features: int) -> None:
    """FAILED in mid-traffic."""
    await env.driver.start(features, queues=2)
    await env.traffic(requests=12, then=env.driver.device.fail)


async def death_in_mid_chain(env: Env, features: int) -> None:
    """A chain is made available whose second half was never written, then another dies under the device."""
    hostile = await start_hostile(env, features)
    place, length, link = hostile.places[0], hostile.lengths[0], int(DescFlag.NEXT) | hostile.writes[0]
    if isinstance(hostile.queue, PackedQueue):
        await hostile.offer_packed(PackedDesc(place, length, 0, link))
    else:
        await hostile.offer_split(SplitDesc(place, length, link, 1))
    await env.steps(env.rng.randrange(GARBAGE_STEPS))
    for place in hostile.queue.memory_in_use():
        env.memory.write(place.addr, bytes(place.length))


async def features_refused(env: Env, features: int) -> None:
    """A feature that nobody offered, and DRIVER_OK although the device said no."""
    await negotiated(env, features)
    await env.driver.device.reset()
    await env.driver.device.register()
    await env.driver.device.add_status(Status.DRIVER)
    await env.driver.pci.finalize_features(feature_mask(await env.driver.unoffered(), Feature.VERSION_1))
    await env.driver.pci.write_common("device_status", CONFIGURED)
    await env.driver.pci.write_common("device_status", LIVE)
    await ring(env, 0)


async def status_noise(env: Env, features: int) -> None:
    """Random bytes into device_status, doorbells for queues that do not exist."""
    await env.driver.start(features, queues=1)
    for _ in range(6):
        await env.driver.pci.write_common("device_status", env.rng.randint(1, 255))
        await ring(env, env.rng.randrange(1 << 16))


async def reset_without_waiting(env: Env, features: int) -> None:
    """A reset in mid-traffic, and at once, without waiting for it, half a bring-up."""
    await env.driver.start(features)
    await env.traffic(requests=12, then=lambda: env.driver.pci.write_common("device_status", 0))
    for status in (Status.ACKNOWLEDGE, Status.ACKNOWLEDGE | Status.DRIVER, CONFIGURED):
        await env.driver.pci.write_common("device_status", status)


MESSES: tuple[Mess, ...] = (
    driver_ok_at_once,
    queues_before_features,
    half_a_queue,
    garbage_rings,
    failed,
    death_in_mid_chain,
    features_refused,
    status_noise,
    reset_without_waiting,
)
