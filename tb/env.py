"""What a test is given: driver, memory, medium, events, judge, and verbs for the usual situations."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymodel.checker import Finding
from pymodel.driver.blk import VirtioBlk
from pymodel.driver.entropy import VirtioEntropy
from pymodel.events import Event, EventStream, Mark
from pymodel.memory import GuestMemory
from pymodel.transport import Transport
from tb.guest import Guest
from tb.image import Image
from tb.knobs import Knobs
from tb.ports.base import DmaPort
from tb.recorder import Recorder
from tb.traffic import Traffic
from tb.work import Work
from tb.work.base import Unit


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the bench puts around a device for one test run; `seed` is what everything was drawn from."""

    name: str
    folder: Path
    argument: str
    target: str
    seed: int
    transport: Transport
    memory: GuestMemory
    image: Image
    events: EventStream
    recorder: Recorder
    knobs: Knobs
    dma: DmaPort
    medium: DmaPort | None
    set_capacity: Callable[[int], None]
    waves: Callable[[bool], None]
    steps: Callable[[int], Awaitable[None]]
    step_ps: int


class Env:
    """One test's world; everything random in it comes from `rng`, `folder` takes what it leaves."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.seed = around.seed
        self.folder = around.folder
        self.argument = around.argument
        self.rng = random.Random(f"test/{around.seed}/{around.name}")
        self.transport = around.transport
        self.memory = around.memory
        self.image = around.image
        self.dma = around.dma
        self.medium = around.medium
        self.knobs = around.knobs
        self.driver = Guest(around.transport, self.rng, around.image, plain=around.knobs == Knobs())
        self.reports: list[str] = []

    @property
    def blk(self) -> VirtioBlk:
        """The block driver of the last `driver.start`, in tests for block devices."""
        return self.driver.blk

    @property
    def entropy(self) -> VirtioEntropy:
        """The entropy driver of the last `driver.start`, in tests for entropy devices."""
        return self.driver.entropy

    @property
    def work(self) -> Work[Any]:
        """What the driver of the last `driver.start` can be asked to do, whatever the device's type."""
        return self.driver.work

    @property
    def log(self) -> list[Event]:
        """All events of the test so far."""
        return self.around.recorder.log

    @property
    def now_ns(self) -> int:
        """Simulated nanoseconds since the test's start."""
        return self.transport.now() // 1000

    async def delay(self, ns: int) -> None:
        """Let simulated time pass."""
        await self.transport.delay(ns)

    async def steps(self, count: int) -> None:
        """Let the device take its smallest steps: clock cycles on RTL, units of work on the model."""
        await self.around.steps(count)

    @property
    def step_ps(self) -> int:
        """A clock cycle in picoseconds; 0 where the device has no clock."""
        return self.around.step_ps

    async def begin(
        self, *, size: int = 1, outward: bool = False, queue: int | None = None, kick: bool = True
    ) -> Unit:
        """Start one plain unit of work; its `settle` waits for it and holds what came of it."""
        return await self.work.begin(size=size, outward=outward, queue=queue, kick=kick)

    async def units(self, count: int = 1, *, queue: int | None = None) -> None:
        """Do so many plain units of work, one after another, and hold what came of each."""
        await self.work.units(count, queue=queue)

    async def traffic(
        self,
        requests: int,
        *,
        depth: int = 16,
        most: int = 8,
        then: Callable[[], Awaitable[None]] | None = None,
    ) -> Traffic:
        """Run drawn units of work, of sizes up to `most` and up to `depth` at a time, and hold every result.

        With `then` that many requests are submitted, and `then` is awaited while the last are still
        in flight; those are not waited for.
        """
        traffic = Traffic(self.work, depth=depth, most=most)
        await traffic.run(requests, finish=then is None)
        if then is not None:
            await then()
        return traffic

    @contextmanager
    def expect(self, *clauses: str) -> Iterator[None]:
        """The code below violates each of these clauses on purpose; it is a failure if it does not."""
        with self.around.recorder.expect(*clauses):
            yield

    @contextmanager
    def misbehave(self) -> Iterator[list[Finding]]:
        """The driver below may breach any of its own clauses, the device none; the list says which it did."""
        with self.around.recorder.tolerate("DRV") as caught:
            yield caught

    def resize(self, sectors: int) -> None:
        """Change the medium's capacity under the running device."""
        self.image.resize(sectors)
        self.around.set_capacity(sectors)

    def note(self, text: str) -> None:
        """Put a mark into the trace."""
        self.around.events.emit(Mark(t=self.transport.now(), text=text))

    def report(self, text: str) -> None:
        """Say what was measured: in the trace, in the result, and on the terminal when the test passes."""
        self.note(text)
        self.reports.append(text)

    @contextmanager
    def waves(self) -> Iterator[None]:
        """Record waves of what happens below, in a test with wave_window=True."""
        self.around.waves(True)
        try:
            yield
        finally:
            self.around.waves(False)
