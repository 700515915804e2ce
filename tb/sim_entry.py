"""The module that cocotb runs in the simulator: one cocotb test for every job of the plan."""

from __future__ import annotations

import ctypes
import functools
import gc
import os
import sys
from dataclasses import replace
from pathlib import Path

import cocotb

from pymodel.device.lguest import TOP
from pymodel.vtrace import Header
from tb.lifeline import bad_input_ends_the_process, die_with_parent, full_disk_ends_the_process
from tb.manifest import load_manifest
from tb.plan import STARTED, VARIABLE, Plan
from tb.rtl_bench import RtlBench, Wave
from tb.session import LOG, WAVE, Job, Session


def _redirect(log: Path) -> None:
    """Send what simulator and Python print from now on to a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    ctypes.CDLL(None).fflush(None)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)


def _register(plan: Plan) -> None:
    assert plan.manifest is not None
    manifest = load_manifest(plan.manifest)
    if plan.invert_reset:
        inverted = replace(manifest.reset, active_low=not manifest.reset.active_low)
        manifest = replace(manifest, resets=(inverted, *manifest.resets[1:]))
    top = TOP if manifest.interface == "lguest" else None
    scope = manifest.out_of_scope
    header = Header("verilator", manifest.hdl.name, manifest.device_type, lguest_top=top)

    def make(job: Job) -> None:
        async def run(_: object) -> None:
            with full_disk_ends_the_process(), bad_input_ends_the_process():
                job.folder.mkdir(parents=True, exist_ok=True)
                (job.folder / STARTED).touch()
                _redirect(job.folder / LOG)
                wave = Wave(job.folder / WAVE, job.wave_from_ns, job.wave_until_ns) if plan.waves else None
                session = Session(job, functools.partial(RtlBench, manifest, wave), header, scope)
                result = await session.run()
                print(f"{result.status}: {result.name} seed {result.seed}: {result.message}")

        name = f"job{len(_jobs)}"
        run.__name__ = run.__qualname__ = name
        _jobs.append(name)
        globals()[name] = cocotb.test(name=job.test.name)(run)

    for job in plan.jobs:
        make(job)


_jobs: list[str] = []
die_with_parent()
_register(Plan.load(Path(os.environ[VARIABLE])))
# What is there by now stays: no collection between two tests looks through it again.
gc.freeze()
