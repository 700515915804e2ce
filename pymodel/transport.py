"""What the guest driver needs of the machine it runs on: the host side of a PCI function.

One driver, many devices: on RTL an await takes simulated time, on the device model and on QEMU it
never suspends (`run_now` then drives a whole test without an event loop).
"""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pymodel.memory import GuestMemory

T = TypeVar("T")


class TransportTimeout(Exception):
    """The device did not answer an access within the bench's bound; the message names the access."""


@dataclass(frozen=True, slots=True)
class Message:
    """An interrupt message as the host received it: 64-bit address and 32-bit data."""

    address: int
    data: int


@dataclass(frozen=True, slots=True)
class Line:
    """The INTx line is asserted."""


Interrupt = Message | Line


class Transport(Protocol):
    """A PCI function seen from its host.

    Values are unsigned integers of `length` bytes (1, 2 or 4; 8 where the port can), little-endian on
    the wire. Every access is recorded as an event by whoever carries it out.
    """

    memory: GuestMemory

    async def config_read(self, addr: int, length: int) -> int:
        """Read configuration space at byte offset `addr`."""
        ...

    async def config_write(self, addr: int, length: int, value: int) -> None:
        """Write configuration space at byte offset `addr`; returns when it completed."""
        ...

    async def bar_read(self, bar: int, addr: int, length: int) -> int:
        """Read BAR `bar` at byte offset `addr`."""
        ...

    async def bar_write(self, bar: int, addr: int, length: int, value: int) -> None:
        """Write BAR `bar` at byte offset `addr`; may be posted."""
        ...

    async def wait_interrupt(self, timeout_ns: int) -> Interrupt | None:
        """Return the oldest message not yet taken, or Line() while INTx is asserted; None on timeout."""
        ...

    async def delay(self, ns: int) -> None:
        """Let `ns` nanoseconds of the device's time pass."""
        ...

    async def reset(self, kind: str) -> None:
        """Reset the function below virtio: "flr", "hot" or "power"; returns when it is usable again."""
        ...

    def now(self) -> int:
        """Return the device's time in picoseconds."""
        ...


def run_now(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends (model, QEMU) and return its result.

    Raises RuntimeError if it awaits something that does suspend.
    """
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise RuntimeError("the coroutine suspended: this transport needs an event loop")
