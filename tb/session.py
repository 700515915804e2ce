"""Runs one test on one bench: wires events to trace and judge, bounds it, drains it, gives the result."""

from __future__ import annotations

import random
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from pymodel.checker import Finding
from pymodel.device.lguest import guest_memory as lguest_memory
from pymodel.events import EventStream, Mark, Reset
from pymodel.memory import GuestMemory
from pymodel.transport import Transport
from pymodel.vtrace import END_MARK, Header
from tb.env import Env, Surroundings
from tb.errors import ClassBroken
from tb.failure import describe
from tb.image import Image
from tb.judge import section_of
from tb.knobs import Knobs, draw_knobs
from tb.lifeline import raise_if_full
from tb.ports.base import DmaPort
from tb.recorder import Recorder, TwinsDisagree
from tb.results import ERROR, FAIL, PASS, SKIP, Result
from tb.scope import waive
from tb.sessions import state_at
from tb.sim_test import SimTest, Skip

DRAIN_NS = 20_000
QUIET_NS = 1_000
TRACE = "trace.vtrace"
LOG = "sim.log"
RESULT = "result.json"
WAVE = "wave.fst"
NATIVE, PYTHON = "native", "python"
LEFT_BEHIND = ("failure*", "wave.*")


class TestTimeout(Exception):
    """The test did not end within its simulated time."""


@dataclass(frozen=True, slots=True)
class Job:
    """One test to run under one seed, and the folder for what it leaves behind.

    Waves, where they are written, begin `wave_from_ns` behind the test's start, and end `wave_until_ns`
    behind it where that is not 0. `twin` says which of the checker's two
    implementations judges on the native path. `stress` is a level of `tb.knobs` in place of the test's own.
    The simulated time that the test asks for is multiplied by `time_scale`.
    """

    test: SimTest
    seed: int
    folder: Path
    image: Path | None = None
    replay: str = ""
    argument: str = ""
    wave_from_ns: int = 0
    wave_until_ns: int = 0
    twin: str = NATIVE
    stress: str = ""
    time_scale: float = 1.0

    @property
    def timeout_us(self) -> int:
        """The simulated time that the test may take."""
        return max(1, int(self.test.timeout_us * self.time_scale))


class Bench(Protocol):
    """A device for one test, with the machine around it."""

    @property
    def target(self) -> str:
        """What kind of device it is: "rtl" or "model"."""
        ...

    @property
    def transport(self) -> Transport:
        """The driver's way to the device."""
        ...

    @property
    def dma(self) -> DmaPort:
        """The device's way to guest memory."""
        ...

    @property
    def medium(self) -> DmaPort | None:
        """The device's way to its medium, where it is on pins."""
        ...

    async def start(self) -> None:
        """Bring the device out of its power-on reset."""
        ...

    def set_capacity(self, sectors: int) -> None:
        """Tell the device its medium's capacity."""
        ...

    async def bounded(self, work: Awaitable[None], timeout_us: int) -> None:
        """Await the work; raises TestTimeout after that much simulated time."""
        ...

    def faults(self) -> list[str]:
        """What happened on the device's buses that must not happen, one line each."""
        ...

    def cycles(self) -> int:
        """Clock cycles since the start; 0 where there is no clock."""
        ...

    @property
    def step_ps(self) -> int:
        """A clock cycle in picoseconds; 0 where there is no clock."""
        ...

    async def steps(self, count: int) -> None:
        """Let the device take its smallest steps: clock cycles, or units of work of a model."""
        ...

    def waves(self, on: bool) -> None:
        """Record waves from now on, or stop."""
        ...

    def recorder(self, events: EventStream, trace: Path, header: Header, twin: str) -> Recorder:
        """What takes in the events of this bench; `twin` is NATIVE or PYTHON."""
        ...


BenchFactory = Callable[[SimTest, Knobs, random.Random, GuestMemory, Image, EventStream], Bench]


