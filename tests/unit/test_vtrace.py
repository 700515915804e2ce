"""Reading and writing traces, and everything that is wrong with them."""

import io
import json
from pathlib import Path

import pytest

from pymodel import events as ev
from pymodel.vtrace import (
    MAX_LINE,
    Header,
    Layout,
    Region,
    VtraceError,
    VtraceReader,
    VtraceWriter,
    read_vtrace,
    write_vtrace,
)

HEADER = b'{"vtrace":1,"source":"lab","time_unit":"ps"}\n'
EVENTS = [
    ev.ConfigRead(t=1, addr=0, data=b"\xf4\x1a"),
    ev.ConfigWrite(t=2, t_req=1, addr=4, data=b"\x06\x00"),
    ev.BarRead(t=3, bar=2, addr=0x14, data=b"\x0f"),
    ev.BarWrite(t=4, bar=2, addr=0x3000, data=b"\0\0"),
    ev.DmaRead(t=5, t_req=4, addr=1 << 63, data=bytes(16)),
    ev.DmaRead(t=5, addr=0, data=b"", err=True),
    ev.DmaWrite(t=6, addr=0x1000, data=bytes(range(32))),
    ev.MemWrite(t=7, addr=0x2000, data=b"\1"),
    ev.Msix(t=8, vector=1),
    ev.Msix(t=8, addr=0xFEE00000, data=0x41),
    ev.Intx(t=9, level=1),
    ev.Reset(t=10, kind="flr"),
    ev.Mark(t=11, text="end"),
]
LAYOUT = Layout(
    common=Region(0, 0, 64), notify=Region(0, 0x3000, 4096, 4), isr=Region(0, 0x1000, 1), msix_entries=3
)


def read(raw: bytes) -> tuple[VtraceReader, list[ev.Event]]:
    reader = VtraceReader(io.BytesIO(raw), "t")
    return reader, list(reader)


def lined(event: ev.Event, line: int) -> dict[str, object]:
    fields = {name: getattr(event, name) for name in type(event).__dataclass_fields__}
    return {"kind": type(event), **fields, "line": line}


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.vtrace"
    header = Header("model", device="it", type=2, layout=LAYOUT)
    with write_vtrace(path, header) as writer:
        for event in EVENTS:
            writer(event)
    reader, stream = read_vtrace(path)
    with stream:
        found = list(reader)
    assert reader.header == header
    assert [lined(e, e.line) for e in found] == [lined(e, n) for n, e in enumerate(EVENTS, 2)]
    assert reader.ignored == 0


def test_data_is_hex_in_address_order() -> None:
    stream = io.BytesIO()
    writer = VtraceWriter(stream, Header("model"))
    writer(ev.Msix(t=1, addr=0xFEE00000, data=0x12345678))
    writer(ev.BarWrite(t=2, bar=0, addr=0, data=b"\x0a\x0b"))
    writer.flush()
    rows = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [row.get("data") for row in rows] == [None, "78563412", "0a0b"]


def test_an_orderly_end_is_marked_and_an_exception_is_not(tmp_path: Path) -> None:
    with write_vtrace(tmp_path / "a", Header()) as writer:
        writer(EVENTS[0])
    with pytest.raises(RuntimeError), write_vtrace(tmp_path / "b", Header()) as writer:  # noqa: PT012
        writer(EVENTS[0])
        raise RuntimeError
    assert (tmp_path / "a").read_bytes().count(b"\n") == 3
    assert (tmp_path / "b").read_bytes().count(b"\n") == 2
    assert b'"end"' not in (tmp_path / "b").read_bytes()


def test_unknown_keys_and_events_are_counted() -> None:
    raw = HEADER[:-2] + b',"more":1}\n{"ev":"power","t":"?"}\n{"ev":"intx","t":1,"level":0,"x":1,"y":2}\n'
    reader, events = read(raw)
    assert (reader.ignored, len(events)) == (4, 1)


def test_crlf_and_a_missing_last_line_end_are_read() -> None:
    reader, events = read(HEADER.replace(b"\n", b"\r\n") + b'{"ev":"intx","t":1,"level":0}')
    assert (reader.ignored, len(events)) == (0, 1)


def test_a_header_alone_is_a_trace() -> None:
    assert read(HEADER)[1] == []


