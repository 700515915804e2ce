"""What the raw events mean: the facts that rules subscribe to.

A fact is published after the state has taken it in, with the value from before where a rule needs it.
`queue` is always a `state.queue.Queue`; `half` is 0 or 1 for the halves of a 64-bit field, else 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pymodel.events import Event

if TYPE_CHECKING:
    from pymodel.checker.state.chain import Chain
    from pymodel.checker.state.config import Capability
    from pymodel.checker.state.queue import Queue
    from pymodel.checker.state.sizing import BarAnswer


@dataclass(slots=True)
class LayoutSettled:
    """What configuration reads showed of the capability list; `complete` when its end was reached."""

    capabilities: list[Capability]
    complete: bool


@dataclass(slots=True)
class BarSized:
    """The host sized a BAR and read all of its answer."""

    answer: BarAnswer


@dataclass(slots=True)
class MessageSent:
    """An interrupt message left; `vectors` are the table entries it may be, None where unknown."""

    vectors: frozenset[int] | None
    issued: int


@dataclass(slots=True)
class LineChanged:
    """INTx changed to `level`."""

    level: int


@dataclass(slots=True)
class BadAccess:
    """The driver touched `length` bytes at `offset` of a structure in a way that no field has."""

    kind: str
    offset: int
    length: int
    write: bool


@dataclass(slots=True)
class FieldRead:
    """The driver read a field of the common structure; `queue` is set for the banked ones."""

    name: str
    value: int
    half: int
    queue: Queue | None


@dataclass(slots=True)
class FieldWrite:
    """The driver wrote a field of the common structure; `before` is the last value known."""

    name: str
    value: int
    half: int
    queue: Queue | None
    before: int | None


@dataclass(slots=True)
class StatusWrite:
    """The driver wrote a device_status that is not 0; `before` is the last value known of it.

    `restarted`: it begins a bring-up although the device was not reset since the last one.
    """

    value: int
    before: int | None
    restarted: bool


@dataclass(slots=True)
class StatusRead:
    """The driver read device_status; `before` is the last value known of it."""

    value: int
    before: int | None


@dataclass(slots=True)
class ResetStarted:
    """The driver wrote 0 to device_status ("status"), or a reset below virtio began ("flr", ...)."""

    kind: str


@dataclass(slots=True)
class ResetDone:
    """Reset is complete: device_status read 0, or the device was used again after another reset."""

    kind: str
    by_read: bool


@dataclass(slots=True)
class SessionOver:
    """The session ends (reset starts, or the observation ends if `final`); obligations fall due."""

    final: bool


@dataclass(slots=True)
class FeaturesOk:
    """The driver set FEATURES_OK; the sets are None where not every word is known."""

    offered: int | None
    accepted: int | None


@dataclass(slots=True)
class Negotiated:
    """device_status was read after FEATURES_OK was written; `kept` says whether the bit stood."""

    features: int | None
    kept: bool


@dataclass(slots=True)
class QueueEnabled:
    """The driver wrote 1 to queue_enable; `again` where the queue was enabled already."""

    queue: Queue
    again: bool


@dataclass(slots=True)
class QueueResetWritten:
    """The driver wrote 1 to queue_reset."""

    queue: Queue


@dataclass(slots=True)
class QueueResetDone:
    """queue_reset read 0 after 1 was written."""

    queue: Queue


@dataclass(slots=True)
class Doorbell:
    """A write into the notification structure; `queue` where the address or value tells it."""

    queue: Queue | None
    offset: int
    length: int
    value: int
    by_address: bool


@dataclass(slots=True)
class IsrRead:
    """The driver read the ISR status byte."""

    value: int


@dataclass(slots=True)
class DeviceConfigRead:
    """The driver read the device-specific configuration; `changed` if a byte differs from before."""

    offset: int
    data: bytes
    changed: bool


@dataclass(slots=True)
class DeviceConfigWrite:
    """The driver wrote the device-specific configuration."""

    offset: int
    data: bytes


@dataclass(slots=True)
class AvailIndex:
    """The driver's avail.idx was seen to step; by the device's read, or at its own store."""

    queue: Queue
    by_device: bool
    old: int
    new: int
    outstanding: int


@dataclass(slots=True)
class AvailFlags:
    """A value of avail.flags that the device read or the driver stored."""

    queue: Queue
    value: int


@dataclass(slots=True)
class UsedFlags:
    """The device wrote used.flags."""

    queue: Queue
    value: int


@dataclass(slots=True)
class ChainMade:
    """All descriptors of an available chain are known."""

    queue: Queue
    chain: Chain


@dataclass(slots=True)
class UsedIndex:
    """The device wrote used.idx; `unwritten` slots lack their element, `excess` was never available."""

    queue: Queue
    old: int
    new: int
    unwritten: int
    excess: int


@dataclass(slots=True)
class BufferUsed:
    """A buffer was returned; `chain` is None where the id names none that is in flight.

    `in_order` says whether it was the oldest in flight; `skipped` counts the buffers of an in-order
    batch in front of it; `written` is the length of the prefix of its writable part that the device
    had written, None where that is not known.
    """

    queue: Queue
    chain: Chain | None
    id: int
    length: int
    written: int | None
    in_order: bool
    skipped: int
    certain: bool


@dataclass(slots=True)
class UsedAdvanced:
    """The device made buffers used: the split used index, or the packed used position, moved."""

    queue: Queue


@dataclass(slots=True)
class PackedUsed:
    """The device wrote a used descriptor into a packed ring; `problem` is the kind of breach, or ""."""

    queue: Queue
    slot: int
    problem: str
    detail: str


@dataclass(slots=True)
class DriverStore:
    """The driver stored into a ring; `problem` names the kind of breach ("" for none)."""

    queue: Queue
    problem: str
    detail: str


@dataclass(slots=True)
class DeviceEventArea:
    """The device wrote its event suppression structure of a packed ring."""

    queue: Queue
    flags: int


@dataclass(slots=True)
class Dma:
    """The device touched guest memory.

    `stray` bytes lie outside everything that it was given, None where that cannot be said;
    `readable`, `table` count written bytes inside device-readable buffers and descriptor tables,
    `writable_only` is true for a read that touches nothing but device-writable buffers.
    """

    write: bool
    addr: int
    length: int
    issued: int
    stray: int | None
    readable: int
    table: int
    writable_only: bool
    packed: bool
    ring: bool


@dataclass(slots=True)
class Due:
    """A notification that was owed since `since` ps is overdue, or (`late` false) was given.

    `what` is its kind.
    """

    what: str
    queue: Queue | None
    late: bool
    detail: str
    since: int = 0


@dataclass(slots=True)
class Unserved:
    """The session ends, and a buffer that the device could have used since `since` ps was not used."""

    queue: Queue
    chain: Chain
    since: int


@dataclass(slots=True)
class Spurious:
    """An interrupt for a queue that nothing called for."""

    queue: Queue


@dataclass(slots=True)
class TraceEnd:
    """The observation ends; `orderly` if its last word was the mark "end"."""

    orderly: bool


@dataclass(slots=True)
class LegacyOffer:
    """The driver read the 32 feature bits of the legacy interface."""

    features: int


@dataclass(slots=True)
class LegacyVector:
    """The driver read a vector register of the legacy interface that it had written before."""

    name: str
    written: int
    value: int


@dataclass(slots=True)
class LguestAccepted:
    """The guest read a byte of the accepted features that it did not store since the reset."""

    value: int


@dataclass(slots=True)
class LguestZeroed:
    """A reset by notification is over; bytes of the rings that were zeroed, and how many there are."""

    written: int
    needed: int


@dataclass(slots=True)
class LguestWarnings:
    """The Launcher read how many kicks came too early; `early` is how many there were."""

    early: int
    value: int


@dataclass(slots=True)
class Breach:
    """The device did in `event` what it may not do now; `kind` names the condition."""

    kind: str
    detail: str
    event: Event


@dataclass(slots=True)
class Suspension:
    """device_status was read as suspended (`entered`), or as running again."""

    entered: bool
