"""Sessions of drivers from before virtio 1: rings in one block of pages, features in force as written.

`LegacyState` follows the legacy register block of a transitional PCI function (virtio 1.4, 4.1.4.10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymodel import spec
from pymodel.checker import facts
from pymodel.checker.state.queue import Queue
from pymodel.checker.state.session import Phase
from pymodel.checker.state.tracker import make_tracker
from pymodel.layout import legacy_ring

if TYPE_CHECKING:
    from pymodel.checker.state.boundary import State

BAR = 0
_FIELDS = {(field.offset, field.width): field.name for field in spec.LEGACY_CFG.values()}


def begin(state: State) -> None:
    """The driver uses the device: it may work from here on, DRIVER_OK or not (virtio 1.4, 3.1.2)."""
    session = state.session
    if session.phase == Phase.RESETTING:
        state.end_reset(by_read=False)
        session.reset_kind = None
    session.begun = True
    session.phase = Phase.LIVE


def open_block(state: State, queue: Queue, size: int, page: int) -> None:
    """A ring of `size` descriptors lies in one block from page frame `page` on."""
    if queue.enabled is True or not state.session.known:
        return
    state.session.features_ok_written = True
    queue.enabled = True
    queue.features = state.session.features
    state.memory.unbury(queue)
    ring = legacy_ring(size, page * spec.LEGACY_PAGE_SIZE, spec.LEGACY_PAGE_SIZE)
    queue.tracker = make_tracker(state, queue, size, [ring.desc, ring.avail, ring.used])


def close_block(state: State, queue: Queue) -> None:
    """The ring is gone; it stays enabled without a tracker, since reads of it may still complete."""
    state.interrupts.queue_over(queue)
    state.drop_tracker(queue)


def kick(queue: Queue) -> None:
    """The driver rang the queue."""
    queue.doorbells += 1
    if queue.tracker is not None:
        queue.tracker.doorbell(queue.index, 2)


class LegacyState:
    """Shadow of the register block; `written` holds the vectors as the driver wrote them last."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._select: int | None = None
        self._written: dict[tuple[str, int], int] = {}

    def restart(self) -> None:
        """A reset: what was written is gone."""
        self._select = None
        self._written.clear()

    def _field(self, addr: int, length: int) -> str | None:
        msix = self._state.config.msix.enabled
        end = spec.LEGACY_CFG_LENGTH_MSIX if msix else spec.LEGACY_CFG_LENGTH
        return _FIELDS.get((addr, length)) if addr < end else None

    def _queue(self) -> Queue | None:
        return None if self._select is None else self._state.queue(self._select)

    def read(self, addr: int, data: bytes) -> None:
        """The driver read `data` at `addr` of BAR0."""
        state, session = self._state, self._state.session
        name, value = self._field(addr, len(data)), int.from_bytes(data, "little")
        if name == "isr_status":
            state.interrupts.isr_read(value)
        elif name == "device_features":
            session.offered = {0: value, 1: 0}
            state.publish(facts.LegacyOffer(value))
        elif name == "device_status":
            session.needs_reset = session.needs_reset or bool(value & spec.Status.DEVICE_NEEDS_RESET)
            if session.phase == Phase.RESETTING and value == 0:
                state.end_reset(by_read=True)
        elif name == "queue_size":
            queue = self._queue()
            if queue is not None:
                queue.regs["queue_size", 0] = value
        elif name is not None and name.endswith("vector"):
            self._vector_read(name, value)

    def _vector_read(self, name: str, value: int) -> None:
        queue = self._queue() if name == "queue_msix_vector" else None
        if queue is None and name == "queue_msix_vector":
            return
        key = name, -1 if queue is None else queue.index
        if key in self._written:
            self._state.publish(facts.LegacyVector(name, self._written[key], value))
        if queue is not None:
            queue.vector = value
        else:
            self._state.common.values[name] = value

    def write(self, addr: int, data: bytes) -> None:
        """The driver wrote `data` at `addr` of BAR0."""
        name, value = self._field(addr, len(data)), int.from_bytes(data, "little")
        if name == "device_status" and value == 0:
            self._state.begin_reset("status")
            return
        if name == "queue_select":
            self._select = value
            return
        if name is None or not self._state.session.known:
            return
        self._state.note("the legacy interface is in use: of its sessions rings and resets are judged")
        begin(self._state)
        self._take(name, value)

    def _take(self, name: str, value: int) -> None:
        session, queue = self._state.session, self._queue()
        if name == "device_status":
            session.status = value
        elif name == "driver_features":
            session.accepted = {0: value, 1: 0}
        elif name == "config_msix_vector":
            self._written[name, -1] = value
            self._state.interrupts.remap(None, value)
        elif name == "queue_notify":
            rung = self._state.queues.get(value)
            if rung is not None:
                kick(rung)
        elif queue is not None and name == "queue_msix_vector":
            self._written[name, queue.index] = value
            self._state.interrupts.remap(queue, value)
        elif queue is not None and name == "queue_address":
            self._place(queue, value)

    def _place(self, queue: Queue, page: int) -> None:
        if page == 0:
            close_block(self._state, queue)
        elif queue.size is not None:
            open_block(self._state, queue, queue.size, page)
