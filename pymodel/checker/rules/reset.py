"""Device reset (virtio 1.4, 2.4)."""

from __future__ import annotations

from pymodel.checker.facts import (
    Breach,
    FieldRead,
    LineChanged,
    MessageSent,
    ResetDone,
    ResetStarted,
    SessionOver,
    StatusRead,
    StatusWrite,
)
from pymodel.checker.rule import Rule, on
from pymodel.checker.state.session import Phase


class StatusReturnsToZero(Rule):
    """After a reset device_status reads 0, within the settling time at the latest (2.4.1)."""

    clause = "DEV-RESET-001"

    @on(ResetDone)
    def done(self, fact: ResetDone) -> None:
        """It read 0."""
        if fact.by_read:
            self.held()

    @on(StatusRead)
    def read(self, fact: StatusRead) -> None:
        """Once reset is complete it stays 0 until the driver writes it."""
        if self.session.phase == Phase.RESET and self.session.reset_kind and fact.value:
            self.breached(f"device_status reads {fact.value:#04x} after a reset, and nothing was written")

    @on(SessionOver, StatusWrite)
    def late(self, _: object) -> None:
        """It was polled and never came to 0."""
        session = self.session
        waiting = session.phase == Phase.RESETTING and session.reset_kind == "status"
        if waiting and session.reset_polled and self.state.now - session.reset_t > self.state.settle:
            self.breached("device_status never read 0 after a reset")


class SilentAfterReset(Rule):
    """From showing status 0 until it is initialized again the device does no DMA and interrupts nobody.

    (2.4.1.) An INTx line still up when the driver begins again counts as a notification. DMA after
    the driver has begun again is for DEV-STATUS-001 to judge; after resets below virtio nothing is.
    """

    clause = "DEV-RESET-002"

    def _quiet(self) -> bool:
        return self.session.phase == Phase.RESET and self.session.reset_kind == "status"

    @on(Breach)
    def dma(self, fact: Breach) -> None:
        """DMA after status 0."""
        if fact.kind == "dma-after-reset":
            self.breached(f"{fact.detail} after device_status read 0", fact.event)

    @on(MessageSent)
    def message(self, _: MessageSent) -> None:
        """A message after status 0."""
        if self._quiet():
            self.breached("an interrupt message left after device_status read 0")

    @on(LineChanged)
    def line(self, fact: LineChanged) -> None:
        """INTx rises after status 0."""
        if self._quiet() and fact.level:
            self.breached("INTx was asserted after device_status read 0")

    @on(StatusWrite)
    def begin(self, _: StatusWrite) -> None:
        """The driver begins again."""
        if not self._quiet():
            return
        stuck = self.state.interrupts.level and self.state.config.msix.enabled is not True
        self.judge(not stuck, "INTx is still asserted after the reset")


class ResetRestoresRegisters(Rule):
    """Writing 0 to device_status resets the device: queue_size is back at its maximum (4.1.4.3.1).

    Compared with the first reading in an earlier session with the same features; what other registers
    come back to is judged by their own clauses.
    """

    clause = "DEV-PCI-018"
    _LIMIT = 65536

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._maximum: dict[tuple[int, int | None], int] = {}

    @on(ResetDone)
    def done(self, fact: ResetDone) -> None:
        """A reset was carried out."""
        if fact.by_read:
            self.held()

    @on(ResetStarted)
    def power(self, fact: ResetStarted) -> None:
        """After power-up the device may be another one."""
        if fact.kind in ("power", "hot"):
            self._maximum.clear()

    @on(FieldRead)
    def read(self, fact: FieldRead) -> None:
        """queue_size before the driver wrote it."""
        queue, session = fact.queue, self.session
        if fact.name != "queue_size" or queue is None or not session.reset_kind or queue.was_reset:
            return
        if ("queue_size", 0) in queue.written or queue.enabled is not False:
            return
        key = (queue.index, session.features)
        if len(self._maximum) < self._LIMIT:
            first = self._maximum.setdefault(key, fact.value)
            message = f"queue_size of {queue} reads {fact.value} after a reset, it was {first}"
            if first != fact.value:
                self.breached(message)


class DriverPollsReset(Rule):
    """The driver takes a reset for complete when it reads device_status as 0 (2.4.2)."""

    clause = "DRV-RESET-001"

    @on(ResetDone)
    def done(self, fact: ResetDone) -> None:
        """It read 0."""
        if fact.by_read and fact.kind == "status":
            self.held()

    @on(StatusWrite)
    def write(self, _: StatusWrite) -> None:
        """It went on without."""
        session = self.session
        if session.phase == Phase.RESETTING and session.reset_kind == "status":
            self.breached("the driver goes on before device_status read 0")
