"""What a device type's real work looks like to a test that does not know the type."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from pymodel.driver.framing import Framed
from pymodel.driver.request_driver import RequestDriver
from pymodel.driver.requests import Request
from pymodel.memory import GuestMemory
from pymodel.ring.base import Virtqueue
from tb.image import Image

D = TypeVar("D", bound=RequestDriver)


class Unit(ABC):
    """A piece of work in flight; `request` is the driver's own."""

    request: Request

    @abstractmethod
    async def settle(self) -> None:
        """Wait until it is done and hold what came of it: AssertionError where that is wrong.

        Raises what the driver's `wait` raises.
        """

    def overlaps(self, place: int, length: int) -> bool:
        """Whether it uses any of this range of what the device keeps, where the device keeps anything."""
        return False


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a plain request: its length in bytes, and whether the device writes it."""

    length: int
    writable: bool


class Work(ABC, Generic[D]):
    """Work through one driver; `image` is the medium of devices that have one.

    `several` is the feature that more than one request queue takes (None: the type has one queue, or
    needs no feature for more), `shortest` the fewest elements of a request. `parts` is a plain request in
    three parts, for rings that a test writes by hand.
    """

    device_type: ClassVar[int]
    several: ClassVar[int | None] = None
    shortest: ClassVar[int] = 1
    parts: ClassVar[tuple[Part, Part, Part]]

    def __init__(self, driver: D, image: Image, rng: random.Random) -> None:
        self.driver = driver
        self.image = image
        self.rng = rng

    @classmethod
    @abstractmethod
    def make_driver(cls, queues: int | Mapping[int, int], queue_size: int) -> D:
        """A fresh driver that uses so many queues (0: all), or those of a table of index to size."""

    @abstractmethod
    async def begin(
        self, *, size: int = 1, outward: bool = False, queue: int | None = None, kick: bool = True
    ) -> Unit:
        """Start a plain unit of `size` times the least amount that fills a memory bus.

        `outward` asks for data that goes to the device, where the type has that direction too. `queue`
        None is the first one in use. Without `kick` it is added, but not yet published.
        """

    @abstractmethod
    async def draw(self, most: int, busy: Sequence[Unit]) -> Unit | None:
        """Start a unit of drawn kind, size (up to `most`) and queue, beside those in flight.

        Nothing is started, and None returned, where those in flight leave too little room.
        """

    async def units(self, count: int, *, queue: int | None = None) -> None:
        """Do so many plain units, one after another, and hold what comes of each."""
        for _ in range(count):
            await (await self.begin(queue=queue)).settle()

    @abstractmethod
    def in_pieces(self, chain: int) -> tuple[Unit, Framed]:
        """A unit whose buffer is a chain of `chain` elements, `shortest` at least, for the caller to add."""

    def longest(self, queue: Virtqueue) -> int:
        """The most elements that the device takes in a chain of this queue."""
        return queue.size

    @abstractmethod
    def lay(self, memory: GuestMemory, places: Sequence[int]) -> None:
        """Store what the device reads of a plain request whose `parts` lie at these addresses."""

    @abstractmethod
    def served(self, memory: GuestMemory, places: Sequence[int]) -> bool:
        """Whether the device did what that request asks for."""
