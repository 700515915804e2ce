"""Things that become due: taken in order, or with reordering in any order that keeps each id's own."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from cocotb.triggers import Event, First, Timer

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Entry(Generic[T]):
    ident: int
    due: int
    item: T


class Waiting(Generic[T]):
    """A queue whose items wait for their time, in picoseconds of `now`."""

    def __init__(self, now: Callable[[], int], rng: random.Random, *, reorder: bool) -> None:
        self._now = now
        self._rng = rng
        self._reorder = reorder
        self._entries: list[_Entry[T]] = []
        self._news = Event()

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, item: T, ident: int, due: int) -> None:
        """Append an item that may be taken from time `due` on."""
        self._entries.append(_Entry(ident, due, item))
        self._news.set()

    def poll(self, without: frozenset[int] = frozenset()) -> T | None:
        """Take an item that is due and whose id is not in `without`; None if there is none."""
        ready = [entry for entry in self._heads() if entry.due <= self._now() and entry.ident not in without]
        if not ready:
            return None
        entry = self._rng.choice(ready) if len(ready) > 1 else ready[0]
        self._entries.remove(entry)
        return entry.item

    async def take(self) -> T:
        """Wait for an item to be due and take it."""
        while True:
            self._news.clear()
            item = self.poll()
            if item is not None:
                return item
            heads = self._heads()
            if heads:
                wait = min(entry.due for entry in heads) - self._now()
                await First(Timer(wait, "ps"), self._news.wait())
            else:
                await self._news.wait()

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()

    def _heads(self) -> list[_Entry[T]]:
        """The oldest entry, or with reordering the oldest of each id."""
        if not self._reorder:
            return self._entries[:1]
        oldest: dict[int, _Entry[T]] = {}
        for entry in self._entries:
            oldest.setdefault(entry.ident, entry)
        return list(oldest.values())
