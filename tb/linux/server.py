"""A vfio-user server: a client's commands become calls on one PCI function."""

from __future__ import annotations

import errno
import json
import struct
from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import Protocol

from tb.linux.wire import MAX_DATA, MAX_FDS, ClientError, Command, Connection, Message

VERSION = struct.Struct("<HH")
DMA_MAP = struct.Struct("<IIQQQ")
DMA_UNMAP = struct.Struct("<IIQQ")
INFO = struct.Struct("<IIII")
REGION_INFO = struct.Struct("<IIIIQQ")
SET_IRQS = struct.Struct("<IIIII")
REGION_IO = struct.Struct("<QII")

DEVICE_RESETS, DEVICE_IS_PCI = 1, 2
READABLE, WRITABLE = 1, 2
REGIONS, CONFIG_REGION = 9, 7
IRQ_KINDS = 5
EVENTFD, MASKABLE, AUTOMASKED, NORESIZE = 1, 2, 4, 8
DATA_NONE, DATA_EVENTFD = 1, 4
ACTION_MASK, ACTION_UNMASK, ACTION_TRIGGER = 8, 16, 32
UNMAP_ALL = 2
MAJOR, MINOR = 0, 1


class Irq(IntEnum):
    """Interrupt kinds of a VFIO PCI device that this server serves."""

    INTX = 0
    MSIX = 2


class Function(Protocol):
    """The PCI function behind the server."""

    regions: dict[int, int]
    vectors: int

    async def read(self, region: int, offset: int, length: int) -> bytes:
        """Read a BAR or configuration space."""
        ...

    async def write(self, region: int, offset: int, data: bytes) -> None:
        """Write a BAR or configuration space."""
        ...

    async def reset(self) -> None:
        """Reset the function."""
        ...

    def map(self, address: int, size: int, fd: int | None, offset: int) -> None:
        """Give the device memory; takes `fd`. Raises ClientError."""
        ...

    def unmap(self, address: int, size: int) -> None:
        """Take memory back; raises ClientError."""
        ...

    def unmap_all(self) -> None:
        """Take all memory back."""
        ...

    async def connect(self, irq: Irq, vector: int, fd: int | None) -> None:
        """Signal interrupts of a vector on an eventfd from now on, or nowhere; takes `fd`."""
        ...

    async def disconnect(self, irq: Irq) -> None:
        """Switch an interrupt kind off."""
        ...

    def unmask_line(self) -> None:
        """The guest has dealt with the line: signal it again if it is still asserted."""
        ...


Handler = Callable[[Message], Awaitable[bytes]]


