"""The timeline: every buffer from made available to interrupt, as Perfetto reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.waves.command import Command
from tests.waves.faults import fail, run
from waves.buffers import BufferLog, Life
from waves.decode import decode

TRAFFIC = "rings.test_small_ring_wraps_under_traffic"
STAGES = ("available", "fetched", "first_data", "last_data", "used", "interrupt")


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, result = run(TRAFFIC, tmp_path_factory.mktemp("traffic"))
    assert result.status == "pass"
    return folder


def lives(folder: Path) -> list[Life]:
    log = BufferLog()
    return log.finish(decode(folder / "trace.vtrace", log.after))


def rows(path: Path) -> list[dict[str, Any]]:
    content = json.loads(path.read_text())
    found: list[dict[str, Any]] = content["traceEvents"]
    return found


def test_every_buffer_goes_through_its_stages_in_order(traffic: Path) -> None:
    all_lives = lives(traffic)
    assert len(all_lives) > 50
    for life in all_lives:
        times = [getattr(life, stage) for stage in STAGES[:-1]]
        assert None not in times, life
        assert times == sorted(times), life
        assert life.length in (None, life.written)
        assert life.status == "OK"
    assert [life.place for life in all_lives] == list(range(len(all_lives)))
    assert any(life.interrupt is not None for life in all_lives)


def test_timeline_shows_each_buffer_once_and_lanes_do_not_overlap(
    traffic: Path, command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "timeline.json"
    code, text, _ = command("timeline", traffic, "--out", out)
    assert code == 0
    assert f"{len(lives(traffic))} buffers" in text
    slices = [row for row in rows(out) if row["ph"] == "X" and row["pid"] >= 10]
    whole = [row for row in slices if "place" in row["args"]]
    assert len(whole) == len(lives(traffic))
    ends: dict[tuple[int, int], float] = {}
    for row in sorted(whole, key=lambda row: float(row["ts"])):
        lane = row["pid"], row["tid"]
        assert row["ts"] >= ends.get(lane, 0) - 1e-9
        ends[lane] = row["ts"] + row["dur"]
        stages = [s for s in slices if (s["pid"], s["tid"]) == lane and "place" not in s["args"]]
        inside = [s for s in stages if row["ts"] <= s["ts"] + 1e-9 and s["ts"] < ends[lane]]
        assert inside
        assert all(s["ts"] + s["dur"] <= ends[lane] + 1e-9 for s in inside)


def test_an_interrupt_that_never_comes_is_missing_and_its_verdict_there(
    command: Command, tmp_path: Path
) -> None:
    folder, result = fail("no-interrupt", tmp_path)
    assert all(life.interrupt is None for life in lives(folder))
    assert command("timeline", folder)[0] == 0
    verdicts = [row["name"] for row in rows(folder / "timeline.json") if row.get("cat") == "verdict"]
    assert any(name.startswith(result.violations[0]["clause"]) for name in verdicts)


def test_what_is_no_trace_is_refused(command: Command, tmp_path: Path) -> None:
    (tmp_path / "x.vtrace").write_text("{}\n")
    for words in (("timeline", tmp_path / "x.vtrace"), ("timeline", tmp_path / "nothing")):
        code, _, err = command(*words)
        assert (code, len(err.splitlines())) == (2, 1)
    assert not (tmp_path / "timeline.json").exists()
