"""What carries single host accesses to the device, on whatever pins: the ports above it record them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Initiator(Protocol):
    """One access at a time; `addr` is the address on the port, `length` 1, 2, 4 or 8 bytes."""

    async def read(self, addr: int, length: int, what: str) -> int:
        """Read; raises TransportTimeout with `what` where the device does not answer."""
        ...

    async def write(self, addr: int, length: int, value: int, what: str, taken: Callable[[], None]) -> None:
        """Write; `taken` is called when the device has it. Raises TransportTimeout."""
        ...


def pieces(addr: int, length: int, lanes: int) -> list[tuple[int, int]]:
    """Cut an access where it crosses words of `lanes` bytes: (offset, size) of each piece."""
    cut, offset = [], 0
    while offset < length:
        size = min(length - offset, lanes - (addr + offset) % lanes)
        cut.append((offset, size))
        offset += size
    return cut
