"""What a path to the device provides, whatever carries it: pins under cocotb, or the native bus models.

Every port records what it carries out as events, at the moment of its effect, so that the order of
the events is the order in which host and device could see each other. Times are picoseconds since
the test's start, lengths are bytes, values are little-endian unsigned integers.
"""

from __future__ import annotations

from typing import Protocol

from pymodel.transport import Interrupt


class ConfigPort(Protocol):
    """The host's way into PCI configuration space."""

    async def read(self, addr: int, length: int) -> int:
        """Read 1, 2 or 4 bytes; raises TransportTimeout."""
        ...

    async def write(self, addr: int, length: int, value: int) -> None:
        """Write 1, 2 or 4 bytes; returns when the device took them; raises TransportTimeout."""
        ...


class BarPort(Protocol):
    """The host's way into BAR space; `addr` is the offset in BAR number `bar`."""

    async def read(self, bar: int, addr: int, length: int) -> int:
        """Read 1, 2, 4 or 8 bytes; raises TransportTimeout."""
        ...

    async def write(self, bar: int, addr: int, length: int, value: int) -> None:
        """Write 1, 2, 4 or 8 bytes; the BarWrite is recorded when the device took them."""
        ...


class DmaPort(Protocol):
    """The device's way into guest memory (or, for a medium port, into its medium)."""

    @property
    def idle(self) -> bool:
        """Nothing is in flight."""
        ...

    @property
    def faults(self) -> list[str]:
        """What the device did that the bus does not allow, one line each."""
        ...

    @property
    def posted(self) -> bool:
        """Writes get no answer: the device never learns that one was refused."""
        ...

    def refuse(self, first: int, last: int, *, reads: bool = True, writes: bool = True) -> None:
        """Answer accesses that touch bytes `first` to `last` with an error from now on."""
        ...

    def allow(self) -> None:
        """Refuse nothing any more."""
        ...


class InterruptPort(Protocol):
    """Interrupts on their way to the host, from whatever pins or writes they came."""

    @property
    def pending(self) -> int:
        """Messages that nobody has taken."""
        ...

    async def wait(self, timeout_ns: int) -> Interrupt | None:
        """Return the oldest message, or Line() while INTx is asserted; None on timeout."""
        ...


class Path(Protocol):
    """All ports of one device, and its time."""

    @property
    def config(self) -> ConfigPort:
        """Configuration space."""
        ...

    @property
    def bar(self) -> BarPort:
        """BAR space."""
        ...

    @property
    def dma(self) -> DmaPort:
        """The device's initiator towards guest memory."""
        ...

    @property
    def medium(self) -> DmaPort | None:
        """The device's initiator towards its medium, where it has one."""
        ...

    @property
    def interrupts(self) -> InterruptPort:
        """Messages and INTx."""
        ...

    def now(self) -> int:
        """Picoseconds since the test's start."""
        ...

    async def delay(self, ns: int) -> None:
        """Let time pass."""
        ...

    async def reset(self) -> None:
        """Pulse the reset pin; what was in flight on the ports is forgotten."""
        ...

    def set_capacity(self, sectors: int) -> None:
        """Tell a block back end the capacity of its medium in 512-byte sectors."""
        ...