HEADERS = {
    b"": "empty",
    b"\n": "empty line",
    b"hello\n": "JSON object",
    b"[1]\n": "must be a JSON object",
    b'{"ev":"intx"}\n': "vtrace header",
    b'{"vtrace":true}\n': "vtrace header",
    b'{"vtrace":2}\n': "another version",
    b'{"vtrace":1,"time_unit":"ns"}\n': "time_unit",
    b'{"vtrace":1,"source":3}\n': "source",
    b'{"vtrace":1,"type":-1}\n': "type",
    b'{"vtrace":1,"layout":[]}\n': "layout",
    b'{"vtrace":1,"layout":{"common":{"bar":9,"offset":0,"length":64}}}\n': "bar",
    b'{"vtrace":1,"layout":{"notify":{"bar":0,"offset":0,"length":64}}}\n': "multiplier",
    b'{"vtrace":1,"layout":{"msix":{"entries":5000}}}\n': "entries",
}
LINES = {
    b"": "empty line",
    b"{": "JSON object",
    b'{"ev":"intx","t":1,"le': "cut off",
    b"7": "must be a JSON object",
    b"\xff\xfe": "UTF-8",
    b'{"t":1}': '"ev" is missing',
    b'{"ev":[],"t":1}': '"ev" must be a string',
    b'{"ev":"intx","level":1}': '"t" is missing',
    b'{"ev":"intx","t":-1,"level":1}': '"t" must lie in',
    b'{"ev":"intx","t":1.5,"level":1}': '"t" must be an integer',
    b'{"ev":"intx","t":true,"level":1}': '"t" must be an integer',
    b'{"ev":"intx","t":NaN,"level":1}': "JSON object",
    b'{"ev":"intx","t":' + b"9" * 5000 + b',"level":1}': "JSON object",
    b'{"ev":"intx","t":1e400,"level":1}': '"t" must be an integer',
    b'{"ev":"intx","t":18446744073709551616,"level":1}': '"t" must lie in',
    b'{"ev":"intx","t":1,"t_req":null,"level":1}': '"t_req" must be an integer',
    b'{"ev":"intx","t":1,"level":2}': '"level" must lie in',
    b'{"ev":"reset","t":1,"kind":"warm"}': '"kind" must be one of',
    b'{"ev":"mark","t":1,"text":1}': '"text" must be a string',
    b'{"ev":"cfg_rd","t":1,"addr":0,"data":"0"}': "even number of hex",
    b'{"ev":"cfg_rd","t":1,"addr":0,"data":"zz"}': "even number of hex",
    b'{"ev":"cfg_rd","t":1,"addr":0,"data":"00 0"}': "hex",
    b'{"ev":"cfg_rd","t":1,"addr":0,"data":" 00"}': "even number of hex digits",
    b'{"ev":"cfg_rd","t":1,"addr":0,"data":""}': "must hold 1..4096 bytes",
    b'{"ev":"cfg_rd","t":1,"addr":4095,"data":"0000"}': '"addr" must lie in',
    b'{"ev":"bar_wr","t":1,"bar":6,"addr":0,"data":"00"}': '"bar" must lie in',
    b'{"ev":"dma_wr","t":1,"addr":18446744073709551616,"data":"00"}': '"addr" must lie in',
    b'{"ev":"dma_rd","t":1,"addr":0,"data":"00","err":"no"}': '"err"',
    b'{"ev":"dma_rd","t":1,"addr":0}': '"data" is missing',
    b'{"ev":"mem_wr","t":1,"addr":0,"data":7}': '"data" must be a string',
    b'{"ev":"msix","t":1}': '"msix" needs',
    b'{"ev":"msix","t":1,"vector":70000}': '"vector" must lie in',
    b'{"ev":"msix","t":1,"addr":4276092928,"data":"00"}': "4..4 bytes",
    b"[" * 100000: "JSON object",
}


@pytest.mark.parametrize(("raw", "reason"), HEADERS.items(), ids=range(len(HEADERS)))
def test_a_foreign_header_is_refused_with_line_1(raw: bytes, reason: str) -> None:
    with pytest.raises(VtraceError, match=reason) as caught:
        read(raw)
    assert caught.value.line == 1


@pytest.mark.parametrize(("raw", "reason"), LINES.items(), ids=range(len(LINES)))
def test_a_broken_line_is_refused_with_its_number(raw: bytes, reason: str) -> None:
    with pytest.raises(VtraceError, match=reason) as caught:
        read(HEADER + b'{"ev":"intx","t":1,"level":0}\n' + raw + b"\n")
    assert caught.value.line == 3
    assert str(caught.value).startswith("t: line 3: ")


class Endless(io.RawIOBase):
    """A stream whose second line never ends; counts what was taken from it."""

    def __init__(self) -> None:
        self.taken = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        if not self.taken:
            self.taken = 1
            return HEADER
        assert size is not None
        self.taken += size
        return b"x" * size


def test_an_endless_line_is_refused_before_it_fills_memory() -> None:
    stream = Endless()
    with pytest.raises(VtraceError, match="longer than"):
        list(VtraceReader(stream, "t"))  # type: ignore[arg-type]
    assert stream.taken <= MAX_LINE + 2


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(VtraceError, match=r"nowhere: cannot be opened: No such file"):
        read_vtrace(tmp_path / "nowhere")
    with pytest.raises(VtraceError, match="cannot be"):
        read_vtrace(tmp_path)
