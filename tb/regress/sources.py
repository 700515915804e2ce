"""What a verdict hangs on, as one hash: the bench, the reference, the tests and the device's sources."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from tb.paths import ROOT
from tb.regress.plan import Configuration, RegressPlan
from tb.run import manifest_of

FOLDERS = ("hdl", "pymodel", "native", "tb", "tests")
SUFFIXES = frozenset((".py", ".sv", ".v", ".vlt", ".f", ".c", ".h", ".cpp", ".toml", ".json"))


def bench_files() -> Iterator[Path]:
    """The project's own sources, in order."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in SUFFIXES and path.is_file() and "__pycache__" not in path.parts:
                yield path


def device_files(configuration: Configuration) -> Iterator[Path]:
    """What belongs to a configuration: its tests, and its manifest with all sources."""
    yield from sorted(configuration.request.folder.rglob("*.py"))
    manifest = manifest_of(configuration.request)
    if manifest is None:
        return
    yield manifest.path
    yield from manifest.hdl.sources
    for folder in manifest.hdl.include_dirs:
        yield from sorted(path for path in folder.rglob("*.*v*") if path.is_file())


def sources_hash(plan: RegressPlan) -> str:
    """16 hex digits over names and contents of all that the plan's verdicts hang on."""
    files = list(bench_files())
    for configuration in plan.configurations:
        files += list(device_files(configuration))
    digest = hashlib.sha256()
    for path in dict.fromkeys(file.resolve() for file in files):
        name = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name
        digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]
