"""A Dask cluster on the loopback: the same verdicts as here, also when a worker is killed in mid-run."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.regress.bench import Bench

pytest.importorskip("distributed", reason="needs distributed: pip install distributed")

WORKERS = 3
SCHEDULER = ("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
WORKER = (
    "worker",
    "--nthreads",
    "1",
    "--nworkers",
    "1",
    "--no-dashboard",
    "--memory-limit",
    "0",
    "--no-nanny",
)


class Cluster:
    """A scheduler and workers, each in a process and a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        scheduler = self._start("scheduler", *SCHEDULER)
        log = folder / "scheduler.log"
        while not (found := re.search(r"tcp://127\.0\.0\.1:(\d+)", log.read_text())):
            assert scheduler.poll() is None, log.read_text()
            time.sleep(0.1)
        self.address = f"dask://127.0.0.1:{found[1]}"
        self.processes = [scheduler]
        for number in range(WORKERS):
            name = f"worker-{number}"
            words = (*WORKER, "--local-directory", str(folder / name), found[0])
            self.processes.append(self._start(name, *words))

    def _start(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        log = (self._folder / f"{name}.log").open("wb")
        command = [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:]]
        return subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log)

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    running = Cluster(tmp_path_factory.mktemp("cluster"))
    yield running
    running.stop()


def done(bench: Bench) -> list[tuple[object, ...]]:
    try:
        return bench.rows("SELECT id FROM run WHERE status IS NOT NULL", "far")
    except sqlite3.OperationalError:
        return []


def test_verdicts_are_those_of_a_local_run_though_a_worker_dies(bench: Bench, cluster: Cluster) -> None:
    bench.plan("test_reads", "test_fails_on_every_seventh_seed", "test_violates", seeds=30, confirm=True)
    process = bench.start("--executor", cluster.address, out="far")
    while len(done(bench)) < 10:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    assert len(done(bench)) < 70, "too late to kill a worker in mid-run"
    cluster.processes[1].kill()
    out, errors = process.communicate(timeout=180)
    assert process.returncode == 1, out + errors
    assert bench.run(out="near")[0] == 1
    assert bench.verdicts("far") == bench.verdicts("near")
    (folder,) = bench.rows("SELECT folder FROM run WHERE status = 'fail' ORDER BY id LIMIT 1", "far")
    assert (bench.folder / "far" / str(folder[0]) / "trace.vtrace").exists()


def test_cluster_that_is_not_there_is_exit_3_and_one_line(bench: Bench) -> None:
    bench.plan("test_reads")
    code, _, errors = bench.run("--executor", "dask://127.0.0.1:9")
    assert (code, len(errors.splitlines())) == (3, 1), errors
    assert "no Dask cluster" in errors


@pytest.mark.parametrize("address", ["dask://", "dask://host", "dask://host:port", "slurm"])
def test_address_that_is_none_is_exit_2(bench: Bench, address: str) -> None:
    bench.plan("test_reads")
    code, _, errors = bench.here("--executor", address)
    assert (code, len(errors.splitlines())) == (2, 1)
    assert "dask://HOST:PORT" in errors
