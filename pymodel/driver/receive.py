"""Keeping a queue filled with device-writable buffers: what network, console and others receive into."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from pymodel.driver.framing import Framed, Framer
from pymodel.driver.requests import Request, RequestQueues


@dataclass
class ReceiveBuffer(Request):
    """A buffer that waits for data; `sink` gets the bytes that the device wrote."""

    sink: Callable[[bytes], None] | None = None

    def complete(self, framed: Framed, used: int) -> None:
        """Hand over the first `used` bytes."""
        if self.sink:
            self.sink(framed.written(used))


class ReceiveQueue:
    """Holds up to `count` buffers of `length` bytes in a queue; what arrived waits in `arrived`."""

    def __init__(
        self, requests: RequestQueues, framer: Framer, queue: int, *, length: int, count: int
    ) -> None:
        self.requests = requests
        self.queue = queue
        self.length = length
        self.count = count
        self.arrived: deque[bytes] = deque()
        self._framer = framer
        self._posted = 0

    async def fill(self, *, kick: bool = True) -> None:
        """Post buffers until `count` are out or the queue is full."""
        virtqueue = self.requests.device.queues[self.queue]
        while self._posted < self.count:
            framed = self._framer.frame([], [self.length], virtqueue.size)
            indirect = self._framer.indirect_from(virtqueue, len(framed.writable))
            needed = len(framed.writable) if indirect is None else indirect + 1
            if needed > virtqueue.free_count:
                framed.free()
                break
            buffer = ReceiveBuffer(queue=self.queue, sink=self._take)
            await self.requests.add(buffer, framed, indirect, kick=False)
            self._posted += 1
        if kick:
            await self.requests.device.kick(virtqueue)

    def _take(self, data: bytes) -> None:
        self._posted -= 1
        self.arrived.append(data)

    async def next(self) -> bytes:
        """Return what the oldest used buffer holds and post another; raises as RequestQueues.wait does."""
        await self.requests.wait_until(lambda: bool(self.arrived), f"nothing arrives in queue {self.queue}")
        data = self.arrived.popleft()
        await self.fill()
        return data
