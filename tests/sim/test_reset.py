"""Reset as the clean way to stop queues: swept over every cycle of a request's life, and under load."""

from __future__ import annotations

from pymodel.driver.interrupts import InterruptMode
from pymodel.spec import Feature, feature_mask
from tb.env import Env
from tb.sim_test import sim_test
from tb.traffic import Traffic
from tests.sim.resets import ByFunction, ByQueue, ByStatus, Way, given_away, silent, untouched, ways_of
from tests.sim.sweep import Asked, Sweep, sweep_life, sweep_window

PACKED = feature_mask(Feature.RING_PACKED)
DRAWN = feature_mask(Feature.INDIRECT_DESC, Feature.EVENT_IDX, Feature.IN_ORDER)
WINDOWS = 50
LOAD_MOST_STEPS = 400
QUIET_STEPS = 3_000
REMOTE_POINTS = 2
REMOTE_QUIET_STEPS = 10_000


@sim_test(timeout_us=20_000, stress="calm", device=None)
async def test_sweep_status_split(env: Env) -> None:
    """Status is reset at every cycle of a split request's life: nothing is touched behind it."""
    await sweep_life(env, ByStatus, Asked())


@sim_test(timeout_us=20_000, stress="calm", device=None)
async def test_sweep_status_packed(env: Env) -> None:
    """The same in a packed ring."""
    await sweep_life(env, ByStatus, Asked(PACKED))


@sim_test(timeout_us=20_000, stress="calm", device=None)
async def test_sweep_queue_split(env: Env) -> None:
    """The queue is reset at every cycle of its request's life, again and again in one session."""
    await sweep_life(env, ByQueue, Asked())


@sim_test(timeout_us=20_000, stress="calm", device=None)
async def test_sweep_queue_packed(env: Env) -> None:
    """The same in a packed ring."""
    await sweep_life(env, ByQueue, Asked(PACKED))


@sim_test(timeout_us=20_000, stress="calm", device=None)
async def test_sweep_function_split(env: Env) -> None:
    """The function is reset at every cycle of a request's life, bus mastering left on."""
    await sweep_life(env, ByFunction, Asked())


@sim_test(timeout_us=20_000, stress="calm", device=None)
async def test_sweep_function_packed(env: Env) -> None:
    """The same in a packed ring."""
    await sweep_life(env, ByFunction, Asked(PACKED))


@sim_test(timeout_us=40_000, stress="calm", device=None)
async def test_sweep_of_a_drawn_request(env: Env) -> None:
    """Ring, features, request, interrupts and way of the reset are drawn; every cycle of its life."""
    rng = env.rng
    ring = rng.choice(await env.driver.forms(0, PACKED))
    features = ring | rng.getrandbits(64) & DRAWN & await env.driver.offered()
    outward, mode = rng.random() < 0.5, rng.choice(tuple(InterruptMode))
    way = rng.choice(await ways_of(env))
    await sweep_life(env, way, Asked(features, outward, rng.randint(1, 4), mode))


async def sweep_distant(env: Env, features: int) -> None:
    """A window of a long life, in each way; `--seeds 50` covers it all."""
    await env.driver.demand(features)
    for way in await ways_of(env):
        await sweep_window(env, way, Asked(features), WINDOWS)


@sim_test(timeout_us=100_000, stress="distant", device=None)
async def test_sweep_with_a_distant_memory_split(env: Env) -> None:
    """Reads take 250 cycles: reset at every cycle of the seed's window of that life."""
    await sweep_distant(env, 0)


@sim_test(timeout_us=100_000, stress="distant", device=None)
async def test_sweep_with_a_distant_memory_packed(env: Env) -> None:
    """The same in a packed ring."""
    await sweep_distant(env, PACKED)


