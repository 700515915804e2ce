"""A test's events recorded and judged in C: the same as in Python, and what is told when C finds a breach."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from native.host import NativeHost
from native.twin import Twin
from pymodel.checker import Results
from pymodel.events import DmaWrite, Event, EventStream, Mark
from pymodel.vtrace import Header
from tb.native_recorder import NativeRecorder
from tb.ports.native import NativeSource
from tb.recorder import PythonRecorder, Recorder, TwinsDisagree
from tests.native.test_checker_twin import model_stream

HEADER = Header(source="model")


def recorded(host: NativeHost, folder: Path, events: list[Event]) -> tuple[Recorder, Recorder]:
    """The same events through both recorders."""
    native, python = EventStream(), EventStream()
    NativeSource(host, native)
    ours = NativeRecorder(host, native, folder / "native.vtrace", HEADER)
    theirs = PythonRecorder(python, folder / "python.vtrace", HEADER)
    for event in events:
        native.emit(event)
        python.emit(event)
    return ours, theirs


def broken(events: list[Event]) -> list[Event]:
    """The stream of a device that goes on to write where nothing is."""
    place = next(i for i, event in enumerate(events) if isinstance(event, DmaWrite))
    stray = replace(events[place], addr=0x7777_0000)
    return [*events[: place + 1], stray, *events[place + 1 :]]


@pytest.mark.parametrize("change", [list, broken])
def test_both_tell_the_same(host: NativeHost, tmp_path: Path, change: type[list[Event]]) -> None:
    ours, theirs = recorded(host, tmp_path, [*change(model_stream("split")), Mark(t=1 << 40, text="end")])
    assert ours.log == theirs.log
    one, other = ours.finish(), theirs.finish()
    assert (one.violations, one.warnings, one.verdicts) == (other.violations, other.warnings, other.verdicts)
    assert bool(one.violations) == (change is broken)
    ours.close()
    theirs.close()
    assert (tmp_path / "native.vtrace").read_bytes() == (tmp_path / "python.vtrace").read_bytes()


def test_a_test_that_expects_a_breach_is_judged_in_python(host: NativeHost, tmp_path: Path) -> None:
    stream = broken(model_stream("split"))
    ours, theirs = recorded(host, tmp_path, stream[:3])
    with ours.expect("DRV-PCI-020"), theirs.expect("DRV-PCI-020"):
        pass
    assert ours.unmet == theirs.unmet == ["DRV-PCI-020"]
    assert ours.finish().verdicts == theirs.finish().verdicts


def test_twins_that_disagree_are_an_error(
    host: NativeHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = recorded(host, tmp_path, broken(model_stream("split")))
    found = theirs.finish().violations
    other = [replace(found[0], t=found[0].t + 1)]
    monkeypatch.setattr(Twin, "finish", lambda twin: Results(violations=other))
    with pytest.raises(TwinsDisagree, match=found[0].clause):
        ours.finish()


def test_the_log_grows_with_the_stream(host: NativeHost, tmp_path: Path) -> None:
    ours, _ = recorded(host, tmp_path, [Mark(t=0, text="a")])
    assert len(ours.log) == 1
    host.emit(Mark(t=1, text="b"))
    assert ours.log == [Mark(t=0, text="a"), Mark(t=1, text="b")]
