"""The cache of built simulators: a folder each, whole once it is stamped, built by one process at a time."""

from __future__ import annotations

import fcntl
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

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
