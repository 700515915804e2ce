"""How fast `virtio-cosim check` judges a trace, beside parsing its JSON alone, and with how much memory.

The trace is that of a run on the native path (tests/bench/long_trace), its events repeated; each repeat
begins with the power-on reset of the run and goes on in time. Each figure is of whole processes.
"""

from __future__ import annotations

import json
import re
import shutil
import statistics
from collections.abc import Sequence
from pathlib import Path

from tb.errors import ToolError
from tb.request import RunRequest
from tb.run import Run
from tb.session import TRACE
from tests.bench.figure import Figure
from tests.bench.runs import Workshop
from tests.measured import Measured, run_module

FOLDER = Path(__file__).parent / "long_trace"
TIMES = 10
ROUNDS = 3
_TIME = re.compile(rb'"t(_req)?":(\d+)')


def check_rates(shop: Workshop) -> Sequence[Figure]:
    """Measure on a trace of 10 runs' events (rate, ratio) and on one run's (memory)."""
    short = _recorded(shop)
    long = shop.folder / "long.vtrace"
    repeat(short, long, TIMES)
    checks, parses = [], []
    for _ in range(ROUNDS):
        checks.append(_clean(long))
        parses.append(run_module("tests.bench.parse_json", str(long)))
    events = json.loads(checks[0].out)["events"]
    checked = statistics.median(run.cpu for run in checks)
    parsed = statistics.median(run.cpu for run in parses)
    memory = checks[-1].peak_kib / _clean(short).peak_kib
    note = f" ({events} events, {long.stat().st_size >> 20} MiB)"
    long.unlink()
    return (
        Figure(
            "check_events_per_second", "events a CPU second of check", events / checked, 300_000, note=note
        ),
        Figure("check_vs_json", "check against json.loads of each line alone", parsed / checked, 1),
        Figure("check_memory_x10", "peak memory of check on 10 times the events", memory, 0, 1.05),
    )


def repeat(trace: Path, to: Path, times: int) -> None:
    """Write the trace's events `times` times behind its header, later in time each time."""
    header, _, body = trace.read_bytes().partition(b"\n")
    found = _TIME.findall(body[body.rstrip().rfind(b"\n") :])
    span = max(int(number) for _, number in found) + 1_000_000
    with to.open("wb") as out:
        out.write(header + b"\n")
        for number in range(times):
            later = number * span
            out.write(_TIME.sub(lambda m, by=later: b'"t%b":%d' % (m[1] or b"", int(m[2]) + by), body))  # type: ignore[misc]


def _recorded(shop: Workshop) -> Path:
    """Run the traffic and return its trace; raises ToolError."""
    out = shop.folder / "long_trace"
    shutil.rmtree(out, ignore_errors=True)
    request = RunRequest(dut=str(shop.manifest.path), folder=FOLDER, out=out, jobs=1, path="native")
    (result,) = Run(request, lambda text: None, lambda result: None).execute().results
    if result.status != "pass":
        raise ToolError(f"{result.name}: {result.message}", out / result.folder)
    return out / result.folder / TRACE


def _clean(trace: Path) -> Measured:
    """Check the trace; raises ToolError if it is not clean."""
    done = run_module("tb.cli", "check", "--twin", "native", "--format", "json", str(trace))
    if done.code:
        raise ToolError(f"the trace is not judged clean: {done.err or done.out[:300]}", trace)
    return done
