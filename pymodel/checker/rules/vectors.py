"""MSI-X vectors (virtio 1.4, 4.1.5.1.2)."""

from __future__ import annotations

from pymodel.checker.facts import (
    Due,
    FieldRead,
    FieldWrite,
    IsrRead,
    MessageSent,
    ResetDone,
    StatusWrite,
)
from pymodel.checker.rule import Rule, on
from pymodel.checker.state.queue import Queue
from pymodel.spec import NO_VECTOR, Status

_FIELDS = ("config_msix_vector", "queue_msix_vector")


class _VectorField(Rule):
    """A rule on reads of the vector fields; `written` is what the driver wrote last, None if nothing."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._written: dict[int, int] = {}

    @on(ResetDone)
    def reset(self, _: ResetDone) -> None:
        """Vectors are unmapped."""
        self._written.clear()

    @on(FieldWrite)
    def write(self, fact: FieldWrite) -> None:
        """A vector field is written."""
        if fact.name in _FIELDS:
            self._written[-1 if fact.queue is None else fact.queue.index] = fact.value
            self.mapping(fact.value, fact.queue)

    @on(FieldRead)
    def read(self, fact: FieldRead) -> None:
        """A vector field is read."""
        if fact.name in _FIELDS:
            key = -1 if fact.queue is None else fact.queue.index
            if fact.queue is not None and fact.queue.was_reset and not self._is_written(fact.queue):
                self._written.pop(key, None)
            self.readback(self._written.get(key), fact.value, fact.queue)

    @staticmethod
    def _is_written(queue: Queue) -> bool:
        return ("queue_msix_vector", 0) in queue.written

    @property
    def entries(self) -> int | None:
        """The size of the MSI-X table."""
        return self.state.config.msix.entries

    def mapping(self, vector: int, queue: Queue | None) -> None:
        """Judge a write."""

    def readback(self, written: int | None, value: int, queue: Queue | None) -> None:
        """Judge a read."""


class TableSizeIsWhatIsUsable(_VectorField):
    """The MSI-X table size says which vectors can be mapped (4.1.5.1.2.1)."""

    clause = "DEV-PCI-059"

    def readback(self, written: int | None, value: int, queue: Queue | None) -> None:
        """A vector is mapped only inside the table."""
        if self.entries is not None and written not in (None, NO_VECTOR) and value == written:
            self.judge(
                value < self.entries, f"vector {value} is mapped, the table has {self.entries} entries"
            )


class MessagesComeOnMappedVectors(Rule):
    """Any event can be mapped to any vector, and arrives on it (4.1.5.1.2.1).

    A message on a vector that nothing maps to is a breach, as is a notification that a packed ring
    calls for and that never comes. A spurious message on another queue's vector shows as the missing
    one of the right queue.
    """

    clause = "DEV-PCI-061"

    @on(MessageSent)
    def message(self, fact: MessageSent) -> None:
        """A message left."""
        if fact.vectors is None or not self.session.live or not self.session.known:
            return
        names = ", ".join(str(vector) for vector in sorted(fact.vectors)) or "no table entry"
        mapped = self.state.interrupts.mapped(fact.vectors, fact.issued)
        self.judge(mapped, f"a message on vector {names}, to which nothing is mapped")

    @on(Due)
    def due(self, fact: Due) -> None:
        """A packed ring's notification is overdue."""
        if fact.what == "packed" and fact.late and self.state.config.msix.enabled is not False:
            vector = fact.queue.vector if fact.queue is not None else None
            self.breached(f"used buffers of {fact.queue} never came on vector {vector}: {fact.detail}")


class UnmappingWorks(_VectorField):
    """Writing NO_VECTOR unmaps an event (4.1.5.1.2.1)."""

    clause = "DEV-PCI-062"

    def readback(self, written: int | None, value: int, queue: Queue | None) -> None:
        """NO_VECTOR reads back."""
        if written == NO_VECTOR:
            self.judge(
                value == NO_VECTOR, f"the vector of {queue or 'configuration'} reads {value} once unmapped"
            )


