"""Which files make a device or the bench, and one hash over names and contents of files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from tb.manifest import Manifest
from tb.paths import ROOT

SUFFIXES = frozenset((".py", ".sv", ".v", ".vlt", ".f", ".c", ".h", ".cpp", ".toml", ".json"))
BENCH = ("native", "pymodel", "tb")


def project_files(*folders: str) -> Iterator[Path]:
    """The project's own sources in these folders of its tree, in order."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in SUFFIXES and path.is_file() and "__pycache__" not in path.parts:
                yield path


def hdl_files(manifest: Manifest) -> Iterator[Path]:
    """What is compiled for a manifest: its sources, and all that it may include."""
    yield from manifest.hdl.sources
    for folder in manifest.hdl.include_dirs:
        yield from sorted(path for path in folder.rglob("*.*v*") if path.is_file())


def class_files(manifest: Manifest) -> Iterator[Path]:
    """The Python beside a manifest that names classes: their modules, and what those may import there."""
    if manifest.python_ports:
        folder = manifest.path.parent
        yield from sorted(folder.glob("*.py"))
        for port in manifest.python_ports:
            module = port.class_name.partition(":")[0]
            yield folder.joinpath(*module.split(".")).with_suffix(".py")


def hash_of(files: Iterable[Path], base: Path = ROOT) -> str:
    """16 hex digits over contents and names; a name counts from `base` on, or alone where it lies elsewhere.

    Raises OSError.
    """
    digest = hashlib.sha256()
    for path in dict.fromkeys(file.resolve() for file in files):
        name = str(path.relative_to(base)) if path.is_relative_to(base) else path.name
        digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]
