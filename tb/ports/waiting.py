"""Bursts that become due: taken in order, or with reordering in any order that keeps each id's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

from tb.ports.dice import Dice


class Due(Protocol):
    """What waits: `due` is its time in picoseconds, those of one `ident` keep their order."""

    ident: int
    due: int


B = TypeVar("B", bound=Due)


class Waiting(Generic[B]):
    """A queue of bursts that wait for their time."""

    def __init__(self, dice: Dice, *, reorder: bool) -> None:
        self._dice = dice
        self._reorder = reorder
        self._bursts: list[B] = []

    def __len__(self) -> int:
        return len(self._bursts)

    def add(self, burst: B) -> None:
        """Append a burst."""
        self._bursts.append(burst)

    def take(self, now: int, without: Iterable[B] = ()) -> B | None:
        """Take a burst that is due and whose id none of `without` has; None if there is none."""
        busy = {burst.ident for burst in without}
        ready = [burst for burst in self._heads() if burst.due <= now and burst.ident not in busy]
        if not ready:
            return None
        burst = ready[self._dice.below(len(ready)) if len(ready) > 1 else 0]
        self._bursts.remove(burst)
        return burst

    def next_due(self) -> int | None:
        """When the first burst that could be taken is due, None if there is none."""
        return min((burst.due for burst in self._heads()), default=None)

    def clear(self) -> None:
        """Forget everything."""
        self._bursts.clear()

    def _heads(self) -> list[B]:
        """The oldest burst, or with reordering the oldest of each id."""
        if not self._reorder:
            return self._bursts[:1]
        oldest: dict[int, B] = {}
        for burst in self._bursts:
            oldest.setdefault(burst.ident, burst)
        return list(oldest.values())
