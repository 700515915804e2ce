"""How fast `virtio-cosim check` judges a trace, beside parsing its JSON alone, and with how much memory.

The trace is that of a run on the native path (tests/bench/long_trace), its events repeated; each repeat
begins with the power-on reset of the run and goes on in time. Each figure is of whole processes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tb.errors import ToolError
from tb.paths import ROOT
from tb.run import Run, RunRequest
from tb.session import TRACE
from tests.bench.figure import Figure
from tests.bench.runs import Workshop

FOLDER = Path(__file__).parent / "long_trace"
TIMES = 10
ROUNDS = 3
PARSE = "import json, sys\nfor line in open(sys.argv[1]): json.loads(line)"
_TIME = re.compile(rb'"t(_req)?":(\d+)')


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took: CPU seconds and peak memory (KiB)."""

    cpu: float
    peak_kib: int


def check_rates(shop: Workshop) -> Sequence[Figure]:
    """Measure on a trace of 10 runs' events (rate, ratio) and on one run's (memory)."""
    short = _recorded(shop)
    long = shop.folder / "long.vtrace"
    repeat(short, long, TIMES)
    command = [sys.executable, "-m", "tb.cli", "check", "--twin", "native", "--format", "json"]
    events = json.loads(_output([*command, str(long)]))["events"]
    pairs = [
        (_cost([*command, str(long)]), _cost([sys.executable, "-c", PARSE, str(long)])) for _ in range(ROUNDS)
    ]
    checked = statistics.median(check.cpu for check, _ in pairs)
    parsed = statistics.median(parse.cpu for _, parse in pairs)
    memory = pairs[-1][0].peak_kib / _cost([*command, str(short)]).peak_kib
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


def _output(command: list[str]) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"the long trace is not judged clean: {done.stderr or done.stdout[:300]}")
    return done.stdout


def _cost(command: list[str]) -> Cost:
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise ToolError(f"{command[1:4]} ended with {child.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
