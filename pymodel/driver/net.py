"""The guest's network driver, one queue pair (virtio 1.4, 5.1)."""

from __future__ import annotations

from dataclasses import dataclass

from pymodel import spec
from pymodel.driver import errors
from pymodel.driver.config_ops import QueueRequest
from pymodel.driver.core import VirtioDevice
from pymodel.driver.framing import Framed, Framer
from pymodel.driver.receive import ReceiveQueue
from pymodel.driver.request_driver import RequestDriver
from pymodel.driver.requests import Request
from pymodel.layout import NetHeader
from pymodel.spec import (
    NET_CFG,
    NET_HEADER_LENGTH,
    NET_RX_BUFFER_MINIMUM,
    DeviceType,
    NetFeature,
    NetStatus,
    feature_mask,
)

FEATURES = feature_mask(
    NetFeature.MAC,
    NetFeature.MRG_RXBUF,
    NetFeature.STATUS,
    NetFeature.CTRL_VQ,
    NetFeature.CTRL_RX,
    NetFeature.CTRL_RX_EXTRA,
    NetFeature.CTRL_VLAN,
    NetFeature.CTRL_MAC_ADDR,
)
_NEEDS_CONTROL = (
    NetFeature.CTRL_RX,
    NetFeature.CTRL_RX_EXTRA,
    NetFeature.CTRL_VLAN,
    NetFeature.CTRL_MAC_ADDR,
)
RX_QUEUE, TX_QUEUE, CONTROL_QUEUE = 0, 1, 2


@dataclass
class Transmission(Request):
    """A frame on its way out."""

    def complete(self, framed: Framed, used: int) -> None:
        """Nothing is written to a transmitted frame."""


@dataclass
class ControlCommand(Request):
    """A command on the control queue; `ack` is the device's answer once it is done."""

    ack: int = -1

    def complete(self, framed: Framed, used: int) -> None:
        """Take the acknowledgement."""
        self.ack = framed.written(1)[0]


class VirtioNet(RequestDriver):
    """Sends and receives Ethernet frames without offloads, and speaks on the control queue.

    `rx_buffer` is the size of a receive buffer in bytes, header included; less than a frame needs is
    of use with MRG_RXBUF only.
    """

    device_type = DeviceType.NET
    features = FEATURES
    requires = {feature: feature_mask(NetFeature.CTRL_VQ) for feature in _NEEDS_CONTROL}

    def __init__(
        self, *, queue_size: int = 0, rx_buffer: int = NET_RX_BUFFER_MINIMUM, rx_count: int = 16
    ) -> None:
        super().__init__(queue_size=queue_size)
        self.rx_buffer = rx_buffer
        self.rx_count = rx_count
        self.mac = bytes(6)
        self.link_up = True
        self._receive: ReceiveQueue | None = None

    async def probe(self, device: VirtioDevice) -> None:
        """Read address and link, set up the queues and fill the receive queue."""
        if device.has(NetFeature.MAC):
            mac = NET_CFG["mac"]
            octets = [spec.Field("mac", mac.offset + octet, 1, "RO") for octet in range(mac.width)]
            self.mac = bytes(await device.read_config(*octets))
        await self._read_link(device)
        indexes = [RX_QUEUE, TX_QUEUE, *([CONTROL_QUEUE] if device.has(NetFeature.CTRL_VQ) else [])]
        await self.bind(device, [QueueRequest(index, self.queue_size) for index in indexes])
        self._receive = ReceiveQueue(
            self.requests, self._framer(), RX_QUEUE, length=self.rx_buffer, count=self.rx_count
        )
        await self._receive.fill(kick=False)

    async def _read_link(self, device: VirtioDevice) -> None:
        if device.has(NetFeature.STATUS):
            (status,) = await device.read_config(NET_CFG["status"])
            self.link_up = bool(status & NetStatus.LINK_UP)

    async def remove(self, device: VirtioDevice) -> None:
        """Give up what is in flight: the device was reset."""
        await super().remove(device)
        self._receive = None

    async def config_changed(self, device: VirtioDevice) -> None:
        """Read the link status again."""
        await self._read_link(device)

    def _framer(self) -> Framer:
        ops = self.requests.device.ops
        return Framer(ops.memory, ops.style)

    async def submit(self, frame: bytes, *, kick: bool = True) -> Transmission:
        """Start to send a frame, behind a header of zeros (virtio 1.4, 5.1.6.2)."""
        request = Transmission(queue=TX_QUEUE)
        await self.requests.submit(request, self._framer(), [NetHeader().pack(), frame], [], kick=kick)
        return request

    async def send(self, frame: bytes) -> None:
        """Send a frame and wait until its buffer is used."""
        await self.requests.wait(await self.submit(frame))

    async def receive(self) -> bytes:
        """Return the next frame, put together from as many buffers as its header says (5.1.6.4).

        Raises ProtocolError for a header that is cut off or counts no buffer.
        """
        _, frame = await self.receive_with_header()
        return frame

    async def receive_with_header(self) -> tuple[NetHeader, bytes]:
        """Return the next frame and the header in front of it."""
        requests, queue = self.requests, self._receive
        assert queue is not None
        first = await queue.next()
        if len(first) < NET_HEADER_LENGTH:
            raise requests.device.ops.log.error(errors.ProtocolError, f"a header of {len(first)} bytes")
        header, frame = NetHeader.unpack(first), first[NET_HEADER_LENGTH:]
        if requests.device.has(NetFeature.MRG_RXBUF):
            if not header.num_buffers:
                raise requests.device.ops.log.error(errors.ProtocolError, "a frame in no buffer")
            for _ in range(header.num_buffers - 1):
                frame += await queue.next()
        return header, frame

    async def control(self, command_class: int, command: int, data: bytes) -> int:
        """Carry out a command on the control queue and return its acknowledgement (5.1.6.5)."""
        request = ControlCommand(queue=CONTROL_QUEUE)
        readable = [bytes([command_class, command]), data]
        await self.requests.submit(request, self._framer(), readable, [1], kick=True)
        await self.requests.wait(request)
        return request.ack
