"""The host as the device model reaches it: DMA, interrupt messages, INTx; every crossing is an event."""

from __future__ import annotations

from collections import deque

from pymodel.events import DmaRead, DmaWrite, Event, EventStream, Intx, MemWrite, Msix
from pymodel.memory import GuestMemory, MemoryFault
from pymodel.transport import Message

ACCESS_PS = 100_000
DMA_PS = 10_000


class DmaError(Exception):
    """The host refused a DMA access."""


class Host:
    """Guest memory and interrupts seen from the device; keeps the model's time in picoseconds."""

    def __init__(self, memory: GuestMemory, events: EventStream) -> None:
        self.memory = memory
        self.events = events
        self.time = 0
        self.messages: deque[Message] = deque()
        self.intx = 0
        self._refused: list[tuple[int, int, bool, bool]] = []
        memory.observer = self._stored

    def tick(self, picoseconds: int) -> int:
        """Let time pass; return the new time."""
        self.time += picoseconds
        return self.time

    def emit(self, event: Event) -> None:
        """Hand an event to the stream."""
        self.events.emit(event)

    def _stored(self, addr: int, data: bytes) -> None:
        self.emit(MemWrite(t=self.tick(DMA_PS), addr=addr, data=data))

    def refuse(self, first: int, last: int, *, reads: bool = True, writes: bool = True) -> None:
        """Answer the device's accesses to addresses `first` to `last` with an error from now on."""
        self._refused.append((first, last, reads, writes))

    def allow(self) -> None:
        """Refuse nothing any more."""
        self._refused.clear()

    def _check(self, addr: int, length: int, *, write: bool) -> None:
        for first, last, reads, writes in self._refused:
            if first < addr + length and addr <= last and (writes if write else reads):
                raise MemoryFault(addr, length)

    def read(self, addr: int, length: int) -> bytes:
        """Read guest memory; raises DmaError where there is none."""
        requested, completed = self.time, self.tick(DMA_PS)
        try:
            self._check(addr, length, write=False)
            data = self.memory.dma_read(addr, length)
        except MemoryFault as fault:
            self.emit(DmaRead(t=completed, t_req=requested, addr=addr, data=bytes(length), err=True))
            raise DmaError(str(fault)) from fault
        self.emit(DmaRead(t=completed, t_req=requested, addr=addr, data=data))
        return data

    def write(self, addr: int, data: bytes) -> None:
        """Write guest memory; raises DmaError where there is none."""
        requested, completed = self.time, self.tick(DMA_PS)
        try:
            self._check(addr, len(data), write=True)
            self.memory.dma_write(addr, data)
        except MemoryFault as fault:
            self.emit(DmaWrite(t=completed, t_req=requested, addr=addr, data=data, err=True))
            raise DmaError(str(fault)) from fault
        self.emit(DmaWrite(t=completed, t_req=requested, addr=addr, data=data))

    def read_int(self, addr: int, length: int) -> int:
        """Read a little-endian integer."""
        return int.from_bytes(self.read(addr, length), "little")

    def write_int(self, addr: int, length: int, value: int) -> None:
        """Write a little-endian integer."""
        self.write(addr, value.to_bytes(length, "little"))

    def send(self, address: int, data: int) -> None:
        """Send an interrupt message."""
        self.emit(Msix(t=self.tick(DMA_PS), addr=address, data=data))
        self.messages.append(Message(address, data))

    def drive_intx(self, level: int) -> None:
        """Drive the INTx line."""
        if level != self.intx:
            self.intx = level
            self.emit(Intx(t=self.tick(DMA_PS), level=level))
