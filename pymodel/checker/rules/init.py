"""Device initialization and cleanup (virtio 1.4, 3.1 and 3.3)."""

from __future__ import annotations

from pymodel.checker.facts import (
    DeviceConfigWrite,
    Doorbell,
    DriverStore,
    FeaturesOk,
    FieldWrite,
    ResetDone,
    SessionOver,
    StatusWrite,
)
from pymodel.checker.rule import Rule, on
from pymodel.spec import CONSOLE_CFG, DeviceType, Status

_STEPS = Status.ACKNOWLEDGE | Status.DRIVER | Status.FEATURES_OK | Status.DRIVER_OK
_QUEUE_FIELDS = ("queue_size", "queue_desc", "queue_driver", "queue_device", "queue_enable")


class _Step(Rule):
    """A rule on the write that sets one status bit for the first time in a session."""

    bit: Status

    @on(StatusWrite)
    def write(self, fact: StatusWrite) -> None:
        """Pick out the write that sets the bit."""
        session = self.session
        if not session.known or fact.restarted or fact.value & Status.FAILED or session.driver_ok:
            return
        if fact.value & self.bit and not (fact.before or 0) & self.bit:
            self.step(fact)

    def step(self, fact: StatusWrite) -> None:
        """Judge that write."""
        raise NotImplementedError


class ResetComesFirst(Rule):
    """A bring-up begins with a reset of the device (3.1.1, step 1).

    Where the trace begins later than the reset, the first bring-up is not judged.
    """

    clause = "DRV-INIT-001"

    @on(StatusWrite)
    def write(self, fact: StatusWrite) -> None:
        """The first write of a bring-up."""
        if fact.restarted:
            self.breached(f"status {fact.value:#04x} begins a bring-up, but the device was not reset")
        elif not self.session.begun and self.session.reset_kind:
            self.held()


class AcknowledgeComesSecond(Rule):
    """The first status that is written is ACKNOWLEDGE alone (3.1.1, step 2)."""

    clause = "DRV-INIT-002"

    @on(StatusWrite)
    def write(self, fact: StatusWrite) -> None:
        """The first write after a reset."""
        if not self.session.begun and self.session.reset_kind and not fact.value & Status.FAILED:
            self.judge(fact.value == Status.ACKNOWLEDGE, f"the first status written is {fact.value:#04x}")


class DriverComesThird(_Step):
    """DRIVER is set on top of ACKNOWLEDGE, and nothing with it (3.1.1, step 3)."""

    clause = "DRV-INIT-003"
    bit = Status.DRIVER

    def step(self, fact: StatusWrite) -> None:
        """The write that sets DRIVER."""
        steps = fact.value & _STEPS
        good = steps == Status.ACKNOWLEDGE | Status.DRIVER
        self.judge(good, f"DRIVER is set by writing {fact.value:#04x}")


class FeaturesAreReadAndWritten(Rule):
    """Feature words 0 and 1 are read, and written behind DRIVER and before FEATURES_OK (3.1.1, step 4).

    A driver that comes back from a reset may go by what it read before it (Linux does on resume).
    """

    clause = "DRV-INIT-004"
    _read = False

    @on(FeaturesOk)
    def check(self, fact: FeaturesOk) -> None:
        """Both sets are known whole."""
        if not self.session.known:
            return
        self._read = self._read or fact.offered is not None
        if not self._read:
            self.breached("FEATURES_OK is set, but device_feature words 0 and 1 were not both read")
        else:
            self.judge(fact.accepted is not None, "driver_feature words 0 and 1 were not both written")

    @on(FieldWrite)
    def early(self, fact: FieldWrite) -> None:
        """driver_feature before DRIVER."""
        status = self.session.status
        if fact.name != "driver_feature" or not self.session.known or status is None:
            return
        if not status & Status.DRIVER:
            self.breached("driver_feature is written before DRIVER is set")


class NoConfigWriteBeforeFeaturesOk(Rule):
    """Device configuration is not written before FEATURES_OK (3.1.1, step 4).

    A console's emergency write is allowed at any time (5.3.4).
    """

    clause = "DRV-INIT-006"

    @on(DeviceConfigWrite)
    def check(self, fact: DeviceConfigWrite) -> None:
        """The write comes after FEATURES_OK."""
        emergency = CONSOLE_CFG["emerg_wr"]
        if self.state.device_type == DeviceType.CONSOLE and fact.offset >= emergency.offset:
            return
        if self.session.known:
            message = f"device configuration at {fact.offset:#x} is written before FEATURES_OK"
            self.judge(self.session.features_ok_written, message)


class FeaturesOkComesBeforeDriverOk(_Step):
    """FEATURES_OK is set by a write of its own, before DRIVER_OK (3.1.1, step 5)."""

    clause = "DRV-INIT-007"
    bit = Status.DRIVER_OK

    def step(self, fact: StatusWrite) -> None:
        """The write that sets DRIVER_OK."""
        self.judge(self.session.features_ok_written, "DRIVER_OK is set, but FEATURES_OK never was before")


