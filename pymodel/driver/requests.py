"""Requests in flight on a device's queues, and waiting for them: what the device drivers share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from pymodel.driver import errors
from pymodel.driver.config_ops import Causes
from pymodel.driver.core import VirtioDevice
from pymodel.driver.framing import Framed, Framer
from pymodel.memory import Allocation
from pymodel.ring.base import RingFull, UsedRingError, Virtqueue


@dataclass
class Request(ABC):
    """A request from its submission on; `used` is the length that the device reported."""

    queue: int = 0
    done: bool = False
    lost: bool = False
    used: int = 0

    @abstractmethod
    def complete(self, framed: Framed, used: int) -> None:
        """Take over what the device wrote."""


class RequestQueues:
    """Tokens to requests for all queues of one device.

    With `coalesce` a queue interrupts once all that was in flight is used, which takes EVENT_IDX.
    With `polling` (from the start where the bus has no interrupts) none is awaited: the used rings
    are looked at every `poll_ns`.
    """

    def __init__(self, device: VirtioDevice) -> None:
        self.device = device
        self.polling = not device.ops.interrupting
        self.coalesce = False
        self.completed = 0
        self.in_flight: dict[tuple[int, int], tuple[Request, Framed]] = {}

    async def add(self, request: Request, framed: Framed, indirect: int | None, *, kick: bool) -> None:
        """Add a request to its queue, waiting while that is full, and ring if `kick`."""
        queue = self.device.queues[request.queue]
        if self.device.suspended:
            raise self.device.ops.log.error(errors.DriverBug, "a buffer for a suspended device")
        deadline = self._deadline()
        while True:
            try:
                token = queue.add_chain(framed.readable, framed.writable, indirect=indirect)
                break
            except RingFull:
                await self.device.kick(queue)
                await self._step(deadline, f"queue {queue.index} stays full")
        self.in_flight[queue.index, token] = (request, framed)
        if kick:
            await self.device.kick(queue)

    async def submit(
        self, request: Request, framer: Framer, readable: list[bytes], writable: list[int], *, kick: bool
    ) -> None:
        """Frame a request as the style will have it, and add it."""
        queue = self.device.queues[request.queue]
        framed = framer.frame(readable, writable, queue.size)
        indirect = framer.indirect_from(queue, len(framed.readable) + len(framed.writable))
        await self.add(request, framed, indirect, kick=kick)

    async def kick_all(self) -> None:
        """Ring for everything that was added."""
        for queue in self.device.queues.values():
            await self.device.kick(queue)

    def _deadline(self) -> int:
        return self.device.ops.now() + self.device.ops.style.timing.request_ns * 1000

    async def wait(self, request: Request) -> None:
        """Wait until a request is done.

        Raises RequestTimeout, InterruptMissing where it was done without the interrupt it owed,
        DeviceNeedsReset, ProtocolError for a used ring that cannot be.
        """
        deadline = self._deadline()
        while not request.done:
            if request.lost:
                raise self.device.ops.log.error(errors.DriverError, "the request was lost in a reset")
            await self._step(deadline, f"a request on queue {request.queue} is not done")

    async def wait_until(self, condition: Callable[[], bool], complaint: str) -> None:
        """Serve interrupts until a condition holds; raises what `wait` raises, with `complaint` in it."""
        deadline = self._deadline()
        while not condition():
            await self._step(deadline, complaint)

    async def drain(self) -> None:
        """Wait until nothing is in flight, in a random style perhaps coalescing; raises like `wait`."""
        await self.kick_all()
        deadline = self._deadline()
        rng = self.device.ops.style.rng
        self.coalesce = bool(rng and rng.randrange(2))
        if self.coalesce and not self.polling:
            await self.reap(self._all())
        while self.in_flight:
            await self._step(deadline, f"{len(self.in_flight)} requests are not done")
        self.coalesce = False

    async def _step(self, deadline: int, complaint: str) -> None:
        """Wait for one interrupt (or one poll interval) and take what it announces."""
        ops, timing = self.device.ops, self.device.ops.style.timing
        if self.polling:
            if not await self.reap(self._all()) and ops.now() < deadline:
                await ops.delay(timing.poll_ns)
        else:
            causes = await ops.wait_interrupt(timing.slice_ns)
            if causes is not None and await self.handle(causes):
                return
        if ops.now() >= deadline:
            await self._give_up(complaint)

    async def _give_up(self, complaint: str) -> None:
        await self.device.check_alive()
        late = await self.reap(self._all())
        kind = errors.InterruptMissing if late and not self.polling else errors.RequestTimeout
        raise self.device.ops.log.error(kind, complaint + (f"; {late} were used silently" if late else ""))

    async def handle(self, causes: Causes) -> int:
        """Serve an interrupt: the queues and the configuration it may be about; return the buffers taken."""
        count = await self.reap(causes.queues)
        if causes.config:
            await self.device.check_alive()
            if self.device.driver:
                await self.device.driver.config_changed(self.device)
        return count

    def _all(self) -> frozenset[int]:
        return frozenset(self.device.queues)

    async def reap(self, queues: frozenset[int]) -> int:
        """Take all used buffers of some queues and ask for the next notification; return how many."""
        count, rng = 0, self.device.ops.style.rng
        for index in sorted(queues & self.device.queues.keys()):
            queue = self.device.queues[index]
            while True:
                if rng and rng.randrange(2):
                    queue.disable_interrupts()
                count += self._take(queue)
                if self.polling or self._enable_interrupts(queue):
                    break
        return count

    def _enable_interrupts(self, queue: Virtqueue) -> bool:
        return queue.enable_interrupts_delayed() if self.coalesce else queue.enable_interrupts()

    def _take(self, queue: Virtqueue) -> int:
        count = 0
        try:
            while used := queue.get_used():
                request, framed = self.in_flight.pop((queue.index, used.token))
                request.used = used.length
                request.complete(framed, used.length)
                request.done = True
                framed.free()
                count += 1
                self.completed += 1
        except UsedRingError as error:
            raise self.device.ops.log.error(errors.ProtocolError, str(error)) from error
        return count

    def memory_in_use(self, queue: int | None = None) -> list[Allocation]:
        """Return the memory of the requests in flight on a queue, or on all."""
        mine = [framed for (index, _), (_, framed) in self.in_flight.items() if queue in (None, index)]
        return [piece for framed in mine for piece in framed.allocations]

    def abandon(self, queue: int | None = None) -> None:
        """Give up the requests of a queue that was reset, or of all; they are lost and their memory free."""
        for key in [key for key in self.in_flight if queue in (None, key[0])]:
            request, framed = self.in_flight.pop(key)
            request.lost = True
            framed.free()
