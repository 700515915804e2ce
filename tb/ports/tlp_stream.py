"""Streams of whole PCIe packets (TLPs) on the DUT's pins.

Pins, by name behind the port's prefix: `rx_tdata`, `rx_tvalid`, `rx_tready` carry packets to the device,
`tx_tdata`, `tx_tvalid`, `tx_tready` from it; both of 32 to 1024 bits. A packet is its header (3 or 4
dwords) and its payload, without gap: the first byte (Fmt and Type) in bits [7:0], header fields
big-endian as PCI Express has them, payload bytes in address order. Every packet begins with a beat.
`rx_tlast` and `tx_tlast` mark a packet's last beat, `rx_tsop` and `tx_tsop` its first; `rx_tkeep` and
`tx_tkeep` the valid lanes, in bytes or dwords as their width says. Each of them may be left out: a header
tells the packet's length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from cocotb.triggers import Event, RisingEdge
from cocotbext.axi.stream import StreamSource, define_stream
from cocotbext.pcie.core.tlp import Tlp

from tb.ports.axi import AHEAD
from tb.ports.channels import Pins, stall
from tb.ports.tlp_packets import intx_level, message_code

DWORD = 4
STREAM = ("tdata", "tvalid", "tready")
MARKS = ("tlast", "tsop", "tkeep")
_WITH_DATA = 0x40
_WIDE = 0x20
_DIGEST = 0x80


def packet_length(head: bytes) -> int:
    """Bytes of the packet that begins with `head` (4 bytes or more), header and digest included."""
    dwords = 4 if head[0] & _WIDE else 3
    if head[0] & _WITH_DATA:
        dwords += int.from_bytes(head[2:4], "big") & 0x3FF or 1024
    return DWORD * (dwords + bool(head[2] & _DIGEST))


def _stream(way: str) -> Any:
    signals = [f"{way}_{name}" for name in STREAM]
    marks = [f"{way}_{name}" for name in MARKS]
    names = {"valid_signal": f"{way}_tvalid", "ready_signal": f"{way}_tready"}
    return define_stream(f"Tlp{way.title()}", signals=signals, optional_signals=marks, **names)


_, _Beat, _Source, _, _ = _stream("rx")
_, _, _, TlpSink, _ = _stream("tx")


class BeatSource(StreamSource):  # type: ignore[misc]
    """Drives beats; the `taken` of one, if any, is called at the clock edge at which the device has it."""

    async def _run(self) -> None:
        edge = RisingEdge(self.clock)
        sent: Any = None
        while True:
            await edge
            valid = bool(self.valid.value)
            if valid and not self.ready.value:
                continue
            if valid and sent is not None and sent.taken is not None:
                sent.taken()
            sent = None
            if not self.queue.empty() and not self.pause:
                sent = self.queue.get_nowait()
                self.bus.drive(sent)
            self.valid.value = int(sent is not None)
            self.active = sent is not None or not self.queue.empty()
            if not self.active:
                self.idle_event.set()
                self.active_event.clear()
                await self.active_event.wait()


class TlpSource(BeatSource, _Source):  # type: ignore[misc, valid-type]
    """The stream to the device."""


class TlpSender:
    """Sends packets to the device, in the order in which they are given."""

    def __init__(self, pins: Pins) -> None:
        self.source = pins.channel(TlpSource)
        self._lanes = pins.width("rx_tdata") // 8
        has_keep = "rx_tkeep" in pins.signals(["rx_tkeep"])
        self._unit = self._lanes // pins.width("rx_tkeep") if has_keep else self._lanes

    def send(self, packet: bytes, taken: Callable[[], None] = lambda: None) -> None:
        """Queue a packet; `taken` is called at the clock edge at which the device has all of it."""
        for start in range(0, len(packet), self._lanes):
            part = packet[start : start + self._lanes]
            last = start + self._lanes >= len(packet)
            beat = _Beat(
                rx_tdata=int.from_bytes(part, "little"),
                rx_tlast=int(last),
                rx_tsop=int(start == 0),
                rx_tkeep=(1 << -(-len(part) // self._unit)) - 1,
            )
            beat.taken = taken if last else None
            self.source.send_nowait(beat)


def _nothing() -> None:
    pass


class TlpReceiver:
    """Puts the bytes of the device's packets together; what breaks the stream's rules goes to `faults`."""

    def __init__(self, pins: Pins, faults: list[str]) -> None:
        self.sink = pins.channel(TlpSink)
        self._lanes = pins.width("tx_tdata") // 8
        marks = pins.signals([f"tx_{name}" for name in MARKS])
        self._has_last, self._has_sop = "tx_tlast" in marks, "tx_tsop" in marks
        self._faults = faults
        self._packet = bytearray()
        self._began = 0

    @property
    def idle(self) -> bool:
        """No packet is half there."""
        return not self._packet and bool(self.sink.empty())

    def clear(self) -> None:
        """Forget what has come."""
        self.sink.clear()
        self._packet.clear()

    def receive(self, now: int) -> list[tuple[bytes, int]]:
        """Return the packets that are whole, each with the time at which its first beat was seen."""
        packets = []
        while not self.sink.empty():
            beat = self.sink.recv_nowait()
            if not self._packet:
                self._began = now
            self._check_start(beat)
            self._packet += int(beat.tx_tdata).to_bytes(self._lanes, "little")
            length = packet_length(bytes(self._packet[:4]))
            ends = len(self._packet) >= length
            if self._has_last and bool(beat.tx_tlast) != ends:
                self._faults.append(f"tlast is wrong in a packet whose header says {length} bytes")
                ends = bool(beat.tx_tlast)
            if ends:
                packets.append((bytes(self._packet[:length]), self._began))
                self._packet.clear()
        return packets

    def _check_start(self, beat: Any) -> None:
        if self._has_sop and bool(beat.tx_tsop) == bool(self._packet):
            self._faults.append("tsop is wrong: a packet begins with it, and only with it")


class TlpStreams:
    """Both streams, with packets as the library's objects."""

    def __init__(self, pins: Pins, host_stall: float, device_stall: float, seeds: Iterator[int]) -> None:
        self.faults: list[str] = []
        self.news = Event()
        self._sender = TlpSender(pins)
        self._receiver = TlpReceiver(pins, self.faults)
        stall(self._sender.source, host_stall, next(seeds), pins.period_ps)
        stall(self._receiver.sink, device_stall, next(seeds), pins.period_ps)
        self._receiver.sink.active_event = self.news

    def clear(self) -> None:
        """Forget what is on its way."""
        self._sender.source.clear()
        self._receiver.clear()

    @property
    def idle(self) -> bool:
        """Nothing is on its way."""
        return self._receiver.idle and bool(self._sender.source.idle())

    @property
    def waiting(self) -> bool:
        """Something has come that nobody has received."""
        return not self._receiver.sink.empty()

    @property
    def room(self) -> int:
        """How many completions to hand over now: beats that are ready to go hide a short pause."""
        return AHEAD - int(self._sender.source.count())

    def send(self, tlp: Any, taken: Callable[[], None] = _nothing) -> None:
        """Send a packet; `taken` is called at the clock edge at which the device has all of it."""
        self.send_bytes(bytes(tlp.pack()), taken)

    def send_bytes(self, packet: bytes, taken: Callable[[], None] = _nothing) -> None:
        """Send a packet that the library does not know."""
        self._sender.send(packet, taken)

    def receive(self, now: int) -> list[tuple[Any, int]]:
        """Return what came, each with the time of its first beat: packets, and levels of the INTx line."""
        arrived = []
        for packet, asked in self._receiver.receive(now):
            code = message_code(packet)
            tlp = intx_level(code) if code is not None else self._unpack(packet)
            if tlp is not None:
                arrived.append((tlp, asked))
        return arrived

    def _unpack(self, packet: bytes) -> Any:
        try:
            tlp = Tlp.unpack(packet)
            tlp.fmt_type  # noqa: B018 (raises where there is no such type)
        except Exception as error:  # the library raises Exception itself
            self.faults.append(f"a packet that is none ({error}): {packet.hex()}")
            return None
        return tlp
