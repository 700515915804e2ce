"""What a night hangs on, as one hash: the bench, the reference, the tests and the device's sources."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tb.regress.plan import Configuration, RegressPlan
from tb.request import manifest_of
from tb.sources import BENCH, class_files, hash_of, hdl_files, project_files

FOLDERS = ("hdl", *BENCH, "tests")


def bench_files() -> Iterator[Path]:
    """The project's own sources, in order."""
    yield from project_files(*FOLDERS)


def device_files(configuration: Configuration) -> Iterator[Path]:
    """What belongs to a configuration: its tests, and its manifest with all sources."""
    yield from sorted(configuration.request.folder.rglob("*.py"))
    manifest = manifest_of(configuration.request)
    if manifest is not None:
        yield manifest.path
        yield from hdl_files(manifest)
        yield from class_files(manifest)


def sources_hash(plan: RegressPlan) -> str:
    """16 hex digits over names and contents of all that the plan's verdicts hang on."""
    files = list(bench_files())
    for configuration in plan.configurations:
        files += list(device_files(configuration))
    return hash_of(files)
