"""What both ring formats have in common: their areas in memory, chains in flight, doorbells owed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from pymodel import events as ev
from pymodel import spec
from pymodel.checker import facts
from pymodel.checker.state.chain import Chain
from pymodel.checker.state.intervals import Segment
from pymodel.checker.state.queue import Queue
from pymodel.checker.state.session import Phase
from pymodel.checker.state.unserved import publish_unserved

if TYPE_CHECKING:
    from pymodel.checker.state.boundary import State

DESC, DRIVER, DEVICE = "ring-desc", "ring-driver", "ring-device"
FATAL_PROBLEMS = frozenset(("long", "range", "bytes", "duplicate"))


class Tracker(ABC):
    """Follows one enabled ring from the bytes that driver and device put into it and read from it.

    `lost` means that it no longer knows where the ring stands: nothing is judged by it until the queue
    is enabled anew. `stores_seen` says that the driver's own stores to its area are observed,
    `dma_seen` that the device's accesses to the ring are: without them nothing is known of what came back.
    `touched_t` is when the last of those completed, `worked_t` when the device last touched or returned one
    of its buffers.
    """

    def __init__(self, state: State, queue: Queue, size: int) -> None:
        self.state = state
        self.queue = queue
        self.size = size
        self.event_idx = queue.has(spec.Feature.EVENT_IDX)
        self.in_order = queue.has(spec.Feature.IN_ORDER)
        self.indirect = queue.has(spec.Feature.INDIRECT_DESC)
        self.lost = False
        self.stores_seen = False
        self.dma_seen = False
        self.touched_t = self.worked_t = -1
        self.open: list[Chain] = []
        self.kick: tuple[int, str] | None = None
        self.kick_called = False
        # A ring that is known only from its first kick on: that kick may have announced what was stored.
        self.opened_by_kick = False
        self.needless_kick = False
        self._areas: list[Segment] = []

    def add_area(self, kind: str, addr: int, length: int) -> None:
        """Put a part of the ring on the map."""
        segment = Segment(addr, length, kind, self)
        self._areas.append(segment)
        self.state.index.add(segment)

    @abstractmethod
    def chains(self) -> list[Chain]:
        """All chains in flight."""

    @property
    @abstractmethod
    def certain(self) -> bool:
        """Whether everything that the device may touch for this queue is known."""

    def expose_changed(self, changed: bool, detail: str) -> None:
        """The driver stored into a descriptor; `changed` if it alters an exposed buffer."""
        problem = "exposed" if changed and self.dma_seen and not self.lost else ""
        self.state.publish(facts.DriverStore(self.queue, problem, detail))

    @abstractmethod
    def device_read(self, part: str, offset: int, data: bytes, event: ev.DmaRead) -> None:
        """The device read `data` at `offset` of a part of the ring."""

    @abstractmethod
    def device_write(self, part: str, offset: int, data: bytes, event: ev.DmaWrite) -> None:
        """The device wrote `data` at `offset` of a part of the ring."""

    @abstractmethod
    def driver_store(self, part: str, offset: int, data: bytes, event: ev.MemWrite) -> None:
        """The driver stored `data` at `offset` of a part of the ring."""

    @abstractmethod
    def resume(self, chain: Chain) -> None:
        """More of the chain's indirect table is known."""

    @abstractmethod
    def told(self, value: int) -> None:
        """A doorbell with notification data said how far the driver has got."""

    def table_read(self, chain: Chain, offset: int, data: bytes, event: ev.DmaRead) -> None:
        """The device read `data` at `offset` of the chain's indirect table."""
        if chain.table is None or chain.complete:
            return
        for index, inner, part in chain.table.pieces(offset, data):
            chain.table.cell(index).load(inner, part, self.state.number, event.t_req)
        self.resume(chain)

    def walk_table(self, chain: Chain) -> None:
        """Take in what is known of the chain's table, and the buffers in it."""
        for segment in chain.walk_table(self.size) or []:
            self.state.index.add(segment)
        if chain.complete:
            self.made(chain)
        elif chain not in self.open:
            self.open.append(chain)

    def take_element(self, chain: Chain, addr: int, length: int, flags: int) -> None:
        """A descriptor of the ring belongs to the chain: a buffer element, or an indirect table."""
        if flags & spec.DescFlag.INDIRECT:
            if not self.indirect:
                chain.problem("indirect", "INDIRECT is set but was not negotiated")
            chain.indirect_write = bool(flags & spec.DescFlag.WRITE)
            segment = chain.begin_table(addr, length)
        else:
            segment = chain.add_element(addr, length, bool(flags & spec.DescFlag.WRITE))
        if segment is not None:
            self.state.index.add(segment)

    def made(self, chain: Chain) -> None:
        """All of the chain is known."""
        chain.complete = True
        if chain in self.open:
            self.open.remove(chain)
        if chain.problems:
            self.state.session.troubled = True
        if any(kind in FATAL_PROBLEMS for kind, _ in chain.problems):
            self.lost = True
        self.state.publish(facts.ChainMade(self.queue, chain))

    def retire(self, chain: Chain) -> None:
        """The chain went back to the driver."""
        for segment in chain.segments:
            self.state.index.remove(segment)
        chain.segments.clear()
        if chain in self.open:
            self.open.remove(chain)
        self.state.memory.retired_t = self.worked_t = self.state.now

    def doorbell(self, value: int, length: int) -> None:
        """The driver rang this queue; `needless_kick` says that nothing since the last time called for it."""
        self.needless_kick = self.stores_seen and self.dma_seen and not self.kick_called
        self.kick_called = False
        if self.kick is not None:
            self.state.publish(facts.Due(self.kick[1], self.queue, False, "", self.kick[0]))
            self.kick = None
        if length == 4 and self.queue.has(spec.Feature.NOTIFICATION_DATA):
            self.told(value >> 16)

    def owe_kick(self, what: str) -> None:
        """The driver owes a doorbell from now on."""
        self.kick_called = True
        if self.kick is None:
            self.kick = (self.state.now, what)

    def settle(self) -> None:
        """The session ends: what is still owed is overdue."""
        publish_unserved(self.state, self)
        self.settle_kick()

    def settle_kick(self) -> None:
        """A doorbell that is still owed is not to come any more: it is overdue if it is old enough."""
        if self.kick is None:
            return
        since, what = self.kick
        self.kick = None
        session = self.state.session
        if session.live and not session.needs_reset and self.state.now - since > self.state.settle:
            self.state.publish(facts.Due(what, self.queue, True, f"owed since {since} ps", since))

    def store_allowed(self) -> None:
        """Publish it if the driver stores into its ring while a reset is under way."""
        session = self.state.session
        problem = ""
        if session.phase == Phase.RESETTING and session.reset_kind == "status":
            problem = "device-reset"
        elif self.queue.resetting:
            problem = "queue-reset"
        if problem:
            self.state.publish(facts.DriverStore(self.queue, problem, "reset is not confirmed yet"))

    def areas(self) -> list[Segment]:
        """The parts of the ring."""
        return list(self._areas)

    def close(self) -> None:
        """The ring is gone: take its areas and buffers off the map."""
        self.settle()
        for segment in self._areas:
            self.state.index.remove(segment)
        self._areas.clear()
        for chain in self.chains():
            self.retire(chain)


def make_tracker(state: State, queue: Queue, size: int, areas: list[int]) -> Tracker | None:
    """Return the tracker for an enabled queue; None for a size that no ring can have."""
    from pymodel.checker.state.packed import PackedTracker
    from pymodel.checker.state.split import SplitTracker

    if not 0 < size <= spec.MAX_QUEUE_SIZE or (not queue.packed and size & (size - 1)):
        return None
    kind = PackedTracker if queue.packed else SplitTracker
    return kind(state, queue, size, areas[0], areas[1], areas[2])
