"""Device suspend (virtio 1.4, 3.4)."""

from __future__ import annotations

from pymodel.checker.facts import (
    AvailIndex,
    ChainMade,
    DeviceConfigWrite,
    Doorbell,
    SessionOver,
    StatusRead,
    StatusWrite,
    Suspension,
)
from pymodel.checker.rule import Rule, on
from pymodel.checker.state.session import Phase
from pymodel.events import MemWrite
from pymodel.spec import Feature, Status


class SuspendOnlyWhenRunning(Rule):
    """SUSPEND is set only under DRIVER_OK and with the feature negotiated (3.4.1)."""

    clause = "DRV-SUSP-001"

    @on(StatusWrite)
    def write(self, fact: StatusWrite) -> None:
        """SUSPEND is set."""
        if fact.value & Status.SUSPEND and fact.before is not None and not fact.before & Status.SUSPEND:
            good = self.session.driver_ok and not self.session.lacks(Feature.SUSPEND)
            self.judge(good, "SUSPEND is set without DRIVER_OK or without VIRTIO_F_SUSPEND")


class SuspendIsVerified(Rule):
    """After setting SUSPEND the driver reads the status until the device is suspended (3.4.1)."""

    clause = "DRV-SUSP-002"
    _read = False

    @on(StatusRead)
    def read(self, _: StatusRead) -> None:
        """The status is read."""
        self._read = self.session.suspend_written

    @on(Suspension)
    def suspended(self, fact: Suspension) -> None:
        """It was waited for."""
        if fact.entered:
            self.held()

    @on(StatusWrite, SessionOver)
    def over(self, fact: StatusWrite | SessionOver) -> None:
        """The driver goes on."""
        waiting = self.session.suspend_written and self.session.phase == Phase.LIVE
        resumes = isinstance(fact, SessionOver) or fact.value & Status.DRIVER_OK
        final = isinstance(fact, SessionOver) and fact.final
        if waiting and resumes and not self._read and not self.session.resume_written and not final:
            self.breached("the driver never looked whether the device is suspended")
        self._read = False


class QuietRule(Rule):
    """A rule on what the driver does between SUSPEND and the end of the suspension."""

    def quiet(self) -> bool:
        """Whether SUSPEND was set and the resumption not yet asked for."""
        return self.session.suspend_written and not self.session.resume_written

    @on(StatusWrite)
    def resume(self, fact: StatusWrite) -> None:
        """The resumption is asked for."""
        if self.session.phase == Phase.SUSPENDED and fact.value & Status.DRIVER_OK:
            self.held()


class NoBuffersWhileSuspended(QuietRule):
    """After setting SUSPEND the driver makes no more buffers available (3.4.1); needs its stores."""

    clause = "DRV-SUSP-003"

    @on(AvailIndex)
    def index(self, fact: AvailIndex) -> None:
        """avail.idx is stored."""
        if not fact.by_device and self.quiet():
            self.breached(f"avail.idx of {fact.queue} moves to {fact.new} after SUSPEND")

    @on(ChainMade)
    def chain(self, fact: ChainMade) -> None:
        """A list becomes available by a store."""
        if fact.chain.packed and isinstance(self.state.event, MemWrite) and self.quiet():
            self.breached(f"a list of {fact.queue} becomes available after SUSPEND")


class NoDoorbellsWhileSuspended(QuietRule):
    """After setting SUSPEND the driver rings no doorbell (3.4.1)."""

    clause = "DRV-SUSP-004"

    @on(Doorbell)
    def doorbell(self, fact: Doorbell) -> None:
        """A doorbell."""
        if self.quiet():
            self.breached(f"a doorbell at offset {fact.offset:#x} after SUSPEND")


class NoConfigWritesWhileSuspended(QuietRule):
    """After setting SUSPEND the driver does not write device configuration (3.4.1)."""

    clause = "DRV-SUSP-005"

    @on(DeviceConfigWrite)
    def write(self, fact: DeviceConfigWrite) -> None:
        """A write."""
        if self.quiet():
            self.breached(f"device configuration at {fact.offset:#x} is written after SUSPEND")


class ResumeIsWaitedFor(Rule):
    """After asking for resumption the driver waits until the status shows it (3.4.1)."""

    clause = "DRV-SUSP-006"

    @on(Suspension)
    def running(self, fact: Suspension) -> None:
        """It was waited for."""
        if not fact.entered:
            self.held()

    @on(Doorbell, DeviceConfigWrite)
    def early(self, _: object) -> None:
        """Normal operation before that."""
        if self.session.resume_written:
            self.breached("the driver goes on before device_status shows that the device runs again")
