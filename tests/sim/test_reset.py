"""Reset as the clean way to stop queues: swept over every cycle of a request's life, and under load."""

from __future__ import annotations

from pymodel.driver.interrupts import InterruptMode
from pymodel.spec import BlkRequest, Feature, feature_mask
from tb.env import Env
from tb.sim_test import sim_test
from tests.sim.resets import WAYS, ByFunction, ByQueue, ByStatus
from tests.sim.sweep import Asked, sweep_life, sweep_window

PACKED = feature_mask(Feature.RING_PACKED)
DRAWN = feature_mask(Feature.INDIRECT_DESC, Feature.EVENT_IDX, Feature.IN_ORDER)
WINDOWS = 50
LOAD_MOST_STEPS = 400
QUIET_STEPS = 3_000


@sim_test(timeout_us=20_000, stress="calm")
async def test_sweep_status_split(env: Env) -> None:
    """Status is reset at every cycle of a split request's life: nothing is touched behind it."""
    await sweep_life(env, ByStatus, Asked())


@sim_test(timeout_us=20_000, stress="calm")
async def test_sweep_status_packed(env: Env) -> None:
    """The same in a packed ring."""
    await sweep_life(env, ByStatus, Asked(PACKED))


@sim_test(timeout_us=20_000, stress="calm")
async def test_sweep_queue_split(env: Env) -> None:
    """The queue is reset at every cycle of its request's life, again and again in one session."""
    await sweep_life(env, ByQueue, Asked())


@sim_test(timeout_us=20_000, stress="calm")
async def test_sweep_queue_packed(env: Env) -> None:
    """The same in a packed ring."""
    await sweep_life(env, ByQueue, Asked(PACKED))


@sim_test(timeout_us=20_000, stress="calm")
async def test_sweep_function_split(env: Env) -> None:
    """The function is reset at every cycle of a request's life, bus mastering left on."""
    await sweep_life(env, ByFunction, Asked())


@sim_test(timeout_us=20_000, stress="calm")
async def test_sweep_function_packed(env: Env) -> None:
    """The same in a packed ring."""
    await sweep_life(env, ByFunction, Asked(PACKED))


@sim_test(timeout_us=40_000, stress="calm")
async def test_sweep_of_a_drawn_request(env: Env) -> None:
    """Ring, features, request, interrupts and way of the reset are drawn; every cycle of its life."""
    rng = env.rng
    features = rng.choice((0, PACKED)) | rng.getrandbits(64) & DRAWN
    kind, mode = rng.choice((BlkRequest.IN, BlkRequest.OUT)), rng.choice(tuple(InterruptMode))
    await sweep_life(env, rng.choice(WAYS), Asked(features, kind, rng.randint(1, 4), mode))


async def sweep_distant(env: Env, features: int) -> None:
    """A window of a long life, in each way; `--seeds 50` covers it all."""
    for way in WAYS:
        await sweep_window(env, way, Asked(features), WINDOWS)


@sim_test(timeout_us=100_000, stress="distant")
async def test_sweep_with_a_distant_memory_split(env: Env) -> None:
    """Reads take 250 cycles: reset at every cycle of the seed's window of that life."""
    await sweep_distant(env, 0)


@sim_test(timeout_us=100_000, stress="distant")
async def test_sweep_with_a_distant_memory_packed(env: Env) -> None:
    """The same in a packed ring."""
    await sweep_distant(env, PACKED)
