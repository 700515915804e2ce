"""Kind "pcie-tlp": configuration space, BARs, DMA and interrupts of a device that speaks PCIe packets.

cocotbext-pcie's root complex keeps tags and matches completions; its link is replaced by the DUT's pins
(`tb.ports.tlp_stream` lists them), its enumeration by the guest driver's own. The function is bus 1,
device 0, function 0, from the first configuration request on. A posted write counts as done when the
device took its last beat, a configuration write when its completion came. At most 8 of the host's
requests await a completion.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import cocotb
from cocotb.task import Task
from cocotb.triggers import Event, FallingEdge, First, Timer
from cocotbext.pcie.core import RootComplex

from pymodel.transport import TransportTimeout
from tb.knobs import Knobs
from tb.manifest import ULTRASCALE
from tb.ports.axi import Store
from tb.ports.axil import ACCESS_TIMEOUT_NS
from tb.ports.burst import PAGE
from tb.ports.channels import Pins
from tb.ports.initiator import pieces
from tb.ports.tlp_bars import TlpBars
from tb.ports.tlp_packets import (
    COMPLETIONS,
    READS,
    WRITES,
    config_request,
    config_value,
    memory_request,
    read_value,
)
from tb.ports.tlp_stream import TlpStreams
from tb.ports.tlp_target import TlpTarget
from tb.ports.tlp_us import UsStreams

OUTSTANDING = 8


class TlpLink(RootComplex):  # type: ignore[misc]
    """The root complex with the device's streams in place of its link; `target` serves the device.

    `bars` maps BAR numbers to their first base address, `sizes` to bytes, where the manifest knows them.
    """

    def __init__(
        self,
        pins: Pins,
        bars: dict[int, int],
        sizes: dict[int, int],
        store: Store,
        knobs: Knobs,
        rng: random.Random,
        now: Callable[[], int],
    ) -> None:
        super().__init__()
        self.bars = TlpBars(bars)
        self.tag_count = OUTSTANDING
        self.drive_line: Callable[[int], None] = lambda level: None
        self._pins = pins
        self._now = now
        seed = rng.getrandbits(64)
        seeds = iter(lambda: rng.getrandbits(64), None)
        stalls = knobs.host.stall, knobs.dma.stall
        self.streams: TlpStreams | UsStreams
        if pins.shape == ULTRASCALE:
            apertures = {bar: (base, sizes.get(bar, PAGE)) for bar, base in bars.items()}
            self.streams = UsStreams(pins, apertures, *stalls, seeds)
        else:
            self.streams = TlpStreams(pins, *stalls, seeds)
        self.target = TlpTarget(store, knobs.dma, seed, pins.period_ps, now, self.streams.send)
        self.target.faults = self.streams.faults
        self._task: Task[None] | None = None
        self.restart()

    def restart(self) -> None:
        """Forget what is in flight: the device is being reset."""
        if self._task is not None:
            self._task.cancel()
        self.streams.clear()
        self.target.restart()
        self.bars.restart()
        self.drive_line(0)
        self._task = cocotb.start_soon(self._run())

    async def _run(self) -> None:
        falling = FallingEdge(self._pins.clock)
        while True:
            await self._sleep()
            await falling
            for arrived, asked in self.streams.receive(self._now() - self._pins.period_ps // 2):
                self._arrive(arrived, asked)
            self.target.step(self.streams.room)

    async def _sleep(self) -> None:
        """Return behind the last rising edge before the next falling edge that matters."""
        news = self.streams.news
        news.clear()
        if self.streams.waiting:
            return
        due = self.target.next_due()
        if due is None:
            await news.wait()
        elif (wait := due - self._now() - self._pins.period_ps // 2) > 0:
            await First(Timer(wait, "ps"), news.wait())

    def _arrive(self, arrived: Any, asked: int) -> None:
        """A packet came from the device, its first beat at `asked`, or a level of the INTx line."""
        if isinstance(arrived, int):
            self.target.in_order(lambda: self.drive_line(arrived))
        elif arrived.fmt_type in WRITES:
            self.target.write(arrived, asked)
        elif arrived.fmt_type in READS:
            self.target.read(arrived, asked)
        elif arrived.fmt_type in COMPLETIONS:
            self.target.in_order(lambda: self._complete(arrived), alone=True)
        else:
            self.target.faults.append(f"the function sent a {arrived.fmt_type.name}")

    def behind_writes(self, work: Callable[[int], None]) -> Callable[[int], None]:
        """What does the same as `work` behind all writes that have come; for interrupts on pins."""

        def later(value: int) -> None:
            self.target.in_order(lambda: work(value))
            self.streams.news.set()

        return later

    def _complete(self, tlp: Any) -> None:
        if not self.tag_active[tlp.tag]:
            self.target.faults.append(f"a completion with tag {tlp.tag}, for which nothing was asked")
            return
        self.rx_cpl_queues[tlp.tag].put_nowait(tlp)
        self.rx_cpl_sync[tlp.tag].set()

    async def downstream_send(self, tlp: Any) -> None:
        """Put a request of the root complex on the pins."""
        self.streams.send(tlp, getattr(tlp, "taken", lambda: None))

    async def ask(self, tlp: Any, what: str) -> list[Any]:
        """Send a request and return its completions; raises TransportTimeout."""
        answers: list[Any] = await self.perform_nonposted_operation(tlp, ACCESS_TIMEOUT_NS, "ns")
        if not answers:
            raise TransportTimeout(f"no completion within {ACCESS_TIMEOUT_NS} ns to a {what}")
        return answers

    async def post(self, tlp: Any, what: str, taken: Callable[[], None]) -> None:
        """Send a posted request and wait until the device took it; raises TransportTimeout."""
        done = Event()

        def finish() -> None:
            taken()
            done.set()

        tlp.taken = finish
        await self.perform_posted_operation(tlp)
        await First(done.wait(), Timer(ACCESS_TIMEOUT_NS, "ns"))
        if not done.is_set():
            raise TransportTimeout(f"not taken within {ACCESS_TIMEOUT_NS} ns: a {what}")


class TlpConfigInitiator:
    """Accesses to configuration space, a request for each dword."""

    def __init__(self, link: TlpLink) -> None:
        self._link = link

    async def read(self, addr: int, length: int, what: str) -> int:
        """Read; what the function refuses reads as ones."""
        value = 0
        for offset, size in pieces(addr, length, 4):
            answers = await self._link.ask(config_request(addr + offset, size, None), what)
            part, faults = config_value(answers, addr + offset, size)
            self._link.target.faults += faults
            value |= part << 8 * offset
        return value

    async def write(self, addr: int, length: int, value: int, what: str, taken: Callable[[], None]) -> None:
        """Write; `taken` is called when the completion came."""
        data = value.to_bytes(length, "little")
        for offset, size in pieces(addr, length, 4):
            part = data[offset : offset + size]
            await self._link.ask(config_request(addr + offset, size, part), what)
            self._link.bars.written(addr + offset, part)
        taken()


class TlpBarInitiator:
    """Accesses to memory space, a request for each page that they touch."""

    def __init__(self, link: TlpLink) -> None:
        self._link = link

    async def read(self, addr: int, length: int, what: str) -> int:
        """Read; what the function refuses reads as ones."""
        value = 0
        for offset, size in pieces(addr, length, PAGE):
            answers = await self._link.ask(memory_request(addr + offset, size, None), what)
            part, faults = read_value(answers, addr + offset, size)
            self._link.target.faults += faults
            value |= part << 8 * offset
        return value

    async def write(self, addr: int, length: int, value: int, what: str, taken: Callable[[], None]) -> None:
        """Write; `taken` is called when the device has the last beat."""
        data = value.to_bytes(length, "little")
        cut = pieces(addr, length, PAGE)
        for offset, size in cut:
            tlp = memory_request(addr + offset, size, data[offset : offset + size])
            last = (offset, size) == cut[-1]
            await self._link.post(tlp, what, taken if last else lambda: None)
