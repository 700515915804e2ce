"""Small line plots as SVG that takes the page's colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 320.0, 120.0, 46.0, 8.0, 18.0


@dataclass(frozen=True, slots=True)
class Plot:
    """A line over nights: `points` are (x, y, night, value), `ticks` (y, label)."""

    title: str
    path: str
    points: tuple[tuple[float, float, int, str], ...]
    ticks: tuple[tuple[float, str], ...]
    ends: tuple[tuple[float, str], ...]
    last: str


def number(value: float) -> str:
    """A figure with as many digits as it deserves."""
    return f"{value:.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.3g}"


def plot(title: str, series: Sequence[tuple[int, float]]) -> Plot:
    """Lay a series of (night, value) out; the y axis begins at 0 unless all values are close together."""
    values = [value for _, value in series]
    top, low = max(values), min(values)
    base = 0.0 if low < 0.7 * top or low == top else low - 0.2 * (top - low)
    top = top if top > base else base + 1.0
    room = WIDTH - LEFT - 8.0
    step = room / max(len(series) - 1, 1)
    points = tuple(
        (round(LEFT + index * step, 1), _y(value, base, top), night, number(value))
        for index, (night, value) in enumerate(series)
    )
    path = "M" + "L".join(f"{x},{y}" for x, y, _, _ in points)
    ticks = tuple((_y(value, base, top), number(value)) for value in (base, top))
    ends = tuple({points[0][0]: str(points[0][2]), points[-1][0]: str(points[-1][2])}.items())
    return Plot(title, path, points, ticks, ends, points[-1][3])


def _y(value: float, base: float, top: float) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - (value - base) / (top - base)), 1)
