"""Device suspend: what the device must and should do (virtio 1.4, 3.4.2)."""

from __future__ import annotations

from pymodel.checker.facts import (
    Breach,
    DeviceConfigRead,
    DeviceConfigWrite,
    FieldRead,
    LineChanged,
    MessageSent,
    SessionOver,
    StatusRead,
    StatusWrite,
    Suspension,
    Unserved,
)
from pymodel.checker.rule import Rule, on
from pymodel.checker.rules.suspend import QuietRule
from pymodel.checker.state.session import Phase
from pymodel.spec import DeviceType, Feature, Status

_ANSWERING = (DeviceType.BLK, DeviceType.ENTROPY)
"""Devices that use every buffer of their own accord: others may wait for events of their own."""


class EarlySuspendIsIgnored(Rule):
    """A device that is not initialized ignores SUSPEND (3.4.2)."""

    clause = "DEV-SUSP-001"
    _early = False

    @on(StatusWrite)
    def write(self, fact: StatusWrite) -> None:
        """SUSPEND is written."""
        live = self.session.driver_ok or not self.session.known
        self._early = bool(fact.value & Status.SUSPEND) and not live

    @on(StatusRead)
    def read(self, fact: StatusRead) -> None:
        """The status is read."""
        if self._early:
            self.judge(
                not fact.value & Status.SUSPEND, "SUSPEND is shown by a device that is not initialized"
            )


class NoInterruptsWhileSuspended(QuietRule):
    """A suspended device sends no used buffer notification (3.4.2)."""

    clause = "DEV-SUSP-003"

    @on(MessageSent)
    def message(self, fact: MessageSent) -> None:
        """A message of a queue's vector."""
        if self.session.phase != Phase.SUSPENDED or fact.vectors is None:
            return
        if any(queue.vector in fact.vectors for queue in self.state.queues.values()):
            self.breached("a used buffer notification from a suspended device")

    @on(LineChanged)
    def line(self, fact: LineChanged) -> None:
        """INTx."""
        if self.session.phase == Phase.SUSPENDED and fact.level:
            self.breached("INTx from a suspended device")


class NoDmaWhileSuspended(QuietRule):
    """A suspended device does not access its virtqueues (3.4.2); any DMA counts."""

    clause = "DEV-SUSP-004"

    @on(Breach)
    def dma(self, fact: Breach) -> None:
        """DMA."""
        if fact.kind == "dma-suspended":
            self.breached(f"{fact.detail} by a suspended device", fact.event)


class ConfigStaysWhileSuspended(Rule):
    """A suspended device does not change its configuration (3.4.2)."""

    clause = "DEV-SUSP-005"

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._bytes: dict[int, int] = {}
        self._generation: int | None = None

    @on(Suspension)
    def suspension(self, _: Suspension) -> None:
        """The suspension begins or ends."""
        self._bytes.clear()
        self._generation = None

    @on(DeviceConfigRead)
    def read(self, fact: DeviceConfigRead) -> None:
        """A read during it."""
        if self.session.phase != Phase.SUSPENDED:
            return
        for index, byte in enumerate(fact.data, fact.offset):
            if self._bytes.setdefault(index, byte) != byte:
                self.breached(f"device configuration at {index:#x} changed while suspended")
                return
        self.held()

    @on(FieldRead)
    def generation(self, fact: FieldRead) -> None:
        """A generation read during it."""
        if self.session.phase == Phase.SUSPENDED and fact.name == "config_generation":
            if self._generation not in (None, fact.value):
                self.breached("config_generation changed while suspended")
            self._generation = fact.value


class NoConfigNoticeWhileSuspended(QuietRule):
    """A suspended device sends no configuration change notification (3.4.2)."""

    clause = "DEV-SUSP-006"

    @on(MessageSent)
    def message(self, fact: MessageSent) -> None:
        """A message of the configuration vector alone."""
        if self.session.phase != Phase.SUSPENDED or fact.vectors is None:
            return
        shared = any(queue.vector in fact.vectors for queue in self.state.queues.values())
        if self.state.interrupts.config_vector in fact.vectors and not shared:
            self.breached("a configuration change notification from a suspended device")


class SuspendComesAbout(Rule):
    """After SUSPEND the device suspends itself, or sets DEVICE_NEEDS_RESET (3.4.2).

    Overdue when the session ends and the driver kept reading the status.
    """

    clause = "DEV-SUSP-008"
    _since: int | None = None
    _polled = False

    @on(StatusWrite)
    def write(self, fact: StatusWrite) -> None:
        """SUSPEND is set."""
        fresh = fact.before is not None and fact.value & ~fact.before & Status.SUSPEND
        if fresh and self.session.driver_ok and self.session.has(Feature.SUSPEND):
            self._since, self._polled = self.state.now, False

    @on(StatusRead)
    def read(self, fact: StatusRead) -> None:
        """The status is read."""
        self._polled = True
        if self._since is not None and fact.value & Status.DEVICE_NEEDS_RESET:
            self._since = None
            self.held()

    @on(Suspension)
    def suspended(self, fact: Suspension) -> None:
        """It is suspended."""
        if fact.entered:
            self._since = None
            self.held()

    @on(SessionOver)
    def over(self, _: SessionOver) -> None:
        """The session ends."""
        if self._since is not None and self._polled and self.state.now - self._since > self.state.settle:
            self.breached("the device neither suspended itself nor set DEVICE_NEEDS_RESET")
        self._since = None


