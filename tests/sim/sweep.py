"""Resets written at chosen clock cycles of a request's life, and the proof that they end it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pymodel.driver.interrupts import InterruptMode
from pymodel.events import BarWrite
from pymodel.spec import Feature, feature_mask
from tb.env import Env
from tb.sim_test import Skip
from tb.work.base import Unit
from tests.sim.resets import NO_FLR, ByFunction, Way, device_acts, given_away, silent

BEYOND = 16
"""Steps behind the interrupt that still belong to a request's life."""
WORKS_EVERY = 8
SOONEST = 8
"""Clock cycles from a doorbell within which the host's bus carries the next write."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The unit of work of a sweep, as `Env.begin` has it, and the session that it lives in."""

    features: int = 0
    outward: bool = False
    size: int = 1
    mode: InterruptMode = InterruptMode.SINGLE


@dataclass
class Sweep:
    """Requests, each reset at another step after its doorbell.

    `covered` holds the clock cycles from doorbell to reset as the boundary showed them, `wait` the steps
    for which a device that was reset is watched.
    """

    env: Env
    way: Way
    asked: Asked
    wait: int = 0
    life: int = 0
    in_flight: int = 0
    covered: set[int] = field(default_factory=set)
    points: int = 0

    async def measure(self) -> int:
        """Run one request undisturbed; return the steps from its doorbell to beyond its interrupt."""
        env = self.env
        await self._start()
        start = len(env.log)
        unit = await self._submit()
        await env.driver.bound.requests.kick_all()
        await unit.settle()
        self.life = BEYOND
        if env.step_ps:
            last = max(event.t for event in env.log[start:] if device_acts(event))
            self.life += (last - self._doorbell(start)) // env.step_ps
        self.wait = 2 * self.life
        await env.driver.reset()
        return self.life

    async def run(self, steps: Iterable[int]) -> None:
        """Reset once at each of these steps behind the doorbell; then the device still works."""
        for step in steps:
            await self._point(step)
            self.points += 1
            if self.points % WORKS_EVERY == 0:
                await self._works()
        await self._works()

    async def _point(self, step: int) -> None:
        env = self.env
        await self._start()
        await self.way.prepare()
        await self._submit()
        places = given_away(env)
        start = len(env.log)
        await env.driver.bound.requests.kick_all()
        await env.steps(step)
        self.in_flight += not env.dma.idle
        await self.way.begin()
        await self.way.finish()
        await silent(env, places, self.wait)
        if env.step_ps:
            self.covered.add(self._distance(start))
        await self.way.leave()

    async def _start(self) -> None:
        if not self.env.driver.device.live:
            features = self.asked.features | self.way.features
            await self.env.driver.start(features, queues=1, queue_size=4, mode=self.asked.mode)

    async def _works(self) -> None:
        await self._start()
        await self.env.units()
        await self.env.driver.reset()

    async def _submit(self) -> Unit:
        return await self.env.begin(size=self.asked.size, outward=self.asked.outward, kick=False)

    def _doorbell(self, start: int) -> int:
        cap = self.env.driver.pci.layout.notify
        return next(
            event.t
            for event in self.env.log[start:]
            if isinstance(event, BarWrite)
            and event.bar == cap.bar
            and cap.offset <= event.addr < cap.offset + cap.size
        )

    def _distance(self, start: int) -> int:
        """Clock cycles from when the device took the doorbell until the host wrote the reset."""
        written = next(event for event in self.env.log[start:] if self.way.is_write(event))
        asked = written.t if written.t_req is None else written.t_req
        return -(-(asked - self._doorbell(start)) // self.env.step_ps)

    def conclude(self, name: str, *, whole: bool) -> None:
        """Fail if a cycle was left out; report how many were covered."""
        if not self.env.step_ps:
            self.env.report(f"{name}: {self.points} steps")
            return
        first, last = min(self.covered), max(self.covered)
        missed = set(range(first, last + 1)) - self.covered
        assert not missed, f"{name}: no reset at cycles {sorted(missed)} behind the doorbell"
        if whole:
            assert first <= SOONEST, f"{name}: the first reset came {first} cycles behind the doorbell"
            assert last >= self.life - 1, f"{name}: the last reset came at {last} of {self.life} cycles"
        self.env.report(f"{name}: {len(self.covered)} cycles ({first} to {last} of a life of {self.life})")


async def sweep_life(env: Env, way: type[Way], asked: Asked) -> None:
    """Reset at every step of a request's life."""
    await env.driver.demand(asked.features | way.features)
    if way is ByFunction and not env.driver.can_function_reset():
        raise Skip(NO_FLR)
    sweep = Sweep(env, way(env), asked)
    await sweep.run(range(await sweep.measure()))
    sweep.conclude(_named(way, asked), whole=True)


async def sweep_window(env: Env, way: type[Way], asked: Asked, windows: int) -> None:
    """Reset at every step of one of so many windows of a request's life; as many seeds cover it all."""
    sweep = Sweep(env, way(env), asked)
    life = await sweep.measure()
    sweep.wait = life
    length = -(-life // windows)
    first = (env.seed - 1) % windows * length
    await sweep.run(range(first, first + length))
    sweep.conclude(_named(way, asked), whole=False)


def _named(way: type[Way], asked: Asked) -> str:
    ring = "packed" if asked.features & feature_mask(Feature.RING_PACKED) else "split"
    return f"{way.name}, {ring}, {'OUT' if asked.outward else 'IN'} of {asked.size}"
