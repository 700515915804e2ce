"""Passive taps on the pins: the same traffic as the ports carry, seen independently, and AXI's own rules.

A tap watches handshakes only. It knows nothing of the ports, drives nothing, and reports events at the
moment of the last handshake; a test holds them against the ports' events.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from cocotb.triggers import RisingEdge
from cocotb_bus.monitors import BusMonitor

from pymodel import spec
from pymodel.events import BarRead, BarWrite, ConfigRead, ConfigWrite, DmaRead, DmaWrite, Event, Msix
from tb.ports.burst import Burst, burst_faults, strobed_runs, write_faults
from tb.ports.channels import Pins

CHANNELS = {
    "aw": ("awid", "awaddr", "awlen", "awsize", "awburst"),
    "w": ("wdata", "wstrb", "wlast"),
    "b": ("bid", "bresp"),
    "ar": ("arid", "araddr", "arlen", "arsize", "arburst"),
    "r": ("rid", "rdata", "rresp", "rlast"),
}
PACKETS = {
    "rx_t": ("rx_tdata", "rx_tlast", "rx_tkeep", "rx_tsop"),
    "tx_t": ("tx_tdata", "tx_tlast", "tx_tkeep", "tx_tsop"),
}
_PAYLOADS = CHANNELS | PACKETS


class ChannelMonitor(BusMonitor):  # type: ignore[misc]
    """Watches one channel's VALID/READY handshakes and that VALID and payload stay until READY."""

    def __init__(self, pins: Pins, channel: str, faults: list[str], seen: Callable[[Any], None]) -> None:
        self._channel = channel
        self._faults = faults
        names = _PAYLOADS[channel]
        self._signals = pins.signals([*names, f"{channel}valid", f"{channel}ready"])
        self._payload = [name for name in names if name in self._signals]
        self._absent = {name: 0 for name in names if name not in self._signals}
        reset = {"reset_n": pins.reset} if pins.active_low else {"reset": pins.reset}
        super().__init__(pins.dut, None, pins.clock, **reset, callback=seen, case_insensitive=False)

    def _sample(self) -> dict[str, int]:
        return {name: int(getattr(self.bus, name).value) for name in self._payload}

    async def _monitor_recv(self) -> None:
        valid = getattr(self.bus, f"{self._channel}valid")
        ready = getattr(self.bus, f"{self._channel}ready")
        waiting: dict[str, int] | None = None
        edge = RisingEdge(self.clock)
        while True:
            await edge
            if self.in_reset:
                waiting = None
            elif not int(valid.value):
                if waiting is not None:
                    self._faults.append(f"{self._channel}valid fell before {self._channel}ready")
                    waiting = None
                await RisingEdge(valid)
            else:
                payload = self._sample()
                if waiting is not None and payload != waiting:
                    changed = [name for name in payload if payload[name] != waiting[name]]
                    self._faults.append(f"{', '.join(changed)} changed before {self._channel}ready")
                waiting = None if int(ready.value) else payload
                if waiting is None:
                    self._recv(SimpleNamespace(**self._absent, **payload))


