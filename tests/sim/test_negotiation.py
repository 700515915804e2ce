"""Features: what is offered works, what is not offered is refused; status goes up one step at a time."""

from __future__ import annotations

from pymodel.spec import BlkFeature, DeviceType, Feature, Status, feature_mask
from tb.env import Env
from tb.sim_test import Skip, sim_test

CONFIGURED = Status.ACKNOWLEDGE | Status.DRIVER | Status.FEATURES_OK


def awkward(device_type: int) -> int:
    """Features of a type that no driver here accepts though it could: they would have to be used."""
    return feature_mask(BlkFeature.CONFIG_WCE) if device_type == DeviceType.BLK else 0


def undescribed(env: Env) -> tuple[str, ...]:
    """What a driver breaches besides that accepts `unoffered`, where the type has no feature bits at all."""
    return () if env.driver.device.device_type == DeviceType.BLK else ("DRV-FEAT-005", "DRV-FEAT-008")


async def negotiate(env: Env, extra: int = 0) -> int:
    """Accept all that is offered and `extra`; return device_status as it reads after FEATURES_OK."""
    await env.driver.discover()
    device, pci = env.driver.device, env.driver.pci
    await device.register()
    await device.add_status(Status.DRIVER)
    offered = await pci.get_features()
    device.features = offered & ~awkward(device.device_type) | extra
    await pci.finalize_features(device.features)
    await device.add_status(Status.FEATURES_OK)
    return await pci.get_status()


@sim_test(device=None)
async def test_offered_features_are_accepted(env: Env) -> None:
    """The whole set that the device offers keeps FEATURES_OK."""
    assert await negotiate(env) == CONFIGURED


@sim_test(device=None)
async def test_feature_that_was_not_offered_is_refused(env: Env) -> None:
    """FEATURES_OK does not stay for a set with a bit that the device never offered."""
    extra = feature_mask(await env.driver.unoffered())
    with env.expect("DRV-FEAT-001", *undescribed(env)):
        assert not await negotiate(env, extra) & Status.FEATURES_OK
    await env.driver.device.fail()
    await env.driver.start(features=0)
    await env.units()


@sim_test(timeout_us=2000, device=None)
async def test_each_feature_works_alone(env: Env) -> None:
    """Every offered feature, accepted with VERSION_1 alone, carries a unit of work."""
    await env.driver.start()
    offered = env.driver.device.offered
    for bit in [bit for bit in range(64) if offered >> bit & 1 and bit != Feature.VERSION_1]:
        await env.driver.reset()
        await env.driver.start(features=feature_mask(bit), queues=2)
        await env.units()


@sim_test(device=None)
async def test_status_shows_every_step(env: Env) -> None:
    """device_status reads back each bit as the driver sets it, and 0 after reset."""
    await env.driver.start()
    live = CONFIGURED | Status.DRIVER_OK
    assert await env.driver.pci.get_status() == live
    await env.driver.reset()
    assert await env.driver.pci.get_status() == 0
    seen = Status(0)
    await env.driver.device.register()
    for step in (Status.ACKNOWLEDGE, Status.DRIVER):
        seen |= step
        await env.driver.device.add_status(step)
        assert await env.driver.pci.get_status() == seen


@sim_test(device=None)
async def test_second_session_starts_from_zero(env: Env) -> None:
    """After a reset mid-traffic a new driver finds rings at index 0 and every vector unmapped."""
    await env.driver.start()
    await env.traffic(requests=40, then=env.driver.reset)
    await env.driver.start(features=0)
    await env.units()


@sim_test(device=None)
async def test_second_packed_session_starts_from_zero(env: Env) -> None:
    """The same from a packed ring to a split one and back."""
    packed = feature_mask(Feature.RING_PACKED)
    await env.driver.demand(packed)
    for features in (packed, 0, packed):
        await env.driver.start(features=features)
        await env.traffic(requests=15, then=env.driver.reset)
    await env.driver.start(features=packed)
    await env.traffic(requests=15)


@sim_test(device=None)
async def test_doorbell_before_driver_ok_is_not_served(env: Env) -> None:
    """A buffer posted and rung for too early stays untouched until DRIVER_OK, and is served after it."""
    if await negotiate(env) != CONFIGURED:
        raise Skip("the device refuses what it offers")
    bound, device = env.driver.bound, env.driver.device
    await bound.probe(device)
    device.driver = bound
    unit = await env.begin(kick=False)
    queue = device.queues[0]
    queue.publish()
    with env.expect("DRV-INIT-014"):
        await env.driver.pci.notify(queue)
        await env.delay(2_000)
    assert not queue.used_pending()
    await device.add_status(Status.DRIVER_OK)
    device.live = True
    await device.notify(queue)
    await unit.settle()
