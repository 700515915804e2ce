"""The common configuration structure (virtio 1.4, 4.1.4.3)."""

from __future__ import annotations

from pymodel.checker.facts import DriverStore, FieldRead, FieldWrite, QueueEnabled, ResetDone, StatusWrite
from pymodel.checker.rule import Rule, on
from pymodel.checker.state.queue import AREAS
from pymodel.checker.state.session import Phase
from pymodel.spec import Feature, Status

_CONFIGURED = ("queue_size", *AREAS)
_READ_ONLY = (
    "device_feature",
    "num_queues",
    "config_generation",
    "queue_notify_off",
    "queue_notif_config_data",
)


def _power_of_two(value: int) -> bool:
    return value > 0 and value & (value - 1) == 0


class QueuesAreDisabledByReset(Rule):
    """After a reset queue_enable reads 0 for every queue (4.1.4.3.1)."""

    clause = "DEV-PCI-019"

    @on(FieldRead)
    def check(self, fact: FieldRead) -> None:
        """queue_enable of a queue that was not enabled since."""
        queue = fact.queue
        if fact.name != "queue_enable" or queue is None or not self.session.reset_kind:
            return
        if queue.enabled is False and not queue.was_reset:
            self.judge(fact.value == 0, f"queue_enable of {queue} reads {fact.value} after a reset")


class UnavailableQueuesHaveSizeZero(Rule):
    """queue_size is 0 for queues from num_queues on that are no administration queues (4.1.4.3.1)."""

    clause = "DEV-PCI-025"

    @on(FieldRead)
    def check(self, fact: FieldRead) -> None:
        """queue_size is read."""
        count = self.state.common.values.get("num_queues")
        if fact.name != "queue_size" or fact.queue is None or count is None or fact.queue.index < count:
            return
        if not self._may_be_admin(fact.queue.index):
            message = f"{fact.queue} of {count} has queue_size {fact.value}"
            self.judge(fact.value == 0, message)

    def _may_be_admin(self, index: int) -> bool:
        """Whether the queue is an administration queue, or may be one as far as it is known."""
        if not self.session.offered.get(1, 1 << 9) >> (Feature.ADMIN_VQ - 32) & 1:
            return False
        first = self.state.common.values.get("admin_queue_index")
        number = self.state.common.values.get("admin_queue_num")
        if not self.session.has(Feature.ADMIN_VQ) or first is None or number is None:
            return not self.session.lacks(Feature.ADMIN_VQ)
        return first <= index < first + number


class SizesArePowersOfTwo(Rule):
    """Without RING_PACKED queue_size shows 0 or a power of 2 (4.1.4.3.1)."""

    clause = "DEV-PCI-026"

    @on(FieldRead)
    def check(self, fact: FieldRead) -> None:
        """queue_size before the driver wrote it."""
        if fact.name != "queue_size" or fact.queue is None or not self.session.lacks(Feature.RING_PACKED):
            return
        if ("queue_size", 0) not in fact.queue.written:
            good = fact.value == 0 or _power_of_two(fact.value)
            self.judge(good, f"{fact.queue} has queue_size {fact.value}")


class AdminQueuesLieBehind(Rule):
    """admin_queue_index is num_queues or more (4.1.4.3.1)."""

    clause = "DEV-PCI-027"

    @on(FieldRead)
    def check(self, fact: FieldRead) -> None:
        """admin_queue_index is read."""
        count = self.state.common.values.get("num_queues")
        if fact.name == "admin_queue_index" and count is not None and self.session.has(Feature.ADMIN_VQ):
            self.judge(fact.value >= count, f"admin_queue_index is {fact.value}, num_queues {count}")


class AdminQueuesFit(Rule):
    """admin_queue_index and admin_queue_num fit into 16 bits (4.1.4.3.1)."""

    clause = "DEV-PCI-028"

    @on(FieldRead)
    def check(self, fact: FieldRead) -> None:
        """admin_queue_num is read."""
        first = self.state.common.values.get("admin_queue_index")
        if fact.name == "admin_queue_num" and first is not None and self.session.has(Feature.ADMIN_VQ):
            self.judge(first + fact.value <= 0x10000, f"{fact.value} admin queues from {first} on")


class ReadOnlyFieldsAreNotWritten(Rule):
    """The driver does not write read-only fields (4.1.4.3.2)."""

    clause = "DRV-PCI-015"

    @on(FieldWrite)
    def write(self, fact: FieldWrite) -> None:
        """A field is written."""
        if fact.name in _READ_ONLY:
            self.breached(f"{fact.name} is written")

    @on(StatusWrite)
    def live(self, fact: StatusWrite) -> None:
        """A bring-up went by without."""
        if fact.value & Status.DRIVER_OK and not self.session.driver_ok:
            self.held()


