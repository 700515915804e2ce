"""The bench itself, on a small device: build cache, ports and taps, what dies, what is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pymodel.checker import check_file
from tb.build import build
from tb.manifest import load_manifest
from tb.paths import ROOT
from waves.fst import full_names
from waves.pins import read_tracks

HERE = Path(__file__).parent
MANIFEST = HERE / "dut" / "dut.toml"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("build")


class Bench:
    def __init__(self, cache: Path, folder: Path) -> None:
        self.folder = folder
        self._env = {**os.environ, "VIRTIO_COSIM_BUILD": str(cache), "PYTHONPATH": str(ROOT)}

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tb.cli", *words],
            cwd=self.folder,
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, *globs: str, words: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        tests = [word for glob in globs for word in ("--test", glob)]
        common = ("--dut", str(MANIFEST), "--tests", str(HERE / "sim"), "--out", "out", "--jobs", "1")
        quiet = () if "--waves" in words else ("--waves", "never")
        return self.command("run", *common, *tests, *quiet, *words)

    def rows(self) -> dict[str, dict[str, Any]]:
        content = json.loads((self.folder / "out" / "results.json").read_text())
        return {row["name"].removeprefix("copy.test_"): row for row in content["tests"]}


@pytest.fixture
def bench(cache: Path, tmp_path: Path) -> Bench:
    return Bench(cache, tmp_path)


@pytest.mark.parametrize("path", ["portable", "native"])
def test_ports_do_what_the_pins_show(bench: Bench, path: str) -> None:
    """The portable ports are held against taps on the pins, the native ones do the same tests."""
    globs = ("bursts_*", "narrow_*", "write_*", "stray_*", "refused_*", "intx_*", "mute_*")
    done = bench.run(*globs, words=("--seeds", "3", "--path", path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "21 passed, 0 failed"


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")
def test_portable_path_is_portable(bench: Bench) -> None:
    """Icarus Verilog gives every test the outcome that Verilator gives it."""
    outcomes = []
    for simulator in ("icarus", "verilator"):
        words = ("--simulator", simulator, "--path", "portable", "--waves", "never")
        assert bench.run("*", words=words).returncode == 1
        rows = bench.rows()
        outcomes.append(
            {name: (row["status"], row["message"].partition("(")[0]) for name, row in rows.items()}
        )
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--path", "native"), "has no DPI"),
        (("--waves", "always"), "Icarus Verilog writes none here"),
    ],
)
def test_what_icarus_cannot_do_is_bad_input(bench: Bench, words: tuple[str, ...], said: str) -> None:
    done = bench.run("bursts_*", words=("--simulator", "icarus", *words))
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


FAILURES = {
    "fails_as_awvalid_falls": "tap: awvalid fell before awready",
    "fails_as_wlast_is_early": "AXI4: wlast is wrong at beat 2",
    "fails_as_nothing_happens": "the test did not end within 20 us",
    "fails_as_dma_is_left_in_flight": "a plain failure",
}


def test_faults_of_device_and_test_are_failures(bench: Bench) -> None:
    done = bench.run("fails_*", words=("--path", "portable"))
    assert done.returncode == 1
    rows = bench.rows()
    assert set(rows) == set(FAILURES)
    for name, message in FAILURES.items():
        assert rows[name]["status"] == "fail"
        assert message in rows[name]["message"]


def test_dead_simulator_is_an_error_and_the_rest_goes_on(bench: Bench) -> None:
    done = bench.run("ends_*", "runs_*")
    assert done.returncode == 3, done.stdout + done.stderr
    rows = bench.rows()
    assert rows["ends_the_simulator"]["status"] == "error"
    assert rows["runs_behind_a_dead_simulator"]["status"] == "pass"
    check_file(bench.folder / "out" / "copy.test_ends_the_simulator" / "trace.vtrace")


def test_waves_are_written_where_asked_for(bench: Bench) -> None:
    assert bench.run("bursts_*", "fails_as_nothing_*", words=("--waves", "on-fail")).returncode == 1
    waves = [path.parent.name for path in (bench.folder / "out").glob("*/wave.fst")]
    assert waves == ["copy.test_fails_as_nothing_happens"]
    (wave,) = (bench.folder / "out").glob("*/wave.fst")
    names = full_names(wave)
    assert {"copy_engine.clk_i", "decoded.verdict"} <= set(names)
    row = bench.rows()["fails_as_nothing_happens"]
    (clock,) = read_tracks(wave, "copy_engine", ["clk_i"], 0, 1000 * row["sim_ns"])
    assert abs(clock.values[0][0] // 1000 - (row["sim_ns"] - 2000)) < 10
    assert wave.with_name("failure.html").exists()
    done = bench.command("wave", "out", "--print")
    assert done.returncode == 0, done.stderr
    assert f"gtkwave {wave.relative_to(bench.folder)} " in done.stdout
    wave.unlink()
    done = bench.command("wave", "out", "--print")
    assert "has no wave yet" in done.stdout, done.stderr
    assert set(names) == set(full_names(wave))


def test_second_build_comes_from_the_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTIO_COSIM_BUILD", str(cache))
    first = build(load_manifest(MANIFEST), waves=False, tell=lambda line: None)
    second = build(load_manifest(MANIFEST), waves=False, tell=lambda line: None)
    assert first.folder == second.folder
    assert not second.fresh


def test_two_builds_at_once_make_one(bench: Bench, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tb.build import build; "
        "from tb.manifest import load_manifest; "
        "print(build(load_manifest(Path(sys.argv[1])), waves=False, tell=lambda line: None).fresh)"
    )
    env = {**os.environ, "VIRTIO_COSIM_BUILD": str(tmp_path / "cold"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, str(MANIFEST)]
    both = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sorted(process.communicate()[0].strip() for process in both) == ["False", "True"]


def variant(folder: Path, old: str, new: str, source: tuple[str, str] = ("", "")) -> Path:
    """A copy of the device with one change in its manifest and one in its source."""
    text = MANIFEST.read_text()
    assert old in text
    (folder / "copy_engine.sv").write_text((HERE / "dut" / "copy_engine.sv").read_text().replace(*source))
    (folder / "dut.toml").write_text(text.replace(old, new))
    return folder / "dut.toml"


def test_port_that_the_top_level_lacks_is_exit_2(bench: Bench, tmp_path: Path) -> None:
    manifest = variant(tmp_path, '"clk_i"', '"clock"')
    done = bench.command("run", "--dut", str(manifest), "--tests", str(HERE / "sim"))
    assert done.returncode == 2
    assert "[clock] port: copy_engine has no port 'clock'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_missing_axi_pin_is_exit_2(bench: Bench, tmp_path: Path) -> None:
    manifest = variant(tmp_path, '"m_dma_axi_"', '"m_dma_axi_"\nsignals = { wlast = "m_wlast" }')
    done = bench.command("run", "--dut", str(manifest), "--tests", str(HERE / "sim"))
    assert done.returncode == 2
    assert "[ports.dma] signals.wlast: copy_engine has no port 'm_wlast'" in done.stderr


WRONG_PORTS = {
    "width": ("input  logic [31:0] s_bar_axil_wdata", "input  logic [15:0] s_bar_axil_wdata", "has 16 bits"),
    "direction": ("input  logic s_bar_axil_bready", "output logic s_bar_axil_bready", "not as an input"),
    "strobes": ("input  logic [3:0] s_cfg_axil_wstrb", "input  logic [7:0] s_cfg_axil_wstrb", "give it 4"),
}


@pytest.mark.parametrize("fault", WRONG_PORTS)
def test_port_of_another_shape_is_exit_2(bench: Bench, tmp_path: Path, fault: str) -> None:
    old, new, said = WRONG_PORTS[fault]
    assert old in (HERE / "dut" / "copy_engine.sv").read_text()
    manifest = variant(tmp_path, "64", "64", (old, new))
    done = bench.command("run", "--dut", str(manifest), "--tests", str(HERE / "sim"))
    assert done.returncode == 2
    assert f"{manifest}: [ports.{'config' if 's_cfg' in old else 'bar'}] prefix: " in done.stderr
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_source_that_does_not_compile_is_exit_3_with_its_log(bench: Bench, tmp_path: Path) -> None:
    manifest = variant(tmp_path, "64", "64", ("endmodule", "endmodul"))
    done = bench.command("run", "--dut", str(manifest), "--tests", str(HERE / "sim"))
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    log = Path(done.stderr.rpartition("(see ")[2].strip().rstrip(")"))
    assert "syntax error" in log.read_text()
