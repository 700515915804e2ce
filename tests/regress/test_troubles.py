"""Full disks, hung and dying processes, bad input: one clear line, and results that stay whole."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.regress.bench import Bench

DISK, BALLAST = 8 * 2**20, 7 * 2**20


def whole(bench: Bench) -> bool:
    return bench.rows("PRAGMA integrity_check") == [("ok",)]


def finishes_like_an_undisturbed_run(bench: Bench) -> None:
    assert bench.run("--resume")[0] == 0
    assert bench.run(out="whole")[0] == 0
    assert bench.verdicts() == bench.verdicts("whole")
    assert len(bench.starts()) - len(set(bench.starts())) <= len(set(bench.starts())) + 2


def test_file_size_limit_is_exit_3_and_one_line(bench: Bench) -> None:
    """The limit is hit by the database's log, by a trace, or by both."""
    bench.plan("test_reads", seeds=40)
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, 120_000))  # noqa: E731
    code, _, errors = bench.run(preexec_fn=limit)
    assert code == 3
    assert "full: make room, then go on with --resume" in errors
    assert len(errors.splitlines()) == 1
    assert whole(bench)
    finishes_like_an_undisturbed_run(bench)


def test_trace_that_finds_no_room_is_no_verdict(bench: Bench) -> None:
    bench.plan("test_writes_much", seeds=2)
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))  # noqa: E731
    code, _, errors = bench.run(preexec_fn=limit)
    assert (code, len(errors.splitlines())) == (3, 1)
    assert bench.rows("SELECT count(*) FROM run WHERE status IS NULL") == [(2,)]
    finishes_like_an_undisturbed_run(bench)


@pytest.fixture
def small_disk(bench: Bench) -> Iterator[Path]:
    place = bench.folder / "out"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can only be mounted by root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_full_disk_is_exit_3_and_resume_goes_on(bench: Bench, small_disk: Path) -> None:
    bench.plan("test_reads", "test_writes_much", seeds=12)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(BALLAST))
    code, _, errors = bench.run()
    assert (code, len(errors.splitlines())) == (3, 1), errors
    assert "full: make room, then go on with --resume" in errors
    ballast.unlink()
    assert whole(bench)
    finishes_like_an_undisturbed_run(bench)


def test_hung_and_dying_tests_are_errors_and_the_batch_goes_on(bench: Bench) -> None:
    bench.plan("test_reads", "test_hangs", "test_dies", seeds=2, timeout="2s")
    code, _, _ = bench.run()
    assert code == 3
    statuses = {(row[1], row[2]): (row[5], row[7]) for row in bench.verdicts()}
    for seed in (1, 2):
        assert statuses["own.test_reads", seed][0] == "pass"
        assert statuses["own.test_hangs", seed][0] == "error"
        assert "no result within 2 s" in statuses["own.test_hangs", seed][1]
        assert "signal SIGSEGV" in statuses["own.test_dies", seed][1]
    assert len(bench.starts()) == 6


def test_budget_ends_the_night_and_resume_finishes_it(bench: Bench) -> None:
    bench.plan("test_reads", seeds=150)
    code, out, _ = bench.run("--budget", "1s")
    assert code == 0
    assert "the budget is spent" in out
    code, out, _ = bench.run("--resume")
    assert code == 0
    assert "150 passed, 0 failed" in out
    assert "not run" not in out


def test_other_verdict_under_the_same_seed_is_told_apart(bench: Bench) -> None:
    bench.plan("test_is_fickle", seeds=1, confirm=True)
    code, out, _ = bench.run()
    assert code == 1
    assert [row[5] for row in bench.verdicts()] == ["fail", "pass"]
    assert "1 flaky" in out


BAD_PLANS = {
    "unknown test": ('tests = ["test_reads"]', 'tests = ["no_such_test"]', "matches no test"),
    "unknown key": ("old_seeds", "odl_seeds", "did you mean 'old_seeds'"),
    "negative budget": ('timeout = "60s"', 'budget = "-8h"', "give a time such as"),
    "budget of another kind": ('timeout = "60s"', "budget = 8", "must be a string"),
    "no seeds": ("seeds = 1", "seeds = 0", "give 1 to"),
    "unknown stress": ('dut = "model"', 'dut = "model"\nstress = ["windy"]', "'windy'"),
    "unknown manifest": ('dut = "model"', 'dut = "none.toml"', "no such manifest"),
    "parameters of the model": (
        'dut = "model"',
        'dut = "model"\nparameters = { A = 1 }',
        "neither parameters",
    ),
    "coverage of the model": ('dut = "model"', 'dut = "model"\ncoverage = true', "no RTL"),
    "name": ('name = "own"', 'name = "../own"', "letters, digits"),
    "no configuration": ("[[configuration]]", "[[configurations]]", "did you mean 'configuration'"),
    "no TOML": ("[plan]", "[plan", "not valid TOML"),
}


def refused(bench: Bench, *words: str) -> str:
    """Run what must be exit 2 with one line and leave the old results as they are; return the line."""
    kept = {p: p.read_bytes() for p in bench.folder.rglob("*.sqlite")}
    code, out, errors = bench.here(*words)
    assert (code, out, len(errors.splitlines())) == (2, "", 1), errors
    assert {p: p.read_bytes() for p in bench.folder.rglob("*.sqlite")} == kept
    return errors


def test_bad_plans_are_exit_2_and_leave_results_alone(bench: Bench) -> None:
    plan = bench.plan("test_reads")
    good = plan.read_text()
    assert bench.run()[0] == 0
    before = bench.verdicts()
    for before_text, after, wanted in BAD_PLANS.values():
        assert before_text in good
        plan.write_text(good.replace(before_text, after, 1))
        assert wanted in refused(bench)
    plan.unlink()
    assert "no such plan" in refused(bench)
    assert bench.verdicts() == before


def test_bad_options_are_exit_2(bench: Bench) -> None:
    plan = bench.plan("test_reads")
    assert bench.run()[0] == 0
    for word, wanted in (
        ("--budget=-8h", "--budget"),
        ("--executor=ssh", "--executor"),
        ("--jobs=0", "--jobs"),
    ):
        assert wanted in refused(bench, word)
    plan.write_text(plan.read_text() + "\n")
    assert "changed since night 1 began" in refused(bench, "--resume")
    plan.write_text(plan.read_text().replace('"own"', '"other"', 1))
    assert "no night of plan other" in refused(bench, "--resume")


@pytest.mark.parametrize("how", ["cut", "overwritten", "foreign"])
def test_damaged_results_are_exit_2_and_stay_as_they_are(bench: Bench, how: str) -> None:
    bench.plan("test_reads", seeds=40)
    assert bench.run()[0] == 0
    path = bench.folder / "out" / "results.sqlite"
    content = path.read_bytes()
    if how == "cut":
        path.write_bytes(content[: len(content) // 2])
    if how == "overwritten":
        path.write_bytes(content[:4096] + b"\x5a" * 8192 + content[12288:])
    if how == "foreign":
        path.write_bytes(b"# these are my notes\n" * 400)
    assert "results.sqlite: is damaged" in refused(bench)
