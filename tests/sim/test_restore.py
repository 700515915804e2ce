"""Freeze and restore: the one right order, whatever became of the device meanwhile."""

from __future__ import annotations

from itertools import combinations

import pytest

from pymodel.driver.core import VirtioDevice
from pymodel.driver.errors import DriverError, FeaturesRefused
from pymodel.spec import Feature, Status, feature_mask
from tb.env import Env
from tb.sim_test import sim_test
from tests.sim.hostile import works_again
from tests.sim.resets import device_acts, given_away, silent
from tests.sim.restoring import OLD_ORDER, ORDER, Restoring, written
from tests.sim.test_negotiation import undescribed

PACKED = feature_mask(Feature.RING_PACKED)
SUSPEND = feature_mask(Feature.SUSPEND)
PLAIN = feature_mask(Feature.INDIRECT_DESC, Feature.EVENT_IDX)
SLEEP_STEPS = 1_000
CONFIGURED = Status.ACKNOWLEDGE | Status.DRIVER | Status.FEATURES_OK
LIVE = CONFIGURED | Status.DRIVER_OK


async def sleep(env: Env, lost: str) -> None:
    """The machine sleeps; with `lost` the function's power or bus is reset meanwhile."""
    places = given_away(env)
    await env.driver.device.freeze()
    await silent(env, places, SLEEP_STEPS)
    if lost:
        await env.transport.reset(lost)


async def wake(env: Env) -> None:
    """Restore, and see that the driver wrote device_status in the right order and the device works."""
    start = len(env.log)
    await env.driver.device.restore()
    assert written(env, start) == [0, 0x01, 0x03, 0x0B, 0x0F]
    assert await env.driver.pci.get_status() == LIVE
    await (await env.begin(size=2)).settle()
    await env.traffic(requests=8)


async def sleep_and_wake(env: Env, lost: str) -> None:
    """Freeze in mid-traffic and restore, in each ring format; the session before leaves nothing."""
    plain = PLAIN & await env.driver.offered()
    for features in await env.driver.forms(plain, PACKED, plain | PACKED):
        await env.driver.start(features, queues=2)
        await env.units()
        await env.traffic(requests=10, then=lambda: sleep(env, lost))
        await wake(env)
        await env.units()
        await env.driver.reset()


@sim_test(timeout_us=5_000, device=None)
async def test_over_a_device_that_kept_its_state(env: Env) -> None:
    """Nothing but the driver's own reset happened while the machine slept."""
    await sleep_and_wake(env, "")


@sim_test(timeout_us=5_000, device=None)
async def test_over_a_device_that_lost_power(env: Env) -> None:
    """Everything is gone: BARs, MSI-X table, queues, features."""
    await sleep_and_wake(env, "power")


@sim_test(timeout_us=5_000, device=None)
async def test_over_a_bus_reset(env: Env) -> None:
    """A hot reset of the bus took all state with it."""
    await sleep_and_wake(env, "hot")


@sim_test(timeout_us=5_000, device=None)
async def test_over_a_function_level_reset(env: Env) -> None:
    """A function-level reset took all state with it."""
    await sleep_and_wake(env, "flr")


@sim_test(timeout_us=5_000, device=None)
async def test_power_lost_without_a_freeze(env: Env) -> None:
    """The bus is reset in mid-traffic: what was in flight may complete; the next session is whole."""
    plain = PLAIN & await env.driver.offered()
    for kind in ("hot", "power"):
        await env.driver.start(plain)
        await env.traffic(requests=12, then=lambda kind=kind: env.transport.reset(kind))  # type: ignore[misc]
        await env.driver.pci.thaw()
        await env.driver.reset()
        await works_again(env, plain)


@sim_test(timeout_us=5_000, device=None)
async def test_suspended_device_that_kept_its_state_resumes(env: Env) -> None:
    """With SUSPEND the device finishes and stands still; DRIVER_OK alone brings it back, queues and all."""
    for features in await env.driver.forms(SUSPEND, SUSPEND | PACKED):
        await env.driver.start(features)
        await env.traffic(requests=10, then=env.driver.device.suspend)
        start = len(env.log)
        await env.steps(SLEEP_STEPS)
        assert not any(device_acts(event) for event in env.log[start:])
        await env.driver.device.resume()
        await env.driver.bound.requests.drain()
        await env.traffic(requests=6)
        await env.driver.reset()


@sim_test(timeout_us=5_000, device=None)
async def test_suspended_device_is_frozen_and_restored(env: Env) -> None:
    """A suspended device is reset by the freeze and may lose its power: restore brings it up anew."""
    await env.driver.demand(SUSPEND)
    for lost in ("", "power", "hot"):
        await env.driver.start(SUSPEND)
        await env.traffic(requests=10, then=env.driver.device.suspend)
        await sleep(env, lost)
        await wake(env)
        await env.driver.reset()