class ResumeComesAbout(Rule):
    """After the driver asked for it the device runs again, or sets DEVICE_NEEDS_RESET (3.4.2).

    Running again is normal operation: a device that does not even look at a ring, in which a buffer has
    been waiting since before the suspension, does not. Judged for devices that use buffers of their own
    accord, when the session ends.
    """

    clause = "DEV-SUSP-009"
    _since: int | None = None
    _resumed: int | None = None
    _polled = False

    @on(StatusWrite)
    def write(self, fact: StatusWrite) -> None:
        """DRIVER_OK is set."""
        if self.session.phase == Phase.SUSPENDED and fact.value & Status.DRIVER_OK:
            self._since, self._polled = self.state.now, False

    @on(StatusRead)
    def read(self, fact: StatusRead) -> None:
        """The status is read."""
        self._polled = True
        if self._since is not None and fact.value & Status.DEVICE_NEEDS_RESET:
            self._since = None
            self.held()

    @on(Suspension)
    def running(self, fact: Suspension) -> None:
        """It runs."""
        self._resumed = None if fact.entered else self.state.now
        if not fact.entered:
            self._since = None
            self.held()

    @on(Unserved)
    def unserved(self, fact: Unserved) -> None:
        """A buffer still waits when the session ends."""
        queue, resumed = fact.queue, self._resumed
        if resumed is None or self.state.device_type not in _ANSWERING or self.state.is_admin(queue):
            return
        if queue.tracker is not None and queue.tracker.touched_t < resumed and fact.chain.since < resumed:
            self.breached(f"{queue} was not looked at again, where buffer {fact.chain.id} still waits")

    @on(SessionOver)
    def over(self, _: SessionOver) -> None:
        """The session ends."""
        self._resumed = None
        if self._since is not None and self._polled and self.state.now - self._since > self.state.settle:
            self.breached("the device neither runs again nor set DEVICE_NEEDS_RESET")
        self._since = None


class ConfigWritesAreIgnored(Rule):
    """A suspended device ignores writes to its configuration (3.4.2).

    A breach is a byte that reads as written, and read differently before; device_status does not count.
    """

    clause = "DEV-SUSP-002"

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._before: dict[int, int] = {}
        self._written: dict[int, int] = {}

    @on(Suspension)
    def suspension(self, fact: Suspension) -> None:
        """The suspension begins."""
        if fact.entered:
            self._before = dict(self.state.devconfig.values)
            self._written.clear()

    @on(DeviceConfigWrite)
    def write(self, fact: DeviceConfigWrite) -> None:
        """A write during it."""
        if self.session.phase == Phase.SUSPENDED:
            self._written.update(enumerate(fact.data, fact.offset))

    @on(DeviceConfigRead)
    def read(self, fact: DeviceConfigRead) -> None:
        """A read of what was written."""
        for index, byte in enumerate(fact.data, fact.offset):
            written, before = self._written.pop(index, None), self._before.get(index)
            if written is not None and before is not None and written != before:
                self.judge(
                    byte != written, f"the byte at {index:#x} was written while suspended, and changed"
                )


class ConsumptionStopsFirst(Rule):
    """Before it shows itself suspended the device stops consuming buffers (3.4.2): no DMA after it."""

    clause = "DEV-SUSP-010"

    @on(Suspension)
    def suspension(self, fact: Suspension) -> None:
        """The suspension went by."""
        if not fact.entered and self.state.memory.seen:
            self.held()

    @on(Breach)
    def dma(self, fact: Breach) -> None:
        """DMA during it."""
        if fact.kind == "dma-suspended":
            self.breached(f"{fact.detail} by a suspended device", fact.event)


class StartedBuffersAreUsedFirst(Rule):
    """Before it shows itself suspended the device uses all buffers that it works on (3.4.2).

    Works on: has written to, or read from, and not returned.
    """

    clause = "DEV-SUSP-011"

    @on(Suspension)
    def suspended(self, fact: Suspension) -> None:
        """It is suspended."""
        if not fact.entered or not self.state.memory.seen:
            return
        for queue in self.state.queues.values():
            for chain in queue.tracker.chains() if queue.tracker is not None else []:
                if chain.written.prefix or chain.fetched.prefix:
                    self.breached(f"{queue}: the buffer {chain.id} was worked on and is not used")
                    return
        self.held()


class UsedBuffersAreAnnouncedFirst(Rule):
    """Before it shows itself suspended the device sends its used buffer notifications (3.4.2)."""

    clause = "DEV-SUSP-012"

    @on(Suspension)
    def suspended(self, fact: Suspension) -> None:
        """It is suspended."""
        if fact.entered:
            owing = self.state.interrupts.owing()
            self.judge(not owing, f"queues {owing} used buffers that were not announced")
