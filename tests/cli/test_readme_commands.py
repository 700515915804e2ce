"""Every command of the README runs: the main job first, then what stands in its shell blocks."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
LINES = [line.partition("#")[0].strip() for block in BLOCKS for line in block.splitlines()]
COMMANDS = [line for line in LINES if line.startswith(".venv/bin/virtio-cosim ")]
OTHERS = {"make", "make test", "make guest"}


@pytest.fixture(scope="module")
def main_job() -> str:
    """What `make` prints once everything is set up."""
    done = subprocess.run(
        [sys.executable, "-m", "tb.mainjob"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_main_job_prints_its_table(main_job: str) -> None:
    for row in ("tests", "clauses held", "clauses violated", "clauses not exercised", "buffers"):
        assert f"│ {row}" in main_job
    assert "2 passed, 0 failed" in main_job
    assert "wave.fst" in main_job


def test_other_commands_are_the_ones_that_call_this_test() -> None:
    assert {line for line in LINES if line and line not in COMMANDS} == OTHERS


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("main_job")
def test_command_of_the_readme_succeeds(command: str) -> None:
    words = shlex.split(command)[1:]
    done = subprocess.run(
        [sys.executable, "-m", "tb.cli", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    # A night's seeds are fresh: that they find something is no fault of the command.
    expected = (0, 1) if words[0] == "regress" else (0,)
    assert done.returncode in expected, done.stdout[-2000:] + done.stderr