@sim_test(device=None)
async def test_without_a_driver_it_stops_after_acknowledge(env: Env) -> None:
    """No driver is bound: the device is reset and acknowledged, and nothing more."""
    await env.driver.discover()
    device = env.driver.device
    await device.register()
    for lost in ("", "power"):
        await device.freeze()
        if lost:
            await env.transport.reset(lost)
        start = len(env.log)
        await device.restore()
        assert written(env, start) == [0, 0x01]
        assert await env.driver.pci.get_status() == Status.ACKNOWLEDGE
    await env.driver.start(features=0)
    await env.units()


@sim_test(device=None)
async def test_failing_restore_sets_failed_and_tells(env: Env) -> None:
    """What the device driver's restore raises comes out, behind FAILED; DRIVER_OK is not set."""
    await env.driver.start(features=0)
    await env.driver.device.freeze()

    async def broken(device: VirtioDevice) -> None:
        raise OSError("no memory for rings")

    env.driver.bound.restore = broken  # type: ignore[method-assign]
    start = len(env.log)
    with pytest.raises(OSError, match="no memory for rings"):
        await env.driver.device.restore()
    assert written(env, start) == [0, 0x01, 0x03, 0x0B, 0x8B]
    assert await env.driver.pci.get_status() == CONFIGURED | Status.FAILED
    await works_again(env, PLAIN & await env.driver.offered())


@sim_test(device=None)
async def test_features_refused_on_restore_end_in_failed(env: Env) -> None:
    """The device came back without a feature that was negotiated: FAILED, and no queue is touched."""
    foreign = feature_mask(await env.driver.unoffered())
    await env.driver.start(features=0)
    device = env.driver.device
    await device.freeze()
    device.features |= foreign
    start = len(env.log)
    with env.expect(*undescribed(env)), pytest.raises(FeaturesRefused):
        await device.restore()
    steps, status = written(env, start), await env.driver.pci.get_status()
    await works_again(env, PLAIN & await env.driver.offered())
    assert steps == [0, 0x01, 0x03, 0x0B, 0x83]
    assert status & Status.FAILED


@sim_test(device=None)
async def test_saved_failed_bit_is_put_back(env: Env) -> None:
    """FAILED from before the freeze is shown again for debugging, and stays while the driver goes on.

    By the letter of virtio 1.4, 2.1.1 and 3.1.1 the driver goes on after FAILED without another reset:
    the checker says so.
    """
    await env.driver.start(features=0)
    await env.driver.device.fail()
    await sleep(env, "power")
    start = len(env.log)
    with env.expect("DRV-STATUS-003", "DRV-INIT-013"):
        await env.driver.device.restore()
    assert written(env, start) == [0, 0x01, 0x81, 0x83, 0x8B, 0x8F]
    assert await env.driver.pci.get_status() == LIVE | Status.FAILED
    await works_again(env, PLAIN & await env.driver.offered())


async def restore_in(env: Env, order: tuple[str, ...], *, lost: str) -> set[str]:
    """Freeze, restore in an order of its own, and return the driver's clauses that this breached."""
    await env.driver.start(PLAIN & await env.driver.offered(), queues=1, queue_size=4)
    await sleep(env, lost)
    await env.driver.pci.thaw()
    with env.misbehave() as found:
        try:
            await Restoring(env).run(order)
        except DriverError as error:
            env.note(f"the driver gave up: {error}")
        await env.driver.device.reset()
    advice = {"DRV-RSVD-003", "DRV-RSVD-006", "DRV-RSVD-007", "DRV-RSVD-013"}
    return {finding.clause for finding in found} - advice


@sim_test(device=None)
async def test_right_order_by_hand(env: Env) -> None:
    """The steps of the transpositions, in the right order, breach nothing."""
    assert await restore_in(env, ORDER, lost="") == set()
    assert await restore_in(env, ORDER, lost="power") == set()
    await works_again(env, PLAIN & await env.driver.offered())


@sim_test(timeout_us=5_000, device=None)
async def test_old_wrong_order_is_named(env: Env) -> None:
    """Features and queues first, all of the status last: what virtio_pci once did."""
    for lost in ("", "power"):
        found = await restore_in(env, OLD_ORDER, lost=lost)
        assert found, found
        env.report(f"old order: {', '.join(sorted(found))}")
    await works_again(env, PLAIN & await env.driver.offered())


@sim_test(timeout_us=20_000, device=None)
async def test_each_transposition_is_named(env: Env) -> None:
    """Any two steps of the right order exchanged: the checker names the driver's breach each time."""
    unnamed = []
    for one, other in combinations(range(len(ORDER)), 2):
        order = list(ORDER)
        order[one], order[other] = order[other], order[one]
        env.note(" ".join(order))
        found = await restore_in(env, tuple(order), lost=env.rng.choice(("", "power", "hot")))
        if not found:
            unnamed.append(" ".join(order))
        await works_again(env, 0)
    assert not unnamed, f"no clause names {unnamed}"
    env.report(f"{len(list(combinations(ORDER, 2)))} transpositions named")
