"""Rings that no driver may build, by hand: descriptors stored raw into a queue of the reference driver."""

from __future__ import annotations

from dataclasses import dataclass

from pymodel.events import DmaRead, DmaWrite
from pymodel.layout import PACKED_DESC_FLAGS, PackedDesc, SplitDesc, pack_blk_header
from pymodel.memory import Allocation
from pymodel.ring.packed import PackedQueue
from pymodel.ring.split import SplitQueue
from pymodel.spec import BLK_SECTOR, BlkRequest, DescFlag, Feature, Status, feature_mask
from tb.env import Env

NEXT, WRITE, INDIRECT = int(DescFlag.NEXT), int(DescFlag.WRITE), int(DescFlag.INDIRECT)
GUARD = 64
PATTERN = 0xA5
HEADER, DATA, STATUS = 16, BLK_SECTOR, 1
WAIT_NS = 20_000


@dataclass
class Hostile:
    """A started device, one raw queue, and the memory of one sector read that is given to the device.

    Everything allocated is surrounded by guard bytes.
    """

    env: Env
    queue: SplitQueue | PackedQueue
    header: int
    data: int
    status: int
    given: list[Allocation]
    guards: list[Allocation]
    before: int

    @property
    def size(self) -> int:
        """Descriptors in the queue."""
        return self.queue.size

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
            if isinstance(event, DmaRead | DmaWrite) and not event.err:
                inside = any(
                    place.addr <= event.addr and event.addr + len(event.data) <= place.addr + place.length
                    for place in places
                )
                assert inside, f"{event} lies outside what the device was given"


async def start_hostile(env: Env, features: int, queue_size: int = 8) -> Hostile:
    """Bring the device up with one small queue, and prepare a read of sector 0."""
    before = len(env.log)
    await env.driver.start(features=features, queues=1, queue_size=queue_size)
    queue = env.driver.device.queues[0]
    assert isinstance(queue, SplitQueue | PackedQueue)
    hostile = Hostile(env, queue, 0, 0, 0, [], [], before)
    hostile.header, hostile.data = hostile.take(HEADER), hostile.take(DATA)
    hostile.status = hostile.take(STATUS)
    env.memory.write(hostile.header, pack_blk_header(BlkRequest.IN, 0))
    return hostile


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
    for wanted in (features, features ^ feature_mask(Feature.RING_PACKED)):
        await env.driver.start(features=wanted)
        await env.traffic(requests=6)
        await env.driver.reset()
