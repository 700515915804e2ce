"""A DUT that is half right: which step of bring-up fails, in bounded time, and what was not run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tb.paths import ROOT
from tests.tb.half_right import NAMES, plant, switch_on

PROBE = "bring_up.test_device_comes_up"
BOUND_S = 45
STEPS = {
    "req_ready stuck low": ("4 reset", "no req_ready within 20000 ns to a write of 1 at .*device_status"),
    "no completion": ("4 reset", "no cpl_valid within 20000 ns to a read of 1 at .*device_status"),
    "feature word wrong": ("7 features", "VERSION_1 is not offered"),
    "status never reads back": ("5 ACKNOWLEDGE", "device_status reads 0x0 after 0x1 was written"),
    "queue_enable ignored": ("9 queues", "queue_enable of queue 0 reads 0x0 after 0x1 was written"),
    "no DMA": ("11 first kick", "reads nothing of the available ring"),
    "no interrupt": ("13 first interrupt", "no interrupt within 100000 ns of the used buffer"),
    "endless loop": ("4 reset", "the design loops for ever in one time step"),
    "combinational loop": ("4 reset", "a combinational loop of the design never settles"),
    "$finish": ("4 reset", r"the design ended the simulation \(\$finish at .*seedling_regs.sv:\d+"),
}


@dataclass
class Dut:
    """The second DUT in a folder of its own, with switches for what is wrong with it."""

    folder: Path

    def run(self, *words: str, manifest: str = "dut.toml") -> subprocess.CompletedProcess[str]:
        """Run its tests within the bound."""
        command = ["run", "--dut", str(self.folder / manifest), "--out", str(self.folder / "run"), *words]
        return subprocess.run(
            [sys.executable, "-m", "tb.cli", *command],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=2 * BOUND_S,
        )

    def rows(self) -> dict[str, dict[str, Any]]:
        """The tests of results.json by name."""
        content = json.loads((self.folder / "run" / "results.json").read_text())
        return {row["name"]: row for row in content["tests"]}

    def page(self) -> str:
        """The probe's failure page."""
        return (self.folder / "run" / PROBE / "failure.md").read_text()


@pytest.fixture(scope="module")
def dut(tmp_path_factory: pytest.TempPathFactory) -> Dut:
    folder = tmp_path_factory.mktemp("half_right")
    plant(folder)
    return Dut(folder)


def test_every_wrong_has_its_step() -> None:
    assert set(NAMES) == set(STEPS)


@pytest.mark.parametrize("wrong", NAMES)
def test_the_step_that_fails_is_named(dut: Dut, wrong: str) -> None:
    switch_on(dut.folder, wrong)
    started = time.monotonic()
    done = dut.run("--waves", "never")
    assert time.monotonic() - started < BOUND_S
    step, found = STEPS[wrong]
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(rf"FAIL +{step} .*{found}", done.stdout), done.stdout
    assert "Traceback" not in done.stderr
    statuses = {name: row["status"] for name, row in dut.rows().items()}
    assert statuses.pop(PROBE) == "fail"
    assert set(statuses.values()) == {"skip"}
    number, _, name = step.partition(" ")
    assert re.search(rf"^\| {number} \| {name} .*FAIL", dut.page(), re.MULTILINE)


def test_what_was_not_run_says_why(dut: Dut) -> None:
    switch_on(dut.folder, "no DMA")
    assert "--keep-going" in dut.run("--waves", "never").stdout
    skipped = [row for name, row in dut.rows().items() if name != PROBE]
    assert len(skipped) >= 3
    assert all("not run: bring-up fails at step 11 of 13, first kick" in row["message"] for row in skipped)


def test_last_accesses_are_decoded_and_held_against_a_correct_device(dut: Dut) -> None:
    switch_on(dut.folder, "queue_enable ignored")
    printed = dut.run("--waves", "never").stdout
    for text in (printed, dut.page()):
        assert "read queue 0: queue_size = 8\n" in text
        assert "queue_enable = 0   <- a correct device: queue 0: queue_enable = 1" in text


def test_wave_of_the_failed_step(dut: Dut) -> None:
    switch_on(dut.folder, "no interrupt")
    printed = dut.run().stdout
    assert (dut.folder / "run" / PROBE / "wave.fst").stat().st_size > 1000
    assert f"`virtio-cosim wave run/{PROBE}` opens it there" in printed


def test_wrong_level_of_the_reset_is_told_from_a_dead_device(dut: Dut) -> None:
    switch_on(dut.folder, "")
    text = (dut.folder / "dut.toml").read_text()
    (dut.folder / "wrong.toml").write_text(text.replace('active = "high"', 'active = "low"'))
    printed = dut.run("--waves", "never", manifest="wrong.toml").stdout
    assert re.search(r"FAIL +4 reset ", printed)
    assert (
        'with [reset] active = "high" bring-up gets all through: the manifest has the wrong level' in printed
    )


def test_wrong_offset_and_wrong_type_are_told(dut: Dut) -> None:
    switch_on(dut.folder, "")
    text = (dut.folder / "dut.toml").read_text()
    (dut.folder / "wrong.toml").write_text(text.replace("offset = 0x100", "offset = 0x200"))
    printed = dut.run("--waves", "never", manifest="wrong.toml").stdout
    assert re.search(r"FAIL +5 ACKNOWLEDGE ", printed)
    assert "is the common structure at 0x200 of BAR 4" in printed
    (dut.folder / "wrong.toml").write_text(text.replace("0x1044", "0x1042"))
    printed = dut.run("--waves", "never", manifest="wrong.toml").stdout
    assert re.search(r"FAIL +1 find the function .*type 2, the manifest's \[device\] type is 4", printed)


def test_keep_going_runs_the_tests_all_the_same(dut: Dut) -> None:
    switch_on(dut.folder, "no interrupt")
    glob = "entropy.test_readable*"
    done = dut.run("--waves", "never", "--keep-going", "--test", glob, "--time-scale", "0.01")
    assert done.returncode == 1
    rows = dut.rows()
    assert [row["status"] for row in rows.values()] == ["fail", "fail"]
    page = dut.folder / "run" / "entropy.test_readable_buffer_does_no_harm" / "failure.md"
    assert f"The DUT does not come up: begin with {PROBE}/failure.md" in page.read_text()


def test_a_device_that_comes_up_leaves_no_probe_behind(dut: Dut) -> None:
    switch_on(dut.folder, "")
    done = dut.run("--waves", "never", "--test", "entropy.test_readable*")
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(dut.rows()) == ["entropy.test_readable_buffer_does_no_harm"]
    assert not (dut.folder / "run" / PROBE).exists()
