"""The checker's C twin: judges traces and live events by the rules of pymodel.checker, only faster.

`unjudged_rules` names the rules of the Python checker that the twin does not have; its results say
nothing about those clauses.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from cffi import FFI

from native.host import NativeError, NativeHost
from native.library import HERE, build_library
from native.records import encode
from pymodel.checker import Finding, Results, Verdict, clauses
from pymodel.checker.clauses import demands, older
from pymodel.checker.rulebook import ALL
from pymodel.checker.verdicts import Outcome
from pymodel.events import Event
from pymodel.vtrace import VtraceError

MEMORY_LIMIT = 1 << 30
CHUNK = 100_000
_VERDICTS = (Verdict.HELD, Verdict.VIOLATED, Verdict.NOT_EXERCISED, Verdict.NOT_APPLICABLE)


class Binding(NamedTuple):
    """cffi's two halves of the twin, and the IDs of the clauses by number."""

    ffi: Any
    lib: Any
    names: tuple[str, ...]


def _declarations(name: str) -> str:
    text = (HERE / name).read_text("utf-8")
    body = text[text.index('extern "C" {') : text.rindex("#ifdef __cplusplus")]
    return "\n".join(line for line in body.splitlines()[1:] if not line.startswith("#"))


@functools.cache
def binding() -> Binding:
    """Load the twin, built first if need be; raises NativeBuildError."""
    ffi = FFI()
    events = re.search(r"enum vio_event_kind.*?\} vio_event;", _declarations("vio_native.h"), re.DOTALL)
    assert events is not None
    ffi.cdef(events.group() + "\n" + _declarations("checker.h"))
    lib = ffi.dlopen(str(build_library().shared_object))
    names = (ffi.string(lib.vio_checker_clause(n)).decode() for n in range(lib.vio_checker_clauses()))
    return Binding(ffi, lib, tuple(names))


@functools.cache
def _judged() -> dict[str, int]:
    """The clauses that have a rule in C, and their numbers, in the order of the table."""
    _, lib, names = binding()
    numbers = {name: number for number, name in enumerate(names)}
    return {clause: numbers[clause] for clause in demands() if lib.vio_checker_judges(numbers[clause])}


def unjudged_rules() -> list[str]:
    """Return the clauses that have a rule in Python and none in C."""
    return [rule.clause for rule in ALL if rule.clause not in _judged()]


class Twin:
    """One stream of events: of the trace at `path`, or live if there is none; a context manager.

    `header` is line 1 of a trace, for live events; `settle` as in pymodel.checker.Checker, in
    picoseconds. `seen_in` says behind `finish` in which event each finding was seen: its line in the
    trace, or the number of the live event, from 1 on. Raises VtraceError for a trace or header that
    cannot be read, MemoryError.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        header: str | None = None,
        settle: int | None = None,
        memory: int = MEMORY_LIMIT,
    ) -> None:
        self._ffi, self._lib, self._names = binding()
        self._live = path is None
        self._name = "live" if path is None else str(path)
        self.seen_in: dict[str, int] = {}
        wait = -1 if settle is None else settle
        if path is None:
            text = self._ffi.NULL if header is None else header.encode()
            self._checker = self._lib.vio_checker_new(text, wait, memory)
        else:
            self._checker = self._lib.vio_checker_open(str(path).encode(), wait, memory)
        if self._checker == self._ffi.NULL:
            raise MemoryError
        self._host: NativeHost | None = None
        self._complain()

    def _complain(self) -> None:
        reason = self._lib.vio_checker_error(self._checker)
        if reason != self._ffi.NULL:
            line = self._lib.vio_checker_error_line(self._checker)
            text = self._ffi.string(reason).decode(errors="replace")
            self.close()
            raise VtraceError(self._name, line, text)

    def observe(self, event: Event) -> None:
        """Take in the next live event; raises ValueError for one that cannot be."""
        t, asked, addr, kind, number, err, data = encode(event)
        held = self._ffi.from_buffer(data)
        fields = (t, asked, addr, len(data), kind, number, err, 0, self._ffi.cast("const uint8_t *", held))
        row = self._ffi.new("vio_event *", fields)
        if self._lib.vio_checker_observe(self._checker, row):
            self._complain()
            raise ValueError(f"no such event can be: {event}")

    def listen(self, host: NativeHost) -> None:
        """Take in all further events of the host's stream, in C: no event comes to Python.

        That ends when the twin is closed. What cannot be judged is told by `finish`. Raises NativeError
        if the stream has too many sinks.
        """
        if self._sink(host, self._lib.vio_checker_sink):
            raise NativeError("the event stream has too many sinks")
        self._host = host

    def _sink(self, host: NativeHost, function: Any) -> int:
        """Add or remove the twin as a sink; both ffis speak of one library, each by its own types."""
        ffi = host.ffi
        sink = ffi.cast("vio_event_sink", int(self._ffi.cast("uintptr_t", function)))
        context = ffi.cast("void *", int(self._ffi.cast("uintptr_t", self._checker)))
        return int(host.lib.vio_events_listen(host.events, sink, context))

    def run(self) -> None:
        """Judge the whole trace; raises VtraceError where it is broken."""
        while self._lib.vio_checker_run(self._checker, CHUNK) > 0:
            pass
        self._complain()

    def finish(self) -> Results:
        """The stream ends: judge what is left, and return the results."""
        if self._host is not None:
            self._host.lib.vio_events_settle(self._host.events)
        self._lib.vio_checker_finish(self._checker)
        self._complain()
        results = Results(
            events=self._lib.vio_checker_events(self._checker),
            ignored=self._lib.vio_checker_ignored(self._checker),
            orderly=self._lib.vio_checker_orderly(self._checker),
        )
        self._take_findings(results)
        self._take_clauses(results)
        number = 0
        while (note := self._lib.vio_checker_note(self._checker, number)) != self._ffi.NULL:
            results.notes.append(self._ffi.string(note).decode())
            number += 1
        return results

    def _take_findings(self, results: Results) -> None:
        for number in range(self._lib.vio_checker_findings(self._checker)):
            row = self._lib.vio_checker_finding_at(self._checker, number)
            message = self._ffi.string(row.message).decode(errors="replace")
            name = self._names[row.clause]
            self.seen_in[name] = row.line
            finding = Finding(name, row.t, 0 if self._live else row.line, message)
            (results.violations if row.mandatory else results.warnings).append(finding)

    def _take_clauses(self, results: Results) -> None:
        count = len(self._names)
        verdicts = self._ffi.new("uint8_t[]", count)
        held, breached = self._ffi.new("uint64_t[]", count), self._ffi.new("uint64_t[]", count)
        self._lib.vio_checker_outcomes(self._checker, verdicts, held, breached)
        words = dict(
            zip(self._names, map(_VERDICTS.__getitem__, bytes(self._ffi.buffer(verdicts))), strict=True)
        )
        results.verdicts = {clause: words[clause] for clause in clauses()}
        results.older = {clause: words[clause] for clause in older()}
        results.outcomes = {
            clause: Outcome(held[number], breached[number]) for clause, number in _judged().items()
        }

    def close(self) -> None:
        """Give the twin's memory back."""
        if self._checker is not None:
            if self._host is not None:
                self._sink(self._host, self._ffi.NULL)
                self._host = None
            self._lib.vio_checker_free(self._checker)
            self._checker = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def check_file(path: str | Path) -> Results:
    """Judge the trace at `path` like pymodel.checker.check_file; raises VtraceError."""
    with Twin(path) as twin:
        twin.run()
        return twin.finish()
