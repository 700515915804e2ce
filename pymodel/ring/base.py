"""What every driver-side virtqueue offers, whatever its layout in memory (virtio 1.4, 2.6)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from pymodel.memory import Allocation, GuestMemory
from pymodel.spec import MAX_QUEUE_SIZE, Feature


class RingFull(Exception):
    """The queue has too few free descriptors for this chain; reap used buffers first."""


class UsedRingError(Exception):
    """The device returned what it may not return; the message says what and where."""


@dataclass(frozen=True, slots=True)
class Element:
    """A physically contiguous piece of a buffer: guest-physical address and length in bytes."""

    addr: int
    length: int


@dataclass(frozen=True, slots=True)
class Used:
    """A used buffer: the token `add_chain` gave out and the bytes written by the device."""

    token: int
    length: int


@dataclass(slots=True)
class Chain:
    """A chain between `add_chain` and `get_used`; `slots` are its descriptor indexes in the ring."""

    token: int
    id: int
    slots: tuple[int, ...]
    writable: int
    table: Allocation | None
    published: bool = False


@dataclass
class RingMemory:
    """Memory for the parts of one ring: at its least alignment at a random place where `rng` is given."""

    memory: GuestMemory
    rng: Random | None = None
    allocations: list[Allocation] = field(default_factory=list)

    def take(self, length: int, align: int) -> int:
        """Return the address of `length` bytes that the driver zeroed."""
        pad = align * self.rng.randrange(8) if self.rng else 0
        high = bool(self.rng and self.rng.randrange(2))
        allocation = self.memory.alloc(length + pad, align, high=high)
        self.allocations.append(allocation)
        self.memory.write(allocation.addr + pad, bytes(length))
        return allocation.addr + pad

    def release(self) -> None:
        """Give all of it back."""
        while self.allocations:
            self.memory.free(self.allocations.pop())


class Virtqueue(ABC):
    """The driver side of one virtqueue.

    `add_chain` fills descriptors that the device cannot see yet, `publish` makes all added chains
    available, `kick_needed` then says whether the device wants a doorbell for them. The queue sends
    nothing by itself. With `rng` descriptors, ids and memory are taken in random order and place.
    """

    def __init__(
        self, index: int, size: int, memory: GuestMemory, features: int, rng: Random | None = None
    ) -> None:
        if not 1 <= size <= MAX_QUEUE_SIZE:
            raise ValueError(f"queue size {size} is not in 1..{MAX_QUEUE_SIZE}")
        self.index = index
        self.size = size
        self.memory = memory
        self.features = features
        self.rng = rng
        self.ring_memory = RingMemory(memory, rng)
        self.free_count = size
        self._chains: dict[int, Chain] = {}
        self._ready: deque[Used] = deque()
        self._tokens = 0

    def has(self, feature: Feature) -> bool:
        """Whether this queue runs with a negotiated feature."""
        return bool(self.features >> feature & 1)

    @property
    @abstractmethod
    def addresses(self) -> tuple[int, int, int]:
        """Addresses of descriptor area, driver area and device area."""

    @abstractmethod
    def publish(self) -> None:
        """Make all added chains available to the device."""

    @abstractmethod
    def kick_needed(self) -> bool:
        """Whether what was published since the last call calls for a doorbell."""

    @abstractmethod
    def position(self) -> tuple[int, int]:
        """Return (next_off, next_wrap) as NOTIFICATION_DATA carries them (virtio 1.4, 2.9)."""

    @abstractmethod
    def enable_interrupts(self, delay: int = 0) -> bool:
        """Ask for used buffer notifications; False if used buffers are waiting already.

        With EVENT_IDX `delay` buffers (packed: descriptors) may be used before the notification.
        """

    @abstractmethod
    def enable_interrupts_delayed(self) -> bool:
        """Ask for a notification once all that is in flight now was used; else as enable_interrupts."""

    @abstractmethod
    def disable_interrupts(self) -> None:
        """Advise the device to send no used buffer notifications."""

    @abstractmethod
    def used_pending(self) -> bool:
        """Whether `get_used` has something to return."""

    @abstractmethod
    def _add(self, elements: Sequence[tuple[Element, bool]], indirect: int | None) -> Chain:
        """Write the descriptors of a chain of (element, device-writable); `indirect` as in add_chain."""

    @abstractmethod
    def _reap(self) -> list[tuple[Chain, int]]:
        """Take one used entry: the chains it stands for, with the bytes written to each."""

    @abstractmethod
    def _release(self, chain: Chain) -> None:
        """Make the descriptors of a used chain free again."""

    def add_chain(
        self, readable: Sequence[Element], writable: Sequence[Element], *, indirect: int | None = None
    ) -> int:
        """Add a buffer: its device-readable elements, then its device-writable ones; return its token.

        With `indirect` the elements from that number on lie in an indirect table (0: all of them;
        the packed ring knows only 0). Raises RingFull without free descriptors, ValueError for a
        chain that the standard forbids (virtio 1.4, 2.7.5.3.1, 2.8.17, 2.8.19).
        """
        elements = [(element, False) for element in readable] + [(element, True) for element in writable]
        self._check_elements(elements, indirect)
        needed = len(elements) if indirect is None else indirect + 1
        if needed > self.free_count:
            raise RingFull(f"queue {self.index}: {needed} descriptors wanted, {self.free_count} free")
        chain = self._add(elements, indirect)
        self.free_count -= len(chain.slots)
        self._chains[chain.id] = chain
        return chain.token

    def _check_elements(self, elements: Sequence[tuple[Element, bool]], indirect: int | None) -> None:
        if not 1 <= len(elements) <= self.size:
            raise ValueError(f"a chain of {len(elements)} elements in a queue of {self.size}")
        if sum(element.length for element, _ in elements) > 1 << 32:
            raise ValueError("a chain of more than 2^32 bytes")
        if indirect is not None and not self.has(Feature.INDIRECT_DESC):
            raise ValueError("INDIRECT_DESC is not negotiated")
        if indirect is not None and not 0 <= indirect < len(elements):
            raise ValueError(f"no element {indirect} to begin an indirect table with")

    def get_used(self) -> Used | None:
        """Return the next used buffer and free its descriptors, or None.

        Raises UsedRingError for an id that is not with the device, a length beyond the writable
        part, or an index that moved too far.
        """
        if not self._ready and self.used_pending():
            for chain, length in self._reap():
                self._finish(chain, length)
        return self._ready.popleft() if self._ready else None

    def _finish(self, chain: Chain, length: int) -> None:
        if length > chain.writable and self.has(Feature.VERSION_1):
            raise UsedRingError(
                f"queue {self.index}: {length} bytes written of {chain.writable} writable (id {chain.id})"
            )
        del self._chains[chain.id]
        self._release(chain)
        self.free_count += len(chain.slots)
        if chain.table:
            self.memory.free(chain.table)
        self._ready.append(Used(chain.token, length))

    def _used_chains(self, used_id: int, length: int, most: int) -> list[tuple[Chain, int]]:
        """Return the chains that one used entry stands for: a batch with IN_ORDER (2.7.9, 2.8.7)."""
        chain = self._chains.get(used_id)
        if chain is None or not chain.published:
            raise UsedRingError(f"queue {self.index}: id {used_id} is not with the device")
        if not self.has(Feature.IN_ORDER):
            return [(chain, length)]
        batch: list[tuple[Chain, int]] = []
        for older in self._chains.values():
            if older is chain:
                break
            batch.append((older, older.writable))
        if len(batch) >= most:
            raise UsedRingError(f"queue {self.index}: id {used_id} is {len(batch)} buffers ahead of its turn")
        return [*batch, (chain, length)]

    def _new_token(self) -> int:
        self._tokens += 1
        return self._tokens

    def in_flight(self) -> list[int]:
        """Return the tokens of all chains that were added and not yet taken back, oldest first."""
        return [chain.token for chain in self._chains.values()]

    def memory_in_use(self) -> list[Allocation]:
        """Return the memory of the ring and of its indirect tables."""
        tables = [chain.table for chain in self._chains.values() if chain.table]
        return [*self.ring_memory.allocations, *tables]

    def destroy(self) -> None:
        """Give all memory back; only once the device cannot touch it any more (virtio 1.4, 3.3)."""
        for chain in self._chains.values():
            if chain.table:
                self.memory.free(chain.table)
        self._chains.clear()
        self.ring_memory.release()
