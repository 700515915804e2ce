"""The wave of a test: decoded signals beside the pins in one file, and views that open at the moment."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import pywellen
from pylibfst import lib

from tb.results import Result, write_results
from tests.waves.command import Command
from tests.waves.faults import fail
from waves.fst import full_names, is_decoded, join
from waves.pins import WaveError
from waves.signals import Signal

FAULT = "used-len-off-by-one"


@pytest.fixture
def failed(tmp_path: Path) -> tuple[Path, Result]:
    folder, result = fail(FAULT, tmp_path / "run")
    write_results(tmp_path / "run", [result], {"dut": "model", "manifest": None})
    return folder, result


def values(wave: Path, name: str) -> list[tuple[int, int | str | None]]:
    (var,) = [var for var in pywellen.Waveform(str(wave)).all_vars() if var.full_name == name]
    return list(var.signal)


def test_verdict_and_rings_are_readable(failed: tuple[Path, Result], command: Command) -> None:
    folder, result = failed
    assert command("wave", folder, "--print")[0] == 0
    violation = result.violations[0]
    wave = folder / "wave.fst"
    verdict = f"{violation['clause']}: {violation['message']}"
    assert values(wave, "decoded.verdict") == [(0, "clean"), (violation["t"], verdict)]
    assert values(wave, "decoded.status")[-1][1] == "ACKNOWLEDGE DRIVER DRIVER_OK FEATURES_OK"
    assert "VERSION_1" in str(values(wave, "decoded.features")[-1][1])
    assert (violation["t"], 1) in values(wave, "decoded.queue0.used_idx")
    requests = [value for _, value in values(wave, "decoded.queue0.request")]
    assert "READ sector 2, 512 bytes" in requests


def test_views_name_signals_of_the_wave_and_mark_the_moment(
    failed: tuple[Path, Result], command: Command
) -> None:
    folder, result = failed
    assert command("wave", folder, "--print")[0] == 0
    names = full_names(folder / "wave.fst")
    gtkwave, surfer = (folder / "wave.gtkw").read_text(), (folder / "wave.sucl").read_text()
    added = [line.split()[1] for line in surfer.splitlines() if line.startswith("variable_add")]
    assert added
    assert set(added) <= set(names)
    assert {names[path] for path in added} <= set(gtkwave.splitlines())
    t = result.violations[0]["t"]
    assert f" {t} {t} -1" in gtkwave
    assert f"marker_set {result.violations[0]['clause']} {t}" in surfer
    assert f"cursor_set {t}" in surfer


def test_a_viewer_is_started_on_the_first_failed_test(
    failed: tuple[Path, Result], command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    told = tmp_path / "told"
    (programs / "surfer").write_text(f'#!/bin/sh\necho "$@" > {told}.part; mv {told}.part {told}\n')
    (programs / "surfer").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    started: list[subprocess.Popen[bytes]] = []
    plain = subprocess.Popen
    monkeypatch.setattr("subprocess.Popen", lambda *words, **named: started.append(plain(*words, **named)))
    assert command("wave", tmp_path / "run", "--viewer", "surfer")[0] == 0
    started[0].wait()
    folder, _ = failed
    assert told.read_text().split() == [
        str(folder / "wave.fst"),
        "--command-file",
        str(folder / "wave.sucl"),
    ]


def test_without_a_viewer_it_says_what_to_install(
    failed: tuple[Path, Result], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    code, out, _ = command("wave", failed[0])
    assert code == 0
    assert "gtkwave is not installed: apt-get install gtkwave" in out
    assert (failed[0] / "wave.gtkw").exists()


@pytest.mark.parametrize(
    ("broken", "what"),
    [("result.json", "is no result of a test"), ("trace.vtrace", "line 1"), ("wave.fst", "FST")],
)
def test_what_is_broken_is_named(
    failed: tuple[Path, Result], command: Command, broken: str, what: str
) -> None:
    (failed[0] / broken).write_text("broken\n")
    code, _, err = command("wave", failed[0])
    assert code == 2
    assert what in err
    assert len(err.splitlines()) == 1
    assert (failed[0] / broken).read_text() == "broken\n"


def test_a_folder_that_is_no_run_is_refused(command: Command, tmp_path: Path) -> None:
    code, _, err = command("wave", tmp_path)
    assert (code, len(err.splitlines())) == (2, 1)
    assert str(tmp_path) in err


def pins(path: Path) -> Path:
    """A small wave as a simulator writes it: a clock, a bus and an alias of it."""
    writer = lib.fstWriterCreate(str(path).encode(), 1)
    lib.fstWriterSetTimescale(writer, -12)
    lib.fstWriterSetScope(writer, lib.FST_ST_VCD_MODULE, b"top", b"")
    clock = lib.fstWriterCreateVar(writer, lib.FST_VT_VCD_WIRE, lib.FST_VD_INPUT, 1, b"clk", 0)
    bus = lib.fstWriterCreateVar(writer, lib.FST_VT_VCD_WIRE, lib.FST_VD_OUTPUT, 8, b"data [7:0]", 0)
    lib.fstWriterCreateVar(writer, lib.FST_VT_VCD_WIRE, lib.FST_VD_OUTPUT, 8, b"same [7:0]", bus)
    lib.fstWriterSetUpscope(writer)
    for time in range(100, 200, 10):
        lib.fstWriterEmitTimeChange(writer, time)
        lib.fstWriterEmitValueChange(writer, clock, b"1" if time % 20 else b"0")
        lib.fstWriterEmitValueChange(writer, bus, f"{time:08b}".encode())
    lib.fstWriterClose(writer)
    return path


def test_pins_stay_as_they_are_beside_decoded_signals(tmp_path: Path) -> None:
    source, target = pins(tmp_path / "pins.fst"), tmp_path / "both.fst"
    signals = [
        Signal("", "verdict", True, [(0, "clean"), (155, "\u00b5 broken")]),
        Signal("queue0", "used_idx", False, [(110, 3), (300, 70_000)]),
    ]
    join(target, signals, 400, source)
    assert is_decoded(target)
    assert not is_decoded(source)
    for name in ("top.clk", "top.data", "top.same"):
        assert values(target, name) == values(source, name)
    assert values(target, "decoded.verdict")[-1] == (155, "? broken")
    assert values(target, "decoded.queue0.used_idx")[-2:] == [(110, 3), (300, 70_000 & 0xFFFF)]


def test_a_wave_that_cannot_be_read_leaves_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "pins.fst"
    broken.write_bytes(b"\x00" * 400)
    with pytest.raises(WaveError, match=r"pins\.fst"):
        join(tmp_path / "both.fst", [], 1, broken)
    assert [path.name for path in tmp_path.iterdir()] == ["pins.fst"]
