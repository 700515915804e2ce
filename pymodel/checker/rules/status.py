"""Device status field (virtio 1.4, 2.1)."""

from __future__ import annotations

from pymodel.checker.facts import Breach, Due, IsrRead, MessageSent, SessionOver, StatusRead, StatusWrite
from pymodel.checker.rule import Rule, on
from pymodel.checker.state.session import Phase
from pymodel.spec import IsrBit, Status

_ORDER = (Status.ACKNOWLEDGE, Status.DRIVER, Status.FEATURES_OK, Status.DRIVER_OK)


class BitsFollowTheSequence(Rule):
    """Status bits are set in the order of initialization (2.1.1).

    Does not see whether the step that a bit stands for was really done.
    """

    clause = "DRV-STATUS-001"

    @on(StatusWrite)
    def check(self, fact: StatusWrite) -> None:
        """Every bit of the sequence stands on the ones before it."""
        if fact.value & (Status.FAILED | Status.SUSPEND) or self.session.suspend_written:
            return
        wanted = [bool(fact.value & bit) for bit in _ORDER]
        self.judge(wanted == sorted(wanted, reverse=True), f"status {fact.value:#04x} skips a step")


class BitsAreNeverCleared(Rule):
    """The driver clears no status bit (2.1.1), taken against the last value that it wrote or read.

    The bits that suspend and resume change are the device's to clear; the text leaves open whether a
    resuming driver writes SUSPEND again.
    """

    clause = "DRV-STATUS-002"

    @on(StatusWrite)
    def check(self, fact: StatusWrite) -> None:
        """No known bit is missing."""
        if fact.before is None:
            return
        missing = fact.before & ~fact.value
        if fact.before & Status.SUSPEND and fact.value & Status.DRIVER_OK:
            missing &= ~Status.SUSPEND
        message = f"status {fact.value:#04x} clears {missing:#04x} of {fact.before:#04x}"
        self.judge(not missing, message)


class FailedNeedsReset(Rule):
    """After FAILED the driver resets the device before it initializes it again (2.1.1)."""

    clause = "DRV-STATUS-003"

    @on(StatusWrite)
    def write(self, fact: StatusWrite) -> None:
        """No step of initialization follows FAILED."""
        if self.session.failed and (fact.restarted or fact.value & ~(fact.before or 0) & sum(_ORDER)):
            self.breached(f"status {fact.value:#04x} goes on after FAILED without a reset")

    @on(SessionOver)
    def over(self, fact: SessionOver) -> None:
        """A reset ends a failed session."""
        if self.session.failed and not fact.final:
            self.held()


class NothingBeforeDriverOk(Rule):
    """The device consumes no buffer and sends no used buffer notification before DRIVER_OK (2.1.2).

    Any DMA counts; a message counts if its vector is mapped to a queue and not to configuration.
    """

    clause = "DEV-STATUS-001"

    @on(Breach)
    def dma(self, fact: Breach) -> None:
        """DMA in a session without DRIVER_OK."""
        if fact.kind == "dma-before-driver-ok":
            self.breached(f"{fact.detail} before DRIVER_OK", fact.event)

    @on(MessageSent)
    def message(self, fact: MessageSent) -> None:
        """A message for a queue in a session without DRIVER_OK."""
        session = self.session
        if not session.known or session.draining or session.phase != Phase.INIT or fact.vectors is None:
            return
        config = self.state.interrupts.config_vector
        queues = [q for q in self.state.queues.values() if q.vector in fact.vectors]
        if queues and config is not None and config not in fact.vectors:
            self.breached(f"a message for {queues[0]} before DRIVER_OK")

    @on(IsrRead)
    def isr(self, fact: IsrRead) -> None:
        """The queue bit of the ISR in a session without DRIVER_OK."""
        if self.session.reset_kind and self.session.phase == Phase.INIT and fact.value & IsrBit.QUEUE:
            self.breached("ISR shows a queue interrupt before DRIVER_OK")

    @on(SessionOver)
    def over(self, fact: SessionOver) -> None:
        """A session with DRIVER_OK and DMA went by without any of it."""
        if self.session.known and self.session.driver_ok and self.state.memory.seen:
            self.held()


class NeedsResetIsNotified(Rule):
    """When DEVICE_NEEDS_RESET is set under DRIVER_OK a configuration change notification follows (2.1.2).

    Only where the driver reads the bit, and configuration changes are mapped and not masked.
    """

    clause = "DEV-STATUS-003"

    @on(StatusRead)
    def status(self, fact: StatusRead) -> None:
        """The bit is seen for the first time."""
        fresh = fact.value & Status.DEVICE_NEEDS_RESET and not self.session.needs_reset
        if not fresh or not self.session.driver_ok:
            return
        if self.state.interrupts.config_noticed:
            self.held()
        else:
            self.state.interrupts.owe("needs-reset", None)

    @on(Due)
    def due(self, fact: Due) -> None:
        """The notification came, or is overdue."""
        if fact.what == "needs-reset":
            self.judge(not fact.late, f"DEVICE_NEEDS_RESET was never announced: {fact.detail}")