class NoNewFeaturesAfterFeaturesOk(Rule):
    """No feature bit is accepted after FEATURES_OK (3.1.1, step 5); writing the same ones again is none."""

    clause = "DRV-INIT-008"

    @on(FieldWrite)
    def write(self, fact: FieldWrite) -> None:
        """driver_feature after FEATURES_OK."""
        session = self.session
        if fact.name != "driver_feature" or not session.known or not session.features_ok_written:
            return
        select = self.state.common.values.get("driver_feature_select")
        if select is not None:
            new = fact.value & ~session.accepted.get(select, 0)
            self.judge(not new, f"bits {new:#x} of word {select} are accepted after FEATURES_OK")

    @on(StatusWrite)
    def live(self, fact: StatusWrite) -> None:
        """DRIVER_OK without one."""
        if fact.value & Status.DRIVER_OK and self.session.known and not self.session.driver_ok:
            self.held()


class FeaturesOkIsReadBack(_Step):
    """Before DRIVER_OK the driver read status and found FEATURES_OK still set (3.1.1, step 6)."""

    clause = "DRV-INIT-009"
    bit = Status.DRIVER_OK

    def step(self, fact: StatusWrite) -> None:
        """The write that sets DRIVER_OK."""
        if not self.session.features_ok_written:
            return
        if self.session.features_ok is None:
            self.breached("DRIVER_OK is set without reading FEATURES_OK back")
        else:
            self.judge(self.session.features_ok, "DRIVER_OK is set although FEATURES_OK did not stand")


class QueuesAreSetUpInTime(Rule):
    """Queues are configured between FEATURES_OK and DRIVER_OK (3.1.1, step 7), or after a queue reset.

    Vectors may be mapped later.
    """

    clause = "DRV-INIT-010"

    @on(FieldWrite)
    def check(self, fact: FieldWrite) -> None:
        """A queue field is written."""
        session = self.session
        if fact.name not in _QUEUE_FIELDS or not session.known or fact.queue is None:
            return
        if fact.name == "queue_enable" and fact.value != 1:
            return
        if not session.features_ok_written:
            self.breached(f"{fact.name} of {fact.queue} is written before FEATURES_OK")
        elif session.driver_ok and not fact.queue.was_reset:
            self.breached(f"{fact.name} of {fact.queue} is written after DRIVER_OK")
        elif fact.name == "queue_enable":
            self.held()


class DriverOkComesLast(_Step):
    """DRIVER_OK is set on top of all steps before it (3.1.1, step 8)."""

    clause = "DRV-INIT-011"
    bit = Status.DRIVER_OK

    def step(self, fact: StatusWrite) -> None:
        """The write that sets DRIVER_OK."""
        self.judge(fact.value & _STEPS == _STEPS, f"DRIVER_OK is set by writing {fact.value:#04x}")


class FailureIsSaid(Rule):
    """When initialization goes wrong the driver sets FAILED (3.1.1).

    Judged only where FEATURES_OK did not stand.
    """

    clause = "DRV-INIT-012"

    @on(SessionOver)
    def over(self, fact: SessionOver) -> None:
        """The session ends."""
        if self.session.features_ok is False and not fact.final:
            self.judge(self.session.failed, "FEATURES_OK did not stand, and the driver never set FAILED")


class NoGoingOnAfterFailure(Rule):
    """After a failure the driver does not go on initializing (3.1.1)."""

    clause = "DRV-INIT-013"

    def _went_wrong(self) -> bool:
        return self.session.features_ok is False or self.session.failed

    @on(StatusWrite)
    def write(self, fact: StatusWrite) -> None:
        """DRIVER_OK after a failure."""
        fresh = fact.value & Status.DRIVER_OK and not self.session.driver_ok
        if fresh and self._went_wrong():
            self.breached("DRIVER_OK is set although initialization went wrong")

    @on(SessionOver)
    def over(self, _: SessionOver) -> None:
        """A failed session ends without DRIVER_OK."""
        if self._went_wrong() and not self.session.driver_ok:
            self.held()


class NoDoorbellBeforeDriverOk(Rule):
    """No available buffer notification is sent before DRIVER_OK (3.1.1)."""

    clause = "DRV-INIT-014"

    @on(Doorbell)
    def check(self, fact: Doorbell) -> None:
        """A doorbell is rung."""
        if self.session.known:
            self.judge(self.session.driver_ok, f"a doorbell at offset {fact.offset:#x} before DRIVER_OK")


class ExposedBuffersStay(Rule):
    """The driver does not alter virtqueue entries of exposed buffers (3.3.1).

    Needs the driver's stores; sees descriptors, not slots of the available ring.
    """

    clause = "DRV-INIT-015"

    @on(DriverStore)
    def check(self, fact: DriverStore) -> None:
        """A store into a ring."""
        self.judge(fact.problem != "exposed", f"{fact.queue}: {fact.detail}")


class RingsStayUntilReset(Rule):
    """Exposed buffers are taken back only when the queue is no longer live (3.3.1).

    Sees stores into the ring between the reset request and its confirmation, and stores into
    device-writable buffers that were not returned: their memory serves something else by then.
    """

    clause = "DRV-INIT-016"
    _stores = False

    @on(DriverStore)
    def store(self, fact: DriverStore) -> None:
        """A store into a ring."""
        self._stores = True
        if fact.problem == "device-reset":
            self.breached(f"{fact.queue}: its ring is written while {fact.detail}")
        elif fact.problem == "taken-back":
            self.breached(f"{fact.queue}: {fact.detail}")

    @on(ResetDone)
    def done(self, fact: ResetDone) -> None:
        """The reset was waited for."""
        if fact.by_read and self._stores:
            self.held()
        self._stores = False
