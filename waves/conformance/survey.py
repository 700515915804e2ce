"""Reads traces for what the device showed; nothing here judges.

The checker's state follows the host's side of the stream. Of the device's DMA only writes into rings
matter: they say on which queues buffers came back.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from pymodel import events as ev
from pymodel import spec
from pymodel.checker import facts
from pymodel.checker.state.boundary import State
from pymodel.checker.state.config import Capability
from pymodel.checker.state.queue import Queue
from pymodel.checker.state.split import SplitTracker
from pymodel.checker.state.tracker import DESC, DEVICE, Tracker
from pymodel.vtrace import Header, VtraceError, read_vtrace
from waves.conformance.profile import LEGACY, LGUEST, MODERN, Bar, Negotiation, Profile, Structure

IDS = (
    *("vendor_id", "device_id", "revision_id", "class_code"),
    *("subsystem_vendor_id", "subsystem_id"),
)
UNREAD = (b'{"ev":"dma_rd"', b'{"ev":"mem_wr"')
SPLIT, PACKED = "split", "packed"
_USED_INDEX = range(2, 4)
Ring = tuple[int, str, int]


class Survey:
    """Takes in the events of one trace; `finish` gives the profile."""

    def __init__(self, header: Header) -> None:
        self._profile = Profile(header.device or "", Counter([header.source]), traces=1)
        self._state = State(header, self._publish)
        self._usual = MODERN if header.lguest_top is None else LGUEST
        self._interface = self._usual
        self._rings: set[Ring] = set()
        self._used: set[Ring] = set()

    @property
    def whole(self) -> bool:
        """Whether it needs the events of memory as well: on lguest's bus sessions live there."""
        return self._usual == LGUEST

    def observe(self, event: ev.Event) -> None:
        """Take in the next event."""
        if isinstance(event, ev.DmaWrite):
            self._written(event)
            if not self.whole:
                return
        elif isinstance(event, ev.Msix):
            self._profile.messages += 1
        elif isinstance(event, ev.Intx):
            self._profile.lines += event.level
        self._state.observe(event)

    def _written(self, event: ev.DmaWrite) -> None:
        """The device wrote to memory: into a ring that says which buffers came back, or elsewhere."""
        for segment in self._state.index.overlapping(event.addr, len(event.data)):
            tracker = segment.owner
            if not isinstance(tracker, Tracker) or event.err:
                continue
            offset, data = segment.clip(event.addr, event.data)
            if isinstance(tracker, SplitTracker):
                came_back = segment.kind == DEVICE and offset < _USED_INDEX.stop
                came_back = came_back and offset + len(data) > _USED_INDEX.start
            else:
                came_back = segment.kind == DESC
            if came_back:
                self._used.add(_ring(tracker.queue, tracker.size))

    def _publish(self, fact: Any) -> None:
        if isinstance(fact, facts.SessionOver):
            self._session_over()
        elif isinstance(fact, facts.ResetStarted):
            self._profile.resets[fact.kind] += 1
        elif isinstance(fact, facts.QueueEnabled):
            self._enabled(fact.queue)
        elif isinstance(fact, facts.LegacyOffer):
            self._interface = LEGACY
        elif isinstance(fact, facts.BarSized):
            answer = fact.answer
            if answer.size is not None:
                bar = Bar(answer.index, answer.kind, answer.size, answer.prefetchable)
                self._profile.bars[bar] = 1

    def _enabled(self, queue: Queue) -> None:
        if queue.enabled and queue.size:
            self._rings.add(_ring(queue, queue.size))

    def _session_over(self) -> None:
        session = self._state.session
        for queue in self._state.queues.values():
            self._enabled(queue)
        if session.features_ok_written or session.offered:
            # Before FEATURES_OK there was none: what a legacy driver accepts holds at once.
            accepted = session.features if session.features_ok or self._interface != MODERN else None
            row = Negotiation(session.offered_bits, accepted, self._interface, bool(self._used))
            self._profile.sessions[row] += 1
        self._rings |= self._used
        for found, rings in ((self._profile.rings, self._rings), (self._profile.used_rings, self._used)):
            found.update((form, size) for _, form, size in rings)
            rings.clear()
        self._interface = self._usual

    def finish(self) -> Profile:
        """The trace ends."""
        self._state.finish()
        profile, state, config = self._profile, self._state, self._state.config
        for name in IDS:
            field = spec.PCI_CFG[name]
            value = config.value(field.offset, field.width)
            if value is not None:
                profile.ids[name] = Counter([value])
        if state.device_type is not None:
            profile.types[state.device_type] += 1
        structures = tuple(map(_structure, config.capabilities))
        if config.complete and all(structure.known for structure in structures):
            profile.layouts[structures] += 1
        if config.msix.entries is not None:
            profile.vectors[config.msix.entries] += 1
        if config.pcie is not None:
            able = config.value(config.pcie + spec.PCIE_DEVICE_CAPABILITIES, 4)
            if able is not None:
                profile.flr[bool(able & spec.PCIE_DEVICE_CAPABILITIES_FLR)] += 1
        if "num_queues" in state.common.values:
            profile.queues[state.common.values["num_queues"]] += 1
        return profile


def _ring(queue: Queue, size: int) -> Ring:
    return queue.index, PACKED if queue.packed else SPLIT, size


def _structure(capability: Capability) -> Structure:
    if not capability.virtio:
        return Structure(capability.position, capability.id)
    multiplier = capability.multiplier if capability.cfg_type == spec.CapType.NOTIFY else 0
    where = capability.bar, capability.offset, capability.size
    if capability.cfg_type == spec.CapType.PCI_CFG:
        where = None, None, None
    return Structure(capability.position, capability.id, capability.cfg_type, *where, multiplier or 0)


def survey(path: Path) -> tuple[Profile, VtraceError | None]:
    """What the trace at `path` shows, up to where it cannot be read; raises VtraceError for its header."""
    reader, stream = read_vtrace(path)
    broken = None
    with closing(stream):
        found = Survey(reader.header)
        reader.skip = () if found.whole else UNREAD
        try:
            for event in reader:
                found.observe(event)
        except VtraceError as error:
            broken = error
    return found.finish(), broken
