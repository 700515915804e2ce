"""The failure page of a test: failure.md, failure.html and its pictures, beside the trace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pymodel.vtrace import VtraceError
from tb.manifest import Manifest
from tb.probe.journal import JOURNAL
from tb.results import Result, write_whole
from waves.bringup import story_of
from waves.names import time_text
from waves.picture import draw, neighbours, window_of
from waves.pins import WaveError, pins_of, read_tracks
from waves.prepare import WAVE, prepare
from waves.render import template
from waves.signals import SignalLog
from waves.story import Moment, Story, rule_of, tell

TRACE = "trace.vtrace"
MARKDOWN, PAGE = "failure.md", "failure.html"


def write_failure(folder: Path, result: Result, manifest: Manifest | None) -> None:
    """Write the page of a failed test into its folder; a test without a trace gets what is known of it."""
    notes = list(_elsewhere(folder))
    log = SignalLog()
    story = _story(folder, result, log, notes)
    if story is not None and (folder / WAVE).exists():
        try:
            prepare(folder, story, log, manifest)
        except WaveError as error:
            notes.append(str(error))
    pictures = [_picture(folder, story, moment, manifest, notes) for moment in story.moments] if story else []
    for stale in folder.glob("failure-*.svg"):
        stale.unlink()
    for number, picture in enumerate(pictures, 1):
        write_whole(folder / f"failure-{number}.svg", picture)
    content = {
        "result": result,
        "rules": [(rule_of(str(item["clause"])), item) for item in result.violations],
        "moments": story.moments if story else [],
        "pictures": pictures,
        "bring_up": story_of(folder),
        "notes": list(dict.fromkeys(notes)),
        "time_text": time_text,
        "wave": (folder / WAVE).exists(),
        "open": f"virtio-cosim wave {folder.parent.name}/{folder.name}",
    }
    write_whole(folder / MARKDOWN, template("failure.md").render(content))
    write_whole(folder / PAGE, template("failure.html").render(content))


def _elsewhere(folder: Path) -> Iterator[str]:
    """Where the run's own bring-up failed, this test may fail for the same reason."""
    for journal in folder.parent.glob(f"*/{JOURNAL}"):
        if journal.parent != folder and story_of(journal.parent) is not None:
            yield f"The DUT does not come up: begin with {journal.parent.name}/{MARKDOWN}."


def _story(folder: Path, result: Result, log: SignalLog, notes: list[str]) -> Story | None:
    try:
        story = tell(folder / TRACE, result.violations, log.after)
    except VtraceError as error:
        notes.append(f"The trace cannot be shown: {error}")
        return None
    log.judge(story.decoder)
    return story if story.moments else None


def _picture(folder: Path, story: Story, moment: Moment, manifest: Manifest | None, notes: list[str]) -> str:
    steps, focus = story.decoder.steps, moment.step
    window = window_of(neighbours(steps, focus), focus)
    tracks = []
    if manifest is not None and (folder / WAVE).exists():
        names = pins_of(manifest, focus.event)
        try:
            tracks = read_tracks(folder / WAVE, manifest.hdl.toplevel, names, window.begin, window.end)
        except WaveError as error:
            notes.append(str(error))
    return draw(steps, focus, tracks, window, moment.verdicts)
