"""Both readers of vtrace on whole, broken and hostile files: the same results, the same line and reason."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from native.twin import check_file
from pymodel import checker
from pymodel.vtrace import VtraceError, event_to_line
from tests.measured import run_module
from tests.native.conftest import FUZZ
from tests.native.streams import any_stream
from tests.native.test_checker_twin import shown
from tests.native.test_events import EVENTS
from tests.unit.checker_streams import model_stream

HEADER = b'{"vtrace":1,"source":"model"}\n'
EVENT = b'{"ev":"intx","t":1,"level":0}\n'


def from_file(path: Path) -> tuple[dict[str, object], dict[str, object]]:
    """Judge a trace with both; where it cannot be read, line and reason."""
    found: list[dict[str, object]] = []
    for check in (checker.check_file, check_file):
        try:
            found.append(shown(check(path)))
        except VtraceError as error:
            found.append({"line": error.line, "reason": error.reason})
    return found[0], found[1]


HEADERS = st.sampled_from(
    (
        '{"vtrace":1,"source":"model"}',
        '{"vtrace":1,"type":2,"more":[1,{"a":null}],"layout":{"common":{"bar":0,"offset":0,"length":64}}}',
        '{"vtrace":1,"layout":{"notify":{"bar":0,"offset":0,"length":4}}}',
        '{"vtrace":1,"layout":{"msix":{"entries":4}},"source":7}',
        '{"vtrace":true}',
        '{"vtrace":2}',
        "[]",
        "",
    )
)
LINES = st.one_of(
    EVENTS.map(lambda event: event_to_line(event).rstrip()),
    st.sampled_from(
        (
            '{"ev":"dma_rd","t":1,"addr":18446744073709551616,"data":""}',
            '{"ev":"dma_rd","t":1,"addr":0,"err":1.0}',
            '{"ev":"dma_wr","t":1,"addr":0,"data":"0g"}',
            '{"ev":"\\u0069ntx","t":0,"level":1,"\\u0061ddr":2,"x":1,"x":2,"y":"\\ud83d\\ude00"}',
            '{"ev":"intx","t":-0,"level":1e0}',
            '{"ev":"intx","t":01,"level":1}',
            '{"ev":"intx","t":1,"level":0,"a":[[[[]],{}],NaN]}',
            '{"ev":"intx","t":1,"level":0,"a":[[[[]],{"b":[1,2.5e-3,"\\n"]}],null]} ',
            '{"ev":"other","x":{"t":[]}}',
            '{"ev":"mark","t":3,"text":"\\u0065nd"}',
            '{"ev":"mark","t":3,"text":"end","t_req":9223372036854775808}',
            '{"ev":"reset","t":3,"kind":"warm"}',
            '{"ev":"cfg_rd","t":3,"addr":4095,"data":"0000"}',
            '{"ev":"msix","t":3,"addr":1,"data":"000000"}',
            '{"ev":"msix","t":3}{',
            '"text"',
            "\x01",
            "",
        )
    ),
    st.text(max_size=40).filter(lambda text: "\n" not in text),
)


@FUZZ
@given(HEADERS, st.lists(LINES, max_size=12), st.sampled_from(("\n", "\r\n")), st.binary(max_size=3))
def test_hostile_files_are_read_alike(
    tmp_path_factory: pytest.TempPathFactory, header: str, lines: list[str], end: str, tail: bytes
) -> None:
    path = tmp_path_factory.mktemp("twin") / "hostile.vtrace"
    path.write_bytes("".join(line + end for line in (header, *lines)).encode("utf-8", "replace") + tail)
    python, native = from_file(path)
    assert native == python


def test_a_whole_trace_is_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "session.vtrace"
    lines = "".join(map(event_to_line, [*model_stream("split-all"), *model_stream("packed-all")]))
    path.write_text('{"vtrace":1,"source":"model","new":1}\n' + lines)
    python, native = from_file(path)
    assert native == python


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VtraceError, match="cannot be opened"):
        check_file(tmp_path / "nothing")


def written(path: Path, seed: int) -> bytes:
    """Write a whole trace of any stream, and return its bytes."""
    events, header = any_stream(Random(seed), [])
    lines = "".join(map(event_to_line, events))
    content = f"{json.dumps(header.to_json())}\n{lines}".encode()
    path.write_bytes(content)
    return content


@FUZZ
@given(st.integers(0, 1 << 48))
def test_a_trace_of_any_stream_is_read_alike(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    path = tmp_path_factory.mktemp("twin") / "any.vtrace"
    written(path, seed)
    python, native = from_file(path)
    assert native == python


@FUZZ
@given(st.integers(0, 1 << 48), st.data())
def test_damaged_bytes_are_read_alike(
    tmp_path_factory: pytest.TempPathFactory, seed: int, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("twin") / "damaged.vtrace"
    content = bytearray(written(path, seed)[:20_000])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    path.write_bytes(content)
    python, native = from_file(path)
    assert native == python


def nested(depth: int) -> bytes:
    return b'{"ev":"intx","t":1,"level":0,"x":' + b"[" * depth + b"]" * depth + b"}"


BROKEN = {
    "not JSON": b"hello",
    "cut off": b'{"ev":"intx","t":1,"le',
    "huge number": b'{"ev":"intx","t":' + b"9" * 100_000 + b',"level":0}',
    "negative time": b'{"ev":"intx","t":-1,"level":0}',
    "time beyond 63 bits": b'{"ev":"intx","t":9223372036854775808,"level":0}',
    "deep nesting": nested(1_000_000),
    "deep objects": b'{"a":' * 100_000,
    "nested too deep": nested(200),
    "NUL bytes": b'{"ev":"intx",\0"t":1,"level":0}',
    "NUL bytes alone": bytes(1000),
    "NUL byte in text": b'{"ev":"mark","t":1,"text":"a\0b"}',
    "invalid UTF-8": b'{"ev":"mark","t":1,"text":"\xff\xfe"}',
    "overlong UTF-8": b'{"ev":"mark","t":1,"text":"\xc0\x80"}',
    "surrogate in UTF-8": b'{"ev":"mark","t":1,"text":"\xed\xa0\x80"}',
    "line of 16 MiB": b" " * (16 << 20),
    "an array": b"[]",
    "empty": b"",
}
FINE = {
    "deepest nesting": nested(199),
    "brackets in text": b'{"ev":"mark","t":1,"text":"' + b"[{" * 500 + b'\\""}',
    "many brackets": b'{"ev":"intx","t":1,"level":0,"x":[' + b"[]," * 500 + b"[]]}",
    "escaped NUL": b'{"ev":"mark","t":1,"text":"a\\u0000b"}',
    "lone surrogate": b'{"ev":"mark","t":1,"text":"\\ud800"}',
    "keys twice": b'{"ev":"intx","t":-5,"t":1,"level":9,"level":0}',
}


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""], ids=["LF", "CRLF", "end"])
@pytest.mark.parametrize("line", FINE.values(), ids=FINE)
def test_odd_lines_are_read_alike(tmp_path: Path, line: bytes, end: bytes) -> None:
    path = tmp_path / "odd.vtrace"
    path.write_bytes(HEADER + EVENT + line + end)
    python, native = from_file(path)
    assert native == python
    assert "reason" not in native


@pytest.mark.parametrize("line", BROKEN.values(), ids=BROKEN)
def test_broken_lines_are_refused_alike(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "broken.vtrace"
    path.write_bytes(HEADER + EVENT + line + b"\n" + EVENT)
    python, native = from_file(path)
    assert native == python
    assert native["line"] == 3


@pytest.mark.parametrize("twin", ["native", "python"])
def test_a_line_of_100_mb_is_exit_2_in_bounded_memory(tmp_path: Path, twin: str) -> None:
    path = tmp_path / "long.vtrace"
    with path.open("wb") as out:
        out.write(HEADER + b'{"ev":"mark","t":1,"text":"')
        out.truncate(100 << 20)
    done = run_module("tb.cli", "check", "--twin", twin, str(path))
    assert (done.code, done.out) == (2, "")
    assert done.err == f"virtio-cosim: {path}: line 2: longer than 16777216 bytes\n"
    assert done.peak_kib < 120 << 10


@pytest.mark.parametrize("twin", ["native", "python"])
def test_a_broken_line_is_exit_2_with_one_line_that_names_it(tmp_path: Path, twin: str) -> None:
    path = tmp_path / "broken.vtrace"
    path.write_bytes(HEADER + EVENT + BROKEN["deep nesting"])
    done = run_module("tb.cli", "check", "--twin", twin, str(path))
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert "broken.vtrace: line 3: " in done.err
