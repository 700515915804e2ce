"""kill -9 at random moments: nothing is run twice, nothing is missing. `make nightly` kills 20 times."""

from __future__ import annotations

import os
import random
import sqlite3
import time

from tests.regress.bench import Bench

KILLS = int(os.environ.get("VIRTIO_COSIM_KILLS", "5"))
SEEDS = 30 + 16 * KILLS


def stored(bench: Bench, sql: str) -> set[tuple[str, int]]:
    """(test, seed) of these rows, none where a kill came before the first night was recorded."""
    try:
        return {(row[0], row[1]) for row in bench.rows(sql)}
    except sqlite3.OperationalError:
        return set()


def committed(bench: Bench) -> set[tuple[str, int]]:
    return stored(bench, "SELECT test, seed FROM run WHERE status IS NOT NULL")


def kill_at_random(bench: Bench, rng: random.Random, *words: str) -> None:
    """Start, wait until tests start (or not even that), and kill."""
    before = len(bench.starts())
    process = bench.start(*words)
    if rng.random() < 0.85:
        while len(bench.starts()) == before:
            time.sleep(0.01)
    time.sleep(rng.random() * 0.3)
    process.kill()
    process.communicate()
    orphans = len(bench.starts())
    time.sleep(0.1)
    assert len(bench.starts()) <= orphans + 1, "a process outlived its parent"


def test_verdicts_after_kills_are_those_of_an_uninterrupted_run(bench: Bench) -> None:
    rng = random.Random(20)
    bench.plan("test_reads", "test_fails_on_every_seventh_seed", seeds=SEEDS)
    finished = 0
    for _ in range(KILLS):
        known = committed(bench)
        begun = len(bench.starts())
        nights = stored(bench, "SELECT plan, number FROM night")
        kill_at_random(bench, rng, *(["--resume"] if nights else []))
        again = known & set(bench.starts()[begun:])
        assert not again, f"run again although committed: {again}"
        finished += len(known) == 2 * SEEDS
    assert not finished, "the plan is too short for this test"

    code, _, _ = bench.run("--resume")
    assert code == 1
    begun = bench.starts()
    assert len(begun) - len(set(begun)) <= 2 * KILLS, "only what was under way may start again"
    (last,) = bench.rows("SELECT max(number) FROM night")
    interrupted = bench.verdicts()
    assert bench.run(out="whole")[0] == 1
    assert interrupted == bench.verdicts("whole")
    assert len(interrupted) == 2 * SEEDS
    assert last == (1,)
