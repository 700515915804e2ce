"""What the host refuses to the device: ranges of addresses whose accesses are answered with an error."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Refusal:
    first: int
    last: int
    reads: bool
    writes: bool


class Refusals:
    """Ranges of byte addresses, both ends included."""

    def __init__(self) -> None:
        self._refusals: list[_Refusal] = []

    def add(self, first: int, last: int, *, reads: bool, writes: bool) -> None:
        """Refuse accesses that touch bytes `first` to `last` from now on."""
        self._refusals.append(_Refusal(first, last, reads, writes))

    def clear(self) -> None:
        """Refuse nothing any more."""
        self._refusals.clear()

    def hit(self, addr: int, length: int, *, write: bool) -> bool:
        """Whether an access to these bytes is refused."""
        return any(
            refusal.first < addr + length
            and addr <= refusal.last
            and (refusal.writes if write else refusal.reads)
            for refusal in self._refusals
        )
