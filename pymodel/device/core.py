"""The model of a virtio device without its bus: status, features, queues (virtio 1.4, 2 and 3)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

from pymodel.device.admin import AdminCommands
from pymodel.device.backend import Backend
from pymodel.device.common import CommonConfig, QueueBank
from pymodel.device.config import DeviceConfig
from pymodel.device.host import Host
from pymodel.device.ring import DeviceChain
from pymodel.device.rings import make_ring
from pymodel.device.worker import Worker
from pymodel.spec import (
    NO_VECTOR,
    Feature,
    IsrBit,
    Status,
    feature_mask,
)

T = TypeVar("T")
_RUN_BITS = Status.DRIVER_OK | Status.FEATURES_OK | Status.DEVICE_NEEDS_RESET | Status.SUSPEND
_RUNNING = Status.DRIVER_OK | Status.FEATURES_OK


class VirtioModel(ABC):
    """A device of the back end's type; a bus derives from it and carries accesses and interrupts."""

    def __init__(self, host: Host, config: DeviceConfig, backend: Backend) -> None:
        self.host = host
        self.config = config
        self.backend = backend
        self.rng = Random(config.seed)
        self.offered = config.features | backend.features
        self.status = 0
        self.driver_features = 0
        self.features = 0
        self.isr = 0
        self.generation = 0
        self.last_error = ""
        self.suspending = False
        self.legacy = False
        self._rang = False
        self._resetting = False
        self._dirty = False
        self._notice_owed = False
        self._later: list[tuple[int, Callable[[], None]]] = []
        self._clock = 0
        self._next_unit = 0
        self.admin = AdminCommands()
        self.common = CommonConfig(self)
        self.worker = Worker(self)
        backend.changed = self.config_changed

    @abstractmethod
    def fire(self, vector: int) -> None:
        """Send an MSI-X vector."""

    @abstractmethod
    def may_master(self) -> bool:
        """Whether the bus lets the device reach memory."""

    @abstractmethod
    def msix_enabled(self) -> bool:
        """Whether MSI-X is on."""

    def has(self, feature: int) -> bool:
        """Whether a feature was negotiated."""
        return bool(self.features >> feature & 1)

    def offers(self, feature: int) -> bool:
        """Whether a feature is offered."""
        return bool(self.offered >> feature & 1)

    def is_admin(self, queue: int) -> bool:
        """Whether a queue is the administration queue: the one behind the back end's."""
        return queue == self.backend.queue_count

    def handle(self, chain: DeviceChain) -> int:
        """Execute a request or an administration command and return the bytes written."""
        if self.is_admin(chain.queue):
            return self.admin.handle(chain, self.host)
        return self.backend.handle(chain, self.host)

    @property
    def running(self) -> bool:
        """Whether the device may touch its queues; a legacy driver may use them before DRIVER_OK (3.1.2)."""
        if self._resetting or not self.may_master():
            return False
        if self.legacy:
            started = self._rang or self.status & Status.DRIVER_OK
            return bool(started) and not self.status & Status.DEVICE_NEEDS_RESET
        return self.status & _RUN_BITS == _RUNNING

    @property
    def lagging(self) -> bool:
        """Whether the device may trail behind and reorder."""
        return self.config.lag > 0

    def chance(self) -> bool:
        """Toss a coin; without lag always true."""
        return not self.lagging or bool(self.rng.randrange(2))

    def pick(self, choices: Sequence[T]) -> T:
        """Choose: the first without lag, else any."""
        return choices[self.rng.randrange(len(choices)) if self.lagging else 0]

    def _after_lag(self, action: Callable[[], None]) -> None:
        """Do something now, or a few host accesses later."""
        if not self.lagging:
            action()
        else:
            self._later.append((self._clock + self.rng.randint(0, self.config.lag), action))

    def accessed(self) -> None:
        """The host completed an access: do what is due."""
        self._clock += 1
        due = [action for when, action in self._later if when <= self._clock]
        self._later = [item for item in self._later if item[0] > self._clock]
        for action in due:
            action()
        if not self.lagging:
            self.catch_up()
        elif self._clock >= self._next_unit:
            self.work()
            self._next_unit = self._clock + self.rng.randint(0, self.config.lag)

    def work(self) -> bool:
        """Do one unit of work, or else what was put off; False if the device is idle."""
        if self.worker.step():
            self._suspend_if_drained()
            return True
        if self._later:
            self._later.pop(0)[1]()
            return True
        return False

    def catch_up(self) -> None:
        """Work until there is nothing left to do."""
        while self.work():
            pass

    def accept_features(self, word: int, value: int) -> None:
        """The driver writes a word of its features; ignored once they are agreed (virtio 1.4, 3.1.1)."""
        if word < 4 and not self.status & Status.FEATURES_OK:
            mask = 0xFFFF_FFFF << 32 * word
            self.driver_features = self.driver_features & ~mask | value << 32 * word

    def _features_fit(self) -> bool:
        wanted = self.driver_features
        version_1 = bool(wanted >> Feature.VERSION_1 & 1)
        return version_1 and not wanted & ~self.offered and self.backend.accepts(wanted)

    def write_status(self, value: int) -> None:
        """The driver writes device_status."""
        if self._resetting:
            return
        if value == 0:
            self._begin_reset()
        elif self.status & Status.SUSPEND and not self.status & Status.DRIVER_OK:
            if value & Status.DRIVER_OK:
                self._after_lag(self._resume)
        else:
            self._set_status(value)

    def write_legacy_status(self, value: int) -> None:
        """A legacy driver writes its status byte; it awaits no reset, but reads the byte back once."""
        if value == 0:
            self.reset()
            return
        if self._resetting:
            return
        self.legacy = True
        if value & ~self.status & Status.DRIVER_OK:
            self.backend.start_legacy(self.features)
        self.status = value | self.status & Status.DEVICE_NEEDS_RESET

    def accept_legacy_features(self, value: int) -> None:
        """A legacy driver accepts features, which are agreed at once."""
        self.legacy = True
        self.features = value & (self.offered | feature_mask(Feature.ANY_LAYOUT))

    def _set_status(self, value: int) -> None:
        raised = value & ~self.status
        sticky = self.status & Status.DEVICE_NEEDS_RESET
        if raised & Status.FEATURES_OK:
            if self._features_fit():
                self.features = self.driver_features
                self.backend.start(self.features)
            else:
                value &= ~Status.FEATURES_OK
        may_suspend = self.has(Feature.SUSPEND) and self.status & _RUN_BITS == _RUNNING
        self.status = value & ~Status.SUSPEND | sticky
        if raised & Status.SUSPEND and may_suspend:
            self.suspending = True
            self._suspend_if_drained()

    def _suspend_if_drained(self) -> None:
        if self.suspending and not self.worker.in_flight:
            self.suspending = False
            self.status = self.status & ~Status.DRIVER_OK | Status.SUSPEND

    def _resume(self) -> None:
        self.status = self.status & ~Status.SUSPEND | Status.DRIVER_OK
        if self._notice_owed:
            self._notify_config()

    def _begin_reset(self) -> None:
        self.worker.forget()
        self._later.clear()
        if not self.status:
            self.reset()
        else:
            self._resetting = True
            self._after_lag(self.reset)

    def reset(self) -> None:
        """Be as after power-on, but for the bus (virtio 1.4, 2.4)."""
        self.status = self.driver_features = self.features = self.isr = 0
        self.suspending = self._resetting = self._notice_owed = self.legacy = self._rang = False
        self._later.clear()
        self.worker.forget()
        self.admin.reset()
        self.common.reset()

    def need_reset(self, reason: str) -> None:
        """Give up: DEVICE_NEEDS_RESET, told to a driver that set DRIVER_OK (virtio 1.4, 2.1.2)."""
        self.last_error = reason
        self.worker.forget()
        self.status |= Status.DEVICE_NEEDS_RESET
        if self.status & Status.DRIVER_OK:
            self._notify_config()

    def enable_queue(self, index: int) -> None:
        """The driver writes 1 to queue_enable; a queue that cannot work is a reason to need a reset."""
        bank = self.common.banks[index]
        bank.ring = make_ring(self.host, index, bank, self.features)
        if bank.ring is None:
            self.need_reset(f"queue {index} is enabled with an impossible size or alignment")
        bank.enabled = bank.ring is not None

    def disable_queue(self, index: int) -> None:
        """A legacy driver takes a queue away."""
        bank = self.common.banks[index]
        self.worker.forget(index)
        bank.ring, bank.enabled, bank.kicked = None, False, False

    def begin_queue_reset(self, index: int) -> None:
        """The driver writes 1 to queue_reset (virtio 1.4, 2.6.1)."""
        bank = self.common.banks[index]
        self.worker.forget(index)
        bank.resetting, bank.ring, bank.kicked = True, None, False

        def finish() -> None:
            self.common.banks[index] = QueueBank(bank.most, bank.most)

        self._after_lag(finish)

    def notify_value(self, index: int) -> int:
        """What the driver writes as a doorbell for a queue, in its low 16 bits."""
        return index + (self.config.notify_data_base if self.has(Feature.NOTIF_CONFIG_DATA) else 0)

    def doorbell(self, value: int) -> None:
        """A doorbell rang; before DRIVER_OK and while suspended it is remembered."""
        index = (value & 0xFFFF) - self.notify_value(0)
        if 0 <= index < len(self.common.banks) and not self._resetting:
            self.common.banks[index].kicked = self._rang = True

    def interrupt_queue(self, index: int) -> None:
        """Notify the driver of used buffers."""
        vector = self.common.banks[index].vector
        self._interrupt(IsrBit.QUEUE, vector)

    def config_changed(self) -> None:
        """The configuration changed on the device's own account: a notice now, or after a suspension."""
        self._dirty = True
        if self.status & Status.SUSPEND:
            self._notice_owed = True
        elif self.status & Status.DRIVER_OK:
            self._notify_config()

    def _notify_config(self) -> None:
        self._notice_owed = False
        self._interrupt(IsrBit.CONFIG, self.common.config_vector)

    def _interrupt(self, bit: IsrBit, vector: int) -> None:
        """Raise an interrupt: the configuration bit of ISR is set with MSI-X too (virtio 1.4, 4.1.4.5.1)."""
        if bit == IsrBit.CONFIG or not self.msix_enabled():
            self.isr |= bit
        if vector != NO_VECTOR:
            self.fire(vector)

    def read_isr(self) -> int:
        """Return ISR status and clear it."""
        value, self.isr = self.isr, 0
        return value

    def read_config(self, offset: int, length: int) -> bytes:
        """Read the device-specific configuration; the first read after a change steps the generation."""
        if self._dirty:
            self._dirty = False
            self.generation = self.generation + 1 & 0xFF
        data = self.backend.config()[offset : offset + length]
        return data.ljust(length, b"\0")

    def write_config(self, offset: int, data: bytes) -> None:
        """Write the device-specific configuration; ignored while suspended (virtio 1.4, 3.4.2)."""
        if not self.status & Status.SUSPEND:
            self.backend.write_config(offset, data)
