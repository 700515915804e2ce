"""Makes a test's wave ready for a viewer: decoded signals in it, saved views beside it."""

from __future__ import annotations

from pathlib import Path

from tb.manifest import Manifest
from waves.fst import is_decoded, join
from waves.signals import SignalLog
from waves.story import Story
from waves.views import write_views

WAVE = "wave.fst"


def prepare(folder: Path, story: Story, log: SignalLog, manifest: Manifest | None) -> tuple[Path, Path]:
    """Decode the wave of a test's folder, made of decoded signals alone where there are no pins.

    Returns the saved views for GTKWave and Surfer; raises WaveError where the wave cannot be read.
    """
    wave = folder / WAVE
    if not wave.exists():
        join(wave, log.signals, log.end)
    elif not is_decoded(wave):
        join(wave, log.signals, log.end, wave)
    moments = [(moment.title, moment.step) for moment in story.moments]
    return write_views(folder, wave, story.decoder, moments, manifest)
