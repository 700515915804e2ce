"""The device under test as the PCI function of a vfio-user server."""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass

from pymodel import spec
from pymodel.driver.errors import AccessLog
from pymodel.driver.function import PciFunction
from pymodel.driver.msix import Msix
from pymodel.memory import GuestMemory, Region
from pymodel.spec import PCI_CFG, PciCapId, PciCommand
from pymodel.transport import Line, Message, Transport
from tb.linux.server import CONFIG_REGION, Irq
from tb.linux.wire import ClientError

CONVENTIONAL, EXTENDED = 256, 4096
ONE = (1).to_bytes(8, "little")
SETTLE_NS = 2_000
PAGE = 4096


@dataclass(slots=True)
class Mapping:
    """Guest memory that the client gave; `content` is None where it gave no file."""

    address: int
    size: int
    content: mmap.mmap | None


class Memory:
    """The client's memory, mapped without a copy into the bench's."""

    def __init__(self, memory: GuestMemory) -> None:
        self._memory = memory
        self._mappings: dict[int, Mapping] = {}

    def map(self, address: int, size: int, fd: int | None, offset: int) -> None:
        """Map a piece of the client's file; raises ClientError."""
        try:
            self._check(address, size)
            content = None if fd is None else self._content(fd, offset, size)
        finally:
            if fd is not None:
                os.close(fd)
        self._mappings[address] = Mapping(address, size, content)
        if content is not None:
            self._memory.map(Region(address, memoryview(content)))

    def _check(self, address: int, size: int) -> None:
        if size == 0 or address + size > 1 << 64:
            raise ClientError(f"DMA_MAP of {size:#x} bytes at {address:#x}")
        for other in self._touching(address, size):
            raise ClientError(f"DMA_MAP at {address:#x} overlaps the one at {other.address:#x}")

    def _touching(self, address: int, size: int) -> list[Mapping]:
        end = address + size
        return [m for m in self._mappings.values() if address < m.address + m.size and m.address < end]

    @staticmethod
    def _content(fd: int, offset: int, size: int) -> mmap.mmap:
        length = os.fstat(fd).st_size
        if offset % PAGE or size % PAGE or offset + size > length:
            raise ClientError(f"DMA_MAP of {size:#x} bytes from {offset:#x} of a file of {length:#x}")
        try:
            return mmap.mmap(fd, size, offset=offset)
        except (OSError, ValueError) as error:
            raise ClientError(f"DMA_MAP of a file that cannot be mapped: {error}") from None

    def unmap(self, address: int, size: int) -> None:
        """Take back what lies in a range; raises ClientError for half a mapping."""
        inside = [
            m for m in self._mappings.values() if address < m.address + m.size and m.address < address + size
        ]
        for mapping in inside:
            if mapping.address < address or mapping.address + mapping.size > address + size:
                raise ClientError(f"DMA_UNMAP of {size:#x} bytes at {address:#x} cuts a mapping")
            self._forget(mapping)

    def unmap_all(self) -> None:
        """Take everything back."""
        for mapping in list(self._mappings.values()):
            self._forget(mapping)

    def _forget(self, mapping: Mapping) -> None:
        del self._mappings[mapping.address]
        if mapping.content is not None:
            # The mapping itself goes with the last view of it.
            self._memory.unmap(mapping.address)


