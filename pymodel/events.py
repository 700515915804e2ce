"""What can be observed at a device's host boundary, as small immutable facts.

The one bridge between whatever the device is and everything that judges it. `t` is the time of
completion in picoseconds, `t_req` the time of the request where it is known. `data` holds the bytes
in address order. Streams are in the order of completion.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact at the host boundary; `line` is its line in a vtrace file, 0 when live."""

    t: int
    t_req: int | None = None
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigRead(Event):
    """The host read PCI configuration space at byte offset `addr`."""

    addr: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigWrite(Event):
    """The host wrote PCI configuration space at byte offset `addr`."""

    addr: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BarRead(Event):
    """The host read BAR number `bar` at byte offset `addr`."""

    bar: int
    addr: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BarWrite(Event):
    """The host wrote BAR number `bar` at byte offset `addr`."""

    bar: int
    addr: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DmaRead(Event):
    """The device read guest memory; with `err` the host answered with an error and `data` is void."""

    addr: int
    data: bytes
    err: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DmaWrite(Event):
    """The device wrote guest memory; with `err` the host refused it and memory is unchanged."""

    addr: int
    data: bytes
    err: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MemWrite(Event):
    """The driver stored to guest memory."""

    addr: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Msix(Event):
    """An interrupt message left the device: either `vector`, or `addr` and `data` (a 32-bit value)."""

    vector: int | None = None
    addr: int | None = None
    data: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intx(Event):
    """The INTx line changed to `level` (0 or 1)."""

    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset(Event):
    """A reset below virtio: kind is "flr", "hot" or "power".

    A function-level reset shows as the ConfigWrite that sets Initiate Function Level Reset; this event
    stands behind it, or alone, where the host's side of the bench resets the function.
    """

    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark(Event):
    """A note in the stream: a test's name, or "end" where the observation ended orderly."""

    text: str


EventSink = Callable[[Event], None]


class EventSource(Protocol):
    """Holds a stream outside of Python: all events go through it, so that their order is its order."""

    def put(self, event: Event) -> None:
        """Append an event of Python's."""
        ...

    def flush(self) -> None:
        """Deliver what it holds."""
        ...

    def listened(self) -> None:
        """A sink was added: events are to be delivered from now on."""
        ...


class EventStream:
    """Hands every event to every sink, in the order in which they subscribed.

    With a `source` events go into that, and come to the sinks when it delivers them.
    """

    def __init__(self) -> None:
        self._sinks: list[EventSink] = []
        self.source: EventSource | None = None

    def subscribe(self, sink: EventSink) -> None:
        """Add a sink; it sees the events emitted from now on."""
        self.flush()
        self._sinks.append(sink)
        if self.source is not None:
            self.source.listened()

    def flush(self) -> None:
        """Have a source deliver what it holds."""
        if self.source is not None:
            self.source.flush()

    def emit(self, event: Event) -> None:
        """Hand one event to all sinks."""
        if self.source is None:
            self.deliver(event)
        else:
            self.source.put(event)
            if self._sinks:
                self.source.flush()

    def deliver(self, event: Event) -> None:
        """Hand an event that came through the source to all sinks."""
        for sink in self._sinks:
            sink(event)

    @property
    def has_sinks(self) -> bool:
        """Whether anybody in Python hears the events."""
        return bool(self._sinks)
