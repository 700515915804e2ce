"""What an event meant: the checker's facts in words, those that a reader of a trace wants to see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pymodel.checker import facts
from pymodel.checker.state.boundary import State
from waves.names import feature_names
from waves.requests import buffer_name, request_text


def consequence(fact: Any, state: State) -> str:
    """One fact in words; empty for one that says no more than the event itself."""
    words = _WORDS.get(type(fact))
    return words(fact, state) if words is not None else ""


def _negotiated(fact: facts.Negotiated, state: State) -> str:
    if not fact.kept:
        return "the device refuses the features"
    if fact.features is None:
        return ""
    return "features in force: " + (" ".join(feature_names(fact.features, state.device_type)) or "none")


def _enabled(fact: facts.QueueEnabled, state: State) -> str:
    ring = "packed" if fact.queue.packed else "split"
    return f"{fact.queue} is enabled{' again' if fact.again else ''}: {ring}, {fact.queue.size} entries"


def _available(fact: facts.AvailIndex, state: State) -> str:
    count = (fact.new - fact.old) & 0xFFFF
    buffers = "1 buffer" if count == 1 else f"{count} buffers"
    return f"the device learns of {buffers}" if fact.by_device else f"makes {buffers} available"


def _made(fact: facts.ChainMade, state: State) -> str:
    chain = fact.chain
    count = "1 descriptor" if chain.count == 1 else f"{chain.count} descriptors"
    text = f"{buffer_name(chain)} is known: {count}, {request_text(chain, state.device_type)}"
    return text + "".join(f"; {detail}" for _, detail in chain.problems[:1])


def _used(fact: facts.BufferUsed, state: State) -> str:
    if fact.chain is None:
        return f"returns id {fact.id}, which names no buffer in flight"
    request = request_text(fact.chain, state.device_type)
    written = "unknown" if fact.written is None else fact.written
    order = "" if fact.in_order else ", not the oldest"
    return f"returns {buffer_name(fact.chain)} ({request}): len {fact.length}, written {written}{order}"


def _reset_started(fact: facts.ResetStarted, state: State) -> str:
    return "a reset begins"


def _reset_done(fact: facts.ResetDone, state: State) -> str:
    return "the reset is complete"


def _due(fact: facts.Due, state: State) -> str:
    where = f" of {fact.queue}" if fact.queue is not None else ""
    return "" if fact.late else f"the notification{where} that was owed since {fact.since / 1000:.3f} ns"


def _suspension(fact: facts.Suspension, state: State) -> str:
    return "the device is suspended" if fact.entered else "the device runs again"


def _queue_reset(fact: facts.QueueResetDone, state: State) -> str:
    return f"{fact.queue} is reset"


_WORDS: dict[type, Callable[[Any, State], str]] = {
    facts.Negotiated: _negotiated,
    facts.QueueEnabled: _enabled,
    facts.AvailIndex: _available,
    facts.ChainMade: _made,
    facts.BufferUsed: _used,
    facts.ResetStarted: _reset_started,
    facts.ResetDone: _reset_done,
    facts.Due: _due,
    facts.Suspension: _suspension,
    facts.QueueResetDone: _queue_reset,
}
