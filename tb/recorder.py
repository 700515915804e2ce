"""What becomes of a test's events: a trace file, a verdict, and a log that the test may look into."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from pymodel.checker import Finding, Results
from pymodel.events import Event, EventStream
from pymodel.vtrace import Header, write_vtrace
from tb.judge import Judge


class TwinsDisagree(Exception):
    """The checker in C and the one in Python judge one stream of events differently."""


class Recorder(Protocol):
    """Takes in all events of one test; `unmet` are the clauses whose expected breach did not come."""

    unmet: list[str]

    @property
    def log(self) -> list[Event]:
        """All events so far."""
        ...

    def expect(self, *clauses: str) -> AbstractContextManager[None]:
        """Breaches of these clauses inside the block are wanted: that one does not come is the failure."""
        ...

    def tolerate(self, side: str) -> AbstractContextManager[list[Finding]]:
        """Breaches by one side ("DRV" or "DEV") inside the block are none; the list says which came."""
        ...

    def finish(self) -> Results:
        """The test is over: judge what is left; findings carry the event that they were seen in.

        Raises TwinsDisagree.
        """
        ...

    def close(self) -> None:
        """Finish the trace file; raises OSError."""
        ...


class PythonRecorder:
    """Records and judges in Python."""

    def __init__(self, events: EventStream, trace: Path, header: Header) -> None:
        self._events = events
        self._writer = write_vtrace(trace, header)
        self._judge = Judge(header)
        self._log: list[Event] = []
        self.unmet = self._judge.unmet
        for sink in (self._writer, self._judge.observe, self._log.append):
            events.subscribe(sink)

    @property
    def log(self) -> list[Event]:
        """All events so far."""
        self._events.flush()
        return self._log

    def expect(self, *clauses: str) -> AbstractContextManager[None]:
        """Breaches of these clauses inside the block are wanted."""
        return self._judge.expect(*clauses)

    def tolerate(self, side: str) -> AbstractContextManager[list[Finding]]:
        """Breaches by one side inside the block are none."""
        return self._judge.tolerate(side)

    def finish(self) -> Results:
        """Judge what is left."""
        self._events.flush()
        return self._judge.finish()

    def close(self) -> None:
        """Finish the trace file; raises OSError."""
        self._writer.close(orderly=True)
