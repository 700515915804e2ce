"""Both twins on traces that hold less, or more, than a whole session: no false conviction, no blindness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pymodel.checker import Results, Verdict
from pymodel.device.config import DeviceConfig
from pymodel.events import ConfigRead, ConfigWrite, DmaWrite, Event, Mark, MemWrite
from pymodel.transport import run_now
from pymodel.vtrace import Header, write_vtrace
from tests.native.streams import UNSEEN
from tests.native.test_checker_files import from_file
from tests.native.test_checker_twin import judged_by_both, shown
from tests.unit.checker_streams import FEATURES, SILENCE, model_stream
from tests.unit.model import Bench

MIDDLE = "the trace begins within a session: what hangs on its beginning is not judged"
USED = {"split": "DEV-SPLIT-016", "packed": "DEV-PACKED-001"}


def judged(events: list[Event], header: Header) -> Results:
    """The results of both twins, which must be the same, of a stream that ends in silence."""
    end = Mark(t=events[-1].t + SILENCE, text="end") if events else Mark(t=0, text="end")
    python, native = judged_by_both([*events, end], header)
    assert shown(native) == shown(python)
    return python


def held(results: Results) -> set[str]:
    return {clause for clause, verdict in results.verdicts.items() if verdict is Verdict.HELD}


def without(events: list[Event], *kinds: type[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, kinds)]


def longer_used(events: list[Event], number: int) -> list[Event]:
    """The `number`-th used element of a split ring claims more bytes than the chain has."""
    elements = [
        at
        for at, event in enumerate(events)
        if isinstance(event, DmaWrite) and len(event.data) == 8 and event.data[4:] != bytes(4)
    ]
    at = elements[number]
    event = events[at]
    assert isinstance(event, DmaWrite)
    return [*events[:at], replace(event, data=event.data[:4] + b"\xff\xff\xff\x7f"), *events[at + 1 :]]


@pytest.mark.parametrize("stores", [True, False])
@pytest.mark.parametrize("name", FEATURES)
def test_a_layout_stands_in_for_a_configuration_space_that_nobody_saw(name: str, stores: bool) -> None:
    whole = model_stream(name) if stores else without(model_stream(name), MemWrite)
    results = judged(without(whole, ConfigRead, ConfigWrite), UNSEEN)
    assert results.violations == []
    # All that hangs on configuration space itself, and on vectors, is out of sight; the rest is not.
    lost = held(judged(whole, Header("lab"))) - held(results)
    assert not [clause for clause in lost if "-PCI-" not in clause and "-RSVD-" not in clause], lost
    assert len(held(results)) > 60


def test_a_defect_behind_a_layout_is_convicted() -> None:
    events = without(longer_used(model_stream("split"), 3), ConfigRead, ConfigWrite)
    assert judged(events, UNSEEN).violations[0].clause == "DEV-SPLIT-016"


def test_without_layout_and_configuration_space_nothing_is_convicted() -> None:
    results = judged(without(model_stream("split-all"), ConfigRead, ConfigWrite), Header("lab"))
    assert results.violations == []
    assert "DEV-SPLIT-016" not in held(results)


@pytest.mark.parametrize("header", [Header("lab"), UNSEEN], ids=["seen", "layout"])
@pytest.mark.parametrize("name", ["split-all", "packed-all", "split", "packed-order"])
def test_a_trace_that_begins_anywhere_convicts_nobody(name: str, header: Header) -> None:
    whole = model_stream(name)
    for start in range(7, len(whole), 197):
        for events in (whole[start:], without(whole[start:], MemWrite)):
            assert judged(events, header).violations == [], start


@pytest.mark.parametrize("name", ["split", "packed"])
def test_a_trace_that_begins_in_mid_session_says_so_and_judges_the_next_session(name: str) -> None:
    whole = model_stream(name)
    results = judged(whole[len(whole) // 3 :], UNSEEN)
    assert results.notes == [MIDDLE]
    assert {"DRV-INIT-001", "DEV-STATUS-001", USED[name]} <= held(results)


def test_a_defect_behind_a_beginning_in_mid_session_is_convicted() -> None:
    whole = model_stream("split")
    results = judged(longer_used(whole, -2)[len(whole) // 3 :], UNSEEN)
    assert [finding.clause for finding in results.violations] == ["DEV-SPLIT-016"]


def write(path: Path, edit: Callable[[list[str]], list[str]]) -> Path:
    """Write a session's trace, its lines edited."""
    with write_vtrace(path, Header("model")) as trace:
        for event in model_stream("split-all"):
            trace(event)
    path.write_bytes("".join(edit(path.read_text().splitlines(keepends=True))).encode())
    return path


