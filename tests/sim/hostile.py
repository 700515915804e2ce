"""Rings that no driver may build, by hand: descriptors stored raw into a queue of the reference driver."""

from __future__ import annotations

from dataclasses import dataclass

from pymodel.events import DmaRead, DmaWrite
from pymodel.layout import PACKED_DESC_FLAGS, PackedDesc, SplitDesc
from pymodel.memory import Allocation, MemoryFault
from pymodel.ring.packed import PackedQueue
from pymodel.ring.split import SplitQueue
from pymodel.spec import DescFlag, Feature, Status, feature_mask
from tb.env import Env
from tb.sim_test import Skip
from tb.work.base import Part

NEXT, WRITE, INDIRECT = int(DescFlag.NEXT), int(DescFlag.WRITE), int(DescFlag.INDIRECT)
GUARD = 64
PATTERN = 0xA5
WAIT_NS = 40_000


@dataclass
class Hostile:
    """A started device, one raw queue, and the memory of one plain request that is given to the device.

    `places` are the addresses of the request's three parts; everything allocated is surrounded by guard
    bytes.
    """

    env: Env
    queue: SplitQueue | PackedQueue
    places: list[int]
    given: list[Allocation]
    guards: list[Allocation]
    before: int

    @property
    def size(self) -> int:
        """Descriptors in the queue."""
        return self.queue.size

    @property
    def parts(self) -> tuple[Part, Part, Part]:
        """The parts of the request."""
        return self.env.work.parts

    @property
    def lengths(self) -> list[int]:
        """The lengths of the parts."""
        return [part.length for part in self.parts]

    @property
    def writes(self) -> list[int]:
        """The WRITE flag of each part's descriptor, or 0."""
        return [WRITE if part.writable else 0 for part in self.parts]

    @property
    def was_served(self) -> bool:
        """Whether the device did what the request asks for."""
        return self.env.work.served(self.env.memory, self.places)

    @property
    def was_used(self) -> bool:
        """Whether the device returned a buffer of this queue."""
        memory = self.env.memory
        if isinstance(self.queue, SplitQueue):
            return memory.read_int(self.queue.ring.used_idx, 2) == 1
        flags = memory.read_int(self.queue.ring.desc_entry(0) + PACKED_DESC_FLAGS, 2)
        return bool(flags & DescFlag.USED)

    def take(self, length: int) -> int:
        """Give the device `length` bytes between guards; return their address."""
        memory = self.env.memory
        whole = memory.alloc(length + 2 * GUARD, GUARD)
        memory.poison(whole, PATTERN)
        start = whole.addr + GUARD
        memory.write(start, bytes(length))
        self.given.append(Allocation(start, length))
        self.guards += [Allocation(whole.addr, GUARD), Allocation(start + length, GUARD)]
        return start

    def table(self, *rows: SplitDesc | PackedDesc) -> tuple[int, int]:
        """Store an indirect table; return its address and length."""
        content = b"".join(row.pack() for row in rows)
        address = self.take(len(content))
        self.env.memory.write(address, content)
        return address, len(content)

    async def offer_split(self, *rows: SplitDesc, head: int = 0, ahead: int = 1) -> None:
        """Store a descriptor table from entry 0 on, make `head` available, ring."""
        assert isinstance(self.queue, SplitQueue)
        memory, ring = self.env.memory, self.queue.ring
        for index, row in enumerate(rows):
            memory.write(ring.desc_entry(index), row.pack())
        memory.write_int(ring.avail_entry(0), 2, head)
        memory.write_int(ring.avail_idx, 2, ahead)
        await self.env.driver.device.notify(self.queue)

    async def offer_packed(self, *rows: PackedDesc) -> None:
        """Store descriptors from slot 0 on, available in the first round, the head last; ring."""
        assert isinstance(self.queue, PackedQueue)
        for slot, row in reversed(list(enumerate(rows))):
            available = PackedDesc(row.addr, row.len, row.id, row.flags | DescFlag.AVAIL)
            self.env.memory.write(self.queue.ring.desc_entry(slot), available.pack())
        await self.env.driver.device.notify(self.queue)

    def untouched(self) -> None:
        """Assert that the device kept to the rings and to what it was given."""
        for guard in self.guards:
            assert self.env.memory.read(guard.addr, guard.length) == bytes([PATTERN]) * guard.length
        places = list(self.given)
        places += [
            piece for queue in self.env.driver.device.queues.values() for piece in queue.memory_in_use()
        ]
        for event in self.env.log[self.before :]:
            if isinstance(event, DmaRead | DmaWrite) and not event.err and not self.lost(event):
                inside = any(
                    place.addr <= event.addr and event.addr + len(event.data) <= place.addr + place.length
                    for place in places
                )
                assert inside, f"{event} lies outside what the device was given"

    def lost(self, event: DmaRead | DmaWrite) -> bool:
        """Whether it is a posted write to where no memory is: nobody tells the device."""
        if not self.env.dma.posted or isinstance(event, DmaRead):
            return False
        try:
            self.env.memory.read(event.addr, len(event.data))
        except MemoryFault:
            return True
        return False


async def start_hostile(env: Env, features: int, queue_size: int = 8) -> Hostile:
    """Bring the device up with one small queue, and prepare a plain request."""
    before = len(env.log)
    await env.driver.start(features=features, queues=1, queue_size=queue_size)
    queue = env.driver.device.queues[0]
    assert isinstance(queue, SplitQueue | PackedQueue)
    hostile = Hostile(env, queue, [], [], [], before)
    hostile.places += [hostile.take(length) for length in hostile.lengths]
    env.work.lay(env.memory, hostile.places)
    return hostile


def window_of(env: Env) -> int:
    """The position of the PCI_CFG capability; raises Skip where the function has none."""
    window = env.driver.pci.layout.window
    if window is None:
        raise Skip("the function has no PCI_CFG capability")
    return window


async def needs_reset(env: Env) -> bool:
    """Wait for the configuration interrupt of a device that gives up; False if it does not come."""
    deadline = env.now_ns + WAIT_NS
    while env.now_ns < deadline:
        causes = await env.driver.pci.wait_interrupt(2_000)
        status = await env.driver.pci.get_status()
        if status & Status.DEVICE_NEEDS_RESET:
            while causes is None or not causes.config:
                assert env.now_ns < deadline, "DEVICE_NEEDS_RESET without its configuration interrupt"
                causes = await env.driver.pci.wait_interrupt(2_000)
            return True
    return False


async def works_again(env: Env, features: int) -> None:
    """A reset brings the device back: traffic is whole, in the same format and in the other one."""
    await env.driver.reset()
    for wanted in await env.driver.forms(features, features ^ feature_mask(Feature.RING_PACKED)):
        await env.driver.start(features=wanted)
        await env.traffic(requests=6)
        await env.driver.reset()
