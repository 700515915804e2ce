"""`make nightly`: the night's plan, then the long suites, and one page over all of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from tb.errors import ToolError, UsageError
from tb.paths import ROOT, SEEDLING_MANIFEST
from tb.regress.command import DEFAULT_OUT
from tb.regress.night import RESULTS
from tb.regress.page import write_page
from tb.regress.plan import seconds
from tb.regress.store import Store

PLAN = ROOT / "plans" / "nightly.toml"
PLANNED_SHARE = 0.8
"""Of the budget, for the plan; the suites have the rest."""


def kills(output: str) -> tuple[int, int, list[list[str]]] | None:
    """Killed mutants, all mutants, and a row for each of what `mutants --format json` printed."""
    try:
        rows: list[dict[str, Any]] = json.loads(output)["mutants"]
        table = [[str(row["name"]), str(row["status"]), ", ".join(row["clauses"])] for row in rows]
    except (ValueError, KeyError, TypeError):
        return None
    return sum(row[1] == "killed" for row in table), len(table), table


def _run(words: list[str], limit_s: float, *, capture: bool) -> tuple[int, str]:
    """Run a suite within its time; exit status 3 where that ran out."""
    stream = subprocess.PIPE if capture else None
    try:
        done = subprocess.run(words, cwd=ROOT, stdout=stream, text=True, timeout=max(limit_s, 1), check=False)
    except subprocess.TimeoutExpired:
        print(f"{' '.join(words)}: the budget is spent")
        return 3, ""
    return done.returncode, done.stdout or ""


def _record(outs: Sequence[str]) -> None:
    """Put the kills of all hunts beside the night's other figures, and write its page again."""
    hunts = [kills(out) for out in outs]
    store = Store(ROOT / DEFAULT_OUT / RESULTS)
    night = store.last_night("nightly")
    done = [hunt for hunt in hunts if hunt is not None]
    if len(done) == len(hunts) and night is not None:
        killed, planted = sum(hunt[0] for hunt in done), sum(hunt[1] for hunt in done)
        table = [row for hunt in done for row in hunt[2]]
        store.set_figure(night.number, "mutants killed", killed, table)
        store.set_figure(night.number, "mutants planted", planted)
        print(f"mutants: {killed} of {planted} killed")
        write_page(store, night.number)
    store.close()


def main() -> int:
    """Run all of it under BUDGET (as 7h), whatever fails; the worst exit status."""
    try:
        budget = seconds(os.environ.get("BUDGET", "7h"))
    except ValueError as error:
        print(f"BUDGET {error}", file=sys.stderr)
        return 2
    end = time.monotonic() + budget
    cosim = [sys.executable, "-m", "tb.cli"]
    plan = [*cosim, "regress", str(PLAN), "--out", str(ROOT / DEFAULT_OUT)]
    plan += ["--budget", f"{budget * PLANNED_SHARE:.0f}s"]
    statuses = [_run(plan, budget, capture=False)[0]]
    hunt = [*cosim, "mutants", "--format", "json"]
    hunts = [
        _run(words, end - time.monotonic(), capture=True)
        for words in (hunt, [*hunt, "--dut", str(SEEDLING_MANIFEST)])
    ]
    statuses += [code for code, _ in hunts]
    try:
        _record([out for _, out in hunts])
    except (UsageError, ToolError) as error:
        print(error, file=sys.stderr)
        statuses.append(3)
    tests = ["env", "VIRTIO_COSIM_KILLS=20", "VIRTIO_COSIM_PORTS=all", sys.executable, "-m", "pytest"]
    tests += ["tests/regress", "tests/tb/test_port_kinds.py"]
    marked = [sys.executable, "-m", "pytest", "-m", "nightly", "tests/waves", "tests/conformance"]
    for words in (["make", "--no-print-directory", "peers"], tests, marked):
        statuses.append(_run(words, end - time.monotonic(), capture=False)[0])
    return 1 if 1 in statuses else max(statuses)


if __name__ == "__main__":
    sys.exit(main())
