"""What ties a test process to the one that started it: it dies with it, and tells it of a full disk."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tb.errors import UsageError

PARENT = "VIRTIO_COSIM_PARENT"
DISK_FULL = 74
BAD_INPUT = 75
REFUSED = "VIRTIO_COSIM_REFUSED"
_PR_SET_PDEATHSIG = 1
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def die_with_parent() -> None:
    """Let the kernel kill this process when the one that started it is gone, or end at once if it is."""
    parent = os.environ.get(PARENT)
    if parent is None:
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):
        os._exit(1)


def raise_if_full(error: BaseException) -> None:
    """Raise the error again if it, or what led to it, is a full disk or quota."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _FULL:
            raise cause
        cause = cause.__cause__ or cause.__context__


@contextmanager
def full_disk_ends_the_process() -> Iterator[None]:
    """End the process with status DISK_FULL where something cannot be written: that is no test result."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            os._exit(DISK_FULL)
        raise


@contextmanager
def bad_input_ends_the_process() -> Iterator[None]:
    """End the process with status BAD_INPUT at a UsageError; its line is in the file that REFUSED names."""
    try:
        yield
    except UsageError as error:
        place = os.environ.get(REFUSED)
        if place is None:
            raise
        Path(place).write_text(str(error), encoding="utf-8")
        os._exit(BAD_INPUT)
