"""The guest's console driver, one port or several (virtio 1.4, 5.3)."""

from __future__ import annotations

from dataclasses import dataclass, field

from pymodel.driver import errors
from pymodel.driver.config_ops import QueueRequest
from pymodel.driver.core import VirtioDevice
from pymodel.driver.framing import Framed, Framer
from pymodel.driver.receive import ReceiveQueue
from pymodel.driver.request_driver import RequestDriver
from pymodel.driver.requests import Request
from pymodel.layout import ConsoleMessage
from pymodel.spec import (
    CONSOLE_CFG,
    ConsoleControl,
    ConsoleFeature,
    DeviceType,
    feature_mask,
)

FEATURES = feature_mask(ConsoleFeature.SIZE, ConsoleFeature.MULTIPORT, ConsoleFeature.EMERG_WRITE)
CONTROL_RX, CONTROL_TX = 2, 3
CONTROL_BUFFER = 128


def port_queues(port: int) -> tuple[int, int]:
    """Return the indexes of a port's receive and transmit queue (virtio 1.4, 5.3.2)."""
    return (0, 1) if port == 0 else (2 * port + 2, 2 * port + 3)


@dataclass
class Output(Request):
    """Bytes on their way to the device."""

    def complete(self, framed: Framed, used: int) -> None:
        """Nothing is written to an output buffer."""


@dataclass
class Port:
    """What the device said about a port."""

    console: bool = False
    host_open: bool = False
    name: str = ""


@dataclass
class VirtioConsole(RequestDriver):
    """Writes to and reads from ports; with MULTIPORT it answers the device's control messages."""

    device_type = DeviceType.CONSOLE
    features = FEATURES

    queue_size: int = 0
    rx_buffer: int = 64
    rx_count: int = 8
    cols: int = 0
    rows: int = 0
    ports: dict[int, Port] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(queue_size=self.queue_size)
        self._receive: dict[int, ReceiveQueue] = {}

    async def probe(self, device: VirtioDevice) -> None:
        """Set up the queues of all ports and fill the receive queues."""
        self.ports = {}
        await self._read_size(device)
        count = 1
        if device.has(ConsoleFeature.MULTIPORT):
            (count,) = await device.read_config(CONSOLE_CFG["max_nr_ports"])
        pairs = [port_queues(port) for port in range(count)]
        if device.has(ConsoleFeature.MULTIPORT):
            pairs.append((CONTROL_RX, CONTROL_TX))
        indexes = sorted(index for pair in pairs for index in pair)
        await self.bind(device, [QueueRequest(index, self.queue_size) for index in indexes])
        for rx, _ in pairs:
            length = CONTROL_BUFFER if rx == CONTROL_RX else self.rx_buffer
            queue = ReceiveQueue(self.requests, self._framer(), rx, length=length, count=self.rx_count)
            await queue.fill(kick=False)
            self._receive[rx] = queue
        if not device.has(ConsoleFeature.MULTIPORT):
            self.ports[0] = Port(console=True, host_open=True)

    async def _read_size(self, device: VirtioDevice) -> None:
        if device.has(ConsoleFeature.SIZE):
            self.cols, self.rows = await device.read_config(CONSOLE_CFG["cols"], CONSOLE_CFG["rows"])

    async def remove(self, device: VirtioDevice) -> None:
        """Give up what is in flight: the device was reset."""
        await super().remove(device)
        self._receive = {}

    async def config_changed(self, device: VirtioDevice) -> None:
        """Read the size of the console again."""
        await self._read_size(device)

    async def ready(self, device: VirtioDevice) -> None:
        """Ring for the receive buffers; with MULTIPORT say that the driver is ready (5.3.6.2.2)."""
        await super().ready(device)
        if device.has(ConsoleFeature.MULTIPORT):
            await self._send_control(0, ConsoleControl.DEVICE_READY, 1)

    async def _send(self, queue: int, data: bytes) -> Output:
        request = Output(queue=queue)
        await self.requests.submit(request, self._framer(), [data], [], kick=True)
        return request

    def _framer(self) -> Framer:
        ops = self.requests.device.ops
        return Framer(ops.memory, ops.style)

    async def _send_control(self, port: int, event: ConsoleControl, value: int) -> None:
        await self.requests.wait(await self._send(CONTROL_TX, ConsoleMessage(port, event, value).pack()))

    async def write(self, data: bytes, *, port: int = 0) -> None:
        """Write to a port and wait until the device took it."""
        await self.requests.wait(await self._send(port_queues(port)[1], data))

    async def read(self, length: int, *, port: int = 0) -> bytes:
        """Read exactly `length` bytes from a port; what a buffer holds beyond them is kept."""
        rx, _ = port_queues(port)
        queue, data = self._receive[rx], b""
        while len(data) < length:
            data += await queue.next()
        if len(data) > length:
            queue.arrived.appendleft(data[length:])
        return data[:length]

    async def emergency_write(self, device: VirtioDevice, character: int) -> None:
        """Write one character through the configuration: works in every state (virtio 1.4, 5.3.5)."""
        emergency = CONSOLE_CFG["emerg_wr"]
        await device.ops.set_config(emergency.offset, emergency.width, character)

    async def serve_control(self) -> ConsoleMessage:
        """Wait for one control message, note what it says, answer it, and return it.

        Raises ProtocolError for a message that is cut off or about a port that cannot be.
        """
        data = await self._receive[CONTROL_RX].next()
        if len(data) < len(ConsoleMessage(0, 0, 0).pack()):
            raise self.requests.device.ops.log.error(errors.ProtocolError, f"a message of {len(data)} bytes")
        message = ConsoleMessage.unpack(data)
        if message.event == ConsoleControl.DEVICE_ADD:
            self.ports[message.id] = Port()
            await self._send_control(message.id, ConsoleControl.PORT_READY, 1)
            return message
        if message.id not in self.ports:
            raise self.requests.device.ops.log.error(errors.ProtocolError, f"no port {message.id}: {message}")
        await self._note(message, self.ports[message.id])
        return message

    async def _note(self, message: ConsoleMessage, port: Port) -> None:
        if message.event == ConsoleControl.DEVICE_REMOVE:
            del self.ports[message.id]
        elif message.event == ConsoleControl.CONSOLE_PORT:
            port.console = True
            await self._send_control(message.id, ConsoleControl.PORT_OPEN, 1)
        elif message.event == ConsoleControl.PORT_OPEN:
            port.host_open = bool(message.value)
        elif message.event == ConsoleControl.PORT_NAME:
            port.name = message.payload.decode(errors="replace")
