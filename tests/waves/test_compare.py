"""Two traces are the same whatever their times; the first difference is told in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.waves.command import Command
from tests.waves.faults import fail, run
from waves.compare import find
from waves.lanes import lanes_of

TEST = "rings.test_chains_of_every_length_split"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(TEST, tmp_path_factory.mktemp("good"))[0] / "trace.vtrace"


def retimed(trace: Path, target: Path) -> Path:
    """The same events at other times."""
    rows = [json.loads(line) for line in trace.read_text().splitlines()]
    for row in rows[1:]:
        row["t"] = 3 * row["t"] + 17
        row.pop("t_req", None)
    target.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return target


def test_times_are_no_difference(good: Path, command: Command, tmp_path: Path) -> None:
    code, out, _ = command("compare", good, retimed(good, tmp_path / "late.vtrace"))
    assert code == 0
    assert "the same:" in out


def test_polls_are_no_difference(good: Path, command: Command, tmp_path: Path) -> None:
    lines = good.read_text().splitlines()
    place = next(n for n, line in enumerate(lines) if '"bar_rd"' in line)
    polled = tmp_path / "polled.vtrace"
    polled.write_text("\n".join([*lines[:place], lines[place], *lines[place:]]) + "\n")
    assert command("compare", good, polled)[0] == 0


def test_a_bad_device_is_told_from_a_good_one(good: Path, command: Command, tmp_path: Path) -> None:
    folder, result = fail("used-len-off-by-one", tmp_path)
    assert result.name == TEST
    code, out, _ = command("compare", folder, good)
    assert code == 1
    assert "first difference: session 2, queue 0, returned, entry 0" in out
    assert "what came back of buffer 0 (READ sector 2, 512 bytes): len 514" in out
    assert "the device answers otherwise" in out
    assert f"A breaks {result.violations[0]['clause']}" in out
    assert "B is clean by the checker" in out


def test_another_register_value_is_the_devices(good: Path, command: Command, tmp_path: Path) -> None:
    folder, result = fail("feature-word-2-aliases", tmp_path)
    other = run(result.name, tmp_path / "plain")[0]
    code, out, _ = command("compare", folder, other)
    assert code == 1
    assert "A: read device_feature: 0x" in out
    assert "the device answers otherwise" in out


def test_another_seed_is_another_stimulus(command: Command, tmp_path: Path) -> None:
    one, two = (run("random.test_drawn_sessions", tmp_path, seed)[0] for seed in (1, 2))
    code, out, _ = command("compare", one, two)
    assert code == 1
    assert "another stimulus" in out


def test_a_trace_cut_off_ends_first(good: Path, tmp_path: Path) -> None:
    lines = good.read_text().splitlines()
    short = tmp_path / "short.vtrace"
    short.write_text("\n".join(lines[: len(lines) // 2]) + "\n")
    differences = find(lanes_of(short), lanes_of(good))
    assert any("A ends here" in difference.explanation for difference in differences)


@pytest.mark.parametrize("broken", ["", "no trace\n", '{"vtrace":2}\n'])
def test_what_cannot_be_read_is_refused(good: Path, command: Command, tmp_path: Path, broken: str) -> None:
    bad = tmp_path / "bad.vtrace"
    bad.write_text(broken)
    code, out, err = command("compare", good, bad)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "bad.vtrace" in err