def with_unknown(lines: list[str]) -> list[str]:
    """Events of kinds to come behind every tenth line, and a key of another version in every third."""
    out: list[str] = []
    for number, line in enumerate(lines):
        out.append(line.replace("{", '{"x":[1,{"t":2}],', 1) if number and number % 3 == 0 else line)
        if number % 10 == 0:
            out.append('{"ev":"ats_req","t":"soon","addr":null}\n')
    return out


def test_unknown_events_and_keys_are_counted_and_change_nothing(tmp_path: Path) -> None:
    plain = from_file(write(tmp_path / "plain", lambda lines: lines))
    python, native = from_file(write(tmp_path / "more", with_unknown))
    assert native == python
    assert python["verdicts"] == plain[0]["verdicts"]
    lines = len((tmp_path / "plain").read_text().splitlines())
    ignored = (lines + 9) // 10 + (lines - 1) // 3
    assert python["counts"] == (lines - 1, ignored, True)


def test_crlf_line_ends_are_read(tmp_path: Path) -> None:
    plain = from_file(write(tmp_path / "plain", lambda lines: lines))
    crlf = from_file(write(tmp_path / "crlf", lambda lines: [f"{line[:-1]}\r\n" for line in lines]))
    assert crlf == plain
    assert plain[0] == plain[1]


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_header_alone_is_clean(tmp_path: Path, end: str) -> None:
    path = tmp_path / "alone"
    path.write_text('{"vtrace":1}' + end, newline="")
    python, native = from_file(path)
    assert native == python
    assert python["violations"] == []
    assert python["counts"] == (0, 0, False)


async def on_three_queues(bench: Bench, features: int) -> None:
    await bench.guest.start(features)
    for _ in range(6):
        requests = [await bench.blk.submit_read(sector, queue=sector % 3) for sector in range(12)]
        await bench.blk.wait_all(requests)


def interleaved(features: int) -> list[Event]:
    """Reads on three queues at once, by a device that trails behind and turns from queue to queue."""
    bench = Bench(DeviceConfig(lag=3, seed=5, max_queue_size=16), queues=3)
    run_now(on_three_queues(bench, features | (1 << 24) - 1))
    rings = {index: queue.addresses for index, queue in bench.guest.device.queues.items()}
    owners = [
        index
        for event in bench.of(DmaWrite)
        for index, places in rings.items()
        if isinstance(event, DmaWrite) and any(place <= event.addr < place + 256 for place in places)
    ]
    assert set(owners) == {0, 1, 2}
    assert sum(owners[at] != owners[at - 1] for at in range(1, len(owners))) > 12
    return bench.events


@pytest.mark.parametrize("name", FEATURES)
def test_interleaved_queues_are_told_apart(name: str) -> None:
    events = interleaved(FEATURES[name])
    results = judged(events, Header("model"))
    assert results.violations == []
    assert USED[name.partition("-")[0]] in held(results)
    assert judged(without(events, MemWrite), Header("model")).violations == []


def test_a_defect_on_one_of_interleaved_queues_is_convicted_at_once() -> None:
    events = interleaved(0)
    forged = longer_used(events, 10)
    at = next(index for index, event in enumerate(forged) if event != events[index])
    (first, *_) = judged(forged, Header("model")).violations
    assert first.clause == "DEV-SPLIT-016"
    assert forged[at].t <= first.t <= forged[at + 2].t