async def reset_far_away(env: Env, features: int) -> None:
    """Resets at drawn cycles while a host takes thousands of cycles for each answer."""
    await env.driver.demand(features)
    for way in await ways_of(env):
        sweep = Sweep(env, way(env), Asked(features))
        life = await sweep.measure()
        sweep.wait = REMOTE_QUIET_STEPS
        # A drawn cycle may lie where the bus is at rest: then others are drawn as well.
        for number in range(10 * REMOTE_POINTS):
            if number >= REMOTE_POINTS and (sweep.in_flight or not env.step_ps):
                break
            await sweep.run([env.rng.randrange(life)])
        if env.step_ps:
            assert sweep.in_flight, f"{way.name}: no DMA was in flight at any of the resets"
        cycles = ", ".join(str(cycle) for cycle in sorted(sweep.covered))
        env.report(
            f"{way.name}: {sweep.in_flight} of {sweep.points} with DMA in flight, at {cycles} of {life}"
        )


@sim_test(timeout_us=200_000, stress="remote", device=None)
async def test_answers_delayed_by_thousands_of_cycles_split(env: Env) -> None:
    """Reads and writes in flight answer thousands of cycles late: the reset waits, or drops them."""
    await reset_far_away(env, 0)


@sim_test(timeout_us=200_000, stress="remote", device=None)
async def test_answers_delayed_by_thousands_of_cycles_packed(env: Env) -> None:
    """The same in a packed ring."""
    await reset_far_away(env, PACKED)


async def reset_under_load(env: Env, way: type[Way], features: int, rounds: int) -> None:
    """Reset at a drawn cycle of heavy traffic, on several queues where there are; what follows is whole."""
    features |= await env.driver.all_queues()
    for _ in range(rounds):
        await env.driver.start(features | way.features, queues=4, queue_size=16)
        reset = way(env)
        await reset.prepare()
        traffic = Traffic(env.work, depth=24, most=4)
        await traffic.run(env.rng.randint(8, 30), finish=False)
        await env.driver.bound.requests.kick_all()
        await env.steps(env.rng.randrange(LOAD_MOST_STEPS))
        places = given_away(env)
        await reset.begin()
        await reset.finish()
        await silent(env, places, QUIET_STEPS)
        await env.driver.reset()
    await env.driver.start(features)
    await (await env.begin(size=8)).settle()


@sim_test(timeout_us=20_000, device=None)
async def test_status_under_load(env: Env) -> None:
    """Status is reset at drawn cycles of heavy traffic, in each ring format."""
    for features in await env.driver.forms(0, PACKED):
        await reset_under_load(env, ByStatus, features, rounds=3)


@sim_test(timeout_us=20_000, device=None)
async def test_function_under_load(env: Env) -> None:
    """The function is reset at drawn cycles of heavy traffic, in each ring format."""
    for features in await env.driver.forms(0, PACKED):
        await reset_under_load(env, ByFunction, features, rounds=3)


async def reset_queue_under_load(env: Env, features: int) -> None:
    """Reset each of up to four queues in turn while the others work on: its memory stays as it is left."""
    wanted = features | ByQueue.features | await env.driver.all_queues()
    await env.driver.demand(wanted)
    bound = await env.driver.start(wanted, queues=4, queue_size=16)
    traffic = Traffic(env.work, depth=24, most=4)
    for index in env.rng.sample(bound.queue_indexes, len(bound.queue_indexes)):
        await traffic.run(env.rng.randint(8, 20), finish=False)
        await bound.requests.kick_all()
        way = ByQueue(env, index)
        await way.prepare()
        places = given_away(env, index)
        await way.begin()
        await way.finish()
        for place in places:
            env.memory.poison(place)
        await env.steps(QUIET_STEPS)
        assert untouched(env, places), f"memory of queue {index} changed after its reset"
        await way.leave()
    await traffic.run(8, finish=True)


@sim_test(timeout_us=20_000, device=None)
async def test_queues_under_load_split(env: Env) -> None:
    """One queue after another is reset under traffic; its memory may be reused at once."""
    await reset_queue_under_load(env, 0)


@sim_test(timeout_us=20_000, device=None)
async def test_queues_under_load_packed(env: Env) -> None:
    """The same with packed rings."""
    await reset_queue_under_load(env, PACKED)
