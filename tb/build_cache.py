"""The cache of built simulators: a folder each, whole once it is stamped, built by one process at a time."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tb.manifest import Hdl
from tb.results import write_whole

UNUSED_S = 7 * 24 * 3600
_STAMP = "done.json"


def build_once(folder: Path, about: dict[str, object], make: Callable[[], None]) -> bool:
    """Have `make` fill the folder unless it is whole already; return whether it did.

    `about` goes into the folder's stamp. The second of two concurrent calls waits and finds the result.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_suffix(".lock")):
        stamp = folder / _STAMP
        if stamp.exists():
            stamp.touch()
            return False
        _forget_old(folder.parent)
        shutil.rmtree(folder, ignore_errors=True)
        make()
        write_whole(stamp, json.dumps(about))
        return True


def key_of(parts: Iterable[bytes]) -> str:
    """What a build's folder is known by: 16 hex digits of all that the build depends on."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]


def source_parts(hdl: Hdl) -> Iterator[bytes]:
    """The contents of a design's sources, and of the headers that they may include."""
    for source in hdl.sources:
        yield source.read_bytes()
    for folder in hdl.include_dirs:
        for header in sorted(folder.rglob("*.*v*")):
            if header.is_file():
                yield str(header).encode()
                yield header.read_bytes()


def _forget_old(cache: Path) -> None:
    """Remove builds that nobody used for a week."""
    limit = time.time() - UNUSED_S
    for stamp in cache.glob(f"*/{_STAMP}"):
        if stamp.stat().st_mtime < limit:
            shutil.rmtree(stamp.parent, ignore_errors=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock between processes."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
