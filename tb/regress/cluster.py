"""Runs batches on a Dask cluster: the same results as on this machine, whatever becomes of its workers."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from tb.errors import ToolError, UsageError
from tb.regress import worker
from tb.regress.bundle import Bundle
from tb.regress.desk import Batch, Desk
from tb.regress.plan import RegressPlan
from tb.results import Result, write_whole
from tb.session import RESULT, Job

PATIENCE_S = 10.0
TRIES = 4
PREFIX = "dask://"


def parse_address(text: str) -> str:
    """The scheduler's address of dask://HOST:PORT; raises UsageError."""
    host, colon, port = text.removeprefix(PREFIX).rpartition(":")
    if not text.startswith(PREFIX) or not colon or not host or not port.isdigit():
        raise UsageError(f"--executor {text!r}: use local or dask://HOST:PORT")
    return f"tcp://{host}:{port}"


class DaskExecutor:
    """Hands batches to a cluster's workers."""

    def __init__(self, address: str, tell: Callable[[str], None]) -> None:
        """Connect; raises UsageError without `distributed`, ToolError where no scheduler answers."""
        try:
            cloudpickle: Any = import_module("cloudpickle")
            distributed: Any = import_module("distributed")
        except ModuleNotFoundError as error:
            raise UsageError(f"--executor dask: {error.name} is missing: pip install distributed") from None
        cloudpickle.register_pickle_by_value(worker)
        self._work = worker.work
        self._tell = tell
        self._dask = distributed
        self._tries: Counter[Path] = Counter()
        try:
            self._client = distributed.Client(address, timeout=PATIENCE_S)
            self._client.wait_for_workers(1, timeout=PATIENCE_S)
        except (OSError, TimeoutError, distributed.TimeoutError) as error:
            raise ToolError(f"no Dask cluster with a worker answers at {address}: {error}") from None

    def run(self, plan: RegressPlan, desk: Desk, deadline: float | None) -> bool:
        """Work until nothing is pending; False where the deadline (of time.monotonic) came first."""
        bundle = Bundle(plan, self._tell)
        shared: tuple[Any, str] | None = None
        under_way: dict[Any, Batch] = {}
        try:
            while True:
                threads = max(1, sum(self._client.nthreads().values()))
                while len(under_way) < 2 * threads and (batch := desk.next_batch(threads)):
                    if bundle.add(batch) or shared is None:
                        content, key = bundle.pack()
                        shared = self._client.scatter(content, broadcast=True), key
                    order = bundle.order(batch)
                    future = self._client.submit(self._work, *shared, order, pure=False)
                    under_way[future] = batch
                if not under_way:
                    return True
                self._collect(desk, under_way)
                desk.flush()
                if deadline is not None and time.monotonic() > deadline:
                    return False
        finally:
            self._client.cancel(list(under_way))

    def _collect(self, desk: Desk, under_way: dict[Any, Batch]) -> None:
        """Take what is done within half a second."""
        try:
            self._dask.wait(list(under_way), timeout=0.5, return_when="FIRST_COMPLETED")
        except (TimeoutError, self._dask.TimeoutError):
            return
        for future in [future for future in under_way if future.done()]:
            batch = under_way.pop(future)
            if future.status == "finished":
                for job, (text, files) in zip(batch.jobs, future.result(), strict=True):
                    desk.arrive(job, _keep(job, text, files))
            else:
                self._again(desk, batch, future)

    def _again(self, desk: Desk, batch: Batch, future: Any) -> None:
        """Put a lost batch back, unless it was lost too often; raises ToolError."""
        first = batch.jobs[0].folder
        self._tries[first] += 1
        cause = future.exception() if future.status == "error" else future.status
        if self._tries[first] >= TRIES or type(cause).__name__ == "Unfit":
            raise ToolError(f"the cluster cannot run {batch.jobs[0].test.name}: {cause}")
        self._tell(f"a batch of {len(batch.jobs)} runs was lost ({type(cause).__name__}): given out again")
        desk.put_back(batch.jobs)

    def close(self) -> None:
        """Leave the cluster."""
        self._client.close()


def _keep(job: Job, text: str, files: dict[str, bytes]) -> Result:
    """Write what came back into the job's folder, the result last, so that it is whole when it is there."""
    result = Result(**json.loads(text))
    result.folder = job.folder.name
    job.folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (job.folder / name).write_bytes(content)
    write_whole(job.folder / RESULT, json.dumps({**json.loads(text), "folder": result.folder}))
    return result
