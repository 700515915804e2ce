"""Saved views: what a viewer shows when it opens a wave, written for GTKWave and for Surfer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pymodel import events as ev
from tb.manifest import Manifest
from tb.results import write_whole
from waves.decode import Decoder, Step
from waves.fst import full_names
from waves.picture import neighbours, window_of
from waves.pins import pins_of
from waves.render import template
from waves.signals import SCOPE

GTKWAVE, SURFER = "wave.gtkw", "wave.sucl"
WIDTH_PIXELS = 1000
GTKWAVE_FRAME = 200  # its zoom is the power of two of the time that so many pixels show
MARKERS_MAX = 26
_KINDS = (ev.ConfigWrite, ev.ConfigRead, ev.BarWrite, ev.BarRead, ev.DmaRead, ev.DmaWrite, ev.Msix)


@dataclass(frozen=True, slots=True)
class Line:
    """A signal of a view: its path, its name with range, and whether it is text, one bit or a number."""

    path: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Group:
    """Signals under one title."""

    title: str
    lines: tuple[Line, ...]


def write_views(
    folder: Path, wave: Path, decoder: Decoder, moments: Sequence[tuple[str, Step]], manifest: Manifest | None
) -> tuple[Path, Path]:
    """Write both viewers' views of `wave` into `folder`; markers stand at `moments`, the first is shown.

    Raises WaveError where the wave cannot be read.
    """
    focus = moments[0][1]
    window = window_of(neighbours(decoder.steps, focus), focus)
    total = max(step.event.t for step in decoder.steps) or 1
    content = {
        "wave": wave.resolve(),
        "groups": list(_groups(full_names(wave), focus, manifest)),
        "begin": window.begin,
        "focus": focus.event.t,
        "zoom": -math.log2(max(1, GTKWAVE_FRAME * (window.end - window.begin) / WIDTH_PIXELS)),
        "halvings": max(0, round(math.log2(total / max(1, window.end - window.begin)))),
        "markers": [(title, step.event.t) for title, step in moments[:MARKERS_MAX]],
    }
    for name in (GTKWAVE, SURFER):
        write_whole(folder / name, template(name).render(content))
    return folder / GTKWAVE, folder / SURFER


def _groups(names: dict[str, str], focus: Step, manifest: Manifest | None) -> Iterator[Group]:
    decoded = [path for path in names if path.startswith(f"{SCOPE}.")]
    plain = [path for path in decoded if path.count(".") == 1]
    yield Group("virtio", tuple(_line(path, names[path]) for path in plain))
    for scope in dict.fromkeys(path.rpartition(".")[0] for path in decoded if path.count(".") > 1):
        lines = [_line(path, names[path]) for path in decoded if path.rpartition(".")[0] == scope]
        yield Group(scope.rpartition(".")[2], tuple(lines))
    if manifest is not None:
        yield from _pins(names, focus, manifest)


def _pins(names: dict[str, str], focus: Step, manifest: Manifest) -> Iterator[Group]:
    """The pins that the moment runs over, then those of all other accesses."""
    shown: set[str] = set()
    samples = [kind.__new__(kind) for kind in _KINDS]
    for title, event in [("pins of the moment", focus.event), *((_title(s), s) for s in samples)]:
        paths = [f"{manifest.hdl.toplevel}.{pin}" for pin in pins_of(manifest, event)]
        fresh = [path for path in paths if path in names and path not in shown]
        shown.update(fresh)
        if fresh:
            yield Group(title, tuple(_line(path, names[path]) for path in fresh))


def _title(event: ev.Event) -> str:
    return {
        "ConfigWrite": "configuration writes",
        "ConfigRead": "configuration reads",
        "BarWrite": "BAR writes",
        "BarRead": "BAR reads",
        "DmaRead": "DMA reads",
        "DmaWrite": "DMA writes",
    }.get(type(event).__name__, "interrupts")


def _line(path: str, name: str) -> Line:
    if path.startswith(f"{SCOPE}."):
        return Line(path, name, "decimal" if name != path else "text")
    return Line(path, name, "hex" if name != path else "bit")
