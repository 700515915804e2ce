"""`make`: puts the bundled virtio-blk RTL through a real file system and prints the verdict."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tb.errors import ToolError, UsageError
from tb.mainjob.filesystem import make_image
from tb.paths import ROOT, shown
from tb.request import RunRequest
from tb.results import ERROR, FAIL, PASS, Result, merge_clauses
from tb.run import Run, RunReport
from waves.failure import write_failure

FOLDER = ROOT / "runs" / "main"
TESTS = Path(__file__).parent
VIEWERS = ("gtkwave", "surfer")


def main() -> int:
    """Make the image, run the tests on it, print the table; returns the exit status of the contract."""
    console = Console(width=110, highlight=False)
    try:
        report = execute(console)
    except UsageError as error:
        print(f"virtio-cosim: {error}", file=sys.stderr)
        return 2
    except ToolError as error:
        print(f"virtio-cosim: {error}", file=sys.stderr)
        return 3
    for result in report.results:
        if result.status in (FAIL, ERROR):
            console.print(f"{result.status}: {result.name}: {result.message}", markup=False, soft_wrap=True)
    console.print(verdict_table(report))
    console.print(where_to_look(report), soft_wrap=True)
    return report.exit_status


def execute(console: Console) -> RunReport:
    """Run the main job into runs/main; raises UsageError and ToolError."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    image = FOLDER / "medium.img"
    make_image(image, FOLDER)
    console.print(f"medium: {shown(image)}, {image.stat().st_size // 1024} KiB ext4 made by mke2fs -d")
    request = RunRequest(folder=TESTS, image=image, out=FOLDER / "run", waves="always")
    shutil.rmtree(FOLDER / "run", ignore_errors=True)
    return Run(request, console.print, lambda result: _tell(console, result), write_failure).execute()


def _tell(console: Console, result: Result) -> None:
    console.print(f"{result.status:5} {result.name} {result.seconds:.1f} s")


def verdict_table(report: RunReport) -> Table:
    """The numbers of a run."""
    verdicts = merge_clauses(result.clauses for result in report.results)
    warned = {warning["clause"] for result in report.results for warning in result.warnings}
    clauses = [verdict for clause, verdict in verdicts.items() if clause not in warned]
    rows = {
        "tests": f"{report.count(PASS)} passed, {len(report.results) - report.count(PASS)} failed",
        "clauses held": clauses.count("held"),
        "clauses violated": clauses.count("violated"),
        "recommendations not followed": f"{len(warned)} (SHOULD: {', '.join(sorted(warned)) or 'none'})",
        "clauses not exercised": clauses.count("not-exercised"),
        "clauses not applicable": clauses.count("not-applicable"),
        "buffers used by the device": sum(result.buffers for result in report.results),
        "simulated time": f"{sum(result.sim_ns for result in report.results) / 1000:.1f} us",
        "real time": f"{report.seconds:.1f} s",
    }
    table = Table(title="virtio-blk RTL, one ext4 file system", show_header=False)
    for name, value in rows.items():
        table.add_row(name, str(value))
    return table


def where_to_look(report: RunReport) -> str:
    """Paths of waves, traces and reports, and how to open them."""
    lines = [f"results  {shown(report.folder / 'results.json')}, {shown(report.folder / 'results.xml')}"]
    for result in report.results:
        trace = report.folder / result.folder / "trace.vtrace"
        lines.append(f"trace    {shown(trace)}  (virtio-cosim check {shown(trace)})")
        wave = trace.with_name("wave.fst")
        if wave.exists():
            commands = " or ".join(f"{viewer} {shown(wave)}" for viewer in VIEWERS)
            lines.append(f"waves    {shown(wave)}  ({commands})")
        failure = trace.with_name("failure.md")
        if failure.exists():
            lines.append(f"failure  {shown(failure)}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
