"""vtrace, version 1: a file of boundary events, one JSON object a line (UTF-8).

Line 1 is the header; then one event a line in the order of completion. The reader keeps one line in
memory, ignores what it does not know with a count, and raises VtraceError for anything broken. The
writer is an event sink that flushes whole lines; a file without a final mark "end" holds what was
observed until then and is read like any other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NoReturn

from pymodel import events as ev
from pymodel.vtrace_header import (
    BAR_LAST,
    HEADER_KEYS,
    MAX_ADDRESS,
    Broken,
    Header,
    Layout,
    Region,
    integer,
    parse_header,
    text_of,
)

__all__ = [
    "END_MARK",
    "Header",
    "Layout",
    "Region",
    "VtraceError",
    "VtraceReader",
    "VtraceWriter",
    "read_vtrace",
    "write_vtrace",
]
MAX_LINE = 16 << 20
MAX_DEPTH = 200
MAX_TIME = (1 << 63) - 1
CONFIG_LENGTH = 4096
HOST_ACCESS_MAX = 4096
RESET_KINDS = ("flr", "hot", "power")
END_MARK = "end"
_FLUSH_BYTES = 64 << 10


class VtraceError(Exception):
    """A trace that cannot be read; `line` (1-based, 0 for the file itself) and `reason` say why."""

    def __init__(self, name: str, line: int, reason: str) -> None:
        super().__init__(f"{name}: line {line}: {reason}" if line else f"{name}: {reason}")
        self.name = name
        self.line = line
        self.reason = reason


def _bytes(row: dict[str, Any], low: int, high: int) -> bytes:
    text = text_of(row, "data")
    try:
        data = bytes.fromhex(text)
        if 2 * len(data) != len(text):
            raise ValueError("fromhex passes over white space")
    except ValueError:
        raise Broken('"data" must be an even number of hex digits') from None
    if not low <= len(data) <= high:
        raise Broken(f'"data" must hold {low}..{high} bytes')
    return data


_When = tuple[int, "int | None", int]


def _config(kind: type[ev.ConfigRead] | type[ev.ConfigWrite]) -> Callable[[dict[str, Any], _When], ev.Event]:
    def parse(row: dict[str, Any], when: _When) -> ev.Event:
        data = _bytes(row, 1, HOST_ACCESS_MAX)
        addr = integer(row, "addr", 0, CONFIG_LENGTH - len(data))
        return kind(t=when[0], t_req=when[1], line=when[2], addr=addr, data=data)

    return parse


def _bar(kind: type[ev.BarRead] | type[ev.BarWrite]) -> Callable[[dict[str, Any], _When], ev.Event]:
    def parse(row: dict[str, Any], when: _When) -> ev.Event:
        bar = integer(row, "bar", 0, BAR_LAST)
        data = _bytes(row, 1, HOST_ACCESS_MAX)
        addr = integer(row, "addr", 0, MAX_ADDRESS)
        return kind(t=when[0], t_req=when[1], line=when[2], bar=bar, addr=addr, data=data)

    return parse


def _dma(kind: type[ev.DmaRead] | type[ev.DmaWrite]) -> Callable[[dict[str, Any], _When], ev.Event]:
    def parse(row: dict[str, Any], when: _When) -> ev.Event:
        addr = integer(row, "addr", 0, MAX_ADDRESS)
        err = row.get("err", False)
        if err is not True and err is not False and err not in (0, 1):
            raise Broken('"err" must be true or false')
        data = _bytes(row, 0, MAX_LINE) if "data" in row or not err else b""
        return kind(t=when[0], t_req=when[1], line=when[2], addr=addr, data=data, err=bool(err))

    return parse


def _mem_wr(row: dict[str, Any], when: _When) -> ev.Event:
    addr = integer(row, "addr", 0, MAX_ADDRESS)
    return ev.MemWrite(t=when[0], t_req=when[1], line=when[2], addr=addr, data=_bytes(row, 1, MAX_LINE))


def _msix(row: dict[str, Any], when: _When) -> ev.Event:
    if "vector" in row:
        vector = integer(row, "vector", 0, 0xFFFF)
        return ev.Msix(t=when[0], t_req=when[1], line=when[2], vector=vector)
    if "addr" not in row:
        raise Broken('"msix" needs "vector", or "addr" and "data"')
    addr = integer(row, "addr", 0, MAX_ADDRESS)
    data = int.from_bytes(_bytes(row, 4, 4), "little")
    return ev.Msix(t=when[0], t_req=when[1], line=when[2], addr=addr, data=data)


def _intx(row: dict[str, Any], when: _When) -> ev.Event:
    return ev.Intx(t=when[0], t_req=when[1], line=when[2], level=integer(row, "level", 0, 1))


def _reset(row: dict[str, Any], when: _When) -> ev.Event:
    kind = text_of(row, "kind")
    if kind not in RESET_KINDS:
        raise Broken(f'"kind" must be one of {", ".join(RESET_KINDS)}')
    return ev.Reset(t=when[0], t_req=when[1], line=when[2], kind=kind)


def _mark(row: dict[str, Any], when: _When) -> ev.Event:
    return ev.Mark(t=when[0], t_req=when[1], line=when[2], text=text_of(row, "text"))


_ACCESS = frozenset(("ev", "t", "t_req", "addr", "data"))
_PARSERS: dict[str, tuple[Callable[[dict[str, Any], _When], ev.Event], frozenset[str]]] = {
    "cfg_rd": (_config(ev.ConfigRead), _ACCESS),
    "cfg_wr": (_config(ev.ConfigWrite), _ACCESS),
    "bar_rd": (_bar(ev.BarRead), _ACCESS | {"bar"}),
    "bar_wr": (_bar(ev.BarWrite), _ACCESS | {"bar"}),
    "dma_rd": (_dma(ev.DmaRead), _ACCESS | {"err"}),
    "dma_wr": (_dma(ev.DmaWrite), _ACCESS | {"err"}),
    "mem_wr": (_mem_wr, _ACCESS),
    "msix": (_msix, _ACCESS | {"vector"}),
    "intx": (_intx, frozenset(("ev", "t", "t_req", "level"))),
    "reset": (_reset, frozenset(("ev", "t", "t_req", "kind"))),
    "mark": (_mark, frozenset(("ev", "t", "t_req", "text"))),
}


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


_NESTING = re.compile(rb'"(?:[^"\\]|\\.)*"|[][{}]')


def _nests_too_deep(raw: bytes) -> bool:
    """Whether more than MAX_DEPTH brackets are open at once."""
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return False
    depth = 0
    for found in _NESTING.finditer(raw):
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(found[0], 0)
        if depth > MAX_DEPTH:
            return True
    return False


def _object(raw: bytes) -> dict[str, Any]:
    """Return the JSON object of one line without its line end."""
    if not raw.strip():
        raise Broken("an empty line")
    try:
        text = raw.decode("utf-8")
        if _nests_too_deep(raw):
            raise ValueError("nested too deep")
        row = _DECODER.decode(text)
    except UnicodeDecodeError:
        raise Broken("not UTF-8 text") from None
    except ValueError:
        raise Broken("not a whole JSON object (is the file cut off here?)") from None
    if not isinstance(row, dict):
        raise Broken("must be a JSON object")
    return row


@dataclass
class VtraceReader:
    """Reads a trace from a binary stream; iterate over it once for the events.

    `header` is there at once; `ignored` counts unknown keys and lines with an unknown "ev" so far.
    Lines that begin with one of `skip` are passed over unread, for who needs only some events.
    Raises VtraceError, at construction for the header and while iterating for the events.
    """

    stream: BinaryIO
    name: str
    header: Header = field(init=False)
    ignored: int = field(default=0, init=False)
    line: int = field(default=0, init=False)
    skip: tuple[bytes, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        raw = self._next_line()
        try:
            if raw is None:
                raise Broken('the file is empty; the first line must be a header: {"vtrace":1,...}')
            row = _object(raw)
            self.ignored += sum(1 for key in row if key not in HEADER_KEYS)
            self.header = parse_header(row)
        except Broken as broken:
            raise VtraceError(self.name, 1, str(broken)) from None

    def _next_line(self) -> bytes | None:
        try:
            raw = self.stream.readline(MAX_LINE + 1)
        except OSError as error:
            raise VtraceError(self.name, self.line + 1, f"cannot be read: {error.strerror}") from None
        if not raw:
            return None
        self.line += 1
        if len(raw) > MAX_LINE:
            raise VtraceError(self.name, self.line, f"longer than {MAX_LINE} bytes")
        return raw.rstrip(b"\r\n")

    def _event(self, raw: bytes) -> ev.Event | None:
        row = _object(raw)
        parser = _PARSERS.get(text_of(row, "ev"))
        if parser is None:
            self.ignored += 1
            return None
        parse, known = parser
        t = integer(row, "t", 0, MAX_TIME)
        t_req = integer(row, "t_req", 0, MAX_TIME) if "t_req" in row else None
        for key in row:
            if key not in known:
                self.ignored += 1
        return parse(row, (t, t_req, self.line))

    def __iter__(self) -> Iterator[ev.Event]:
        while (raw := self._next_line()) is not None:
            if raw.startswith(self.skip):
                continue
            try:
                event = self._event(raw)
            except Broken as broken:
                raise VtraceError(self.name, self.line, str(broken)) from None
            if event is not None:
                yield event


def read_vtrace(path: str | Path) -> tuple[VtraceReader, BinaryIO]:
    """Open the trace at `path`; the caller closes the returned stream. Raises VtraceError."""
    try:
        stream = open(path, "rb")  # noqa: SIM115 - handed to the caller
    except OSError as error:
        raise VtraceError(str(path), 0, f"cannot be opened: {error.strerror}") from None
    try:
        return VtraceReader(stream, str(path)), stream
    except VtraceError:
        stream.close()
        raise


_NAMES: dict[type[ev.Event], str] = {
    ev.ConfigRead: "cfg_rd",
    ev.ConfigWrite: "cfg_wr",
    ev.BarRead: "bar_rd",
    ev.BarWrite: "bar_wr",
    ev.DmaRead: "dma_rd",
    ev.DmaWrite: "dma_wr",
    ev.MemWrite: "mem_wr",
    ev.Msix: "msix",
    ev.Intx: "intx",
    ev.Reset: "reset",
    ev.Mark: "mark",
}
_FIELDS: dict[type[ev.Event], tuple[str, ...]] = {
    kind: tuple(name for name in kind.__dataclass_fields__ if name not in ("t", "t_req", "line", "data"))
    for kind in _NAMES
}


def header_to_line(header: Header) -> str:
    """Return line 1 of a trace with this header, with its line end."""
    return json.dumps(header.to_json(), separators=(",", ":")) + "\n"


def event_to_line(event: ev.Event) -> str:
    """Return the line of a trace that holds this event, with its line end."""
    kind = type(event)
    row: dict[str, Any] = {"ev": _NAMES[kind], "t": event.t}
    if event.t_req is not None:
        row["t_req"] = event.t_req
    for name in _FIELDS[kind]:
        value = getattr(event, name)
        if value is not None and value is not False:
            row[name] = value
    data = getattr(event, "data", None)
    if data is not None:
        row["data"] = data.hex() if isinstance(data, bytes) else data.to_bytes(4, "little").hex()
    return json.dumps(row, separators=(",", ":")) + "\n"


class VtraceWriter:
    """An event sink that writes a trace to a binary stream, whole lines at a time.

    As a context manager it closes the stream: left orderly it ends the trace with the mark "end",
    left by an exception it does not, so that the file says how it came to its end.
    """

    def __init__(self, stream: BinaryIO, header: Header) -> None:
        self._stream = stream
        self._pending: list[str] = [header_to_line(header)]
        self._pending_bytes = 0
        self._last_t = 0
        self._ended = False
        self.flush()

    def __call__(self, event: ev.Event) -> None:
        """Write one event; raises OSError as the stream does."""
        line = event_to_line(event)
        self._pending.append(line)
        self._pending_bytes += len(line)
        self._last_t = event.t
        self._ended = isinstance(event, ev.Mark) and event.text == END_MARK
        if self._pending_bytes >= _FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand all lines so far to the stream."""
        self._stream.write("".join(self._pending).encode())
        self._stream.flush()
        self._pending.clear()
        self._pending_bytes = 0

    def close(self, *, orderly: bool) -> None:
        """Write what is pending, the mark "end" if `orderly` and not yet there, and close the stream."""
        if orderly and not self._ended:
            self(ev.Mark(t=self._last_t, text=END_MARK))
        self.flush()
        self._stream.close()

    def __enter__(self) -> VtraceWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(orderly=kind is None)


def write_vtrace(path: str | Path, header: Header) -> VtraceWriter:
    """Create the trace at `path` with its header; raises OSError."""
    return VtraceWriter(open(path, "wb"), header)
