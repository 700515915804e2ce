"""The guest's entropy driver (virtio 1.4, 5.4)."""

from __future__ import annotations

from dataclasses import dataclass

from pymodel.driver import errors
from pymodel.driver.config_ops import QueueRequest
from pymodel.driver.core import VirtioDevice
from pymodel.driver.framing import Framed, Framer
from pymodel.driver.request_driver import RequestDriver
from pymodel.driver.requests import Request
from pymodel.spec import DeviceType


@dataclass
class EntropyRequest(Request):
    """A request for random bytes; `data` is valid once it is done."""

    data: bytes = b""

    def complete(self, framed: Framed, used: int) -> None:
        """Take the bytes that the device wrote."""
        self.data = framed.written(used)


class VirtioEntropy(RequestDriver):
    """Reads random bytes; several requests may be in flight."""

    device_type = DeviceType.ENTROPY

    async def probe(self, device: VirtioDevice) -> None:
        """Set up the request queue."""
        await self.bind(device, [QueueRequest(0, self.queue_size)])

    async def submit(self, length: int, *, kick: bool = True) -> EntropyRequest:
        """Start a request for up to `length` bytes; waits only while the queue is full."""
        requests, request = self.requests, EntropyRequest()
        framer = Framer(requests.device.ops.memory, requests.device.ops.style)
        await requests.submit(request, framer, [], [length], kick=kick)
        return request

    async def wait(self, request: EntropyRequest) -> bytes:
        """Wait for a request and return its bytes: one at least (virtio 1.4, 5.4.6.2).

        Raises ProtocolError where the device wrote none, and what RequestQueues.wait raises.
        """
        await self.requests.wait(request)
        if not request.data:
            raise self.requests.device.ops.log.error(errors.ProtocolError, "a request without a byte")
        return request.data

    async def read(self, length: int) -> bytes:
        """Return exactly `length` random bytes, in as many requests as that takes."""
        data = b""
        while len(data) < length:
            data += await self.wait(await self.submit(length - len(data)))
        return data
