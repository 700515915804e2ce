"""The rings at one moment: where their indexes stand, and who owns which descriptor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pymodel.checker.state.boundary import State
from pymodel.checker.state.chain import Chain
from pymodel.checker.state.packed import PackedTracker
from pymodel.checker.state.queue import Queue
from pymodel.checker.state.split import SplitTracker
from pymodel.checker.state.tracker import Tracker
from pymodel.spec import RingEvent
from waves.names import vector_text
from waves.requests import buffer_name, request_text


@dataclass(frozen=True, slots=True)
class Holding:
    """Descriptors (or packed slots) with one owner: "device" with its buffer, or "driver"."""

    descriptors: str
    owner: str
    buffer: str = ""
    request: str = ""
    progress: str = ""


@dataclass(slots=True)
class RingState:
    """One queue at one moment; `indexes` are (name, value) as a reader of the standard knows them."""

    queue: int
    summary: str
    indexes: list[tuple[str, str]] = field(default_factory=list)
    holdings: list[Holding] = field(default_factory=list)


def rings_of(state: State) -> list[RingState]:
    """All queues that the driver has set up, with what each side owns."""
    queues = [queue for queue in state.queues.values() if queue.enabled or queue.tracker is not None]
    return [_ring(queue, state.device_type) for queue in sorted(queues, key=lambda queue: queue.index)]


def _ring(queue: Queue, device_type: int | None) -> RingState:
    tracker = queue.tracker
    kind = "packed" if queue.packed else "split"
    ring = RingState(queue.index, f"{kind}, {queue.size} entries, {vector_text(queue.vector)}")
    if tracker is None:
        ring.summary += ", not followed: the trace does not show how it was set up"
        return ring
    if tracker.lost:
        ring.summary += ", no longer followed: what driver or device did to it has no meaning"
    if isinstance(tracker, SplitTracker):
        ring.indexes = list(_split_indexes(tracker))
    elif isinstance(tracker, PackedTracker):
        ring.indexes = list(_packed_indexes(tracker))
    ring.holdings = _holdings(tracker, device_type)
    return ring


def _shown(value: int | None) -> str:
    return "not seen" if value is None else str(value)


def _split_indexes(tracker: SplitTracker) -> Iterator[tuple[str, str]]:
    if tracker.stores_seen:
        yield "avail.idx, driver's", _shown(tracker.avail_stored)
    yield "avail.idx, last read by the device", str(tracker.avail_read) if tracker.dma_seen else "not read"
    yield "used.idx", str(tracker.used.index)
    if tracker.event_idx:
        yield "used_event", str(tracker.used_event)
        yield "avail_event", str(tracker.used.avail_event)
    else:
        yield "avail.flags", str(tracker.flags)
        yield "used.flags", str(tracker.used.flags)


def _packed_indexes(tracker: PackedTracker) -> Iterator[tuple[str, str]]:
    yield "driver's next slot", f"{tracker.position}, wrap {tracker.wrap}"
    yield "device's next used slot", f"{tracker.used.position}, wrap {tracker.used.wrap}"
    yield "slots with the device", str(tracker.outstanding)
    offset, wrap, flags = tracker.event()
    kind = RingEvent(flags).name if flags in list(RingEvent) else str(flags)
    yield "driver asks for interrupts", f"{kind} at {offset} wrap {wrap}" if kind == "DESC" else kind


def held_slots(tracker: Tracker, chain: Chain) -> list[int]:
    """The descriptors (packed: ring slots) of a buffer, as far as they are known."""
    if tracker.queue.packed:
        return [(chain.head + step) % tracker.size for step in range(chain.slots)]
    return chain.ring or [chain.head]


def _holdings(tracker: Tracker, device_type: int | None) -> list[Holding]:
    chains = sorted(tracker.chains(), key=lambda chain: chain.position)
    taken: set[int] = set()
    rows = []
    for chain in chains:
        slots = held_slots(tracker, chain)
        taken.update(slots)
        request = request_text(chain, device_type)
        rows.append(Holding(_ranges(slots), "device", buffer_name(chain), request, _progress(chain)))
    free = [slot for slot in range(tracker.size) if slot not in taken]
    if free:
        rows.append(Holding(_ranges(free), "driver"))
    return rows


def _ranges(numbers: list[int]) -> str:
    """Numbers as "0-2, 5", in the order given."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _progress(chain: Chain) -> str:
    if not chain.complete:
        return "being fetched"
    words = []
    if chain.readable:
        words.append(f"{_amount(chain.fetched.prefix)} of {chain.readable} read")
    if chain.writable:
        words.append(f"{_amount(chain.written.prefix)} of {chain.writable} written")
    return ", ".join(words)


def _amount(prefix: int | None) -> str:
    return "?" if prefix is None else str(prefix)
