"""Records and judges in C: a test's events come to Python only where the test asks for them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from native.host import NativeHost
from native.twin import Twin
from pymodel.checker import Finding, Results
from pymodel.events import Event, EventStream
from pymodel.vtrace import Header, VtraceReader, header_to_line
from tb.judge import Judge
from tb.recorder import TwinsDisagree

T = TypeVar("T")


class NativeRecorder:
    """The trace is written and judged by C; the log is the trace, read back.

    A test that expects a breach is judged in Python from then on, and a breach that the twin finds is
    told by the checker in Python, which sees the same events.
    """

    def __init__(self, host: NativeHost, events: EventStream, trace: Path, header: Header) -> None:
        self._host = host
        self._events = events
        self._header = header
        self._path = trace
        line = header_to_line(header)
        host.trace(trace, line)
        self._twin = Twin(header=line.strip())
        self._twin.listen(host)
        self._judge: Judge | None = None
        self._log: list[Event] = []
        self._reader: VtraceReader | None = None
        self.unmet: list[str] = []

    @property
    def log(self) -> list[Event]:
        """All events so far; raises OSError."""
        self._host.flush_trace()
        if self._reader is None:
            self._reader = VtraceReader(self._path.open("rb"), str(self._path))
        # As from a live stream, which has no lines.
        self._log += (replace(event, line=0) for event in self._reader)
        return self._log

    def _ask_python(self) -> Judge:
        """A judge in Python that has seen all events so far."""
        judge = Judge(self._header)
        for event in self.log:
            judge.observe(event)
        return judge

    def _reference(self) -> Judge:
        """The judge in Python in the twin's place: it has seen all so far, and hears the rest."""
        if self._judge is None:
            self._judge = self._ask_python()
            self.unmet = self._judge.unmet
            self._events.subscribe(self._judge.observe)
            self._twin.close()
        self._events.flush()
        return self._judge

    @contextmanager
    def _span(self, span: AbstractContextManager[T]) -> Iterator[T]:
        """A block of the judge's: what happened in it is judged in it."""
        with span as caught:
            try:
                yield caught
            finally:
                self._events.flush()

    def expect(self, *clauses: str) -> AbstractContextManager[None]:
        """Breaches of these clauses inside the block are wanted."""
        return self._span(self._reference().expect(*clauses))

    def tolerate(self, side: str) -> AbstractContextManager[list[Finding]]:
        """Breaches by one side inside the block are none."""
        return self._span(self._reference().tolerate(side))

    def finish(self) -> Results:
        """Judge what is left; raises TwinsDisagree."""
        if self._judge is not None:
            self._events.flush()
            return self._judge.finish()
        results = self._twin.finish()
        if results.violations:
            reference = self._ask_python().finish()
            ours, theirs = _told(results), _told(reference)
            if ours != theirs:
                raise TwinsDisagree(f"the checker in C says {ours}, the one in Python {theirs}")
            return reference
        results.warnings = [self._with_event(finding) for finding in results.warnings]
        return results

    def _with_event(self, finding: Finding) -> Finding:
        number = self._twin.seen_in[finding.clause]
        return replace(finding, event=self._event(number)) if number else finding

    def _event(self, number: int) -> Event:
        """The stream's event of that number, from 1 on."""
        self._host.flush_trace()
        with self._path.open("rb") as stream:
            reader = VtraceReader(stream, str(self._path))
            for _ in itertools.islice(stream, number - 1):
                pass
            return replace(next(iter(reader)), line=0)

    def close(self) -> None:
        """Finish the trace file; raises OSError."""
        self._twin.close()
        if self._reader is not None:
            self._reader.stream.close()
        self._host.close_trace()


def _told(results: Results) -> list[tuple[str, int]]:
    """What the twins must agree on; each says it in its own words."""
    return [(finding.clause, finding.t) for finding in results.violations]