class PackedSizeIsNotZero(Rule):
    """With RING_PACKED the driver does not write 0 to queue_size (4.1.4.3.2)."""

    clause = "DRV-PCI-016"

    @on(FieldWrite)
    def check(self, fact: FieldWrite) -> None:
        """queue_size is written."""
        if fact.name == "queue_size" and self.session.has(Feature.RING_PACKED):
            self.judge(fact.value != 0, "queue_size is written as 0")


class SplitSizeIsPowerOfTwo(Rule):
    """Without RING_PACKED the driver writes powers of 2 to queue_size (4.1.4.3.2)."""

    clause = "DRV-PCI-017"

    @on(FieldWrite)
    def check(self, fact: FieldWrite) -> None:
        """queue_size is written."""
        if fact.name == "queue_size" and self.session.lacks(Feature.RING_PACKED):
            self.judge(_power_of_two(fact.value), f"queue_size is written as {fact.value}")


class QueueIsConfiguredBeforeEnable(Rule):
    """The other queue fields are configured before queue_enable, and not after it (4.1.4.3.2).

    Addresses must have been written since the reset; a size may stay as it is, and a vector may be
    mapped later.
    """

    clause = "DRV-PCI-018"

    @on(QueueEnabled)
    def enabled(self, fact: QueueEnabled) -> None:
        """queue_enable is written."""
        if fact.again or not self.session.known:
            return
        missing = [name for name in AREAS if (name, 0) not in fact.queue.written]
        self.judge(not missing, f"{fact.queue} is enabled, but {', '.join(missing)} never written")

    @on(FieldWrite)
    def write(self, fact: FieldWrite) -> None:
        """Another queue field is written."""
        queue = fact.queue
        if fact.name in _CONFIGURED and queue is not None and queue.enabled and not queue.resetting:
            self.breached(f"{fact.name} of {queue} is written although the queue is enabled")


class ResetIsWaitedFor(Rule):
    """After writing 0 to device_status the driver writes nothing until it read 0 (4.1.4.3.2).

    Writing 0 again is no new initialization.
    """

    clause = "DRV-PCI-019"

    def _waiting(self) -> bool:
        return self.session.phase == Phase.RESETTING and self.session.reset_kind == "status"

    @on(FieldWrite)
    def field(self, fact: FieldWrite) -> None:
        """A field is written."""
        if self._waiting():
            self.breached(f"{fact.name} is written before device_status read 0")

    @on(StatusWrite)
    def status(self, fact: StatusWrite) -> None:
        """The driver begins again."""
        if self._waiting():
            self.breached(f"status {fact.value:#04x} is written before device_status read 0")

    @on(ResetDone)
    def done(self, fact: ResetDone) -> None:
        """It read 0."""
        if fact.by_read and fact.kind == "status":
            self.held()


class QueueEnableIsNotCleared(Rule):
    """The driver does not write 0 to queue_enable (4.1.4.3.2)."""

    clause = "DRV-PCI-020"

    @on(FieldWrite)
    def check(self, fact: FieldWrite) -> None:
        """queue_enable is written."""
        if fact.name == "queue_enable":
            self.judge(fact.value != 0, f"0 is written to queue_enable of {fact.queue}")


class QueueResetIsWaitedFor(Rule):
    """A queue counts as reset only once queue_reset read 0 (4.1.4.3.2)."""

    clause = "DRV-PCI-021"

    @on(FieldWrite)
    def write(self, fact: FieldWrite) -> None:
        """A field of a queue under reset is written."""
        if fact.queue is not None and fact.queue.resetting and fact.name != "queue_reset":
            self.breached(f"{fact.name} of {fact.queue} is written before queue_reset read 0")

    @on(DriverStore)
    def store(self, fact: DriverStore) -> None:
        """The ring of a queue under reset is written."""
        if fact.problem == "queue-reset":
            self.breached(f"the ring of {fact.queue} is written before queue_reset read 0")

    @on(FieldRead)
    def read(self, fact: FieldRead) -> None:
        """queue_reset read 0."""
        if fact.name == "queue_reset" and fact.queue is not None and fact.queue.resetting and not fact.value:
            self.held()


class AdminQueuesAreInRange(Rule):
    """Queues from num_queues on are enabled only in the range of administration queues (4.1.4.3.2)."""

    clause = "DRV-PCI-024"

    @on(QueueEnabled)
    def check(self, fact: QueueEnabled) -> None:
        """A queue is enabled."""
        values = self.state.common.values
        count, first = values.get("num_queues"), values.get("admin_queue_index")
        number = values.get("admin_queue_num")
        if count is None or fact.queue.index < count or not self.session.has(Feature.ADMIN_VQ):
            return
        if first is not None and number is not None:
            good = first <= fact.queue.index < first + number
            self.judge(good, f"{fact.queue} is enabled, administration queues are {number} from {first} on")
