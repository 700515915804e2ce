"""Interrupts on their way to the host: messages from the DMA port, and the INTx pin."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from cocotb.triggers import Event, FallingEdge, First, RisingEdge, Timer, ValueChange

from pymodel.events import EventStream, Intx
from pymodel.transport import Interrupt, Line, Message


class PinInterruptPort:
    """Queues messages and follows the INTx level (`intx` is its pin, None where there is none).

    `gate` hears the pin's level: a shell that may hold it back puts itself there and calls `drive`.
    """

    def __init__(self, intx: Any, clock: Any, events: EventStream, now: Callable[[], int]) -> None:
        self.gate: Callable[[int], None] = self.drive
        self._intx = intx
        self._clock = clock
        self._events = events
        self._now = now
        self._messages: deque[Message] = deque()
        self._news = Event()
        self.level = 0

    @property
    def pending(self) -> int:
        """Messages that nobody has taken."""
        return len(self._messages)

    def deliver(self, message: Message) -> None:
        """Take a message from the device (already recorded by the port that carried it)."""
        self._messages.append(message)
        self._news.set()

    def forget(self) -> None:
        """Drop the messages: the device is being reset."""
        self._messages.clear()

    async def watch_line(self) -> None:
        """Follow the INTx pin for ever, looking at the falling clock edge."""
        if self._intx is None:
            return
        await RisingEdge(self._clock)
        while True:
            await FallingEdge(self._clock)
            self.gate(int(self._intx.value))
            await ValueChange(self._intx)

    def drive(self, level: int) -> None:
        """INTx is at this level."""
        if level != self.level:
            self.level = level
            self._events.emit(Intx(t=self._now(), level=level))
            self._news.set()

    async def wait(self, timeout_ns: int) -> Interrupt | None:
        """Return the oldest message, or Line() while INTx is asserted; None on timeout."""
        deadline = self._now() + timeout_ns * 1000
        while True:
            self._news.clear()
            if self._messages:
                return self._messages.popleft()
            if self.level:
                return Line()
            left = deadline - self._now()
            if left <= 0:
                return None
            await First(self._news.wait(), Timer(left, "ps"))
