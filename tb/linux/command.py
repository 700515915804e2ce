"""What `virtio-cosim guest` prints: what Linux said, what the checker said, and what was put to the test."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tb.linux.session import GuestRequest, boot, console_of, exercised, medium_fault
from tb.paths import shown
from tb.results import PASS, Result
from tb.run import RunReport

UNPRINTABLE = re.compile(r"[^\t\x20-\x7e]")
LOOK_S = 0.1


def guest(request: GuestRequest) -> int:
    """Boot, tell, judge; returns the exit status of the contract."""
    console = Console(width=110, highlight=False)
    with Follower(request.out, console):
        report = boot(request, console.print, lambda result: None)
    fault = medium_fault(report) if request.script is None and request.image is None else ""
    console.print(_table(report))
    result = report.results[0]
    for finding in result.violations:
        where = f"{finding['t'] / 1000:.3f} ns"
        text = f"violation  {finding['clause']} at {where}: {finding['message']}"
        console.print(text, markup=False, soft_wrap=True)
    if result.status != PASS:
        console.print(f"{result.status}: {result.message}", markup=False, soft_wrap=True)
    if fault:
        console.print(f"medium: {fault}", markup=False, soft_wrap=True)
    console.print(_places(report, result), markup=False, soft_wrap=True)
    return 1 if fault else report.exit_status


class Follower:
    """Prints the guest's console as it grows; only printable ASCII passes."""

    def __init__(self, out: Path, console: Console) -> None:
        self._out = out
        self._console = console
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._since = time.time()
        self._told = 0

    def __enter__(self) -> Follower:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._tell()

    def _follow(self) -> None:
        while not self._ended.wait(LOOK_S):
            self._tell()

    def _tell(self) -> None:
        path = next(self._out.glob("*/console.log"), None)
        if path is None or path.stat().st_mtime < self._since - 1:
            return
        with path.open("rb") as stream:
            stream.seek(self._told)
            content = stream.read()
        whole = content.rfind(b"\n") + 1
        self._told += whole
        for line in content[:whole].decode(errors="replace").splitlines():
            text = f"guest| {UNPRINTABLE.sub('', line)}"
            self._console.print(text, markup=False, soft_wrap=True)


def _table(report: RunReport) -> Table:
    table = Table("chapter", "clauses", "which", title="Clauses that Linux's traffic put to the test")
    for chapter, clauses in exercised(report).items():
        table.add_row(chapter, str(len(clauses)), " ".join(clauses))
    return table


def _places(report: RunReport, result: Result) -> str:
    counted = f"{len(result.violations)} violations, {len(result.warnings)} warnings"
    trace = console_of(report).with_name("trace.vtrace")
    lines = [
        f"checker  {counted}, {result.sim_ns / 1e6:.1f} ms simulated, {report.seconds:.1f} s real time",
        f"console  {shown(console_of(report))}",
        f"trace    {shown(trace)}  ({result.replay})",
    ]
    return "\n".join(lines)
