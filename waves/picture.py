"""The picture of a moment: events as bars, pins as waves, what broke in red; the SVG is a template."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from waves.decode import Step, gist
from waves.pins import Track
from waves.render import template

WIDTH, LEFT, RIGHT, ROW, TOP = 1180, 170, 14, 20, 34
PLOT = WIDTH - LEFT - RIGHT
WORDS = WIDTH - 2 * RIGHT
CHARACTER = 6.7
EVENTS_BEFORE, EVENTS_AFTER = 10, 4
TICKS = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """An event: a box over its duration, and its text beside it."""

    x: float
    width: float
    text_x: float
    anchor: str
    text: str
    full: str
    kind: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a bus with one value."""

    x: float
    width: float
    text: str
    known: bool


@dataclass(slots=True)
class Row:
    """One line of the picture, `y` its upper edge: a bar, a verdict, a waveform's points, a bus's pieces."""

    label: str
    y: int
    verdict: str = ""
    bar: Bar | None = None
    points: str = ""
    pieces: list[Piece] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time in picoseconds, drawn over the picture's width."""

    begin: int
    end: int

    def x(self, time: int) -> float:
        """Where a time lies, clipped to the window."""
        span = max(1, self.end - self.begin)
        return LEFT + PLOT * (min(max(time, self.begin), self.end) - self.begin) / span


def neighbours(steps: Sequence[Step], focus: Step) -> list[Step]:
    """The events around a moment that are worth a line."""
    lines = gist(steps, focus)
    place = next(n for n, step in enumerate(lines) if step is focus)
    return lines[max(0, place - EVENTS_BEFORE) : place + 1 + EVENTS_AFTER]


def window_of(around: Sequence[Step], focus: Step) -> Window:
    """The span that shows these events, `focus` well inside it, without long idle stretches."""
    begins = [step.begin for step in around if step.begin <= focus.begin]
    reach = max(4 * (focus.event.t - focus.begin), 100_000)
    begin = max(min(begins, default=focus.begin), focus.begin - 4 * reach)
    ends = [step.event.t for step in around if step.event.t <= focus.event.t + 2 * reach]
    end = max([*ends, focus.event.t])
    margin = max((end - begin) // 25, 2000)
    return Window(max(0, begin - margin), end + 2 * margin)


def draw(
    steps: Sequence[Step],
    focus: Step,
    tracks: Sequence[Track],
    window: Window,
    verdicts: Sequence[str],
) -> str:
    """Return the picture as an SVG document; `verdicts` stand below the event in focus."""
    around = [step for step in neighbours(steps, focus) if step is focus or step.event.t >= window.begin]
    rows: list[Row] = []
    for step in around:
        rows.append(Row(step.who, TOP + ROW * len(rows), bar=_bar(step, focus, window)))
        said = [step.line, *verdicts] if step is focus else []
        rows += [Row("", TOP + ROW * (len(rows) + i), _cut(text, WORDS)) for i, text in enumerate(said)]
    split = TOP + ROW * len(rows)
    for number, track in enumerate(tracks):
        rows.append(_pin_row(track, split + 8 + ROW * number, window))
    height = (rows[-1].y if rows else TOP) + ROW + 12
    return template("picture.svg").render(
        width=WIDTH,
        height=height,
        left=LEFT,
        top=TOP,
        row=ROW,
        rows=rows,
        split=split if tracks else None,
        ticks=list(_ticks(window)),
        focus=(window.x(focus.begin), window.x(focus.event.t)),
        title="; ".join(verdicts) or focus.line,
        right=WIDTH - RIGHT,
    )


def _bar(step: Step, focus: Step, window: Window) -> Bar:
    kind = step.who
    if any(buffer in focus.buffers for buffer in step.buffers):
        kind += " same"
    x, end = window.x(step.begin), window.x(step.event.t)
    width = max(end - x, 2.0)
    text = step.line
    if step is focus:
        return Bar(x, width, x, "start", "", text, "bad")
    right_room, left_room = LEFT + PLOT - x - width - 6, x - LEFT - 6
    if right_room >= min(len(text) * CHARACTER, left_room):
        return Bar(x, width, x + width + 5, "start", _cut(text, right_room), text, kind)
    return Bar(x, width, x - 5, "end", _cut(text, left_room), text, kind)


def _cut(text: str, room: float) -> str:
    most = int(room / CHARACTER)
    return text if len(text) <= most else text[: max(0, most - 1)] + "…"


def _pin_row(track: Track, y: int, window: Window) -> Row:
    row = Row(track.name, y)
    spans = list(_spans(track, window))
    if track.width == 1:
        row.points = " ".join(_square(spans, y))
        return row
    for x, end, value in spans:
        row.pieces.append(Piece(x, end - x, _fitting(_value(value), end - x - 4), value is not None))
    return row


def _fitting(text: str, room: float) -> str:
    """The value, its last digits where there is no room for more, or nothing."""
    most = int(room / CHARACTER)
    if len(text) <= most:
        return text
    return "…" + text[1 - most :] if most >= 5 else ""


def _value(value: int | str | None) -> str:
    return f"{value:x}" if isinstance(value, int) else "?" if value is None else value


def _spans(track: Track, window: Window) -> Iterator[tuple[float, float, int | str | None]]:
    """Yield (from x, to x, value) over the part of the window in which the signal is recorded."""
    for index, (time, value) in enumerate(track.values):
        following = track.values[index + 1][0] if index + 1 < len(track.values) else window.end
        if following > window.begin:
            yield window.x(time), window.x(following), value


def _square(spans: Sequence[tuple[float, float, int | str | None]], y: int) -> Iterator[str]:
    for x, end, value in spans:
        level = y + (4 if value == 1 else ROW - 5 if value == 0 else ROW / 2)
        yield f"{x:.1f},{level:.1f} {end:.1f},{level:.1f}"


def _ticks(window: Window) -> Iterator[tuple[float, str]]:
    """Yield (x, label) at round times."""
    rough = (window.end - window.begin) / TICKS
    step = next(base * 10**power for power in range(19) for base in (1, 2, 5) if base * 10**power >= rough)
    time = -(-window.begin // step) * step
    while time <= window.end:
        yield window.x(time), f"{time / 1000:g} ns"
        time += step
