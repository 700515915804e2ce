"""Shape "ultrascale": the user side of AMD's UltraScale and UltraScale+ PCIe blocks (PG156, PG213).

Pins, by name behind the port's prefix: `s_axis_cq_*` and `s_axis_rc_*` to the device, `m_axis_cc_*` and
`m_axis_rq_*` from it, each with tdata (64 to 512 bits), tkeep (a bit for each dword), tlast, tuser, tvalid
and tready. Descriptors are dword-aligned, packets do not straddle, tags are the user's own (client tags).
The block fills in requester and completer IDs where the device leaves them disabled. cocotbext-pcie
writes and reads the descriptors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cocotb.triggers import Event
from cocotbext.axi.stream import define_stream
from cocotbext.pcie.core.tlp import CplStatus
from cocotbext.pcie.xilinx.us.interface import UsPcieFrame
from cocotbext.pcie.xilinx.us.tlp import ErrorCode, Tlp_us

from tb.ports.axi import AHEAD
from tb.ports.channels import Pins, stall
from tb.ports.tlp_packets import COMPLETIONS, FUNCTION
from tb.ports.tlp_stream import BeatSource

SIGNALS = ("tdata", "tkeep", "tlast", "tuser", "tvalid", "tready")
DWORD_BITS = 32


@dataclass(frozen=True, slots=True)
class Marks:
    """Where the fields of tuser lie; None where the stream has no such field."""

    first_be: int | None = None
    last_be: int | None = None
    byte_en: int | None = None
    start: int | None = None
    end: int | None = None
    end_lane: int | None = None
    discontinue: int = 0
    parity: int = 0


NARROW = {
    "s_axis_cq": Marks(0, 4, 8, 40, discontinue=41, parity=53),
    "s_axis_rc": Marks(byte_en=0, start=32, end=34, end_lane=35, discontinue=42, parity=43),
    "m_axis_rq": Marks(0, 4, discontinue=11, parity=28),
    "m_axis_cc": Marks(discontinue=0, parity=1),
}
WIDE = {
    "s_axis_cq": Marks(0, 8, 16, 80, 86, 88, discontinue=96, parity=119),
    "s_axis_rc": Marks(byte_en=0, start=64, end=76, end_lane=80, discontinue=96, parity=97),
    "m_axis_rq": Marks(0, 8, discontinue=36, parity=73),
    "m_axis_cc": Marks(discontinue=16, parity=17),
}
"""Of streams of 512 bits."""


def _channel(name: str) -> Any:
    names = [f"{name}_{signal}" for signal in SIGNALS]
    ends = {"valid_signal": f"{name}_tvalid", "ready_signal": f"{name}_tready"}
    return define_stream(name.title(), signals=names, **ends)


_CHANNELS = {name: _channel(name) for name in NARROW}


def _marks(pins: Pins, name: str) -> Marks:
    return (WIDE if pins.width(f"{name}_tdata") == 512 else NARROW)[name]


class UsSender:
    """Sends frames on one stream to the device."""

    def __init__(self, pins: Pins, name: str) -> None:
        _, self._beat, source, _, _ = _CHANNELS[name]
        self.source = pins.channel(type(source.__name__, (BeatSource, source), {}))
        self._lanes = pins.width(f"{name}_tdata") // DWORD_BITS
        self._name = name
        self._marks = _marks(pins, name)

    def send(self, frame: UsPcieFrame, taken: Callable[[], None]) -> None:
        """Queue a frame; `taken` is called at the clock edge at which the device has all of it."""
        for start in range(0, len(frame.data), self._lanes):
            lanes = frame.data[start : start + self._lanes]
            last = start + self._lanes >= len(frame.data)
            values = {
                "tdata": sum(dword << DWORD_BITS * lane for lane, dword in enumerate(lanes)),
                "tkeep": (1 << len(lanes)) - 1,
                "tlast": int(last),
                "tuser": self._user(frame, start, len(lanes), last=last),
            }
            beat = self._beat(**{f"{self._name}_{signal}": value for signal, value in values.items()})
            beat.taken = taken if last else None
            self.source.send_nowait(beat)

    def _user(self, frame: UsPcieFrame, start: int, count: int, *, last: bool) -> int:
        marks = self._marks
        user = 0
        if marks.first_be is not None and marks.last_be is not None and start == 0:
            user |= frame.first_be << marks.first_be | frame.last_be << marks.last_be
        if marks.start is not None and start == 0:
            user |= 1 << marks.start
        if marks.end is not None and marks.end_lane is not None and last:
            user |= 1 << marks.end | count - 1 << marks.end_lane
        for lane in range(count):
            user |= frame.parity[start + lane] << marks.parity + 4 * lane
            if marks.byte_en is not None:
                user |= frame.byte_en[start + lane] << marks.byte_en + 4 * lane
        return user


class UsReceiver:
    """Puts frames of one stream from the device together."""

    def __init__(self, pins: Pins, name: str) -> None:
        self.sink = pins.channel(_CHANNELS[name][3])
        self._name = name
        self._marks = _marks(pins, name)
        self._frame = UsPcieFrame()

    @property
    def idle(self) -> bool:
        """No frame is half there."""
        return not self._frame.data and bool(self.sink.empty())

    def clear(self) -> None:
        """Forget what has come."""
        self.sink.clear()
        self._frame = UsPcieFrame()

    def receive(self) -> list[UsPcieFrame]:
        """Return the frames that are whole."""
        frames = []
        while not self.sink.empty():
            beat = self.sink.recv_nowait()
            data, keep, last, user = (
                int(getattr(beat, f"{self._name}_{signal}"))
                for signal in ("tdata", "tkeep", "tlast", "tuser")
            )
            marks, frame = self._marks, self._frame
            if not frame.data and marks.first_be is not None and marks.last_be is not None:
                frame.first_be, frame.last_be = user >> marks.first_be & 0xF, user >> marks.last_be & 0xF
            frame.discontinue |= bool(user >> marks.discontinue & 1)
            for lane in range(keep.bit_length()):
                frame.data.append(data >> DWORD_BITS * lane & 0xFFFF_FFFF)
            if last:
                frames.append(frame)
                self._frame = UsPcieFrame()
        return frames


class UsStreams:
    """The four streams; `apertures` maps BAR numbers to (base address, size) on the port."""

    def __init__(
        self,
        pins: Pins,
        apertures: dict[int, tuple[int, int]],
        host_stall: float,
        device_stall: float,
        seeds: Iterator[int],
    ) -> None:
        self.faults: list[str] = []
        self.news = Event()
        self._apertures = apertures
        self._cq, self._rc = UsSender(pins, "s_axis_cq"), UsSender(pins, "s_axis_rc")
        self._rq, self._cc = UsReceiver(pins, "m_axis_rq"), UsReceiver(pins, "m_axis_cc")
        for sender in (self._cq, self._rc):
            stall(sender.source, host_stall, next(seeds), pins.period_ps)
        for receiver in (self._rq, self._cc):
            stall(receiver.sink, device_stall, next(seeds), pins.period_ps)
            receiver.sink.active_event = self.news

    def clear(self) -> None:
        """Forget what is on its way."""
        for sender in (self._cq, self._rc):
            sender.source.clear()
        for receiver in (self._rq, self._cc):
            receiver.clear()

    @property
    def idle(self) -> bool:
        """Nothing is on its way."""
        return self._rq.idle and self._cc.idle and self._cq.source.idle() and self._rc.source.idle()

    @property
    def waiting(self) -> bool:
        """Something has come that nobody has received."""
        return not (self._rq.sink.empty() and self._cc.sink.empty())

    @property
    def room(self) -> int:
        """How many completions to hand over now."""
        return AHEAD - int(self._rc.source.count())

    def send(self, tlp: Any, taken: Callable[[], None] = lambda: None) -> None:
        """Send a request of the host on CQ, a completion on RC."""
        packet = Tlp_us(tlp)
        if tlp.fmt_type in COMPLETIONS:
            packet.lower_address = tlp.place & 0xFFF
            packet.request_completed = tlp.final
            if tlp.status != CplStatus.SC:
                packet.error_code = ErrorCode.BAD_STATUS
            self._rc.send(packet.pack_us_rc(), taken)
            return
        for number, (base, size) in self._apertures.items():
            if base <= tlp.address < base + size:
                packet.bar_id, packet.bar_aperture = number, (size - 1).bit_length()
        self._cq.send(packet.pack_us_cq(), taken)

    def receive(self, now: int) -> list[tuple[Any, int]]:
        """Return what came by `now`, requests before completions."""
        unpack = ((self._rq, Tlp_us.unpack_us_rq), (self._cc, Tlp_us.unpack_us_cc))
        arrived = [
            (self._packet(frame, reader), now) for stream, reader in unpack for frame in stream.receive()
        ]
        return [(packet, asked) for packet, asked in arrived if packet is not None]

    def _packet(self, frame: UsPcieFrame, unpack: Callable[[UsPcieFrame], Any]) -> Any:
        try:
            packet = unpack(frame)
        except Exception as error:  # the library raises Exception itself
            self.faults.append(f"a descriptor that is none ({error!r}): {frame!r}")
            return None
        if frame.discontinue:
            return None
        if packet.fmt_type in COMPLETIONS:
            packet.completer_id = packet.completer_id if packet.completer_id_enable else FUNCTION
        elif not packet.requester_id_enable:
            packet.requester_id = FUNCTION
        return packet
