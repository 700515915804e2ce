"""The state behind the boundary: takes events in, keeps the parts together, publishes facts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pymodel import events as ev
from pymodel import spec
from pymodel.checker import facts
from pymodel.checker.state import legacy
from pymodel.checker.state.common import CommonState
from pymodel.checker.state.config import ConfigState, Place
from pymodel.checker.state.devconfig import DeviceConfigState
from pymodel.checker.state.interrupts import InterruptState
from pymodel.checker.state.intervals import IntervalIndex
from pymodel.checker.state.lguest import LguestState
from pymodel.checker.state.memory import MemoryState
from pymodel.checker.state.queue import AREAS, Queue
from pymodel.checker.state.session import Phase, Session
from pymodel.checker.state.sizing import BarSizing
from pymodel.checker.state.tracker import make_tracker
from pymodel.vtrace import END_MARK, Header

SIMULATED = ("verilator", "model")
SETTLE_SIMULATED = 10_000_000
SETTLE_OTHER = 100_000_000_000
ACCESSES_TO_SETTLE = 8
LONGEST = (1 << 63) - 1
NOTES_MAX = 16
_TRANSITIONAL = range(0x1000, 0x1040)
_BUS_MASTER = int(spec.PciCommand.BUS_MASTER)


def device_type_of(device_id: int | None) -> int | None:
    """Return the virtio device type that a PCI device ID stands for; None if it stands for none."""
    if device_id is None:
        return None
    if spec.MODERN_DEVICE_ID_BASE <= device_id < spec.MODERN_DEVICE_ID_BASE + 0x40:
        return device_id - spec.MODERN_DEVICE_ID_BASE
    for kind, transitional in spec.TRANSITIONAL_DEVICE_ID.items():
        if transitional == device_id:
            return kind
    return None


class State:
    """Reconstructs the session; `publish` hands a fact to whoever subscribed to its class.

    `settle` is how long, in picoseconds, a device may owe a notification or a reset before that is
    held against it when the session ends; it grows with the time that the host takes for DMA.
    """

    def __init__(self, header: Header, publish: Callable[[Any], None], settle: int | None = None) -> None:
        self.header = header
        self.publish = publish
        self.simulated = header.source in SIMULATED
        self.settle = settle if settle is not None else SETTLE_SIMULATED if self.simulated else SETTLE_OTHER
        self.now = 0
        self.number = 0
        self.event: ev.Event | None = None
        self.orderly = False
        self.notes: list[str] = []
        self.config = ConfigState(header)
        self.session = Session(known=False, reset_kind=None)
        self.common = CommonState(self)
        self.devconfig = DeviceConfigState(self)
        self.legacy = legacy.LegacyState(self)
        self.lguest = None if header.lguest_top is None else LguestState(self, header.lguest_top)
        self.queues: dict[int, Queue] = {}
        self.index = IntervalIndex()
        self.interrupts = InterruptState(self)
        self.memory = MemoryState(self)
        self.sessions: list[tuple[int, int | None]] = []
        self.command_t = -1
        self.sizing = BarSizing()
        self.bar_sizes: dict[int, int] = {}
        self.mask_t = -1
        self.via_window = False
        self.began = False
        self._settled = False
        self._handlers: dict[type, Callable[[Any], None]] = {
            ev.ConfigRead: self._config_read,
            ev.ConfigWrite: self._config_write,
            ev.BarRead: lambda event: self._bar_read(event.bar, event.addr, event.data),
            ev.BarWrite: lambda event: self._bar_write(event.bar, event.addr, event.data),
            ev.DmaRead: self._dma_read,
            ev.DmaWrite: self._dma_write,
            ev.MemWrite: self.memory.mem_write,
            ev.Msix: self.interrupts.message,
            ev.Intx: self.interrupts.line,
            ev.Reset: self._reset,
            ev.Mark: self._mark,
        }

    @property
    def device_type(self) -> int | None:
        """The virtio device type, from the header or the PCI device ID."""
        if self.header.type is not None:
            return self.header.type
        return self.pci_device_type

    @property
    def pci_device_type(self) -> int | None:
        """The virtio device type that the PCI device ID tells."""
        return device_type_of(self.config.value(spec.PCI_CFG["device_id"].offset, 2))

    @property
    def transitional(self) -> bool:
        """Whether the PCI device ID is one of a transitional device."""
        return self.config.value(spec.PCI_CFG["device_id"].offset, 2) in _TRANSITIONAL

    @property
    def io_decoded(self) -> bool:
        """Whether BAR0 is a transitional device's register block that answers, as far as that is known."""
        command = self.config.command
        return self.transitional and (command is None or bool(command & spec.PciCommand.IO))

    def mastering(self) -> bool:
        """Whether the device may master the bus, as far as that is known."""
        command = self.config.command
        return command is None or bool(command & _BUS_MASTER)

    def host_took(self, picoseconds: int) -> None:
        """The host took that long for an access by the device, which can be no quicker than its host."""
        if picoseconds > self.settle // ACCESSES_TO_SETTLE:
            self.settle = min(picoseconds * ACCESSES_TO_SETTLE, LONGEST)

    def note(self, text: str) -> None:
        """Say something about the trace as a whole, once."""
        if text not in self.notes and len(self.notes) < NOTES_MAX:
            self.notes.append(text)

    def note_start(self) -> None:
        """Something of a session was seen whose beginning was not."""
        if not self.began:
            self.began = True
            self.note("the trace begins within a session: what hangs on its beginning is not judged")

    def observe(self, event: ev.Event) -> None:
        """Take in the next event."""
        self.event = event
        self.number += 1
        self.orderly = False
        if event.t > self.now:
            self.now = event.t
        self._handlers[type(event)](event)
        self.publish(event)

    def finish(self) -> None:
        """The observation ends."""
        self.memory.suspects.confirm()
        self.settle_layout()
        self._end_session(final=True)
        self.publish(facts.TraceEnd(self.orderly))

    def queue(self, index: int) -> Queue:
        """Return queue `index`, made if need be."""
        queue = self.queues.get(index)
        if queue is None:
            known = self.session.reset_kind is not None and self.session.known
            queue = self.queues[index] = Queue(index, self.session.features, known=known)
        return queue

    def is_admin(self, queue: Queue) -> bool:
        """Whether a queue is an administration queue, or may be one as far as it is known (2.13)."""
        values = self.common.values
        first = values.get("num_queues", values.get("admin_queue_index"))
        return self.session.has(spec.Feature.ADMIN_VQ) and (first is None or queue.index >= first)

    def settle_layout(self) -> None:
        """Publish what is known of the capability list, once."""
        if not self._settled:
            self._settled = True
            self.publish(facts.LayoutSettled(self.config.capabilities, self.config.complete))

    def offered(self, select: int, value: int) -> None:
        """The driver read feature word `select`."""
        if select < 64:
            self.session.offered[select] = value

    def _dma_read(self, event: ev.DmaRead) -> None:
        if self.lguest is None or not self.lguest.printed(event.addr, event.data):
            self.memory.dma_read(event)

    def _dma_write(self, event: ev.DmaWrite) -> None:
        if self.lguest is not None:
            self.lguest.wrote(event.addr, event.data)
        self.memory.dma_write(event)

    def _config_read(self, event: ev.ConfigRead) -> None:
        before = self.config.control
        self.config.read(event.addr, event.data)
        self._sized(event)
        if None not in before and self.config.control != before:
            self.publish(
                facts.Breach("msix-changed", "MSI-X enable or function mask changed by itself", event)
            )
        target = self._window(event.addr, event.data)
        if target is not None:
            self.via_window = True
            self._bar_read(*target)
            self.via_window = False

    def _sized(self, event: ev.ConfigRead) -> None:
        answer = self.sizing.read(event)
        if answer is not None:
            if answer.size is not None:
                self.bar_sizes[answer.index] = answer.size
            self.publish(facts.BarSized(answer))

    def _config_write(self, event: ev.ConfigWrite) -> None:
        command, control = self.config.command, self.config.control
        self.sizing.write(event)
        if self.config.write(event.addr, event.data):
            self._reset_below("flr")
        if self.config.command != command:
            self.command_t = event.t
        if self.config.control != control:
            self.mask_t = event.t
        self.memory.suspects.host_write(event)
        target = self._window(event.addr, event.data)
        if target is not None:
            self.via_window = True
            self._bar_write(*target)
            self.via_window = False

    def _window(self, addr: int, data: bytes) -> tuple[int, int, bytes] | None:
        """Return (bar, addr, data) of the BAR access that a configuration access performs."""
        window = self.config.window
        if window is None or addr != window + spec.CAP_PCI_CFG_DATA:
            return None
        target = self.config.window_target()
        if target is None or target[2] not in (1, 2, 4) or len(data) < target[2]:
            return None
        return target[0], target[1], data[: target[2]]

    def _bar_read(self, bar: int, addr: int, data: bytes) -> None:
        if self.lguest is not None:
            self.lguest.read(bar, addr, data)
            return
        place = self.config.locate(bar, addr)
        if place is None:
            if bar == legacy.BAR and self.io_decoded:
                self.legacy.read(addr, data)
            return
        offset = addr - place.offset
        if place.kind == "common":
            self.common.read(offset, data)
        elif place.kind == "device":
            self.devconfig.read(offset, data)
        elif place.kind == "isr" and offset == 0:
            self.interrupts.isr_read(data[0])
        elif place.kind == "msix-table" and self.config.read_table(offset, data) and self.event is not None:
            self.publish(facts.Breach("msix-changed", "an MSI-X table entry changed by itself", self.event))

    def _bar_write(self, bar: int, addr: int, data: bytes) -> None:
        if self.lguest is not None:
            self.lguest.write(bar, addr, data)
            return
        place = self.config.locate(bar, addr)
        if place is None:
            if bar == legacy.BAR and self.io_decoded:
                self.legacy.write(addr, data)
            return
        offset = addr - place.offset
        if place.kind == "common":
            self.common.write(offset, data)
        elif place.kind == "notify":
            self._doorbell(place, offset, data)
        elif place.kind == "device":
            self.devconfig.write(offset, data)
        elif place.kind == "msix-table":
            self.config.write_table(offset, data)
            self.mask_t = self.now
        if self.event is not None:
            self.memory.suspects.host_write(self.event)

    def _doorbell(self, place: Place, offset: int, data: bytes) -> None:
        self.note_start()
        value = int.from_bytes(data, "little")
        queue, by_address = self._doorbell_queue(place, offset, value)
        if queue is not None:
            queue.doorbells += 1
            if queue.tracker is not None:
                queue.tracker.doorbell(value, len(data))
        self.publish(facts.Doorbell(queue, offset, len(data), value, by_address))

    def _doorbell_queue(self, place: Place, offset: int, value: int) -> tuple[Queue | None, bool]:
        found = [
            queue
            for queue in self.queues.values()
            if queue.regs.get(("queue_notify_off", 0), -1) * place.multiplier == offset
        ]
        if len(found) == 1 and place.multiplier:
            return found[0], True
        config_data = self.session.has(spec.Feature.NOTIF_CONFIG_DATA)
        for queue in found or self.queues.values():
            name = queue.regs.get(("queue_notif_config_data", 0)) if config_data else queue.index
            if name == value & 0xFFFF:
                return queue, False
        return None, bool(found)

    def queue_enabled(self, queue: Queue) -> None:
        """The driver wrote 1 to queue_enable: its ring can be followed from here."""
        again = queue.enabled is True
        queue.enabled = True
        queue.features = self.session.features
        if not again:
            self.drop_tracker(queue)
            self.memory.unbury(queue)
            size = queue.size
            areas = [area for area in map(queue.area, AREAS) if area is not None]
            if size and queue.features is not None and len(areas) == len(AREAS) and self.session.known:
                queue.tracker = make_tracker(self, queue, size, areas)
        self.publish(facts.QueueEnabled(queue, again))

    def drop_tracker(self, queue: Queue) -> None:
        """Follow the queue's ring no longer."""
        if queue.tracker is not None:
            queue.tracker.close()
            queue.tracker = None

    def queue_reset_done(self, queue: Queue) -> None:
        """queue_reset reads 0 after 1 was written: the ring is gone."""
        self.interrupts.queue_over(queue)
        self.memory.bury(queue)
        self.drop_tracker(queue)
        self.publish(facts.QueueResetDone(queue))
        queue.restart()

    def begin_reset(self, kind: str) -> None:
        """The driver wrote 0 to device_status, or a reset below virtio began."""
        self.memory.suspects.confirm()
        self.began = True
        already = self.session.phase == Phase.RESETTING
        if not already:
            self._end_session(final=False)
            self.session = Session(known=True, reset_kind=kind)
            self.session.reset_t = self.now
        self.publish(facts.ResetStarted(kind))

    def _end_session(self, *, final: bool) -> None:
        if self.session.features_ok_written or self.session.offered:
            row = (self.session.offered_bits, self.session.features)
            if row not in self.sessions and len(self.sessions) < 64:
                self.sessions.append(row)
        if not final or self.orderly:
            for queue in self.queues.values():
                if queue.tracker is not None:
                    queue.tracker.settle()
        self.interrupts.session_over(final=final)
        self.publish(facts.SessionOver(final))

    def end_reset(self, *, by_read: bool) -> None:
        """The device has shown, or must by now have come to, the end of its reset."""
        self.session.phase = Phase.RESET
        self.session.status = 0
        self._clear()
        self.publish(facts.ResetDone(self.session.reset_kind or "status", by_read))

    def lose_session(self) -> Session:
        """What the device does now cannot be told from what was seen: begin again without knowledge."""
        self._end_session(final=False)
        self.session = Session(known=False, reset_kind=None)
        self._clear()
        return self.session

    def _clear(self) -> None:
        self.memory.restart()
        for queue in self.queues.values():
            self.drop_tracker(queue)
        self.queues.clear()
        self.common.restart()
        self.devconfig.restart()
        self.legacy.restart()
        self.interrupts.restart()

    def _reset_below(self, kind: str) -> None:
        """Rings, bus mastering and MSI-X end here: what the device began before may still complete."""
        self.begin_reset(kind)
        self.session.reset_kind = kind
        self._clear()
        command, control = self.config.command, self.config.control
        self.config.reset()
        if self.config.command != command:
            self.command_t = self.now
        if self.config.control != control:
            self.mask_t = self.now

    def _reset(self, event: ev.Reset) -> None:
        self._reset_below(event.kind)

    def _mark(self, event: ev.Mark) -> None:
        if event.text == END_MARK:
            self.orderly = True
