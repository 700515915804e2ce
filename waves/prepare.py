"""Makes a test's wave ready for a viewer: decoded signals in it, saved views beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tb.manifest import Manifest
from waves.decode import BENCH, Step
from waves.fst import is_decoded, join
from waves.pins import read_tracks
from waves.signals import SignalLog
from waves.story import Story
from waves.views import write_views

WAVE = "wave.fst"


@dataclass(frozen=True, slots=True)
class Scene:
    """A wave ready to be looked at: the file, a saved view for each viewer, and the picoseconds shown."""

    wave: Path
    views: dict[str, Path]
    moment: int

    def command(self, viewer: str) -> list[str]:
        """The command that opens it."""
        flag = ["--command-file"] if viewer == "surfer" else []
        return [viewer, str(self.wave), *flag, str(self.views[viewer])]


def prepare(folder: Path, story: Story, log: SignalLog, manifest: Manifest | None) -> Scene:
    """Decode the wave of a test's folder, made of decoded signals alone where there are no pins.

    Raises WaveError where the wave cannot be read.
    """
    wave = folder / WAVE
    if not wave.exists():
        join(wave, log.signals, log.end)
    elif not is_decoded(wave):
        join(wave, log.signals, log.end, wave)
    moments = [(moment.title, moment.step) for moment in story.moments]
    if manifest is not None and not any(moment.verdicts for moment in story.moments):
        moments = _within(wave, story, manifest) or moments
    gtkwave, surfer = write_views(folder, wave, story.decoder, moments, manifest)
    return Scene(wave, {"gtkwave": gtkwave, "surfer": surfer}, moments[0][1].event.t)


def _within(wave: Path, story: Story, manifest: Manifest) -> list[tuple[str, Step]]:
    """Where nothing broke: the last event for which there are pins."""
    clock = read_tracks(wave, manifest.hdl.toplevel, [manifest.clock.port], 0, story.decoder.state.now)
    end = clock[0].values[-1][0] if clock and clock[0].values else 0
    steps = [step for step in story.decoder.steps if step.who != BENCH and step.event.t <= end]
    return [("the last event with pins", steps[-1])] if steps else []
