from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from native import records
from native.binding import binding
from native.host import NativeHost
from native.records import decode, encode
from pymodel import events as ev
from pymodel.events import Event
from pymodel.vtrace import Header, event_to_line, read_vtrace

U64 = st.integers(0, 2**63 - 1)
DATA = st.binary(max_size=70)
SOME = st.binary(min_size=1, max_size=8)
TIMES = {"t": U64, "t_req": st.none() | U64}
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(ev.ConfigRead, addr=st.integers(0, 4095), data=SOME, **TIMES),
    st.builds(ev.ConfigWrite, addr=st.integers(0, 4095), data=SOME, **TIMES),
    st.builds(ev.BarRead, bar=st.integers(0, 5), addr=U64, data=SOME, **TIMES),
    st.builds(ev.BarWrite, bar=st.integers(0, 5), addr=U64, data=SOME, **TIMES),
    st.builds(ev.DmaRead, addr=st.integers(0, 2**64 - 1), data=DATA, err=st.booleans(), **TIMES),
    st.builds(ev.DmaWrite, addr=st.integers(0, 2**64 - 1), data=DATA, err=st.booleans(), **TIMES),
    st.builds(ev.MemWrite, addr=U64, data=DATA, **TIMES),
    st.builds(ev.Msix, vector=st.integers(0, 0xFFFF), **TIMES),
    st.builds(ev.Msix, addr=U64, data=st.integers(0, 2**32 - 1), **TIMES),
    st.builds(ev.Intx, level=st.integers(0, 1), **TIMES),
    st.builds(ev.Reset, kind=st.sampled_from(("flr", "hot", "power")), **TIMES),
    st.builds(ev.Mark, text=st.text(), **TIMES),
)
KINDS = "CFG_READ CFG_WRITE BAR_READ BAR_WRITE DMA_READ DMA_WRITE MEM_WRITE MSIX MSIX_VECTOR INTX RESET MARK"


def test_kinds_of_records_are_the_librarys(lib: Any) -> None:
    for name in KINDS.split():
        assert getattr(records, name) == getattr(lib, f"VIO_{name}")


@given(st.lists(EVENTS, max_size=8))
def test_events_come_back_from_c_as_they_went_in(events: list[Event]) -> None:
    host = NativeHost(0, 4000)
    host.keep(True)
    for event in events:
        host.emit(event)
    assert list(host.drain()) == events


@given(EVENTS)
def test_c_writes_the_same_line_as_python(event: Event) -> None:
    ffi, lib = binding()
    t, asked, addr, kind, number, err, data = encode(event)
    content = ffi.new("uint8_t[]", data or b"\0")
    fact = ffi.new("vio_event *", (t, asked, addr, len(data), kind, number, err, 0, content))
    size = lib.vio_event_line(fact, ffi.NULL, 0)
    out = ffi.new("char[]", size)
    assert lib.vio_event_line(fact, out, size) == size
    assert bytes(ffi.buffer(out, size)).decode() + "\n" == event_to_line(event)


def test_events_are_lost_neither_by_growth_nor_by_partial_drains(host: NativeHost) -> None:
    events = [ev.MemWrite(t=i, addr=i, data=bytes(i % 50)) for i in range(5000)]
    got: list[Event] = []
    for index, event in enumerate(events):
        host.emit(event)
        if index % 700 == 0:
            room = host.ffi.new("uint8_t[]", 1000)
            used = host.lib.vio_events_drain(host.events, room, 1000)
            got += decode(bytes(host.ffi.buffer(room, used)))
    assert got + list(host.drain()) == events


def test_a_record_is_never_cut(host: NativeHost) -> None:
    host.emit(ev.MemWrite(t=1, addr=2, data=bytes(100)))
    room = host.ffi.new("uint8_t[]", 100)
    assert host.lib.vio_events_drain(host.events, room, 100) == 0
    assert len(list(host.drain())) == 1


def test_nothing_is_kept_that_nobody_wants(host: NativeHost) -> None:
    host.keep(False)
    host.emit(ev.Mark(t=0, text="gone"))
    assert list(host.drain()) == []
    assert host.lib.vio_events_count(host.events) == 1


def test_a_trace_file_reads_back(host: NativeHost, tmp_path: Path) -> None:
    events = [ev.DmaWrite(t=i, addr=i, data=bytes([i % 256]) * 300) for i in range(1000)]
    path = tmp_path / "x.vtrace"
    header = '{"vtrace":1,"source":"verilator","time_unit":"ps"}\n'
    host.trace(path, header)
    for event in events:
        host.emit(event)
    on_the_way = path.read_bytes()
    assert on_the_way.startswith(header.encode())
    assert on_the_way.endswith(b"}\n")
    host.close_trace()
    reader, stream = read_vtrace(path)
    with stream:
        assert [event_to_line(e) for e in reader] == [event_to_line(e) for e in events]
        assert reader.header == Header(source="verilator")


def test_a_trace_into_nowhere_says_so(host: NativeHost, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot be written"):
        host.trace(tmp_path / "no" / "x", "{}\n")


def test_a_full_disk_is_noticed(host: NativeHost) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    with pytest.raises(OSError, match="cannot be written"):
        host.trace(Path("/dev/full"), "{}\n")
    with pytest.raises(OSError, match="whole"):
        host.close_trace()


def test_sinks_hear_events_in_order_until_they_leave(host: NativeHost) -> None:
    heard: list[tuple[str, int]] = []
    a = host.ffi.callback("vio_event_sink", lambda context, event: heard.append(("a", event.t)))
    b = host.ffi.callback("vio_event_sink", lambda context, event: heard.append(("b", event.t)))
    one, two = host.ffi.cast("void *", 1), host.ffi.cast("void *", 2)
    host.lib.vio_events_listen(host.events, a, one)
    host.lib.vio_events_listen(host.events, b, two)
    host.emit(ev.Mark(t=5, text=""))
    host.lib.vio_events_listen(host.events, host.ffi.NULL, one)
    host.emit(ev.Mark(t=6, text=""))
    host.lib.vio_events_settle(host.events)
    assert heard == [("a", 5), ("b", 5), ("b", 6)]
