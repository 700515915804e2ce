"""A line of the table that `make bench` prints."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the table; `least` is what the project asks for, `most` where more is worse."""

    name: str
    title: str
    value: float
    least: float = 0.0
    most: float = float("inf")
    note: str = ""

    @property
    def reached(self) -> bool:
        """Whether the figure lies where it shall."""
        return self.least <= self.value <= self.most

    def row(self) -> str:
        """The line as printed."""
        wanted = f">= {self.least:g}" if self.most == float("inf") else f"{self.least:g}..{self.most:g}"
        verdict = "ok" if self.reached else "NOT REACHED"
        return f"{self.name:24} {self.value:10.3f}  {wanted:>14}  {verdict:11}  {self.title}{self.note}"
