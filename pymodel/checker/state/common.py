"""The common configuration structure: accesses decoded into fields, and the state that they set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymodel import spec
from pymodel.checker import facts
from pymodel.checker.state.queue import Queue
from pymodel.checker.state.session import Phase, Session

if TYPE_CHECKING:
    from pymodel.checker.state.boundary import State

_FIELDS: dict[tuple[int, int], tuple[str, int]] = {}
for _field in spec.COMMON_CFG.values():
    if _field.width == 8:
        _FIELDS[_field.offset, 4] = (_field.name, 0)
        _FIELDS[_field.offset + 4, 4] = (_field.name, 1)
    else:
        _FIELDS[_field.offset, _field.width] = (_field.name, 0)
_BANKED_FROM = spec.COMMON_CFG["queue_size"].offset
_BANKED_TO = spec.COMMON_CFG["queue_reset"].end
_STATUS = "device_status"


class CommonState:
    """Shadow of the common structure; everything in it is what the driver wrote or read last."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.values: dict[str, int] = {}

    def restart(self) -> None:
        """A reset put the registers back; what they hold now is to be read."""
        self.values = {name: v for name, v in self.values.items() if name == "num_queues"}

    def read(self, offset: int, data: bytes) -> None:
        """The driver read `data` at `offset` of the structure."""
        found = _FIELDS.get((offset, len(data)))
        if found is None:
            self._state.publish(facts.BadAccess("common", offset, len(data), False))
            return
        name, half = found
        value = int.from_bytes(data, "little")
        if name == _STATUS:
            self._status_read(value)
            return
        queue = None
        if _BANKED_FROM <= offset < _BANKED_TO:
            queue = self._selected()
            if queue is None:
                return
        self._state.publish(facts.FieldRead(name, value, half, queue))
        if queue is not None:
            self._queue_read(queue, name, half, value)
            return
        if name == "device_feature":
            select = self.values.get("device_feature_select")
            if select is not None:
                self._state.offered(select, value)
            return
        self.values[name] = value

    def _queue_read(self, queue: Queue, name: str, half: int, value: int) -> None:
        queue.regs[name, half] = value
        if name == "queue_msix_vector":
            queue.vector = value
            queue.vector_pending = False
        elif name == "queue_enable":
            if queue.enabled is None:
                queue.enabled = bool(value)
        elif name == "queue_reset" and value == 0 and queue.resetting:
            self._state.queue_reset_done(queue)

    def _selected(self) -> Queue | None:
        select = self.values.get("queue_select")
        return None if select is None else self._state.queue(select)

    def write(self, offset: int, data: bytes) -> None:
        """The driver wrote `data` at `offset` of the structure."""
        found = _FIELDS.get((offset, len(data)))
        if found is None:
            self._state.publish(facts.BadAccess("common", offset, len(data), True))
            self._forget(offset, len(data))
            return
        name, half = found
        value = int.from_bytes(data, "little")
        if name == _STATUS:
            self._status_write(value)
            return
        queue = self._selected() if _BANKED_FROM <= offset < _BANKED_TO else None
        if queue is None and _BANKED_FROM <= offset < _BANKED_TO:
            return
        before = queue.regs.get((name, half)) if queue else self.values.get(name)
        self._state.publish(facts.FieldWrite(name, value, half, queue, before))
        if spec.COMMON_CFG[name].access == "RO":
            return
        if queue is not None:
            self._queue_write(queue, name, half, value)
        elif name == "driver_feature":
            self._accepted(value)
        else:
            self.values[name] = value
            if name == "config_msix_vector":
                self._state.interrupts.remap(None, value)

    def _accepted(self, value: int) -> None:
        select = self.values.get("driver_feature_select")
        session = self._state.session
        if select is not None and select < 64 and not session.features_ok_written:
            session.accepted[select] = value

    def _forget(self, offset: int, length: int) -> None:
        """A write of no field's shape: what it did is for the driver to read back."""
        queue = self._selected()
        for (start, width), (name, half) in _FIELDS.items():
            if start < offset + length and offset < start + width:
                self.values.pop(name, None)
                if queue is not None:
                    queue.regs.pop((name, half), None)
                if name == _STATUS:
                    self._state.session.status = None

    def _queue_write(self, queue: Queue, name: str, half: int, value: int) -> None:
        queue.written.add((name, half))
        if name == "queue_enable":
            if value == 1:
                self._state.queue_enabled(queue)
            return
        if name == "queue_reset":
            if value == 1 and not self._state.session.lacks(spec.Feature.RING_RESET):
                queue.resetting = True
                self._state.publish(facts.QueueResetWritten(queue))
            return
        if queue.enabled and spec.COMMON_CFG[name].width == 8:
            # Nothing says that a live ring can be moved: whether it was is for the driver to read back.
            queue.regs.pop((name, half), None)
            return
        queue.regs[name, half] = value
        if name == "queue_msix_vector":
            queue.vector = value
            queue.vector_pending = True
            self._state.interrupts.remap(queue, value)

    def _status_write(self, value: int) -> None:
        session = self._state.session
        if value == 0:
            self._state.begin_reset("status")
            return
        before = session.status
        first_features_ok = value & spec.Status.FEATURES_OK and not session.features_ok_written
        if session.phase == Phase.RESETTING and session.reset_kind != "status":
            self._state.end_reset(by_read=False)
        restarted = session.dirty or self._restarts(session, value)
        self._note_bring_up(session, value)
        self._state.publish(facts.StatusWrite(value, before, restarted))
        if restarted and not session.dirty:
            # The device may still be at work: unlike in a trace that begins here, nothing is known of it.
            session = self._state.lose_session()
        elif session.phase == Phase.RESETTING:
            self._state.end_reset(by_read=False)
            session.reset_kind = None
            session.draining = True
        session.dirty = False
        idle = not session.live
        session.set_status(value)
        if idle and session.live:
            session.live_t = self._state.now
        if value & spec.Status.SUSPEND and before is not None and not before & spec.Status.SUSPEND:
            session.suspend_written = True
        if first_features_ok:
            self._state.publish(facts.FeaturesOk(self._all(session.offered), self._all(session.accepted)))

    @staticmethod
    def _restarts(session: Session, value: int) -> bool:
        """Whether this write begins a bring-up although the device was not reset since the last one."""
        done = session.status or 0
        begins = not value & ~(spec.Status.ACKNOWLEDGE | spec.Status.DRIVER)
        return begins and session.begun and bool(done & ~value & ~spec.Status.DRIVER)

    def _note_bring_up(self, session: Session, value: int) -> None:
        if session.phase == Phase.UNKNOWN and value == spec.Status.ACKNOWLEDGE and not session.status:
            session.known = True
            self._state.began = True
            self._state.note("the driver's bring-up begins without an observed reset")
        if not session.begun:
            self._state.settle_layout()

    @staticmethod
    def _all(words: dict[int, int]) -> int | None:
        """Return the whole set if at least words 0 and 1 are known."""
        if 0 not in words or 1 not in words:
            return None
        value = 0
        for word, bits in words.items():
            value |= bits << 32 * word
        return value

    def _status_read(self, value: int) -> None:
        session = self._state.session
        before = session.status
        if value:
            self._state.note_start()
        if session.phase == Phase.RESETTING:
            session.reset_polled = True
            self._state.publish(facts.StatusRead(value, before))
            if value == 0:
                self._state.end_reset(by_read=True)
            return
        self._state.publish(facts.StatusRead(value, before))
        if value == 0 and (session.features_ok_written or session.driver_ok):
            self._state.lose_session().dirty = True
            return
        if value == before:
            session.draining = False
        session.status = value
        if session.features_ok_written and session.features_ok is None:
            session.features_ok = bool(value & spec.Status.FEATURES_OK)
            self._state.publish(facts.Negotiated(session.features, session.features_ok))
        session.needs_reset = session.needs_reset or bool(value & spec.Status.DEVICE_NEEDS_RESET)
        if session.phase == Phase.UNKNOWN and value & spec.Status.DRIVER_OK:
            session.driver_ok = True
        self._suspend_read(session, value)

    def _suspend_read(self, session: Session, value: int) -> None:
        suspended = value & spec.Status.SUSPEND and not value & spec.Status.DRIVER_OK
        if (
            suspended
            and session.suspend_written
            and session.phase in (Phase.LIVE, Phase.UNKNOWN)
            and not session.resume_written
        ):
            session.phase = Phase.SUSPENDED
            self._state.publish(facts.Suspension(True))
        if not value & spec.Status.SUSPEND and value & spec.Status.DRIVER_OK and session.resume_written:
            session.suspend_written = False
            session.resume_written = False
            self._state.publish(facts.Suspension(False))
