"""The host's accesses through an initiator, each recorded as an event with the width that was asked for."""

from __future__ import annotations

from collections.abc import Callable

from pymodel.events import BarRead, BarWrite, ConfigRead, ConfigWrite, EventStream
from tb.ports.initiator import Initiator


class PinConfigPort:
    """Configuration space on a port of its own: address = configuration offset."""

    def __init__(self, bus: Initiator, events: EventStream, now: Callable[[], int]) -> None:
        self._bus = bus
        self._events = events
        self._now = now

    async def read(self, addr: int, length: int) -> int:
        """Read and record."""
        asked = self._now()
        value = await self._bus.read(addr, length, f"configuration read of {length} at {addr:#x}")
        data = value.to_bytes(length, "little")
        self._events.emit(ConfigRead(t=self._now(), t_req=asked, addr=addr, data=data))
        return value

    async def write(self, addr: int, length: int, value: int) -> None:
        """Write; recorded when the device took it."""
        asked = self._now()
        data = value.to_bytes(length, "little")

        def taken() -> None:
            self._events.emit(ConfigWrite(t=self._now(), t_req=asked, addr=addr, data=data))

        await self._bus.write(addr, length, value, f"configuration write of {length} at {addr:#x}", taken)


class NoConfigPort:
    """A bus without PCI configuration space: reads find nothing, writes are lost, and neither is seen."""

    async def read(self, addr: int, length: int) -> int:
        """All ones, as where no function answers."""
        return (1 << 8 * length) - 1

    async def write(self, addr: int, length: int, value: int) -> None:
        """Nothing takes it."""


class PinBarPort:
    """BAR space on a port; `bases` maps BAR numbers to addresses on that bus."""

    def __init__(
        self, bus: Initiator, bases: dict[int, int], events: EventStream, now: Callable[[], int]
    ) -> None:
        self._bus = bus
        self._bases = bases
        self._events = events
        self._now = now

    async def read(self, bar: int, addr: int, length: int) -> int:
        """Read and record."""
        asked = self._now()
        value = await self.fetch(bar, addr, length)
        data = value.to_bytes(length, "little")
        self._events.emit(BarRead(t=self._now(), t_req=asked, bar=bar, addr=addr, data=data))
        return value

    async def write(self, bar: int, addr: int, length: int, value: int) -> None:
        """Write; recorded when the device took it."""
        asked = self._now()
        data = value.to_bytes(length, "little")

        def taken() -> None:
            self._events.emit(BarWrite(t=self._now(), t_req=asked, bar=bar, addr=addr, data=data))

        await self.store(bar, addr, length, value, taken)

    async def fetch(self, bar: int, addr: int, length: int) -> int:
        """Read without a record: on behalf of an access that has one."""
        what = f"read of {length} at BAR {bar} + {addr:#x}"
        return await self._bus.read(self._address(bar, addr), length, what)

    async def store(
        self, bar: int, addr: int, length: int, value: int, taken: Callable[[], None] = lambda: None
    ) -> None:
        """Write without a record; `taken` is called when the device has it."""
        what = f"write of {length} at BAR {bar} + {addr:#x}"
        await self._bus.write(self._address(bar, addr), length, value, what, taken)

    def _address(self, bar: int, addr: int) -> int:
        if bar not in self._bases:
            raise ValueError(f"the manifest gives BAR {bar} no place on [ports.bar]")
        return self._bases[bar] + addr
