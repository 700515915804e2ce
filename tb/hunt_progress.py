"""Tells how a hunt goes: a line for every fate, and on a terminal a bar with what is being hunted."""

from __future__ import annotations

from threading import Lock
from types import TracebackType

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tb.mutants import Fate, Mutant, one_line


class HuntProgress:
    """`begun` and `done` may be called from several threads; lines go to standard error if `quiet`."""

    def __init__(self, total: int, *, quiet: bool) -> None:
        self._quiet = quiet
        self._lock = Lock()
        self._running: list[str] = []
        columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
        console = Console(stderr=True)
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("", total=total)

    def __enter__(self) -> HuntProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begun(self, mutant: Mutant) -> None:
        """A mutant is being hunted."""
        with self._lock:
            self._running.append(mutant.name)
            self._show()

    def done(self, mutant: Mutant, fate: Fate) -> None:
        """Its fate is known."""
        with self._lock:
            self._running.remove(mutant.name)
            click.echo(one_line(mutant, fate), err=self._quiet)
            self._bar.advance(self._task)
            self._show()

    def _show(self) -> None:
        self._bar.update(self._task, description=", ".join(self._running))
