"""ISR status and INTx (virtio 1.4, 4.1.4.5)."""

from __future__ import annotations

from pymodel import spec
from pymodel.checker.facts import (
    Due,
    IsrRead,
    LineChanged,
    MessageSent,
    ResetDone,
    UsedAdvanced,
)
from pymodel.checker.rule import Rule, on
from pymodel.events import ConfigRead
from pymodel.spec import IsrBit, PciStatus

_PCI_STATUS = spec.PCI_CFG["status"].offset


class ConfigBitIsSetInIsr(Rule):
    """ISR shows the configuration bit before a configuration change notification (4.1.4.5.1).

    With MSI-X: judged at the first read of ISR after a message whose only source is configuration.
    """

    clause = "DEV-PCI-041"
    _notified = False

    @on(ResetDone)
    def reset(self, _: ResetDone) -> None:
        """A new session."""
        self._notified = False

    @on(MessageSent)
    def message(self, fact: MessageSent) -> None:
        """A message left."""
        vector = self.state.interrupts.config_vector
        if fact.vectors is None or vector is None or fact.vectors != {vector}:
            return
        if not any(queue.vector == vector for queue in self.state.queues.values()):
            self._notified = True

    @on(IsrRead)
    def isr(self, fact: IsrRead) -> None:
        """ISR is read."""
        if self._notified:
            self._notified = False
            self.judge(
                bool(fact.value & IsrBit.CONFIG), "ISR lacks bit 1 after a configuration change message"
            )


class QueueBitIsSetInIsr(Rule):
    """Without MSI-X the queue bit is set in ISR before INTx is asserted for used buffers (4.1.4.5.1).

    An ISR that reads 0 under an asserted line is a breach; missing INTx for packed rings counts here.
    """

    clause = "DEV-PCI-042"
    _used = False

    @on(UsedAdvanced)
    def used(self, _: UsedAdvanced) -> None:
        """A buffer was used."""
        self._used = True

    @on(IsrRead)
    def isr(self, fact: IsrRead) -> None:
        """ISR is read."""
        event, interrupts = self.state.event, self.state.interrupts
        if self.state.config.msix.enabled is not False or event is None:
            return
        issued = event.t if event.t_req is None else event.t_req
        if interrupts.level and interrupts.rose_t <= issued and self._used:
            self.judge(fact.value != 0, "ISR reads 0 although INTx is asserted")
        self._used = False

    @on(Due)
    def due(self, fact: Due) -> None:
        """A packed ring's notification is overdue."""
        if fact.what == "packed" and fact.late and self.state.config.msix.enabled is False:
            self.breached(f"used buffers of {fact.queue} were never announced by INTx: {fact.detail}")


class StatusShowsInterrupt(Rule):
    """Without MSI-X the interrupt bit of PCI Status follows ISR (4.1.4.5.1).

    Judged while INTx is up, and right after an ISR read with INTx down and nothing used since.
    """

    clause = "DEV-PCI-043"
    _idle = False

    @on(IsrRead)
    def isr(self, _: IsrRead) -> None:
        """ISR was read: it is 0 until something happens."""
        self._idle = True

    @on(UsedAdvanced, LineChanged)
    def busy(self, _: object) -> None:
        """Something happened."""
        self._idle = False

    @on(ConfigRead)
    def read(self, event: ConfigRead) -> None:
        """PCI Status is read."""
        interrupts = self.state.interrupts
        if self.state.config.msix.enabled is not False or not interrupts.seen:
            return
        if not event.addr <= _PCI_STATUS < event.addr + len(event.data):
            return
        issued = event.t if event.t_req is None else event.t_req
        shown = bool(event.data[_PCI_STATUS - event.addr] & PciStatus.INTERRUPT)
        if interrupts.level and interrupts.rose_t < issued:
            self.judge(shown, "INTx is asserted, but the interrupt bit of PCI Status is 0")
        elif self._idle and not interrupts.level:
            self.judge(not shown, "ISR is 0, but the interrupt bit of PCI Status is 1")


class IsrReadClears(Rule):
    """Reading ISR resets it to 0 (4.1.4.5.1).

    Two reads that both show a bit are a breach if INTx did not change between them and at most one
    used buffer step could have called for it.
    """

    clause = "DEV-PCI-044"

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._value = 0
        self._changes = -1
        self._steps = 0

    @on(ResetDone)
    def reset(self, _: ResetDone) -> None:
        """A new session."""
        self._value, self._steps = 0, 0

    @on(UsedAdvanced)
    def used(self, _: UsedAdvanced) -> None:
        """A buffer was used."""
        self._steps += 1

    @on(IsrRead)
    def isr(self, fact: IsrRead) -> None:
        """ISR is read."""
        both = fact.value & self._value & IsrBit.QUEUE
        changes = self.state.interrupts.line_changes
        if self._value and not fact.value:
            self.held()
        elif both and changes == self._changes and self._steps <= 1:
            self.breached(f"ISR reads {fact.value:#x} again; the read before did not clear it")
        if not fact.value or not self._value:
            self._steps = 0 if not fact.value else self._steps
        self._value, self._changes = fact.value, changes
