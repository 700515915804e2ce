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
from cocotbext.pcie.core.tlp import Tlp

from pymodel.transport import TransportTimeout
from tb.knobs import Knobs
from tb.ports.axi import AHEAD, Store
from tb.ports.axil import ACCESS_TIMEOUT_NS
from tb.ports.burst import PAGE
from tb.ports.channels import Pins, stall
from tb.ports.initiator import pieces
from tb.ports.tlp_bars import TlpBars
from tb.ports.tlp_packets import (
    COMPLETIONS,
    READS,
    WRITES,
    config_request,
    config_value,
    intx_level,
    memory_request,
    message_code,
    read_value,
)
from tb.ports.tlp_stream import TlpReceiver, TlpSender
from tb.ports.tlp_target import TlpTarget

OUTSTANDING = 8


class TlpLink(RootComplex):  # type: ignore[misc]
    """The root complex with the device's two streams in place of its link; `target` serves the device."""

    def __init__(
        self,
        pins: Pins,
        bars: dict[int, int],
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
        self.sender = TlpSender(pins)
        seed = rng.getrandbits(64)
        self.target = TlpTarget(store, knobs.dma, seed, pins.period_ps, now, self.sender.send)
        self._receiver = TlpReceiver(pins, self.target.faults)
        stall(self.sender.source, knobs.host.stall, rng.getrandbits(64), pins.period_ps)
        stall(self._receiver.sink, knobs.dma.stall, rng.getrandbits(64), pins.period_ps)
        self._news = Event()
        self._receiver.sink.active_event = self._news
        self._task: Task[None] | None = None
        self.restart()

    def restart(self) -> None:
        """Forget what is in flight: the device is being reset."""
        if self._task is not None:
            self._task.cancel()
        self.sender.source.clear()
        self._receiver.clear()
        self.target.restart()
        self.bars.restart()
        self.drive_line(0)
        self._task = cocotb.start_soon(self._run())

    @property
    def idle(self) -> bool:
        """Nothing is on its way."""
        return self.target.idle and self._receiver.idle and bool(self.sender.source.idle())

    async def _run(self) -> None:
        falling = FallingEdge(self._pins.clock)
        while True:
            await self._sleep()
            await falling
            for packet, asked in self._receiver.receive(self._now() - self._pins.period_ps // 2):
                self._arrive(packet, asked)
            self.target.step(AHEAD - self.sender.source.count())

    async def _sleep(self) -> None:
        """Return behind the last rising edge before the next falling edge that matters."""
        self._news.clear()
        if not self._receiver.sink.empty():
            return
        due = self.target.next_due()
        if due is None:
            await self._news.wait()
        elif (wait := due - self._now() - self._pins.period_ps // 2) > 0:
            await First(Timer(wait, "ps"), self._news.wait())

    def _arrive(self, packet: bytes, asked: int) -> None:
        """A packet came from the device, its first beat at `asked`."""
        faults = self.target.faults
        code = message_code(packet)
        if code is not None:
            level = intx_level(code)
            if level is not None:
                self.target.in_order(lambda: self.drive_line(level))
            return
        try:
            tlp = Tlp.unpack(packet)
            kind = tlp.fmt_type
        except Exception as error:  # the library raises Exception itself
            faults.append(f"a packet that is none ({error}): {packet.hex()}")
            return
        if kind in WRITES:
            self.target.write(tlp, asked)
        elif kind in READS:
            self.target.read(tlp, asked)
        elif kind in COMPLETIONS:
            self.target.in_order(lambda: self._complete(tlp))
        else:
            faults.append(f"the function sent a {kind.name}")

    def _complete(self, tlp: Any) -> None:
        if not self.tag_active[tlp.tag]:
            self.target.faults.append(f"a completion with tag {tlp.tag}, for which nothing was asked")
            return
        self.rx_cpl_queues[tlp.tag].put_nowait(tlp)
        self.rx_cpl_sync[tlp.tag].set()

    async def downstream_send(self, tlp: Any) -> None:
        """Put a request of the root complex on the pins."""
        self.sender.send(bytes(tlp.pack()), getattr(tlp, "taken", lambda: None))

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
