"""Both twins on the same streams: the same verdicts, whatever the stream."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from native.host import NativeError, NativeHost
from native.library import HERE
from native.twin import Twin, binding, check_file, unjudged_rules
from pymodel import checker, gen
from pymodel.checker import Checker, Results
from pymodel.driver.interrupts import InterruptMode
from pymodel.events import ConfigRead, ConfigWrite, Event, Mark
from pymodel.vtrace import Header, VtraceError, event_to_line
from tests.native.test_events import EVENTS
from tests.unit import (
    test_checker_below,
    test_checker_blk,
    test_checker_bring_up,
    test_checker_pci,
    test_checker_rings,
    test_checker_suspend_config,
)
from tests.unit.checker_cases import Case, Stream
from tests.unit.checker_streams import FEATURES, model_stream

TABLES = (
    test_checker_below,
    test_checker_blk,
    test_checker_bring_up,
    test_checker_pci,
    test_checker_rings,
    test_checker_suspend_config,
)
SHORT = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def shown(results: Results) -> dict[str, object]:
    """What must be the same for both twins: everything but the wording."""
    return {
        "violations": [(finding.clause, finding.t, finding.line) for finding in results.violations],
        "warnings": [(finding.clause, finding.t, finding.line) for finding in results.warnings],
        "verdicts": results.verdicts,
        "breached": {clause: outcome.breached for clause, outcome in results.outcomes.items()},
        "notes": results.notes,
        "counts": (results.events, results.ignored, results.orderly),
    }


def both(events: list[Event], header: Header) -> tuple[dict[str, object], dict[str, object]]:
    """Judge live events with both."""
    python = Checker(header)
    with Twin(header=json.dumps(header.to_json())) as twin:
        for event in events:
            python.observe(event)
            twin.observe(event)
        return shown(python.finish()), shown(twin.finish())


def cases() -> Iterator[tuple[str, Stream]]:
    for module in TABLES:
        for table in vars(module).values():
            for clause, case in table.items() if isinstance(table, dict) else ():
                if isinstance(case, Case):
                    yield clause, case.holds
                    yield from ((clause, stream) for stream in case.breaks)


def judged_in_source() -> set[str]:
    """The clauses that the C rules name."""
    text = "".join(path.read_text() for path in HERE.glob("check_rules_*.c"))
    return {f"{a}-{b}-{c}" for a, b, c in re.findall(r"\bVIO_(DEV|DRV)_([A-Z]+)_(\d{3})\b", text)}


def test_the_twin_judges_what_its_rules_name_and_no_rule_is_missing() -> None:
    _, lib, names = binding()
    judged = {name for number, name in enumerate(names) if lib.vio_checker_judges(number)}
    assert judged == judged_in_source()
    assert unjudged_rules() == []


def test_the_tables_are_fresh() -> None:
    assert gen.C_TABLES not in gen.stale()
    assert set(binding().names) == set(checker.clauses())


@pytest.mark.parametrize("mode", list(InterruptMode))
@pytest.mark.parametrize("name", FEATURES)
def test_driver_and_model_get_the_same_verdicts(name: str, mode: InterruptMode) -> None:
    stream = model_stream(name, mode)
    end = Mark(t=stream[-1].t + 1_000_000_000, text="end")
    python, native = both([*stream, end], Header(source="model"))
    assert native == python
    assert not native["violations"]


@pytest.mark.parametrize("module", TABLES, ids=lambda module: module.__name__.rpartition("_checker_")[2])
def test_each_rule_holds_and_is_breached_alike(module: object) -> None:
    streams = [stream for clause, stream in cases()]
    assert len(streams) > 400
    for stream in streams[TABLES.index(module) :: len(TABLES)]:  # type: ignore[arg-type]
        script = stream()
        end = Mark(t=script.t + 1_000_000_000, text="end")
        python, native = both([*script.events, end], script.header)
        assert native == python


def altered(rng: Random, event: Event) -> Event:
    """Return the event with another byte, address, length or time."""
    data, addr = getattr(event, "data", None), getattr(event, "addr", None)
    match rng.randrange(4):
        case 0 if isinstance(data, bytes) and data:
            at = rng.randrange(len(data))
            return replace(event, data=data[:at] + bytes([rng.choice((0, 1, 2, 255))]) + data[at + 1 :])  # type: ignore[call-arg]
        case 1 if isinstance(addr, int):
            moved = max(0, addr + rng.choice((-16, -4, -1, 1, 2, 8, 16, 4096)))
            limit = 4096 - len(data) if isinstance(event, ConfigRead | ConfigWrite) and data else 1 << 63
            return replace(event, addr=min(moved, limit))  # type: ignore[call-arg]
        case 2 if isinstance(data, bytes) and len(data) > 1:
            return replace(event, data=data[: rng.randrange(1, len(data))])  # type: ignore[call-arg]
    return replace(event, t=max(0, event.t + rng.randint(-(10**6), 10**7)))


def mutated(rng: Random, stream: list[Event]) -> list[Event]:
    """Drop, repeat, swap and alter some events of a part of the stream."""
    first = rng.randrange(len(stream) // 2) if rng.random() < 0.3 else 0
    events = stream[first : first + rng.randint(200, 1200)]
    for _ in range(rng.randint(1, 8)):
        at, to = rng.randrange(len(events)), rng.randrange(len(events))
        match rng.randrange(5):
            case 0:
                del events[at]
            case 1:
                events.insert(to, events[at])
            case 2:
                events[at], events[at - 1] = events[at - 1], events[at]
            case _:
                events[at] = altered(rng, events[at])
    return events


@SHORT
@given(st.integers(0, 1 << 32), st.sampled_from(list(FEATURES)), st.sampled_from(list(InterruptMode)))
def test_mutated_streams_get_the_same_verdicts(seed: int, name: str, mode: InterruptMode) -> None:
    rng = Random(seed)
    events = mutated(rng, model_stream(name, mode, rng.choice((None, 1, 7))))
    if rng.random() < 0.7:
        events.append(Mark(t=events[-1].t + 1_000_000_000, text="end"))
    python, native = both(events, Header(source=rng.choice(("model", "verilator", "other"))))
    assert native == python


@SHORT
@given(st.lists(EVENTS, max_size=30), st.integers(0, 1 << 32))
def test_hostile_events_get_the_same_verdicts(hostile: list[Event], seed: int) -> None:
    rng = Random(seed)
    events = mutated(rng, model_stream(rng.choice(list(FEATURES))))
    for event in hostile:
        events.insert(rng.randrange(len(events)), event)
    python, native = both(events, Header(source="model"))
    assert native == python


def from_file(path: Path) -> tuple[object, object]:
    """Judge a trace with both; where it cannot be read, line and reason."""
    found = []
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


@SHORT
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


@pytest.mark.parametrize("length", [(16 << 20) - 1, 16 << 20])
def test_long_lines_are_refused_alike(tmp_path: Path, length: int) -> None:
    path = tmp_path / "long.vtrace"
    path.write_bytes(b'{"vtrace":1}\n' + b" " * length + b"\n")
    python, native = from_file(path)
    assert native == python
    assert isinstance(native, dict)
    assert native["line"] == 2


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VtraceError, match="cannot be opened"):
        check_file(tmp_path / "nothing")


def test_memory_that_runs_out_is_said(tmp_path: Path) -> None:
    path = tmp_path / "session.vtrace"
    path.write_text('{"vtrace":1}\n' + "".join(map(event_to_line, model_stream("split"))))
    with pytest.raises(VtraceError, match="more memory"), Twin(path, memory=310_000) as twin:
        twin.run()


def test_an_event_that_cannot_be_is_refused() -> None:
    with Twin() as twin, pytest.raises(ValueError, match="no such event"):
        twin.observe(ConfigRead(t=0, addr=4095, data=b"\0\0"))


def listened(events: list[Event], host: NativeHost) -> Results:
    """The twin's results of events that reach it through the host's C stream."""
    with Twin(header='{"vtrace":1,"source":"model"}') as twin:
        twin.listen(host)
        for event in events:
            host.emit(event)
        return twin.finish()


@pytest.mark.parametrize("name", FEATURES)
def test_a_twin_that_listens_to_the_c_stream_judges_alike(name: str, host: NativeHost) -> None:
    events = model_stream(name)[:-3]
    python = Checker(Header(source="model"))
    for event in events:
        python.observe(event)
    assert shown(listened(events, host)) == shown(python.finish())


def test_a_twin_that_is_closed_listens_no_more(host: NativeHost) -> None:
    for _ in range(20):
        assert listened(model_stream("split")[:10], host).events == 10
    host.emit(Mark(t=1, text="end"))


def test_a_stream_takes_eight_twins(host: NativeHost) -> None:
    twins = [Twin() for _ in range(9)]
    for twin in twins[:8]:
        twin.listen(host)
    with pytest.raises(NativeError, match="too many sinks"):
        twins[8].listen(host)
    host.emit(Mark(t=1, text="end"))
    assert [twin.finish().events for twin in twins] == [1] * 8 + [0]
    for twin in twins:
        twin.close()


def test_an_event_that_cannot_be_ends_the_stream_with_a_reason(host: NativeHost) -> None:
    bad = ConfigRead(t=0, addr=4095, data=b"\0\0")
    with pytest.raises(VtraceError, match="event 2 of kind 0 cannot be"):
        listened([Mark(t=0, text="x"), bad, Mark(t=0, text="y")], host)
