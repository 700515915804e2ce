"""What every device-side virtqueue offers, whatever its layout in memory (virtio 1.4, 2.6)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

from pymodel.device.host import Host
from pymodel.spec import Feature


class RingError(Exception):
    """The driver's ring breaks the standard so that the device cannot go on."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A buffer element: guest-physical address, length in bytes, device-writable or not."""

    addr: int
    length: int
    write: bool


@dataclass(slots=True)
class DeviceChain:
    """A buffer the device took: `id` goes back in the used entry, `slots` ring slots with it."""

    queue: int
    id: int
    slots: int
    segments: list[Segment] = field(default_factory=list)

    def add(self, segment: Segment) -> None:
        """Append an element; raises RingError for a readable one behind a writable one (2.7.4.2), or
        for one that goes on behind the last address.
        """
        if segment.addr + segment.length > 1 << 64:
            raise RingError(f"{segment.length} bytes at {segment.addr:#x}")
        if self.segments and self.segments[-1].write and not segment.write:
            raise RingError("a device-readable element behind a device-writable one")
        self.segments.append(segment)

    def length(self, *, write: bool) -> int:
        """Bytes of the device-writable or device-readable part."""
        return sum(segment.length for segment in self.segments if segment.write == write)

    def _pieces(self, write: bool, offset: int, length: int) -> list[tuple[int, int]]:
        pieces: list[tuple[int, int]] = []
        for segment in self.segments:
            if segment.write != write:
                continue
            begin, end = max(offset, 0), min(offset + length, segment.length)
            if begin < end:
                pieces.append((segment.addr + begin, end - begin))
            offset -= segment.length
        return pieces

    def read(self, host: Host, offset: int, length: int) -> bytes:
        """Read bytes of the device-readable part."""
        return b"".join(host.read(addr, size) for addr, size in self._pieces(False, offset, length))

    def write(self, host: Host, offset: int, data: bytes) -> None:
        """Write bytes of the device-writable part."""
        done = 0
        for addr, size in self._pieces(True, offset, len(data)):
            host.write(addr, data[done : done + size])
            done += size


class DeviceRing(ABC):
    """The device side of one enabled queue. All methods raise DmaError where the host refuses an access."""

    def __init__(self, host: Host, index: int, size: int, features: int) -> None:
        self.host = host
        self.index = index
        self.size = size
        self.features = features

    def has(self, feature: Feature) -> bool:
        """Whether this queue runs with a negotiated feature."""
        return bool(self.features >> feature & 1)

    @abstractmethod
    def fetch(self) -> DeviceChain | None:
        """Take the next available buffer; raises RingError for a malformed one."""

    @abstractmethod
    def use(self, batch: Sequence[tuple[DeviceChain, int]]) -> None:
        """Return buffers with the bytes written to each, by one used entry; several only with IN_ORDER."""

    @abstractmethod
    def interrupt_wanted(self) -> bool:
        """Whether the driver wants a notification for what was used since the last call."""

    @abstractmethod
    def disarm(self) -> None:
        """Advise the driver that doorbells are not needed; `arm` takes that back."""

    @abstractmethod
    def arm(self) -> None:
        """Ask for a doorbell for the next available buffer; look once more for buffers afterwards."""
