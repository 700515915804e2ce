"""`virtio-cosim wave`: one command from a test's folder to the open viewer, at the moment that matters."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pymodel.vtrace import VtraceError
from tb.errors import ToolError, UsageError
from tb.manifest import Manifest, load_manifest
from tb.paths import shown
from tb.replay import request_for
from tb.results import FAIL, Result
from tb.run import Run, RunRequest
from tb.session import RESULT, TRACE
from waves.pins import WaveError
from waves.prepare import WAVE, prepare
from waves.signals import SignalLog
from waves.story import tell

VIEWERS = ("gtkwave", "surfer")
INSTALL = {"gtkwave": "apt-get install gtkwave", "surfer": "https://surfer-project.org"}
AGAIN = ".again"


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


def trace_of(target: Path) -> Path:
    """The trace that is meant: a file, or that of a test's folder; raises UsageError."""
    return target if target.is_file() else folder_of(target) / TRACE


def folder_of(target: Path) -> Path:
    """The folder of one test: `target`, or the first failed one of a run; raises UsageError."""
    if (target / RESULT).is_file():
        return target
    tests = sorted(path.parent for path in target.glob(f"*/{RESULT}"))
    if not tests:
        raise UsageError(f"{target}: is neither the folder of a run nor of one of its tests")
    failed = [folder for folder in tests if load_result(folder).status == FAIL]
    if not failed:
        names = ", ".join(folder.name for folder in tests[:3])
        raise UsageError(f"{target}: no test failed; name one of its folders ({names}, ...)")
    return failed[0]


def load_result(folder: Path) -> Result:
    """The result in a test's folder; raises UsageError where it is none."""
    path = folder / RESULT
    try:
        return Result.load(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, TypeError):
        raise UsageError(f"{path}: is no result of a test") from None


def scene(target: Path, say: Callable[[str], None], request: RunRequest) -> Scene:
    """Make a test's wave ready: recorded if need be, decoded, with views; `request` says how to record.

    Raises UsageError and ToolError.
    """
    folder = folder_of(target)
    result = load_result(folder)
    manifest = _manifest(folder)
    if manifest is not None and not (folder / WAVE).exists():
        _record(folder, result, say, request)
    log = SignalLog()
    try:
        story = tell(folder / TRACE, result.violations, log.after)
        if not story.moments:
            raise UsageError(f"{folder / TRACE}: holds no event")
        log.judge(story.decoder)
        gtkwave, surfer = prepare(folder, story, log, manifest)
    except (VtraceError, WaveError) as error:
        raise UsageError(str(error)) from None
    views = {"gtkwave": gtkwave, "surfer": surfer}
    return Scene(folder / WAVE, views, story.moments[0].step.event.t)


def _manifest(folder: Path) -> Manifest | None:
    """The manifest of the DUT that the run was made with; None for the device model."""
    path = _about(folder).get("manifest")
    return load_manifest(Path(str(path))) if path else None


def _about(folder: Path) -> dict[str, Any]:
    path = folder.parent / "results.json"
    try:
        about = json.loads(path.read_text(encoding="utf-8")).get("run", {})
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, AttributeError):
        raise UsageError(f"{path}: is no result of a run") from None
    return dict(about) if isinstance(about, dict) else {}


def _record(folder: Path, result: Result, say: Callable[[str], None], request: RunRequest) -> None:
    """Run the test again under its seed and take over its wave."""
    say(f"{shown(folder)}: has no wave yet: running it again")
    again = folder / AGAIN
    shutil.rmtree(again, ignore_errors=True)
    waves = "on-fail" if result.status == FAIL else "always"
    wanted = replace(request_for(folder, request, dut_given=False), waves=waves, out=again, jobs=1)
    report = Run(wanted, say, lambda result: None).execute()
    made = report.folder / report.results[0].folder / WAVE
    if not made.exists():
        raise ToolError(f"no wave came of running {result.name} seed {result.seed} again", made.parent)
    made.replace(folder / WAVE)
    shutil.rmtree(again)


def open_scene(scene: Scene, viewer: str | None, say: Callable[[str], None], *, only_print: bool) -> None:
    """Say what opens the scene, and open it where a viewer is installed."""
    found = [name for name in ([viewer] if viewer else VIEWERS) if shutil.which(name)]
    chosen = found[0] if found else viewer or VIEWERS[0]
    say(f"wave: {shown(scene.wave)}, at {scene.moment / 1000:.3f} ns")
    for name in [viewer] if viewer else VIEWERS:
        say(f"open: {shlex.join(scene.command(name))}")
    if only_print:
        return
    if not found:
        for name in [viewer] if viewer else VIEWERS:
            say(f"{name} is not installed: {INSTALL[name]}")
        return
    subprocess.Popen(
        scene.command(chosen),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