class DmaTap:
    """Reconstructs DmaRead, DmaWrite and Msix events from an AXI4 interface."""

    def __init__(self, pins: Pins, now: Callable[[], int], messages: bool = True) -> None:
        self.events: list[Event] = []
        self.faults: list[str] = []
        self._now = now
        self._messages = messages
        self.lanes = pins.width("wdata") // 8
        self._reads: defaultdict[int, deque[Burst]] = defaultdict(deque)
        self._beats: defaultdict[int, list[Any]] = defaultdict(list)
        self._announced: deque[Burst] = deque()
        self._written: deque[list[Any]] = deque([[]])
        self._writes: defaultdict[int, deque[Burst]] = defaultdict(deque)
        for channel in CHANNELS:
            ChannelMonitor(pins, channel, self.faults, getattr(self, f"_{channel}"))

    def _burst(self, item: Any, channel: str) -> Burst:
        addr, beats = getattr(item, f"{channel}addr"), getattr(item, f"{channel}len") + 1
        ident, size = getattr(item, f"{channel}id"), getattr(item, f"{channel}size")
        burst = Burst(ident, addr, beats, size, self.lanes, self._now())
        self.faults += burst_faults(burst, getattr(item, f"{channel}burst"))
        return burst

    def _ar(self, item: Any) -> None:
        burst = self._burst(item, "ar")
        self._reads[burst.ident].append(burst)

    def _r(self, item: Any) -> None:
        beats = self._beats[item.rid]
        beats.append(item)
        if not self._reads[item.rid]:
            self.faults.append(f"read data for id {item.rid} that asked for none")
            beats.clear()
            return
        burst = self._reads[item.rid][0]
        if bool(item.rlast) != (len(beats) == burst.beats):
            self.faults.append(f"rlast is wrong at beat {len(beats) - 1} of the burst {burst}")
        if len(beats) == burst.beats:
            self._reads[item.rid].popleft()
            self._emit_read(burst, list(beats))
            beats.clear()

    def _emit_read(self, burst: Burst, beats: list[Any]) -> None:
        data = bytearray()
        for number, beat in enumerate(beats):
            start, count = burst.beat_range(number)
            lane = start % self.lanes
            data += (beat.rdata >> 8 * lane & (1 << 8 * count) - 1).to_bytes(count, "little")
        err = any(beat.rresp for beat in beats)
        event = DmaRead(t=self._now(), t_req=burst.asked, addr=burst.addr, data=bytes(data), err=err)
        self.events.append(event)

    def _aw(self, item: Any) -> None:
        self._announced.append(self._burst(item, "aw"))
        self._join()

    def _w(self, item: Any) -> None:
        self._written[-1].append(item)
        if item.wlast:
            self._written.append([])
        self._join()

    def _join(self) -> None:
        """Give the oldest address its data once both are whole."""
        while self._announced and len(self._written) > 1:
            burst, beats = self._announced.popleft(), self._written.popleft()
            if len(beats) != burst.beats:
                self.faults.append(f"wlast after {len(beats)} beats of the burst {burst}")
            words = [(beat.wdata, beat.wstrb) for beat in beats[: burst.beats]]
            self.faults += write_faults(burst, words)
            burst.runs = strobed_runs(burst, words)
            self._writes[burst.ident].append(burst)

    def _b(self, item: Any) -> None:
        if not self._writes[item.bid]:
            self.faults.append(f"a write response for id {item.bid} that wrote nothing whole")
            return
        burst = self._writes[item.bid].popleft()
        for addr, data in burst.runs:
            self.events.append(self._written_event(burst, addr, data, bool(item.bresp)))

    def _written_event(self, burst: Burst, addr: int, data: bytes, err: bool) -> Event:
        in_window = spec.MSI_ADDRESS_BASE <= addr < spec.MSI_ADDRESS_END
        if self._messages and in_window and len(data) == 4:
            value = int.from_bytes(data, "little")
            return Msix(t=self._now(), t_req=burst.asked, addr=addr, data=value)
        return DmaWrite(t=self._now(), t_req=burst.asked, addr=addr, data=data, err=err)

    @property
    def idle(self) -> bool:
        """No burst is open."""
        open_reads = any(self._reads.values()) or any(self._writes.values())
        return not open_reads and not self._announced and self._written == deque([[]])


class HostTap:
    """Reconstructs host accesses from an AXI4-Lite interface, a transfer each.

    The bus does not tell how many bytes a read wants: its events hold everything from the address to
    the end of the bus word.
    """

    def __init__(self, pins: Pins, bases: dict[int, int] | None, now: Callable[[], int]) -> None:
        self.events: list[Event] = []
        self.faults: list[str] = []
        self._bases = bases
        self._now = now
        self.lanes = pins.width("wdata") // 8
        self._queues: defaultdict[str, deque[Any]] = defaultdict(deque)
        for channel in CHANNELS:
            ChannelMonitor(pins, channel, self.faults, self._taker(channel))

    def _taker(self, channel: str) -> Callable[[Any], None]:
        def take(item: Any) -> None:
            item.asked = self._now()
            self._queues[channel].append(item)
            self._join()

        return take

    def _join(self) -> None:
        queues = self._queues
        while queues["aw"] and queues["w"]:
            self._emit_write(queues["aw"].popleft(), queues["w"].popleft())
        while queues["ar"] and queues["r"]:
            self._emit_read(queues["ar"].popleft(), queues["r"].popleft())

    def _emit_write(self, address: Any, item: Any) -> None:
        burst = Burst(0, address.awaddr, 1, (self.lanes - 1).bit_length(), self.lanes, address.asked)
        for addr, data in strobed_runs(burst, [(item.wdata, item.wstrb)]):
            kind, place = self._place(addr, ConfigWrite, BarWrite)
            self.events.append(kind(t=self._now(), t_req=address.asked, data=data, **place))

    def _emit_read(self, address: Any, item: Any) -> None:
        lane = address.araddr % self.lanes
        data = item.rdata.to_bytes(self.lanes, "little")[lane:]
        kind, place = self._place(address.araddr, ConfigRead, BarRead)
        self.events.append(kind(t=self._now(), t_req=address.asked, data=data, **place))

    def _place(self, addr: int, config: Any, bar: Any) -> tuple[Any, dict[str, int]]:
        if self._bases is None:
            return config, {"addr": addr}
        number, base = max(
            ((n, b) for n, b in self._bases.items() if b <= addr), key=lambda item: item[1], default=(0, 0)
        )
        return bar, {"bar": number, "addr": addr - base}
