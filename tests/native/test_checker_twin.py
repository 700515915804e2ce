"""Both twins on the same streams: the same verdicts, whatever the stream."""

from __future__ import annotations

import json
import re
import tracemalloc
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from native.host import NativeError, NativeHost
from native.library import HERE
from native.twin import Twin, binding, unjudged_rules
from pymodel import gen
from pymodel.checker import Checker, Results
from pymodel.checker.clauses import demands
from pymodel.driver.interrupts import InterruptMode
from pymodel.events import ConfigRead, Event, Mark, MemWrite
from pymodel.vtrace import Header, VtraceError, event_to_line
from tests.native.conftest import FUZZ
from tests.native.streams import TABLES, any_stream, case_list, endless, possible
from tests.native.test_events import EVENTS
from tests.unit.checker_streams import FEATURES, LAGGING, SILENCE, model_stream


def shown(results: Results) -> dict[str, object]:
    """What must be the same for both twins: everything but the wording."""
    return {
        "violations": [(finding.clause, finding.t, finding.line) for finding in results.violations],
        "warnings": [(finding.clause, finding.t, finding.line) for finding in results.warnings],
        "verdicts": results.verdicts | results.older,
        "outcomes": results.outcomes,
        "notes": results.notes,
        "counts": (results.events, results.ignored, results.orderly),
    }


def judged_by_both(events: list[Event], header: Header) -> tuple[Results, Results]:
    """Judge live events with both: Python's results and C's."""
    python = Checker(header)
    with Twin(header=json.dumps(header.to_json())) as twin:
        for event in events:
            python.observe(event)
            twin.observe(event)
        return python.finish(), twin.finish()


def both(events: list[Event], header: Header) -> tuple[dict[str, object], dict[str, object]]:
    """The same, as they must be the same."""
    python, native = judged_by_both(events, header)
    return shown(python), shown(native)


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
    assert set(binding().names) == set(demands())


@pytest.mark.parametrize("mode", list(InterruptMode))
@pytest.mark.parametrize("name", FEATURES)
def test_driver_and_model_get_the_same_verdicts(name: str, mode: InterruptMode) -> None:
    clean_for_both(model_stream(name, mode))


def clean_for_both(events: list[Event]) -> None:
    """No violation, with the driver's stores seen and without, and the same for both twins."""
    end = Mark(t=events[-1].t + SILENCE, text="end")
    for stream in (events, [event for event in events if not isinstance(event, MemWrite)]):
        python, native = both([*stream, end], Header("model"))
        assert native == python
        assert not native["violations"]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", LAGGING)
def test_a_lagging_model_with_any_framing_is_clean_for_both(name: str, seed: int) -> None:
    clean_for_both(model_stream(name, InterruptMode.PER_QUEUE, seed))


@pytest.mark.parametrize("module", TABLES, ids=lambda module: module.__name__.rpartition("_checker_")[2])
def test_each_rule_holds_and_is_breached_alike(module: object) -> None:
    streams = case_list()
    assert len(streams) > 400
    for stream in streams[TABLES.index(module) :: len(TABLES)]:  # type: ignore[arg-type]
        script = stream()
        end = Mark(t=script.t + SILENCE, text="end")
        python, native = both([*script.events, end], script.header)
        assert native == python


@FUZZ
@given(st.integers(0, 1 << 48), st.lists(EVENTS.filter(possible), max_size=20))
def test_any_stream_gets_the_same_verdicts(seed: int, hostile: list[Event]) -> None:
    python, native = both(*any_stream(Random(seed), hostile))
    assert native == python


def test_following_a_hostile_stream_takes_no_more_memory_with_time() -> None:
    header = Header("model")
    events = list(islice(endless(Random(3)), 24_000))
    python = Checker(header)
    tracemalloc.start()
    with Twin(header=json.dumps(header.to_json()), memory=6 << 20) as twin:
        for number, event in enumerate(events):
            if number == 8_000:
                settled = tracemalloc.get_traced_memory()[0]
            python.observe(event)
            twin.observe(event)
        assert twin.finish().events == 24_000
    grown = tracemalloc.get_traced_memory()[0] - settled
    tracemalloc.stop()
    assert grown < 200 << 10


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
