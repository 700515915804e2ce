"""Repeatable choices of the ports: splitmix64, the same in native/dice.h, so that both paths choose alike."""

from __future__ import annotations

from collections.abc import Iterator

_MASK = (1 << 64) - 1
LONGEST_RUN = 8


class Dice:
    """A stream of 32-bit numbers from a 64-bit seed."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def roll(self) -> int:
        """Return the next number, 0 to 2^32 - 1."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = self._state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & _MASK
        return (z ^ z >> 31) >> 32

    def below(self, count: int) -> int:
        """Return 0 to `count` - 1."""
        return self.roll() * count >> 32

    def between(self, least: int, most: int) -> int:
        """Return `least` to `most`, both included."""
        return least + self.below(most - least + 1)


def share_of(part: float) -> int:
    """A share of 0 to 1 as it is compared with a roll."""
    return min(int(part * (1 << 32)), (1 << 32) - 1)


def pauses(share: int, dice: Dice) -> Iterator[tuple[bool, int]]:
    """Yield runs of (paused, clock cycles) of a channel; `share` of 2^32 of the runs are paused."""
    while True:
        paused = dice.roll() < share
        yield paused, 1 + dice.below(LONGEST_RUN)
