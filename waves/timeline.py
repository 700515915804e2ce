"""`virtio-cosim timeline`: a trace as a Chrome trace, for Perfetto or chrome://tracing.

One process a queue; a buffer takes the first lane that is free, and its stages lie within it. Host
accesses, interrupts and findings have a process of their own. Times are microseconds, as the format wants.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from pymodel import events as ev
from pymodel.vtrace import VtraceError
from tb.errors import UsageError
from tb.results import write_whole
from waves.buffers import BufferLog, Life
from waves.decode import Decoder, Step, decode
from waves.show import trace_of

NAME = "timeline.json"
HOST, FIRST_QUEUE = 1, 10
_LANES = {"driver": 1, "interrupts": 2, "verdict": 3}
_STAGES = ("available", "fetched", "first_data", "last_data", "used", "interrupt")
_WORDS = {
    "available": "waits to be fetched",
    "fetched": "waits for its data",
    "first_data": "data",
    "last_data": "waits to be returned",
    "used": "waits for its interrupt",
}


def write_timeline(trace: Path, target: Path) -> int:
    """Write the timeline of a trace and return how many buffers it shows; raises VtraceError."""
    log = BufferLog()
    decoder = decode(trace, log.after)
    lives = log.finish(decoder)
    rows = [*_names(lives), *_buffers(lives), *_host(decoder)]
    write_whole(target, json.dumps({"displayTimeUnit": "ns", "traceEvents": rows}))
    return len(lives)


def timeline_of(target: Path, out: Path | None) -> tuple[Path, int]:
    """Write the timeline of a trace or of a test's folder; returns the file, and how many buffers it shows.

    Raises UsageError.
    """
    trace = trace_of(target)
    path = out or trace.with_name(NAME)
    try:
        return path, write_timeline(trace, path)
    except VtraceError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None


def _us(t: int) -> float:
    return t / 1_000_000


def _names(lives: Sequence[Life]) -> Iterator[dict[str, Any]]:
    queues = sorted({life.queue for life in lives})
    for pid, title in [(HOST, "driver and interrupts"), *((FIRST_QUEUE + n, f"queue {n}") for n in queues)]:
        yield {"ph": "M", "pid": pid, "name": "process_name", "args": {"name": title}}
        yield {"ph": "M", "pid": pid, "name": "process_sort_index", "args": {"sort_index": pid}}
    for name, lane in _LANES.items():
        yield {"ph": "M", "pid": HOST, "tid": lane, "name": "thread_name", "args": {"name": name}}


def _buffers(lives: Sequence[Life]) -> Iterator[dict[str, Any]]:
    free: dict[int, list[int]] = {}
    for life in sorted(lives, key=lambda life: life.available or 0):
        times = [t for stage in _STAGES if (t := getattr(life, stage)) is not None]
        begin, end = min(times), max(times)
        lanes = free.setdefault(life.queue, [])
        lane = next((number for number, until in enumerate(lanes) if until <= begin), len(lanes))
        lanes[lane : lane + 1] = [end]
        args: dict[str, Any] = {"session": life.session, "place": life.place, "descriptors": life.chain.count}
        args |= {key: value for key in ("status", "length", "written") if (value := getattr(life, key))}
        if life.used is None:
            args["never"] = "returned"
        yield _slice(life.queue, lane, life.name, begin, end, args)
        yield from _stages(life, lane)


def _stages(life: Life, lane: int) -> Iterator[dict[str, Any]]:
    """The stages of a buffer, each from its time to the next one that is known."""
    known = [(stage, t) for stage in _STAGES if (t := getattr(life, stage)) is not None]
    begin = known[0][1]
    for (stage, _), (_, following) in pairwise(known):
        if following > begin:
            yield _slice(life.queue, lane, _WORDS[stage], begin, following, {})
            begin = following


def _slice(queue: int, lane: int, name: str, begin: int, end: int, args: dict[str, Any]) -> dict[str, Any]:
    row = {"ph": "X", "pid": FIRST_QUEUE + queue, "tid": lane, "name": name, "cat": "buffer"}
    return {**row, "ts": _us(begin), "dur": _us(end - begin), "args": args}


def _host(decoder: Decoder) -> Iterator[dict[str, Any]]:
    for step in decoder.steps:
        if isinstance(step.event, ev.BarRead | ev.BarWrite | ev.ConfigRead | ev.ConfigWrite):
            row = {"ph": "X", "pid": HOST, "tid": _LANES["driver"], "name": step.line, "cat": "access"}
            yield {**row, "ts": _us(step.begin), "dur": _us(step.event.t - step.begin)}
        elif isinstance(step.event, ev.Msix | ev.Intx | ev.Reset):
            yield _instant("interrupts", step.text, step)
        for finding in step.findings:
            yield _instant("verdict", f"{finding.clause}: {finding.message}", step)


def _instant(lane: str, name: str, step: Step) -> dict[str, Any]:
    row = {"ph": "i", "s": "g" if lane == "verdict" else "t", "pid": HOST, "tid": _LANES[lane]}
    return {**row, "name": name, "cat": lane, "ts": _us(step.event.t)}