class Server:
    """Answers one client's commands."""

    def __init__(self, connection: Connection, function: Function) -> None:
        self._connection = connection
        self._function = function
        self._greeted = False
        self._handlers: dict[Command, Handler] = {
            Command.VERSION: self._version,
            Command.DMA_MAP: self._dma_map,
            Command.DMA_UNMAP: self._dma_unmap,
            Command.DEVICE_GET_INFO: self._info,
            Command.DEVICE_GET_REGION_INFO: self._region_info,
            Command.DEVICE_GET_IRQ_INFO: self._irq_info,
            Command.DEVICE_SET_IRQS: self._set_irqs,
            Command.REGION_READ: self._region_read,
            Command.REGION_WRITE: self._region_write,
            Command.DEVICE_RESET: self._reset,
        }

    async def serve_one(self) -> bool:
        """Take one command and answer it; False when the client has gone. Raises ClientError."""
        message = self._connection.receive()
        if message is None:
            return False
        try:
            handler = self._handlers.get(message.command)
            if handler is None:
                self._connection.answer(message, error=errno.EOPNOTSUPP)
                return True
            if not self._greeted and message.command != Command.VERSION:
                raise ClientError(f"{message.command.name} before VERSION")
            try:
                reply = await handler(message)
            except ClientError:
                self._connection.answer(message, error=errno.EINVAL)
                raise
            self._connection.answer(message, reply)
        finally:
            message.close()
        return True

    async def _version(self, message: Message) -> bytes:
        major, minor = message.unpack(VERSION)
        if major != MAJOR:
            raise ClientError(f"the client speaks vfio-user {major}, this server {MAJOR}.{MINOR}")
        self._greeted = True
        capabilities = {"max_msg_fds": MAX_FDS, "max_data_xfer_size": MAX_DATA, "pgsizes": 4096}
        text = json.dumps({"capabilities": {**capabilities, "max_dma_maps": 65535}})
        return VERSION.pack(MAJOR, min(minor, MINOR)) + text.encode() + b"\0"

    async def _dma_map(self, message: Message) -> bytes:
        _, _, offset, address, size = message.unpack(DMA_MAP)
        self._function.map(address, size, message.take_fd(), offset)
        return b""

    async def _dma_unmap(self, message: Message) -> bytes:
        _, flags, address, size = message.unpack(DMA_UNMAP)
        if flags & UNMAP_ALL:
            self._function.unmap_all()
        else:
            self._function.unmap(address, size)
        return message.body[: DMA_UNMAP.size]

    async def _info(self, message: Message) -> bytes:
        return INFO.pack(INFO.size, DEVICE_RESETS | DEVICE_IS_PCI, REGIONS, IRQ_KINDS)

    async def _region_info(self, message: Message) -> bytes:
        index = message.unpack(REGION_INFO)[2]
        if index >= REGIONS:
            raise ClientError(f"region {index}: a PCI device has {REGIONS}")
        size = self._function.regions.get(index, 0)
        flags = READABLE | WRITABLE if size else 0
        return REGION_INFO.pack(REGION_INFO.size, flags, index, 0, size, index << 40)

    async def _irq_info(self, message: Message) -> bytes:
        index = message.unpack(INFO)[2]
        if index >= IRQ_KINDS:
            raise ClientError(f"interrupt kind {index}: a PCI device has {IRQ_KINDS}")
        counts = {Irq.INTX: 1, Irq.MSIX: self._function.vectors}
        flags = EVENTFD | (MASKABLE | AUTOMASKED if index == Irq.INTX else NORESIZE)
        return INFO.pack(INFO.size, flags, index, counts.get(Irq(index), 0) if index in set(Irq) else 0)

    async def _set_irqs(self, message: Message) -> bytes:
        _, flags, index, start, count = message.unpack(SET_IRQS)
        if index not in set(Irq):
            return b""
        irq = Irq(index)
        size = self._function.vectors if irq is Irq.MSIX else 1
        if start + count > size:
            raise ClientError(f"vectors {start} to {start + count - 1} of {size}")
        if flags & ACTION_TRIGGER and flags & DATA_EVENTFD:
            if len(message.fds) not in (0, count):
                raise ClientError(f"{len(message.fds)} eventfds for {count} vectors")
            for vector in range(start, start + count):
                await self._function.connect(irq, vector, message.take_fd())
        elif flags & ACTION_TRIGGER and flags & DATA_NONE and count == 0:
            await self._function.disconnect(irq)
        elif flags & ACTION_UNMASK and irq is Irq.INTX:
            self._function.unmask_line()
        return b""

    async def _region_read(self, message: Message) -> bytes:
        offset, region, count = message.unpack(REGION_IO)
        self._check(region, offset, count)
        return message.body[: REGION_IO.size] + await self._function.read(region, offset, count)

    async def _region_write(self, message: Message) -> bytes:
        offset, region, count = message.unpack(REGION_IO)
        self._check(region, offset, count)
        data = message.body[REGION_IO.size :]
        if len(data) != count:
            raise ClientError(f"a write of {count} bytes carries {len(data)}")
        await self._function.write(region, offset, data)
        return message.body[: REGION_IO.size]

    def _check(self, region: int, offset: int, count: int) -> None:
        size = self._function.regions.get(region, 0)
        if not 0 < count <= size or offset > size - count:
            raise ClientError(f"an access to {count} bytes at {offset:#x} of region {region} ({size} bytes)")

    async def _reset(self, message: Message) -> bytes:
        await self._function.reset()
        return b""
