"""A passive tap on a device's packet streams: the same traffic as the ports carry, seen independently."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pymodel import spec
from pymodel.events import (
    BarRead,
    BarWrite,
    ConfigRead,
    ConfigWrite,
    DmaRead,
    DmaWrite,
    Event,
    Msix,
)
from tb.ports.channels import Pins
from tb.ports.tlp_bars import TlpBars
from tb.ports.tlp_stream import packet_length
from tb.taps import ChannelMonitor
from tb.tlp_codec import COMPLETION, CONFIG, MEMORY, Packet, decode


class PacketTap:
    """Reconstructs all events of both streams; completions are put together by tag."""

    def __init__(self, pins: Pins, bars: dict[int, int], now: Callable[[], int]) -> None:
        self.events: list[Event] = []
        self.faults: list[str] = []
        self._bars = TlpBars(bars)
        self._now = now
        self._partial = {"rx_t": bytearray(), "tx_t": bytearray()}
        self._began = {"rx_t": 0, "tx_t": 0}
        self._asked: dict[str, dict[int, tuple[Packet, int]]] = {"host": {}, "device": {}}
        self._brought: dict[int, bytes] = {}
        for way in self._partial:
            ChannelMonitor(pins, way, self.faults, self._taker(way, pins.width(f"{way}data") // 8))

    def _taker(self, way: str, lanes: int) -> Callable[[Any], None]:
        partial = self._partial[way]

        def take(item: Any) -> None:
            if not partial:
                self._began[way] = self._now()
            partial.extend(getattr(item, f"{way}data").to_bytes(lanes, "little"))
            if len(partial) < packet_length(bytes(partial[:4])):
                return
            try:
                packet = decode(bytes(partial))
            except ValueError as error:
                self.faults.append(str(error))
            else:
                (self._to_device if way == "rx_t" else self._from_device)(packet, self._began[way])
            partial.clear()

        return take

    def _to_device(self, packet: Packet, asked: int) -> None:
        if packet.kind == COMPLETION:
            self._device_answered(packet)
        elif packet.kind == MEMORY and packet.write:
            for offset, count in packet.enabled():
                place = self._place(packet.addr + offset)
                data = packet.data[offset : offset + count]
                self.events.append(BarWrite(t=self._now(), t_req=asked, data=data, **place))
        else:
            self._asked["host"][packet.tag] = packet, asked

    def _from_device(self, packet: Packet, asked: int) -> None:
        if packet.kind == COMPLETION:
            self._host_answered(packet)
        elif packet.kind == MEMORY and packet.write:
            for offset, count in packet.enabled():
                self._written(packet.addr + offset, packet.data[offset : offset + count], asked)
        elif packet.kind == MEMORY:
            self._asked["device"][packet.tag] = packet, asked
            self._brought[packet.tag] = b""

    def _written(self, addr: int, data: bytes, asked: int) -> None:
        if spec.MSI_ADDRESS_BASE <= addr < spec.MSI_ADDRESS_END and len(data) == 4:
            value = int.from_bytes(data, "little")
            self.events.append(Msix(t=self._now(), t_req=asked, addr=addr, data=value))
        else:
            self.events.append(DmaWrite(t=self._now(), t_req=asked, addr=addr, data=data))

    def _device_answered(self, packet: Packet) -> None:
        if packet.tag not in self._asked["device"]:
            self.faults.append(f"the host completes tag {packet.tag}, for which nothing was asked")
            return
        request, asked = self._asked["device"][packet.tag]
        offset, count = _span(request)
        self._brought[packet.tag] += packet.data[packet.lower % 4 :][: packet.count]
        data = self._brought[packet.tag]
        if not packet.status and len(data) < count:
            return
        del self._asked["device"][packet.tag]
        err = bool(packet.status)
        data = bytes(count) if err else data[:count]
        addr = request.addr + offset
        self.events.append(DmaRead(t=self._now(), t_req=asked, addr=addr, data=data, err=err))

    def _host_answered(self, packet: Packet) -> None:
        request, asked = self._asked["host"].pop(packet.tag, (None, 0))
        if request is None:
            self.faults.append(f"the device completes tag {packet.tag}, for which nothing was asked")
            return
        offset, count = _span(request)
        times, addr = {"t": self._now(), "t_req": asked}, request.addr + offset
        if request.kind == CONFIG and request.write:
            data = request.data[offset : offset + count]
            self._bars.written(addr, data)
            self.events.append(ConfigWrite(addr=addr, data=data, **times))
            return
        data = b"\xff" * count if packet.status else packet.data[offset : offset + count]
        if request.kind == CONFIG:
            self.events.append(ConfigRead(addr=addr, data=data, **times))
        else:
            self.events.append(BarRead(data=data, **self._place(addr), **times))

    def _place(self, addr: int) -> dict[str, int]:
        below = [(base, bar) for bar, base in self._bars.items() if base <= addr]
        base, bar = max(below, default=(0, 0))
        return {"bar": bar, "addr": addr - base}

    @property
    def idle(self) -> bool:
        """No packet is half there, and no request without its completion."""
        return not any(self._partial.values()) and not any(self._asked.values())


def _span(request: Packet) -> tuple[int, int]:
    """Offset of the first enabled byte from the request's address, and bytes from there to the last."""
    runs = request.enabled()
    return (runs[0][0], sum(runs[-1]) - runs[0][0]) if runs else (0, 0)