class Bridge:
    """Regions, interrupts and reset of the device under test, for a client that owns the guest.

    The client keeps the guest's MSI-X table to itself and says which vectors have an eventfd: the
    bridge programs the device's own table, and turns the messages it sends into eventfd writes.
    """

    def __init__(self, transport: Transport, memory: GuestMemory) -> None:
        self._transport = transport
        self._memory = Memory(memory)
        self._function = PciFunction(transport, AccessLog())
        self._msix: Msix | None = None
        self._eventfds: dict[tuple[Irq, int], int] = {}
        self._line_told = False
        self.regions: dict[int, int] = {}
        self.vectors = 0
        self.interrupts = 0
        self.kicks = 0
        self.unheard = 0

    async def enumerate(self) -> None:
        """Size and place the BARs and find MSI-X, as firmware would; raises DriverError."""
        await self._function.enumerate()
        self._msix = await Msix.find(self._function)
        self.vectors = self._msix.size if self._msix else 0
        self.regions = {bar.index: bar.size for bar in self._function.bars.values()}
        express = self._function.find_capability(PciCapId.PCI_EXPRESS) is not None
        self.regions[CONFIG_REGION] = EXTENDED if express else CONVENTIONAL

    async def read(self, region: int, offset: int, length: int) -> bytes:
        """Read in naturally aligned pieces of up to 4 bytes."""
        data = bytearray()
        for at, width in _pieces(offset, length):
            if region != CONFIG_REGION:
                value = await self._transport.bar_read(region, at, width)
            elif at < CONVENTIONAL:
                value = await self._transport.config_read(at, width)
            else:
                value = 0
            data += value.to_bytes(width, "little")
        return bytes(data)

    async def write(self, region: int, offset: int, data: bytes) -> None:
        """Write in naturally aligned pieces of up to 4 bytes; MSI-X control stays the bridge's."""
        for at, width in _pieces(offset, len(data)):
            value = int.from_bytes(data[at - offset : at - offset + width], "little")
            if region != CONFIG_REGION:
                await self._transport.bar_write(region, at, width, value)
            elif at < CONVENTIONAL and not self._is_msix_control(at, width):
                await self._transport.config_write(at, width, value)

    def _is_msix_control(self, at: int, width: int) -> bool:
        if self._msix is None:
            return False
        control = self._msix.position + spec.MSIX_CONTROL
        return at < control + 2 and control < at + width

    async def reset(self) -> None:
        """Reset the function, and restore what the client believes to outlive that: BARs and command."""
        command = await self._function.register("command")
        await self._transport.reset("flr")
        await self._transport.delay(SETTLE_NS)
        await self._function.place_bars()
        await self._function.config_write(PCI_CFG["command"].offset, 2, command & ~PciCommand.BUS_MASTER)

    def map(self, address: int, size: int, fd: int | None, offset: int) -> None:
        """Give the device memory."""
        self._memory.map(address, size, fd, offset)

    def unmap(self, address: int, size: int) -> None:
        """Take memory back."""
        self._memory.unmap(address, size)

    def unmap_all(self) -> None:
        """Take all memory back."""
        self._memory.unmap_all()

    async def connect(self, irq: Irq, vector: int, fd: int | None) -> None:
        """Signal a vector on an eventfd; without one its table entry is masked."""
        old = self._eventfds.pop((irq, vector), None)
        if old is not None:
            os.close(old)
        if fd is not None:
            self._eventfds[irq, vector] = fd
        if irq is Irq.INTX:
            self._line_told = False
        elif self._msix is not None:
            await self._wire(self._msix, vector, fd is not None)

    async def _wire(self, msix: Msix, vector: int, wanted: bool) -> None:
        # Without memory decoding the table cannot be reached: the client asked before the guest did.
        await self._function.command(enable=PciCommand.MEMORY)
        if not msix.enabled:
            await msix.control(enable=True, masked=False)
        if wanted:
            await msix.program(vector)
        else:
            await msix.mask(vector, masked=True)

    async def disconnect(self, irq: Irq) -> None:
        """Close a kind's eventfds, and switch MSI-X off in the device."""
        for key in [key for key in self._eventfds if key[0] is irq]:
            os.close(self._eventfds.pop(key))
        if irq is Irq.MSIX and self._msix is not None:
            await self._msix.disable()

    def unmask_line(self) -> None:
        """Let the line be told again."""
        self._line_told = False

    async def deliver(self) -> None:
        """Turn the messages that have arrived, and the line, into eventfd writes."""
        while (interrupt := await self._transport.wait_interrupt(0)) is not None:
            if isinstance(interrupt, Message):
                vector = self._msix.vector_of(interrupt) if self._msix else None
                self._signal(Irq.MSIX, -1 if vector is None else vector)
            elif isinstance(interrupt, Line):
                if not self._line_told:
                    self._line_told = self._signal(Irq.INTX, 0)
                return

    def _signal(self, irq: Irq, vector: int) -> bool:
        fd = self._eventfds.get((irq, vector))
        if fd is None:
            self.unheard += 1
            return False
        os.write(fd, ONE)
        self.interrupts += 1
        return True

    def close(self) -> None:
        """Give back what the client gave."""
        for fd in self._eventfds.values():
            os.close(fd)
        self._eventfds.clear()
        self._memory.unmap_all()


def _pieces(offset: int, length: int) -> list[tuple[int, int]]:
    """Cut an access into naturally aligned pieces of 4, 2 and 1 bytes: (offset, width) each."""
    pieces = []
    end = offset + length
    while offset < end:
        width = next(w for w in (4, 2, 1) if offset % w == 0 and offset + w <= end)
        pieces.append((offset, width))
        offset += width
    return pieces
