"""A bench with the device model in place of RTL: no simulator, no clock, milliseconds a test."""

from __future__ import annotations

import random
from collections.abc import Awaitable
from pathlib import Path
from typing import cast

from pymodel.device.blk import BlkBackend
from pymodel.device.config import DEVICE_FEATURES, DeviceConfig, transitional
from pymodel.device.core import VirtioModel
from pymodel.device.lguest import TOP, LguestTransport
from pymodel.device.transport import ModelTransport
from pymodel.events import Event, EventStream
from pymodel.lguest import LguestLayout
from pymodel.memory import GuestMemory
from pymodel.spec import DeviceType, Feature, feature_mask
from pymodel.transport import Transport, run_now
from pymodel.vtrace import Header
from tb.image import Image
from tb.knobs import Knobs
from tb.ports.base import DmaPort
from tb.recorder import PythonRecorder, Recorder
from tb.results import Result
from tb.session import Job, Session, TestTimeout
from tb.sim_test import SimTest, Skip

QUEUES = 8
LAG = 12
TIME_FACTOR = 50


class ModelDma:
    """The model's DMA: done as soon as it begins."""

    idle = True
    posted = False

    @property
    def faults(self) -> list[str]:
        """There is no bus that could be misused."""
        return []

    def refuse(self, first: int, last: int, *, reads: bool = True, writes: bool = True) -> None:
        """The model's host has no such knob."""
        raise Skip("the device model's host refuses nothing")

    def allow(self) -> None:
        """Nothing is refused."""


class ModelBench:
    """One test's bench around a modelled block device; with stress it lags behind its host."""

    target = "model"

    def __init__(
        self,
        test: SimTest,
        knobs: Knobs,
        rng: random.Random,
        memory: GuestMemory,
        image: Image,
        events: EventStream,
    ) -> None:
        lag = 0 if knobs == Knobs() else rng.randrange(LAG)
        self._backend = BlkBackend(image.content, queues=1 if test.interface == "lguest" else QUEUES)
        config = _config(test.interface, lag, rng.getrandbits(32))
        self._limit = 0
        self._devices: list[VirtioModel]
        self.transport: Transport
        if test.interface == "lguest":
            page = LguestTransport([self._backend], LguestLayout.LATER, config, memory=memory, events=events)
            self.transport, self._devices = page, cast("list[VirtioModel]", page.devices)
        else:
            function = ModelTransport(self._backend, config, memory=memory, events=events)
            self.transport, self._devices = function, [function.device]
        self.dma: DmaPort = ModelDma()
        self.medium: DmaPort | None = None
        self._events = events

    def _bound(self, event: Event) -> None:
        if self._limit and event.t > self._limit:
            raise TestTimeout(f"the test did not end within {self._limit // 10**6} us of the model's time")

    async def start(self) -> None:
        """The model is there at once; its time is bounded behind all other sinks."""
        self._events.subscribe(self._bound)

    def set_capacity(self, sectors: int) -> None:
        """Tell the model that its medium changed."""
        if sectors != self._backend.capacity or self.transport.now():
            self._backend.resize(sectors)

    async def bounded(self, work: Awaitable[None], timeout_us: int) -> None:
        """Await the work; the model's time runs faster than RTL's, so it gets more of it."""
        self._limit = timeout_us * TIME_FACTOR * 10**6
        try:
            await work
        finally:
            self._limit = 0

    def faults(self) -> list[str]:
        """There is no bus that could be misused."""
        return []

    def cycles(self) -> int:
        """The model has no clock."""
        return 0

    step_ps = 0

    async def steps(self, count: int) -> None:
        """Let the model do units of work, as many as there are at most."""
        for _ in range(count):
            for device in self._devices:
                device.work()

    def waves(self, on: bool) -> None:
        """The model has no waves."""

    def recorder(self, events: EventStream, trace: Path, header: Header, twin: str) -> Recorder:
        """Record and judge in Python, where the events are."""
        return PythonRecorder(events, trace, header)


def _config(interface: str, lag: int, seed: int) -> DeviceConfig:
    if interface == "transitional":
        return transitional(lag=lag, seed=seed, max_queue_size=128)
    if interface == "lguest":
        return DeviceConfig(lag=lag, seed=seed, max_queue_size=64)
    if interface == "admin":
        features = DEVICE_FEATURES | feature_mask(Feature.ADMIN_VQ)
        return DeviceConfig(features=features, vectors=QUEUES + 2, lag=lag, seed=seed)
    return DeviceConfig(lag=lag, seed=seed)


def run_on_model(job: Job) -> Result:
    """Run one test on the device model."""
    top = TOP if job.test.interface == "lguest" else None
    header = Header(source="model", device="model", type=DeviceType.BLK, lguest_top=top)
    session = Session(job, ModelBench, header)
    return run_now(session.run())
