"""Reset as the way out of a mess, and doorbells that come too early."""

from __future__ import annotations

from collections.abc import Sequence

from pymodel.driver.core import VirtioDevice
from pymodel.spec import Feature, Status, feature_mask
from tb.env import Env
from tb.sim_test import sim_test
from tb.work.base import Unit
from tests.sim.hostile import works_again
from tests.sim.messes import MESSES, Mess, garbage_rings, ring
from tests.sim.resets import device_acts

PACKED = feature_mask(Feature.RING_PACKED)
MESS_STEPS = 2_000
EARLY_STEPS = 300
EAGER_STEPS = 24


async def clean_up_after(env: Env, messes: Sequence[Mess], features: int) -> None:
    """Each broken driver leaves; the next one resets the device, and works in both ring formats."""
    await env.driver.demand(features)
    for mess in messes:
        env.note(mess.__name__)
        with env.misbehave() as found:
            await mess(env, features)
            await env.steps(env.rng.randrange(MESS_STEPS))
            await env.driver.device.reset()
        env.note(f"{mess.__name__}: {', '.join(sorted({finding.clause for finding in found}))}")
        await works_again(env, features)


@sim_test(timeout_us=20_000, device=None)
async def test_next_driver_works_after_a_broken_one_split(env: Env) -> None:
    """Wrong order, half-configured queues, garbage, FAILED, death in mid-chain: a reset mends each."""
    await clean_up_after(env, MESSES, 0)


@sim_test(timeout_us=20_000, device=None)
async def test_next_driver_works_after_a_broken_one_packed(env: Env) -> None:
    """The same with packed rings."""
    await clean_up_after(env, MESSES, PACKED)


@sim_test(timeout_us=40_000, device=None)
async def test_next_driver_works_after_garbage(env: Env) -> None:
    """Rings full of random bytes, again and again."""
    for features in await env.driver.forms(0, PACKED, feature_mask(Feature.INDIRECT_DESC, Feature.EVENT_IDX)):
        await clean_up_after(env, (garbage_rings,) * 4, features)


def patient(env: Env) -> list[Unit]:
    """Take a fresh driver that makes a unit of work available in its probe, and leaves doorbells to the test.

    The list that is returned gets that unit.
    """
    posted: list[Unit] = []
    driver = env.driver.fresh(queues=1, queue_size=4)
    probe = driver.probe

    async def probe_and_post(device: VirtioDevice) -> None:
        await probe(device)
        posted.append(await env.begin(kick=False))
        device.queues[0].publish()

    async def nothing(device: VirtioDevice) -> None:
        """Ring for nothing."""

    driver.probe, driver.ready = probe_and_post, nothing  # type: ignore[method-assign]
    return posted


async def ring_too_early(env: Env) -> None:
    """A doorbell that the device must ignore: it acts neither on memory nor towards the driver."""
    start = len(env.log)
    with env.expect("DRV-INIT-014"):
        await ring(env, 0)
        await env.steps(EARLY_STEPS)
    assert not any(device_acts(event) for event in env.log[start:])


async def early_at_each_step(env: Env, features: int) -> None:
    """Ring at every step of a bring-up; the buffer stays as it is, and is served after DRIVER_OK."""
    await env.driver.demand(features)
    device, pci, posted = env.driver.device, env.driver.pci, patient(env)
    device.driver = env.driver.bound
    await device.reset()
    await ring_too_early(env)
    for step in (Status.ACKNOWLEDGE, Status.DRIVER):
        await device.add_status(step)
        await ring_too_early(env)
    device.features = (features | feature_mask(Feature.VERSION_1)) & await pci.get_features()
    await pci.finalize_features(device.features)
    await device.add_status(Status.FEATURES_OK)
    assert await pci.get_status() & Status.FEATURES_OK
    await ring_too_early(env)
    await env.driver.bound.probe(device)
    await ring_too_early(env)
    assert not device.queues[0].used_pending()
    await device.add_status(Status.DRIVER_OK)
    device.live = True
    await posted[0].settle()
    await env.driver.reset()


@sim_test(device=None)
async def test_early_doorbells_split(env: Env) -> None:
    """Doorbells before DRIVER_OK are ignored and named; the last is not lost once DRIVER_OK comes."""
    await early_at_each_step(env, 0)


@sim_test(device=None)
async def test_early_doorbells_packed(env: Env) -> None:
    """The same in a packed ring."""
    await early_at_each_step(env, PACKED)


async def eager(env: Env, features: int) -> None:
    """Ring once at each of the first cycles behind DRIVER_OK: every buffer is served without a second one."""
    await env.driver.discover()
    for step in range(EAGER_STEPS):
        posted = patient(env)
        await env.driver.bring_up(env.driver.bound, features)
        await env.steps(step)
        await env.driver.device.notify(env.driver.device.queues[0])
        await posted[0].settle()
        await env.driver.reset()


@sim_test(timeout_us=3_000, device=None)
async def test_doorbell_right_behind_driver_ok(env: Env) -> None:
    """A doorbell at each of the first cycles behind DRIVER_OK counts, in each ring format."""
    for features in await env.driver.forms(0, PACKED):
        await eager(env, features)