class MappedVectorReadsBack(_VectorField):
    """A vector field shows the vector that is mapped, NO_VECTOR if none is (4.1.5.1.2.1)."""

    clause = "DEV-PCI-063"

    def readback(self, written: int | None, value: int, queue: Queue | None) -> None:
        """What was written, or NO_VECTOR."""
        if written is not None:
            good = value in (written, NO_VECTOR)
            self.judge(good, f"the vector of {queue or 'configuration'} reads {value}, written was {written}")


class VectorsAreUnmappedByReset(_VectorField):
    """After a reset every vector field reads NO_VECTOR (4.1.5.1.2.1)."""

    clause = "DEV-PCI-064"

    def readback(self, written: int | None, value: int, queue: Queue | None) -> None:
        """Nothing was written since."""
        if written is None and self.session.reset_kind and not (queue is not None and queue.was_reset):
            good = value == NO_VECTOR
            self.judge(good, f"the vector of {queue or 'configuration'} reads {value:#x} after a reset")


class LegalMappingsAreTaken(_VectorField):
    """Mapping a vector of the table does not fail without need (4.1.5.1.2.1)."""

    clause = "DEV-PCI-065"

    def readback(self, written: int | None, value: int, queue: Queue | None) -> None:
        """A vector of the table was written."""
        if self.entries is not None and written is not None and written < self.entries:
            self.judge(value != NO_VECTOR, f"vector {written} was refused to {queue or 'configuration'}")


class FailedMappingsReadNoVector(_VectorField):
    """A vector outside the table reads back as NO_VECTOR (4.1.5.1.2.1)."""

    clause = "DEV-PCI-066"

    def readback(self, written: int | None, value: int, queue: Queue | None) -> None:
        """A vector outside the table was written."""
        if self.entries is not None and written is not None and self.entries <= written != NO_VECTOR:
            message = f"vector {written} reads back as {value}, the table has {self.entries} entries"
            self.judge(value == NO_VECTOR, message)


class DriverStaysInsideTable(_VectorField):
    """The driver maps no vector outside the MSI-X table (4.1.5.1.2.2)."""

    clause = "DRV-PCI-034"

    def mapping(self, vector: int, queue: Queue | None) -> None:
        """A vector is written."""
        if self.entries is not None and vector != NO_VECTOR:
            self.judge(
                vector < self.entries, f"vector {vector} is mapped, the table has {self.entries} entries"
            )


class DriverVerifiesMappings(Rule):
    """After mapping a vector the driver reads the field back (4.1.5.1.2.2); judged at DRIVER_OK."""

    clause = "DRV-PCI-035"

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._pending: dict[int, int] = {}

    @on(ResetDone)
    def reset(self, _: ResetDone) -> None:
        """A new session."""
        self._pending.clear()

    @on(FieldWrite)
    def write(self, fact: FieldWrite) -> None:
        """A vector field is written."""
        if fact.name in _FIELDS:
            key = -1 if fact.queue is None else fact.queue.index
            self._pending.pop(key, None)
            if fact.value != NO_VECTOR:
                self._pending[key] = fact.value

    @on(FieldRead)
    def read(self, fact: FieldRead) -> None:
        """A vector field is read."""
        key = -1 if fact.queue is None else fact.queue.index
        if fact.name in _FIELDS and self._pending.pop(key, None) is not None:
            self.held()

    @on(StatusWrite)
    def live(self, fact: StatusWrite) -> None:
        """The device goes live."""
        if fact.value & Status.DRIVER_OK and not self.session.driver_ok and self._pending:
            key, vector = next(iter(self._pending.items()))
            name = "configuration" if key < 0 else f"queue {key}"
            self.breached(f"vector {vector} of {name} was never read back")


class IsrIsLeftAloneWithMsix(Rule):
    """With MSI-X the driver does not access ISR upon a queue interrupt (4.1.4.5.2)."""

    clause = "DRV-PCI-026"
    _queue_only = False

    @on(MessageSent)
    def message(self, fact: MessageSent) -> None:
        """A message left."""
        config = self.state.interrupts.config_vector
        self._queue_only = fact.vectors is not None and config is not None and config not in fact.vectors
        if self._queue_only and self.state.config.msix.enabled:
            self.held()

    @on(IsrRead)
    def isr(self, _: IsrRead) -> None:
        """ISR is read."""
        if self._queue_only and self.state.config.msix.enabled:
            self.breached("ISR is read upon a queue interrupt although MSI-X is enabled")
        self._queue_only = False
