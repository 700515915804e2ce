"""A recorded trace as stimulus: the host's accesses and stores again, in their order and at their pace."""

from __future__ import annotations

from pathlib import Path

from pymodel.events import (
    BarRead,
    BarWrite,
    ConfigRead,
    ConfigWrite,
    DmaRead,
    DmaWrite,
    Event,
    Intx,
    Mark,
    MemWrite,
    Msix,
    Reset,
)
from pymodel.memory import GuestMemory, Region
from pymodel.recorded import RecordedMemory
from pymodel.spec import MSI_ADDRESS_BASE, MSI_ADDRESS_END
from pymodel.vtrace import END_MARK, read_vtrace
from tb.env import Env
from tb.sim_test import sim_test

HOST = (ConfigRead, ConfigWrite, BarRead, BarWrite, Reset)
GRANULE = 1 << 21
LONGEST_PAUSE_NS = 10_000
PATIENCE_NS = 20_000
POLL_NS = 50


def read_events(trace: str) -> list[Event]:
    """Return the events of a trace; raises VtraceError."""
    reader, stream = read_vtrace(Path(trace))
    with stream:
        return list(reader)


def memory_of(trace: str) -> GuestMemory:
    """Return guest memory that covers whatever the trace's driver and device touched.

    Where the driver's stores were not observed, the device's reads tell what they were.
    """
    events = read_events(trace)
    granules: set[int] = set()
    for event in events:
        refused = isinstance(event, DmaRead | DmaWrite) and event.err
        if isinstance(event, MemWrite | DmaRead | DmaWrite) and event.data and not refused:
            last = event.addr + len(event.data) - 1
            granules.update(range(event.addr // GRANULE, last // GRANULE + 1))
    runs: list[list[int]] = []
    for granule in sorted(granules):
        if runs and runs[-1][1] == granule:
            runs[-1][1] += 1
        else:
            runs.append([granule, granule + 1])
    regions = [Region.anonymous(first * GRANULE, (last - first) * GRANULE) for first, last in runs]
    if any(isinstance(event, MemWrite) for event in events):
        return GuestMemory(regions or None)
    reads = [(e.addr, e.data) for e in events if isinstance(e, DmaRead) and e.data and not e.err]
    return RecordedMemory(regions or None, reads)


@sim_test(timeout_us=10_000_000, stress="calm", device=None, memory=memory_of)
async def test_trace(env: Env) -> None:
    """The stimulus of a recorded trace, judged anew."""
    replay = Replay(env)
    for event in read_events(env.argument):
        await replay.step(event)


class Replay:
    """Carries events out; device events of the trace are waited for, so that causes stay before effects."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._wanted = {DmaWrite: 0, Msix: 0, Intx: 0}
        self._seen = {DmaWrite: 0, Msix: 0, Intx: 0}
        self._last = 0
        env.around.events.subscribe(self._count)

    def _count(self, event: Event) -> None:
        if type(event) in self._seen:
            self._seen[type(event)] += 1

    async def step(self, event: Event) -> None:
        """Carry out one event of the trace."""
        transport = self._env.transport
        if isinstance(event, MemWrite):
            if not MSI_ADDRESS_BASE <= event.addr < MSI_ADDRESS_END:
                self._env.memory.write(event.addr, event.data)
        elif type(event) in self._wanted:
            self._wanted[type(event)] += 1
            await self._wait_for(type(event))
        elif isinstance(event, Mark) and event.text != END_MARK:
            self._env.note(event.text)
        elif isinstance(event, HOST):
            await self._pause(event)
            if isinstance(event, ConfigRead):
                await transport.config_read(event.addr, len(event.data))
            elif isinstance(event, ConfigWrite):
                value = int.from_bytes(event.data, "little")
                await transport.config_write(event.addr, len(event.data), value)
            elif isinstance(event, BarRead):
                await transport.bar_read(event.bar, event.addr, len(event.data))
            elif isinstance(event, BarWrite):
                value = int.from_bytes(event.data, "little")
                await transport.bar_write(event.bar, event.addr, len(event.data), value)
            elif event.t > 0 and event.kind != "flr":
                await transport.reset(event.kind)

    async def _wait_for(self, kind: type[Event]) -> None:
        deadline = self._env.now_ns + PATIENCE_NS
        while self._seen[kind] < self._wanted[kind] and self._env.now_ns < deadline:
            await self._env.delay(POLL_NS)
        self._wanted[kind] = min(self._wanted[kind], self._seen[kind])

    async def _pause(self, event: Event) -> None:
        """Keep the recorded distance between host accesses, where it is not a human's."""
        asked = event.t if event.t_req is None else event.t_req
        await self._env.delay(min(max(0, asked - self._last) // 1000, LONGEST_PAUSE_NS))
        self._last = event.t
