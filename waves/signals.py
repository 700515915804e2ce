"""Decoded signals: a trace as readable text and numbers over time, to stand beside the pins in a viewer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pymodel import events as ev
from pymodel.checker.state.packed import PackedTracker
from pymodel.checker.state.queue import Queue
from pymodel.checker.state.split import SplitTracker
from waves.decode import DEVICE, DRIVER, Decoder, Step
from waves.names import feature_names, status_text
from waves.ownership import held_slots
from waves.requests import buffer_name, request_text

SCOPE = "decoded"
TEXT_MAX = 400
NUMBER_BITS = 16


@dataclass(slots=True)
class Signal:
    """One decoded signal in `scope`: text, or numbers of 16 bits; (ps, value) where it changes."""

    scope: str
    name: str
    text: bool
    values: list[tuple[int, str | int]] = field(default_factory=list)

    def put(self, t: int, value: str | int) -> None:
        """The signal has this value from `t` on; of two values at one time the later counts."""
        if self.values and self.values[-1][0] == t:
            self.values.pop()
        if not self.values or self.values[-1][1] != value:
            self.values.append((t, value))

    def say(self, t: int, value: str) -> None:
        """Like `put`, but what happened at one time is all told."""
        if self.values and self.values[-1][0] == t:
            value = f"{self.values.pop()[1]} | {value}"
        self.values.append((t, value[:TEXT_MAX]))


class SignalLog:
    """Collects decoded signals: hand `after` to `decode`, then ask for `signals`."""

    def __init__(self) -> None:
        self._signals: dict[tuple[str, str], Signal] = {}
        for name in ("verdict", "status", "features", "driver", "device", "interrupt"):
            self._text("", name).put(0, "clean" if name == "verdict" else "")
        self.end = 0

    def _text(self, scope: str, name: str) -> Signal:
        return self._signals.setdefault((scope, name), Signal(scope, name, True))

    def _number(self, scope: str, name: str) -> Signal:
        return self._signals.setdefault((scope, name), Signal(scope, name, False))

    @property
    def signals(self) -> list[Signal]:
        """All signals, those of a queue together."""
        return sorted(self._signals.values(), key=lambda signal: signal.scope)

    def after(self, step: Step, decoder: Decoder) -> None:
        """Take in an event."""
        state, t = decoder.state, step.event.t
        self.end = max(self.end, t)
        if step.own:
            return
        if state.session.status is not None:
            self._text("", "status").put(t, status_text(state.session.status))
        features = state.session.features
        if features is not None:
            self._text("", "features").put(t, " ".join(feature_names(features, state.device_type)))
        if step.who in (DRIVER, DEVICE):
            self._text("", step.who).say(t, step.line)
        if isinstance(step.event, ev.Msix | ev.Intx):
            self._text("", "interrupt").say(t, step.text)
        for queue in state.queues.values():
            if queue.tracker is not None:
                self._queue(queue, step, decoder)

    def judge(self, decoder: Decoder) -> None:
        """Take in the findings: each stands at its time, until the next one."""
        verdict = self._text("", "verdict")
        for found in sorted(decoder.found, key=lambda found: found.step.event.t):
            if found.mandatory:
                verdict.say(found.step.event.t, f"{found.finding.clause}: {found.finding.message}")

    def _queue(self, queue: Queue, step: Step, decoder: Decoder) -> None:
        scope, t, tracker = f"queue{queue.index}", step.event.t, queue.tracker
        assert tracker is not None
        self._text(scope, "ring").put(t, f"{'packed' if queue.packed else 'split'} {tracker.size}")
        for name, value in _positions(queue):
            self._number(scope, name).put(t, value)
        chains = tracker.chains()
        owned = sum(len(held_slots(tracker, chain)) for chain in chains)
        self._number(scope, "buffers_with_device").put(t, len(chains))
        self._number(scope, "descriptors_with_device").put(t, owned)
        self._number(scope, "descriptors_with_driver").put(t, max(0, tracker.size - owned))
        if step.queue != queue.index:
            return
        self._text(scope, "event").say(t, step.line.replace(f"queue {queue.index}: ", ""))
        mine = [chain for chain in step.buffers if chain.queue is queue]
        if mine:
            self._text(scope, "buffer").put(t, buffer_name(mine[-1]))
            self._text(scope, "request").put(t, request_text(mine[-1], decoder.state.device_type))


def _positions(queue: Queue) -> Iterator[tuple[str, int]]:
    tracker = queue.tracker
    if isinstance(tracker, SplitTracker):
        stored = tracker.avail_stored if tracker.avail_stored is not None else tracker.avail_read
        yield "avail_idx", stored
        yield "avail_idx_read", tracker.avail_read
        yield "used_idx", tracker.used.index
    elif isinstance(tracker, PackedTracker):
        yield "avail_slot", tracker.position
        yield "avail_wrap", tracker.wrap
        yield "used_slot", tracker.used.position
        yield "used_wrap", tracker.used.wrap
