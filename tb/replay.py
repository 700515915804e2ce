"""`virtio-cosim replay`: a run's tests under their seeds again, or a trace's stimulus."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from pymodel.vtrace import VtraceError
from tb.errors import UsageError
from tb.paths import ROOT, SIM_TESTS
from tb.replaying.test_trace import read_events
from tb.request import MODEL, RunRequest
from tb.session import RESULT

REPLAYING = Path(__file__).parent / "replaying"


def request_for(target: Path, base: RunRequest, *, dut_given: bool) -> RunRequest:
    """Return what to run for a run folder, one test's folder, or a trace; raises UsageError.

    `base` says how (waves, out); its DUT counts where `dut_given`, else the recorded one.
    """
    if target.is_file():
        try:
            read_events(str(target))
        except VtraceError as error:
            raise UsageError(str(error)) from None
        return replace(base, folder=REPLAYING, argument=str(target.resolve()))
    if (target / RESULT).is_file():
        one = _load(target / RESULT)
        about = _about(target.parent)
        again = _again(base, about, (str(one.get("name")),), one.get("seed"), 1, dut_given)
        return replace(again, stress=str(one.get("stress") or ""))
    if (target / "results.json").is_file():
        rows = _load(target / "results.json").get("tests", [])
        names = tuple(dict.fromkeys(str(row["name"]) for row in rows))
        seeds = {int(row["seed"]) for row in rows}
        if not names:
            raise UsageError(f"{target}: the run holds no test")
        return _again(base, _about(target), names, min(seeds), len(seeds), dut_given)
    raise UsageError(f"{target}: is neither a trace, nor the folder of a run or of one of its tests")


def _again(
    base: RunRequest, about: dict[str, Any], names: tuple[str, ...], seed: Any, seeds: int, dut_given: bool
) -> RunRequest:
    if not isinstance(seed, int):
        raise UsageError(f"the recorded seed {seed!r} is no number")
    image = about.get("image")
    return replace(
        base,
        dut=base.dut if dut_given else str(about.get("manifest") or MODEL),
        tests=names,
        seed=seed,
        seeds=seeds,
        folder=Path(about.get("tests") or SIM_TESTS),
        image=Path(image) if image else None,
        argument=str(about.get("argument") or ""),
        parameters=() if dut_given else tuple(about.get("parameters") or ()),
        defines=() if dut_given else tuple(about.get("defines") or ()),
        stress=str(about.get("stress") or ""),
    )


def _about(run: Path) -> dict[str, Any]:
    about = _load(run / "results.json").get("run", {})
    for key in ("manifest", "tests", "image"):
        if about.get(key):
            about[key] = str(ROOT / about[key])
    return dict(about)


def _load(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise UsageError(f"{path}: is no JSON") from None
    if not isinstance(content, dict):
        raise UsageError(f"{path}: is no result of a run")
    return content
