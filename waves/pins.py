"""Pins of the DUT around a moment: which ones an event runs over, and their values from the wave file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pywellen

from pymodel import events as ev
from tb.manifest import Manifest, Port

_READ = ("arvalid", "arready", "araddr", "rvalid", "rready", "rdata", "rresp")
_WRITE = ("awvalid", "awready", "awaddr", "wvalid", "wready", "wdata", "wstrb", "bvalid", "bready", "bresp")


@dataclass(frozen=True, slots=True)
class Track:
    """One signal: (picoseconds, value) in order, the first one at or before the window's begin.

    A value is None where it is not known, and text where the signal is a string.
    """

    name: str
    width: int
    values: tuple[tuple[int, int | str | None], ...]


class WaveError(Exception):
    """A wave file that cannot be read; the message says which and why."""


def pins_of(manifest: Manifest, event: ev.Event) -> list[str]:
    """The pins that an event runs over, clock first, in the order in which they are used."""
    names = [manifest.clock.port, manifest.reset.port]
    port, channels = _port_of(manifest, event)
    if port is not None and port.prefix:
        names += [port.signals.get(name, port.prefix + name) for name in channels]
    elif port is not None:
        names += list(port.signals.values())
    if manifest.irq.intx:
        names.append(manifest.irq.intx)
    return names


def _port_of(manifest: Manifest, event: ev.Event) -> tuple[Port | None, tuple[str, ...]]:
    if isinstance(event, ev.ConfigRead | ev.BarRead):
        return (manifest.config if isinstance(event, ev.ConfigRead) else manifest.bar), _READ
    if isinstance(event, ev.ConfigWrite | ev.BarWrite):
        return (manifest.config if isinstance(event, ev.ConfigWrite) else manifest.bar), _WRITE
    if isinstance(event, ev.DmaRead):
        return manifest.dma, _READ
    if isinstance(event, ev.Msix) and manifest.irq.kind != "msix-write":
        return manifest.irq, ()
    if isinstance(event, ev.MemWrite | ev.Intx | ev.Reset):
        return manifest.bar, _WRITE
    return manifest.dma, _WRITE


def read_tracks(wave: Path, top: str, names: list[str], begin: int, end: int) -> list[Track]:
    """Read pins of the top level from a wave file between two times (ps); absent ones are left out.

    Raises WaveError where the file cannot be read.
    """
    try:
        known = {var.full_name: var for var in pywellen.Waveform(str(wave)).all_vars()}
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # what pywellen cannot read may end in a panic, which is no Exception
        raise WaveError(f"{wave}: cannot be read as a wave: {error}") from None
    found = [(name, known.get(f"{top}.{name}")) for name in names]
    return [_track(name, var, begin, end) for name, var in found if var is not None]


def _track(name: str, var: pywellen.Var, begin: int, end: int) -> Track:
    signal = var.signal
    values: list[tuple[int, int | str | None]] = []
    for time, value in signal:
        if time > end:
            break
        if time <= begin:
            values.clear()
        values.append((time, value))
    return Track(name, var.bitwidth or 0, tuple(values))
