"""What the device did too early by the order of completion, unless an enabling write was under way.

A host write counts from its request: the device may act on it before the host sees it completed. So a
breach of "not before ..." waits for the next host write, which either explains it or confirms it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pymodel import events as ev
from pymodel.checker import facts

if TYPE_CHECKING:
    from pymodel.checker.state.boundary import State


@dataclass(slots=True)
class _Suspect:
    event: ev.Event
    fact: facts.Breach
    excused: Callable[[], bool]


class Suspects:
    """The breaches that wait; one of each kind at a time."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._waiting: dict[str, _Suspect] = {}

    def add(self, kind: str, detail: str, excused: Callable[[], bool]) -> None:
        """Note a breach by the current event; `excused` says later whether it was allowed by then."""
        event = self._state.event
        assert event is not None
        if kind not in self._waiting:
            self._waiting[kind] = _Suspect(event, facts.Breach(kind, detail, event), excused)

    def host_write(self, event: ev.Event) -> None:
        """The host completed a write, which the state has taken in."""
        if not self._waiting:
            return
        requested = event.t if event.t_req is None else event.t_req
        waiting, self._waiting = self._waiting, {}
        for suspect in waiting.values():
            if requested > suspect.event.t or not suspect.excused():
                self._state.publish(suspect.fact)

    def confirm(self) -> None:
        """No write will explain them any more."""
        waiting, self._waiting = self._waiting, {}
        for suspect in waiting.values():
            self._state.publish(suspect.fact)
