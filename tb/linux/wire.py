"""vfio-user messages on a socket: framing, file descriptors, and what a client must not send."""

from __future__ import annotations

import array
import os
import select
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum

HEADER = struct.Struct("<HHIII")
"""Message id, command, size with header, flags, error number; little-endian."""

TYPE_MASK = 0xF
REPLY = 1
NO_REPLY = 1 << 4
ERROR = 1 << 5
MAX_FDS = 16
MAX_DATA = 1 << 20
MAX_MESSAGE = HEADER.size + 16 + MAX_DATA
REST_S = 5.0
"""How long the rest of a message that has begun may take."""


class Command(IntEnum):
    """Commands of the vfio-user protocol."""

    VERSION = 1
    DMA_MAP = 2
    DMA_UNMAP = 3
    DEVICE_GET_INFO = 4
    DEVICE_GET_REGION_INFO = 5
    DEVICE_GET_REGION_IO_FDS = 6
    DEVICE_GET_IRQ_INFO = 7
    DEVICE_SET_IRQS = 8
    REGION_READ = 9
    REGION_WRITE = 10
    DMA_READ = 11
    DMA_WRITE = 12
    DEVICE_RESET = 13
    REGION_WRITE_MULTI = 15
    DEVICE_FEATURE = 16
    MIG_DATA_READ = 17
    MIG_DATA_WRITE = 18


class ClientError(Exception):
    """The client broke the protocol: the session ends; the message is one line."""


@dataclass
class Message:
    """A command of the client; whoever takes a descriptor out of `fds` closes it."""

    number: int
    command: Command
    flags: int
    body: bytes
    fds: list[int] = field(default_factory=list)

    def take_fd(self) -> int | None:
        """Take the oldest descriptor."""
        return self.fds.pop(0) if self.fds else None

    def unpack(self, layout: struct.Struct) -> tuple[int, ...]:
        """The fields that the body begins with; raises ClientError where it is shorter."""
        if len(self.body) < layout.size:
            raise ClientError(f"{self.command.name} of {len(self.body)} bytes: {layout.size} are needed")
        return layout.unpack_from(self.body)

    def close(self) -> None:
        """Close the descriptors that nobody took."""
        while self.fds:
            os.close(self.fds.pop())


class Connection:
    """The server's end of a client's connection."""

    def __init__(self, client: socket.socket) -> None:
        self._socket = client
        self._socket.settimeout(REST_S)

    def waiting(self, seconds: float) -> bool:
        """Whether something has arrived, or arrives within that time."""
        return bool(select.select([self._socket], [], [], seconds)[0])

    def receive(self) -> Message | None:
        """Return the next command, None where the client has gone; raises ClientError."""
        fds: list[int] = []
        try:
            return self._receive(fds)
        except BaseException:
            for fd in fds:
                os.close(fd)
            raise

    def _receive(self, fds: list[int]) -> Message | None:
        header = self._take(HEADER.size, fds)
        if not header:
            return None
        number, command, size, flags, _ = HEADER.unpack(header)
        if not HEADER.size <= size <= MAX_MESSAGE:
            raise ClientError(f"a message says that it is {size} bytes long")
        if flags & TYPE_MASK:
            raise ClientError(f"a message of type {flags & TYPE_MASK}: only commands are expected")
        body = self._take(size - HEADER.size, fds)
        if len(body) < size - HEADER.size:
            raise ClientError("the connection was cut inside a message")
        if command not in set(Command):
            raise ClientError(f"unknown command {command}")
        return Message(number, Command(command), flags, body, fds)

    def _take(self, length: int, fds: list[int]) -> bytes:
        """Read `length` bytes, or fewer where the client goes before the first of a header."""
        data = bytearray()
        while len(data) < length:
            with _told("the client"):
                piece, ancillary, flags, _ = self._socket.recvmsg(
                    length - len(data), socket.CMSG_SPACE(MAX_FDS * 4)
                )
            for level, kind, content in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    fds.extend(_descriptors(content))
            if flags & socket.MSG_CTRUNC:
                raise ClientError(f"a message carries more than {MAX_FDS} file descriptors")
            if not piece:
                if data:
                    raise ClientError("the connection was cut inside a message")
                break
            data += piece
        return bytes(data)

    def answer(self, message: Message, body: bytes = b"", error: int = 0) -> None:
        """Send the reply, unless the command asked for none; raises ClientError."""
        if message.flags & NO_REPLY:
            return
        flags = REPLY | (ERROR if error else 0)
        header = HEADER.pack(message.number, message.command, HEADER.size + len(body), flags, error)
        with _told("the client"):
            self._socket.sendall(header + body)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def _descriptors(content: bytes) -> list[int]:
    numbers = array.array("i")
    numbers.frombytes(content[: len(content) // numbers.itemsize * numbers.itemsize])
    return list(numbers)


@contextmanager
def _told(who: str) -> Iterator[None]:
    """Raise what goes wrong on a socket as ClientError."""
    try:
        yield
    except TimeoutError:
        raise ClientError(f"{who} stopped inside a message for {REST_S:g} s") from None
    except OSError as error:
        raise ClientError(f"{who} has gone: {error.strerror}") from None
