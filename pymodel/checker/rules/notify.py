"""Available and used buffer notifications over PCI (virtio 1.4, 4.1.5.2 to 4.1.5.4)."""

from __future__ import annotations

from pymodel.checker.facts import (
    DeviceConfigRead,
    Doorbell,
    LineChanged,
    MessageSent,
    ResetDone,
    StatusRead,
    UsedAdvanced,
)
from pymodel.checker.rule import Rule, on
from pymodel.checker.state.queue import Queue
from pymodel.spec import NO_VECTOR, Feature, Status


class _Doorbell(Rule):
    """A rule on doorbells under some combination of the two notification features."""

    data: bool | None = None
    config_data: bool | None = None

    @on(Doorbell)
    def ring(self, fact: Doorbell) -> None:
        """A doorbell in a session whose features are known."""
        session = self.session
        if session.features is None:
            return
        for wanted, bit in (
            (self.data, Feature.NOTIFICATION_DATA),
            (self.config_data, Feature.NOTIF_CONFIG_DATA),
        ):
            if wanted is not None and session.has(bit) != wanted:
                return
        self.doorbell(fact)

    def doorbell(self, fact: Doorbell) -> None:
        """Judge it."""
        raise NotImplementedError


class _Width(_Doorbell):
    width: int

    def doorbell(self, fact: Doorbell) -> None:
        """Judge its width."""
        self.judge(fact.length == self.width, f"a doorbell of {fact.length} bytes at offset {fact.offset:#x}")


class DoorbellHas16Bits(_Width):
    """Without NOTIFICATION_DATA a doorbell is a 16-bit write (4.1.5.2.1)."""

    clause = "DRV-NOTIF-001"
    data = False
    width = 2


class DoorbellHas32Bits(_Width):
    """With NOTIFICATION_DATA a doorbell is a 32-bit write (4.1.5.2.1)."""

    clause = "DRV-NOTIF-002"
    data = True
    width = 4


class _Value(_Doorbell):
    def wanted(self, queue: Queue) -> int | None:
        """What names the queue."""
        return queue.index

    def doorbell(self, fact: Doorbell) -> None:
        """Judge its low 16 bits against the queue that its address names."""
        value = fact.value & 0xFFFF
        if fact.queue is None:
            if self.state.queues and self.session.driver_ok and self.session.known:
                self.breached(f"doorbell value {value:#x} at offset {fact.offset:#x} names no queue")
            return
        wanted = self.wanted(fact.queue)
        if wanted is not None:
            self.judge(value == wanted, f"the doorbell of {fact.queue} carries {value:#x}, not {wanted:#x}")


class DoorbellNamesQueue(_Value):
    """A plain doorbell carries the queue's index (4.1.5.2.1)."""

    clause = "DRV-NOTIF-003"
    data = False
    config_data = False


class DoorbellDataNamesQueue(_Value):
    """With NOTIFICATION_DATA the low half of a doorbell is the queue's index (4.1.5.2.1)."""

    clause = "DRV-NOTIF-004"
    data = True
    config_data = False


class _ConfigData(_Value):
    config_data = True

    def wanted(self, queue: Queue) -> int | None:
        """What names the queue."""
        return queue.regs.get(("queue_notif_config_data", 0))


class DoorbellCarriesConfigData(_ConfigData):
    """With NOTIF_CONFIG_DATA a doorbell carries queue_notif_config_data (4.1.5.2.1)."""

    clause = "DRV-NOTIF-005"
    data = False


class DoorbellDataCarriesConfigData(_ConfigData):
    """With both features the low half of a doorbell is queue_notif_config_data (4.1.5.2.1)."""

    clause = "DRV-NOTIF-006"
    data = True


class UnmappedQueuesAreSilent(Rule):
    """With MSI-X a queue whose vector is NO_VECTOR causes no interrupt (4.1.5.3.1).

    A message on a vector that nothing maps to, or INTx, after such a queue used a buffer is one.
    """

    clause = "DEV-NOTIF-001"
    _used: Queue | None = None

    @on(ResetDone)
    def reset(self, _: ResetDone) -> None:
        """A new session."""
        self._used = None

    @on(UsedAdvanced)
    def used(self, fact: UsedAdvanced) -> None:
        """A queue used a buffer."""
        if self.state.config.msix.enabled and fact.queue.vector == NO_VECTOR:
            self._used = fact.queue
            self.held()

    @on(MessageSent)
    def message(self, fact: MessageSent) -> None:
        """A message left."""
        if self._used is None or fact.vectors is None:
            return
        if not self.state.interrupts.mapped(fact.vectors, fact.issued):
            self.breached(f"a message after {self._used} used a buffer, whose vector is NO_VECTOR")
        self._used = None

    @on(LineChanged)
    def line(self, fact: LineChanged) -> None:
        """INTx rises."""
        if self._used is not None and fact.level and self.state.config.msix.enabled:
            self.breached(f"INTx after {self._used} used a buffer, whose vector is NO_VECTOR")


class UnmappedConfigIsSilent(Rule):
    """With MSI-X and NO_VECTOR for configuration a change causes no interrupt (4.1.5.4.1).

    A change is seen when the driver reads it, or DEVICE_NEEDS_RESET.
    """

    clause = "DEV-NOTIF-002"
    _used = False

    def _silent(self) -> bool:
        unmapped = self.state.interrupts.config_vector == NO_VECTOR
        return bool(self.state.config.msix.enabled and unmapped and self.session.live)

    @on(UsedAdvanced)
    def used(self, _: UsedAdvanced) -> None:
        """A used buffer may explain an interrupt."""
        self._used = True

    @on(StatusRead)
    def status(self, fact: StatusRead) -> None:
        """DEVICE_NEEDS_RESET is seen."""
        if self._silent() and fact.value & Status.DEVICE_NEEDS_RESET and not self.session.needs_reset:
            self.held()

    @on(DeviceConfigRead)
    def config(self, fact: DeviceConfigRead) -> None:
        """A change is read."""
        if self._silent() and fact.changed:
            self.held()

    @on(LineChanged, MessageSent)
    def interrupt(self, fact: LineChanged | MessageSent) -> None:
        """An interrupt that no used buffer explains."""
        if self._used or not self._silent():
            self._used = False
            return
        if isinstance(fact, LineChanged):
            if fact.level:
                self.breached("INTx is asserted, and configuration changes are mapped to NO_VECTOR")
        elif fact.vectors is not None and not self.state.interrupts.mapped(fact.vectors, fact.issued):
            self.breached("a message on no mapped vector, and configuration changes are mapped to NO_VECTOR")
