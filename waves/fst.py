"""One FST file for a viewer: the pins as the simulator wrote them, and the decoded signals beside them.

Neither GTKWave nor Surfer shows two files on one time axis, so the decoded signals go into the file.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from pylibfst import ffi, fstReaderIterBlocks2, lib

from waves.pins import WaveError
from waves.signals import NUMBER_BITS, SCOPE, Signal

PICOSECONDS = -12


def join(target: Path, signals: Sequence[Signal], end: int, pins: Path | None = None) -> None:
    """Write `target`: decoded signals until `end` ps, and all of the wave file `pins` where it is given.

    The file appears whole or not at all. Raises WaveError where `pins` cannot be read or `target` not
    be written.
    """
    part = target.with_name(target.name + ".part")
    writer = lib.fstWriterCreate(str(part).encode(), 1)
    if writer == ffi.NULL:
        raise WaveError(f"{target}: cannot be written")
    try:
        _Joint(writer, signals, end).write(pins)
    except WaveError:
        part.unlink(missing_ok=True)
        raise
    part.replace(target)


def is_decoded(wave: Path) -> bool:
    """Whether a wave file carries decoded signals already; raises WaveError where it is none."""
    with _reader(wave) as reader:
        return any(item.htyp == lib.FST_HT_SCOPE and _name(item.u.scope) == SCOPE for item in _items(reader))


def full_names(wave: Path) -> dict[str, str]:
    """Every signal's path without its range, and with it as GTKWave writes it: "top.data[7:0]"."""
    names: dict[str, str] = {}
    scopes: list[str] = []
    with _reader(wave) as reader:
        for item in _items(reader):
            if item.htyp == lib.FST_HT_SCOPE:
                scopes.append(_name(item.u.scope))
            elif item.htyp == lib.FST_HT_UPSCOPE:
                scopes.pop()
            elif item.htyp == lib.FST_HT_VAR:
                name, _, span = _name(item.u.var).partition(" ")
                path = ".".join([*scopes, name])
                names[path] = path + span
    return names


@contextlib.contextmanager
def _reader(wave: Path) -> Iterator[Any]:
    reader = lib.fstReaderOpen(str(wave).encode())
    if reader == ffi.NULL:
        raise WaveError(f"{wave}: cannot be read as an FST file")
    try:
        yield reader
    finally:
        lib.fstReaderClose(reader)


def _items(reader: Any) -> Iterator[Any]:
    lib.fstReaderIterateHierRewind(reader)
    while (item := lib.fstReaderIterateHier(reader)) != ffi.NULL:
        yield item


def _name(item: Any) -> str:
    return str(ffi.string(item.name, item.name_length).decode(errors="replace"))


class _Joint:
    """A file being written: what both sources say, in the order of time."""

    def __init__(self, writer: Any, signals: Sequence[Signal], end: int) -> None:
        self._writer = writer
        self._signals = signals
        self._end = end
        self._now = -1
        self._handles: dict[int, int] = {}
        self._decoded: list[tuple[int, int, Signal, str | int]] = []
        self._next = 0

    def write(self, pins: Path | None) -> None:
        lib.fstWriterSetTimescale(self._writer, PICOSECONDS)
        lib.fstWriterSetPackType(self._writer, lib.FST_WR_PT_LZ4)
        try:
            self._declare()
            if pins is not None:
                with _reader(pins) as reader:
                    self._copy(reader, pins)
            self._advance(self._end)
        finally:
            lib.fstWriterClose(self._writer)

    def _declare(self) -> None:
        lib.fstWriterSetScope(self._writer, lib.FST_ST_VCD_MODULE, SCOPE.encode(), b"")
        changes = []
        for scope, signals in groupby(self._signals, key=lambda signal: signal.scope):
            if scope:
                lib.fstWriterSetScope(self._writer, lib.FST_ST_VCD_MODULE, scope.encode(), b"")
            for signal in signals:
                handle = self._variable(signal)
                changes += [(t, handle, signal, value) for t, value in signal.values]
            if scope:
                lib.fstWriterSetUpscope(self._writer)
        lib.fstWriterSetUpscope(self._writer)
        self._decoded = sorted(changes, key=lambda change: change[:2])

    def _variable(self, signal: Signal) -> int:
        kind, width = (lib.FST_VT_GEN_STRING, 0) if signal.text else (lib.FST_VT_VCD_WIRE, NUMBER_BITS)
        name = signal.name if signal.text else f"{signal.name} [{NUMBER_BITS - 1}:0]"
        return int(lib.fstWriterCreateVar(self._writer, kind, lib.FST_VD_IMPLICIT, width, name.encode(), 0))

    def _copy(self, reader: Any, pins: Path) -> None:
        if lib.fstReaderGetTimescale(reader) != PICOSECONDS:
            raise WaveError(f"{pins}: its time unit is not a picosecond")
        for item in _items(reader):
            self._copy_item(item)
        lib.fstReaderSetFacProcessMaskAll(reader)
        fstReaderIterBlocks2(reader, self._changed, self._changed_text)

    def _copy_item(self, item: Any) -> None:
        writer = self._writer
        if item.htyp == lib.FST_HT_SCOPE:
            scope = item.u.scope
            # The library is older than scopes of arrays: they are written as structures.
            kind = scope.typ if scope.typ <= lib.FST_ST_MAX else lib.FST_ST_VCD_STRUCT
            lib.fstWriterSetScope(writer, kind, scope.name, scope.component)
        elif item.htyp == lib.FST_HT_UPSCOPE:
            lib.fstWriterSetUpscope(writer)
        elif item.htyp == lib.FST_HT_ATTREND:
            lib.fstWriterSetAttrEnd(writer)
        elif item.htyp == lib.FST_HT_ATTRBEGIN:
            attribute = item.u.attr
            if attribute.typ == lib.FST_AT_ARRAY:
                return
            lib.fstWriterSetAttrBegin(writer, attribute.typ, attribute.subtype, attribute.name, attribute.arg)
        elif item.htyp == lib.FST_HT_VAR:
            self._copy_variable(item.u.var)

    def _copy_variable(self, var: Any) -> None:
        alias = self._handles.get(var.handle, 0) if var.is_alias else 0
        made = lib.fstWriterCreateVar(self._writer, var.typ, var.direction, var.length, var.name, alias)
        self._handles.setdefault(var.handle, made)

    def _changed(self, _: Any, time: int, handle: int, value: Any) -> None:
        self._advance(time)
        lib.fstWriterEmitValueChange(self._writer, self._handles[handle], value)

    def _changed_text(self, _: Any, time: int, handle: int, value: Any, length: int) -> None:
        self._advance(time)
        lib.fstWriterEmitVariableLengthValueChange(self._writer, self._handles[handle], value, length)

    def _advance(self, time: int) -> None:
        """Go to a time of the pins, with all that was decoded until then."""
        if time <= self._now:
            return
        while self._next < len(self._decoded) and self._decoded[self._next][0] <= time:
            t, handle, signal, value = self._decoded[self._next]
            self._next += 1
            self._at(t)
            if signal.text:
                data = str(value).encode("ascii", "replace")
                lib.fstWriterEmitVariableLengthValueChange(self._writer, handle, data, len(data))
            else:
                bits = f"{int(value) & 0xFFFF:0{NUMBER_BITS}b}".encode()
                lib.fstWriterEmitValueChange(self._writer, handle, bits)
        self._at(time)

    def _at(self, time: int) -> None:
        if time > self._now:
            lib.fstWriterEmitTimeChange(self._writer, time)
            self._now = time
