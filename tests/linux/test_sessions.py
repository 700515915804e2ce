"""Recorded sessions of real Linux kernels drive the device again, alone: the same traffic, no violation."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from pymodel.checker import check_file
from pymodel.events import Mark, Reset
from pymodel.recorded import RecordedMemory
from pymodel.vtrace import read_vtrace
from tb.paths import BUNDLED_MANIFEST
from tb.replay import request_for
from tb.replaying.test_trace import memory_of
from tb.request import RunRequest
from tb.results import PASS
from tb.run import Run

SESSIONS = sorted((Path(__file__).parent / "sessions").glob("*.vtrace"))
SPLIT = BUNDLED_MANIFEST.with_name("dut_split.toml")


def counted(trace: Path) -> Counter[str]:
    reader, stream = read_vtrace(trace)
    with stream:
        return Counter(type(event).__name__ for event in reader if not isinstance(event, Mark | Reset))


def replayed(session: Path, dut: str, out: Path) -> Path:
    """The trace of a recorded session's replay, which must pass."""
    request = request_for(session, RunRequest(dut=dut, out=out), dut_given=True)
    report = Run(request, lambda text: None, lambda result: None).execute()
    assert [result.status for result in report.results] == [PASS], report.results[0].message
    return out / report.results[0].folder / "trace.vtrace"


def test_three_sessions_are_kept() -> None:
    assert len(SESSIONS) == 3


@pytest.mark.parametrize("session", SESSIONS, ids=lambda path: path.stem)
def test_recorded_session_is_clean(session: Path) -> None:
    assert not check_file(session).violations


@pytest.mark.parametrize("session", SESSIONS, ids=lambda path: path.stem)
def test_session_drives_the_rtl_alone(session: Path, tmp_path: Path) -> None:
    """The RTL that was recorded answers with as many accesses of each kind."""
    dut = BUNDLED_MANIFEST if "packed" in session.stem else SPLIT
    assert counted(replayed(session, str(dut), tmp_path / "out")) == counted(session)


def test_memory_tells_each_read_what_was_read_then(tmp_path: Path) -> None:
    trace = tmp_path / "two_reads.vtrace"
    lines = [
        '{"vtrace":1,"source":"lab","time_unit":"ps"}',
        '{"t":1,"ev":"dma_rd","addr":4096,"data":"0102"}',
        '{"t":2,"ev":"dma_rd","addr":4096,"data":"0304"}',
        '{"t":3,"ev":"dma_rd","addr":4098,"data":"05060708"}',
    ]
    trace.write_text("\n".join(lines) + "\n")
    memory = memory_of(str(trace))
    assert isinstance(memory, RecordedMemory)
    assert [memory.dma_read(4096, 2) for _ in range(2)] == [b"\x01\x02", b"\x03\x04"]
    assert memory.dma_read(4098, 2) + memory.dma_read(4100, 2) == b"\x05\x06\x07\x08"
