"""Runs a command of the project in a process of its own, and measures it."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass

from tb.paths import ROOT

# The kernel's ru_maxrss of a child begins with its parent's; VmHWM is of the process alone.
_RUN = """
import atexit, re, runpy, sys, time
from pathlib import Path
def tell():
    peak = re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]
    print("measured", time.process_time(), peak, file=sys.stderr)
atexit.register(tell)
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a command said, and took: CPU seconds, peak memory (KiB)."""

    code: int
    out: str
    err: str
    cpu: float
    peak_kib: int


def run_module(module: str, *words: str) -> Measured:
    """Run `python -m module words`; raises ValueError if the process was killed."""
    command = [sys.executable, "-c", _RUN, module, *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    told = re.search(r"measured (\S+) (\d+)\n\Z", done.stderr)
    if told is None:
        raise ValueError(f"{module} ended with {done.returncode}: {done.stderr[-500:]}")
    err = done.stderr[: told.start()]
    return Measured(done.returncode, done.stdout, err, float(told[1]), int(told[2]))
