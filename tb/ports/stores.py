"""What lies behind the device's AXI initiators: guest memory with its interrupt window, and a medium."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pymodel import spec
from pymodel.events import DmaRead, DmaWrite, EventStream, Msix
from pymodel.memory import GuestMemory, MemoryFault
from pymodel.transport import Message

MESSAGE_LENGTH = 4


class GuestStore:
    """Guest memory; a 32-bit write into the interrupt window becomes a message instead."""

    def __init__(
        self,
        memory: GuestMemory,
        events: EventStream,
        deliver: Callable[[Message], None],
        now: Callable[[], int],
        *,
        posted: bool = False,
    ) -> None:
        self._memory = memory
        self._posted = posted
        self._events = events
        self._deliver = deliver
        self._now = now

    def read(self, addr: int, length: int, asked: int, refused: bool) -> bytes | None:
        """Read guest memory; None where there is none."""
        try:
            data = None if refused else self._memory.dma_read(addr, length)
        except MemoryFault:
            data = None
        if data is None:
            self._events.emit(DmaRead(t=self._now(), t_req=asked, addr=addr, data=bytes(length), err=True))
            return None
        self._events.emit(DmaRead(t=self._now(), t_req=asked, addr=addr, data=data))
        return data

    def write(self, addr: int, data: bytes, asked: int, refused: bool) -> bool:
        """Write guest memory or send a message; False where there is neither.

        A posted write to where no memory is has left the device, which never learns of its fate: it is
        recorded as done. One that memory refused is recorded as that, for memory is unchanged.
        """
        in_window = spec.MSI_ADDRESS_BASE <= addr < spec.MSI_ADDRESS_END
        if in_window and len(data) == MESSAGE_LENGTH and not refused:
            message = Message(addr, int.from_bytes(data, "little"))
            self._events.emit(Msix(t=self._now(), t_req=asked, addr=addr, data=message.data))
            self._deliver(message)
            return True
        done = not refused and self._store(addr, data)
        err = refused or not (done or self._posted)
        self._events.emit(DmaWrite(t=self._now(), t_req=asked, addr=addr, data=data, err=err))
        return done

    def _store(self, addr: int, data: bytes) -> bool:
        try:
            self._memory.dma_write(addr, data)
        except MemoryFault:
            return False
        return True


class Medium(Protocol):
    """The bytes of a block device's medium; both raise IndexError outside it."""

    def read(self, start: int, length: int) -> bytes:
        """Return `length` bytes from byte offset `start`."""
        ...

    def write(self, start: int, data: bytes) -> None:
        """Store `data` at byte offset `start`."""
        ...


class MediumStore:
    """A medium behind AXI: the byte address is 512 times the sector number."""

    def __init__(self, medium: Medium) -> None:
        self._medium = medium

    def read(self, addr: int, length: int, asked: int, refused: bool) -> bytes | None:
        """Read the medium; None outside it."""
        try:
            return None if refused else self._medium.read(addr, length)
        except IndexError:
            return None

    def write(self, addr: int, data: bytes, asked: int, refused: bool) -> bool:
        """Write the medium; False outside it."""
        if refused:
            return False
        try:
            self._medium.write(addr, data)
        except IndexError:
            return False
        return True
