"""`virtio-cosim wave`: one command from a test's folder to the open viewer, at the moment that matters."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from pymodel.vtrace import VtraceError
from tb.errors import ToolError, UsageError
from tb.manifest import Manifest, load_manifest
from tb.paths import BUNDLED_MANIFEST, shown
from tb.request import MODEL
from tb.results import FAIL, Result
from tb.session import RESULT, TRACE
from waves.pins import WaveError
from waves.prepare import WAVE, Scene, prepare
from waves.signals import SignalLog
from waves.story import tell

VIEWERS = ("gtkwave", "surfer")
INSTALL = {"gtkwave": "apt-get install gtkwave", "surfer": "https://surfer-project.org"}
AGAIN = ".again"


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


def scene(target: Path, say: Callable[[str], None], window_ns: int) -> Scene:
    """Make a test's wave ready: recorded if need be, decoded, with views.

    What is recorded begins `window_ns` before the first violation, 0: with the test. Raises UsageError
    and ToolError.
    """
    folder = folder_of(target)
    result = load_result(folder)
    manifest = _manifest(result)
    if manifest is not None and not (folder / WAVE).exists():
        _record(folder, result, say, window_ns)
    log = SignalLog()
    try:
        story = tell(folder / TRACE, result.violations, log.after)
        if not story.moments:
            raise UsageError(f"{folder / TRACE}: holds no event")
        log.judge(story.decoder)
        return prepare(folder, story, log, manifest)
    except (VtraceError, WaveError) as error:
        raise UsageError(str(error)) from None


def _words(result: Result) -> list[str]:
    """The command that repeats the test, without the program's name; empty where it is none of ours."""
    try:
        program, *words = shlex.split(result.replay)
    except ValueError:
        return []
    return words if program == "virtio-cosim" and words[:1] in (["run"], ["replay"]) else []


def _manifest(result: Result) -> Manifest | None:
    """The manifest of the DUT that the test ran on; None for the device model."""
    words = _words(result)
    dut = words[words.index("--dut") + 1] if "--dut" in words[:-1] else str(BUNDLED_MANIFEST)
    return None if dut == MODEL else load_manifest(Path(dut))


def _record(folder: Path, result: Result, say: Callable[[str], None], window_ns: int) -> None:
    """Run the test again under its seed and take over its wave."""
    words = _words(result)
    if not words:
        raise UsageError(f"{folder / RESULT}: holds no command that repeats the test, and there is no wave")
    say(f"{shown(folder)}: has no wave yet: running the test again")
    again, log = folder / AGAIN, folder / "wave.log"
    shutil.rmtree(again, ignore_errors=True)
    how = ["--waves", "on-fail" if result.status == FAIL else "always", "--window", str(window_ns)]
    command = [sys.executable, "-m", "tb.cli", *words, *how, "--out", str(again)]
    with log.open("wb") as stream:
        code = subprocess.run(command, stdout=stream, stderr=stream, check=False).returncode
    made = next(iter(again.glob(f"*/{WAVE}")), None)
    if made is None:
        raise ToolError(f"running {result.name} again ended with exit status {code} and without a wave", log)
    made.replace(folder / WAVE)
    shutil.rmtree(again)
    log.unlink()


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