class Session:
    """One run of one test; `scope` are the clauses that the DUT's manifest puts out of it, and why."""

    def __init__(
        self,
        job: Job,
        make_bench: BenchFactory,
        header: Header,
        scope: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.job = job
        self.scope = scope
        self.events = EventStream()
        job.folder.mkdir(parents=True, exist_ok=True)
        for stale in (RESULT, *LEFT_BEHIND):
            for path in job.folder.glob(stale):
                path.unlink()
        knobs = draw_knobs(job.stress or job.test.stress, job.seed, job.test.name)
        memory = _memory(job)
        self.image = self._image()
        rng = random.Random(f"bench/{job.seed}/{job.test.name}")
        self.bench = make_bench(job.test, knobs, rng, memory, self.image, self.events)
        self.recorder = self.bench.recorder(self.events, job.folder / TRACE, header, job.twin)
        self.env = Env(
            Surroundings(
                name=job.test.name,
                folder=job.folder,
                argument=job.argument,
                target=self.bench.target,
                seed=job.seed,
                transport=self.bench.transport,
                memory=memory,
                image=self.image,
                events=self.events,
                recorder=self.recorder,
                knobs=knobs,
                dma=self.bench.dma,
                medium=self.bench.medium,
                set_capacity=self.bench.set_capacity,
                waves=self.bench.waves,
                steps=self.bench.steps,
                step_ps=self.bench.step_ps,
            )
        )

    def _image(self) -> Image:
        if self.job.image is not None:
            return Image.load(self.job.image)
        return Image.pattern(self.job.test.image_sectors, self.job.seed)

    async def run(self) -> Result:
        """Run the test and write its trace and result."""
        started = time.monotonic()
        result = Result(self.job.test.name, self.job.seed, PASS, replay=self.job.replay)
        result.folder, result.stress = self.job.folder.name, self.job.stress
        try:
            await self._perform()
        except Skip as skip:
            result.status, result.message = SKIP, str(skip)
        except ClassBroken as broken:
            result.status, result.message = ERROR, f"{broken} (see {self.job.folder / LOG})"
            result.bench_broke = True
            result.details = traceback.format_exc()
        except Exception as error:
            raise_if_full(error)
            result.status = FAIL
            result.message = f"{type(error).__name__}: {error}".strip().partition("\n")[0]
            result.details = traceback.format_exc()
        # A failed test was observed to its end as well: what the device owed by then counts.
        self.events.emit(Mark(t=self.bench.transport.now(), text=END_MARK))
        if result.status != ERROR:
            self._judge(result)
        result.seconds = round(time.monotonic() - started, 3)
        result.message = result.message or "; ".join(self.env.reports)
        result.sim_ns = self.env.now_ns
        result.cycles = self.bench.cycles()
        self.recorder.close()
        if result.violations:
            first = result.violations[0]
            result.state = state_at(self.job.folder / TRACE, first["clause"], first["t"])
        result.save(self.job.folder / RESULT)
        return result

    async def _perform(self) -> None:
        self.events.emit(Mark(t=0, text=self.job.test.name))
        self.events.emit(Reset(t=0, kind="power"))
        self.bench.set_capacity(self.image.sectors)
        await self.bench.bounded(self._whole(), self.job.timeout_us)

    async def _whole(self) -> None:
        await self.bench.start()
        await self.job.test.function(self.env)
        await self._drain()

    async def _drain(self) -> None:
        """Let the device finish what it began; what is left after that is a failure."""
        ports = [port for port in (self.bench.dma, self.bench.medium) if port is not None]
        deadline = self.env.now_ns + DRAIN_NS
        # Idle twice in a row: a device may be about to look at its ring once more.
        quiet = 0
        while quiet < 2 and self.env.now_ns < deadline:
            quiet = quiet + 1 if all(port.idle for port in ports) else 0
            if quiet < 2:
                await self.env.delay(QUIET_NS)
        assert all(port.idle for port in ports), "DMA is still in flight after the test's end"
        assert not self.env.driver.in_flight, f"{self.env.driver.in_flight} requests are pending at the end"
        faults = self.bench.faults()
        assert not faults, f"{faults[0]} ({len(faults)} faults)"

    def _judge(self, result: Result) -> None:
        """Let the checker have the last word; its violations come before any other failure."""
        try:
            verdict = self.recorder.finish()
        except TwinsDisagree as doubt:
            result.status, result.message, result.bench_broke = ERROR, str(doubt), True
            return
        result.violations = [_told(finding) for finding in verdict.violations]
        result.warnings = [_told(finding) for finding in verdict.warnings]
        result.clauses = {clause: word._value_ for clause, word in verdict.verdicts.items()}
        result.outcomes = {
            clause: [outcome.held, outcome.breached]
            for clause, outcome in verdict.outcomes.items()
            if outcome.held or outcome.breached
        }
        result.buffers = self.env.driver.buffers
        level = self.job.stress or self.job.test.stress
        result.coverage = [[level, *shape] for shape in sorted(self.env.driver.shapes)]
        waive(result, self.scope)
        if result.violations:
            first = result.violations[0]
            rule = f"{first['clause']} (virtio 1.4, {first['section']})"
            blame = f"{rule} at {first['t'] / 1000:.3f} ns: {first['message']}"
            result.message = f"{blame}; then {result.message}" if result.status == FAIL else blame
            result.status = FAIL
        elif self.recorder.unmet and result.status == PASS:
            result.status = FAIL
            result.message = f"expected a violation of {', '.join(self.recorder.unmet)}, but none came"


def _memory(job: Job) -> GuestMemory:
    """Guest memory as the test or its bus wants it."""
    if job.test.memory:
        return job.test.memory(job.argument)
    return lguest_memory() if job.test.interface == "lguest" else GuestMemory()


def _told(finding: Finding) -> dict[str, Any]:
    """A finding as results tell it: with its section of the standard and the event that it was seen in."""
    event = describe(finding.event) if finding.event is not None else ""
    return {**finding.to_json(), "section": section_of(finding.clause), "event": event.strip()}
