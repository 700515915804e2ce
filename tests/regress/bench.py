"""A small regression on the device model in a folder of its own, run as a user would run it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from tb import cli

ROOT = Path(__file__).parents[2]

SIM_TESTS = """
import os, signal, time
from pathlib import Path
from tb.env import Env
from tb.sim_test import sim_test

HERE = Path(__file__).parent

def begun(env: Env) -> None:
    with (HERE / "starts.log").open("a") as log:
        log.write(f"{env.around.name} {env.seed}\\n")

async def read_a_sector(env: Env) -> None:
    begun(env)
    time.sleep(0.01)
    await env.driver.start(features=0)
    assert await env.blk.read(1) == env.image.sector(1)

@sim_test()
async def test_reads(env: Env) -> None:
    await read_a_sector(env)

@sim_test()
async def test_fails_on_every_seventh_seed(env: Env) -> None:
    await read_a_sector(env)
    assert env.seed % 7, f"seed {env.seed} is one of those"

@sim_test()
async def test_violates(env: Env) -> None:
    begun(env)
    await env.driver.start(features=0)
    await env.driver.pci.write_common("queue_enable", 0)

@sim_test()
async def test_hangs(env: Env) -> None:
    begun(env)
    time.sleep(600)

@sim_test()
async def test_dies(env: Env) -> None:
    begun(env)
    os.kill(os.getpid(), signal.SIGSEGV)

@sim_test()
async def test_is_fickle(env: Env) -> None:
    first = HERE / f"been-{env.seed}"
    been = first.exists()
    first.touch()
    assert been

@sim_test()
async def test_writes_much(env: Env) -> None:
    begun(env)
    await env.driver.start(features=0)
    for sector in range(200):
        await env.blk.read(sector)
"""

PLAN = """
[plan]
name = "own"
timeout = "{timeout}"
first_seed = 1
seeds = {seeds}
old_seeds = false
confirm = {confirm}

[[configuration]]
name = "model"
dut = "model"
folder = "tests"
tests = [{tests}]
"""


class Bench:
    """Plans and regressions in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "tests").mkdir()
        (folder / "tests" / "test_own.py").write_text(SIM_TESTS)

    def plan(self, *tests: str, seeds: int = 1, timeout: str = "60s", confirm: bool = False) -> Path:
        path = self.folder / "plan.toml"
        names = ", ".join(f'"{test}"' for test in tests)
        text = PLAN.format(tests=names, seeds=seeds, timeout=timeout, confirm=str(confirm).lower())
        path.write_text(text)
        return path

    def command(self, *words: str, out: str = "out") -> list[str]:
        plan = self.folder / "plan.toml"
        return [sys.executable, "-m", "tb.cli", "regress", str(plan), "--out", out, "--jobs", "2", *words]

    def start(self, *words: str, out: str = "out", **options: Any) -> subprocess.Popen[str]:
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        pipe = subprocess.PIPE
        return subprocess.Popen(
            self.command(*words, out=out),
            cwd=self.folder,
            env=env,
            stdout=pipe,
            stderr=pipe,
            text=True,
            **options,
        )

    def run(self, *words: str, out: str = "out", **options: Any) -> tuple[int, str, str]:
        process = self.start(*words, out=out, **options)
        output, errors = process.communicate(timeout=120)
        return process.returncode, output, errors

    def here(self, *words: str) -> tuple[int, str, str]:
        """The same without a process of its own, for what is over at once."""
        output, errors = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.chdir(self.folder):
            patch.setattr("sys.argv", self.command(*words)[2:])
            with pytest.raises(SystemExit) as end, redirect_stdout(output), redirect_stderr(errors):
                cli.main()
        assert isinstance(end.value.code, int)
        return end.value.code, output.getvalue(), errors.getvalue()

    def rows(self, sql: str, out: str = "out") -> list[tuple[Any, ...]]:
        database = sqlite3.connect(self.folder / out / "results.sqlite", timeout=30)
        try:
            return database.execute(sql).fetchall()
        finally:
            database.close()

    def verdicts(self, out: str = "out") -> list[tuple[Any, ...]]:
        """The verdict table: what ran and how it ended."""
        columns = "configuration, test, seed, stress, attempt, status, clause, message, signature"
        return self.rows(
            f"SELECT {columns} FROM run ORDER BY configuration, test, seed, stress, attempt", out
        )

    def starts(self) -> list[tuple[str, int]]:
        """Every start of a test so far, in order."""
        log = self.folder / "tests" / "starts.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [(name, int(seed)) for name, seed in (line.split() for line in lines)]

    def results(self, night: str, out: str = "out") -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / out / night / "results.json").read_text())
        return content
