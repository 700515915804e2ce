"""Exceptions in a manifest's own Python: the bench broke, and the test ends with status "error"."""

from __future__ import annotations

import traceback
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import Event, FallingEdge, First

from tb.errors import ClassBroken
from tb.manifest import Port
from tb.ports.levels import UnknownLevel

_OURS = Path(__file__).resolve().parents[1]


class Breakage:
    """What ends a test from outside of it: the first exception that one of the manifest's classes let out,
    or a pin without a level; `event` is set when it came.
    """

    def __init__(self, manifest: Path) -> None:
        self.event = Event()
        self.error: ClassBroken | UnknownLevel | None = None
        self._manifest = manifest

    @contextmanager
    def guard(self, port: Port) -> Iterator[None]:
        """Turn an exception from the code below into ClassBroken, and keep it."""
        try:
            yield
        except ClassBroken:
            raise
        except Exception as error:
            raise self._note(port, error) from error

    @contextmanager
    def caught(self, port: Port) -> Iterator[None]:
        """Keep an exception from the code below: the task that it runs in just ends."""
        try:
            with self.guard(port):
                yield
        except ClassBroken:
            return

    async def levels(self, pins: Sequence[Any], clock: Any, cycles: int) -> None:
        """Hold these pins to 0 and 1 at every falling clock edge; the first that is X or Z ends the test.

        The device's reset, which is asserted now, has so many `cycles` to give them a level.
        """
        for _ in range(cycles):
            await FallingEdge(clock)
        while self.error is None:
            unknown = next((pin for pin in pins if not pin.value.is_resolvable), None)
            if unknown is not None and self.error is None:
                self.error = UnknownLevel(f"{unknown._name} reads {unknown.value}")
                self.event.set()
            await FallingEdge(clock)

    async def ends(self, work: Coroutine[Any, Any, None]) -> None:
        """Await the work; raises ClassBroken as soon as a class broke, wherever the work is then."""
        failures: list[Exception] = []

        async def kept() -> None:
            try:
                await work
            except Exception as error:
                failures.append(error)

        task = cocotb.start_soon(kept())
        try:
            await First(task.complete, self.event.wait())
        finally:
            task.cancel()
        if self.error is not None:
            raise self.error
        if failures:
            raise failures[0]

    def _note(self, port: Port, error: Exception) -> ClassBroken:
        traceback.print_exception(error)
        broken = ClassBroken(f"{place(self._manifest, port)} broke in the run: {told(error)}")
        self.error = self.error or broken
        self.event.set()
        return broken


def place(manifest: Path, port: Port) -> str:
    """Where the class is named: manifest, table, key, and its name."""
    return f"{manifest}: [{port.table}] class {port.class_name!r}"


def told(error: BaseException) -> str:
    """An exception in one line, with the place that it comes from."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not Path(frame.filename).is_relative_to(_OURS)] or frames
    text = f"{type(error).__name__}: {error}".partition("\n")[0]
    return f"{text} ({Path(theirs[-1].filename).name}:{theirs[-1].lineno})" if theirs else text
