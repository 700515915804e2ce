"""A QEMU process that talks over inherited descriptors only: no file, no socket that others could open."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
from collections.abc import Sequence

PROGRAM = "qemu-system-x86_64"
LOG_LIMIT = 64 << 10
ENDING_S = 1.0


class QemuMissing(Exception):
    """QEMU is not installed; the message says what to install."""


class QemuError(Exception):
    """QEMU ended or refused a command; the message carries the end of what it printed."""


def find_qemu() -> str:
    """Return QEMU's path; raises QemuMissing when it is not on PATH."""
    path = shutil.which(PROGRAM)
    if path is None:
        raise QemuMissing(f"{PROGRAM} is not on PATH (Debian: apt-get install qemu-system-x86)")
    return path


def memory_file(name: str, length: int, content: bytes = b"") -> int:
    """Return the descriptor of an anonymous file of `length` bytes that starts with `content`."""
    descriptor = os.memfd_create(name)
    os.ftruncate(descriptor, length)
    os.pwrite(descriptor, content, 0)
    return descriptor


class QemuProcess:
    """One running QEMU; it dies with `close`, with this interpreter, and with a killed parent."""

    def __init__(self, arguments: Sequence[str], descriptors: Sequence[int]) -> None:
        self._log = memory_file("qemu-log", 0)
        guard = shutil.which("setpriv")
        prefix = [guard, "--pdeathsig", "KILL", "--"] if guard else []
        self._process = subprocess.Popen(
            [*prefix, find_qemu(), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            pass_fds=descriptors,
        )
        atexit.register(self.close)

    @property
    def pid(self) -> int:
        """Process id of QEMU."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether QEMU has not ended yet."""
        return self._process.poll() is None

    def log(self) -> str:
        """Return the first 64 KiB of what QEMU printed; empty after `close`."""
        return os.pread(self._log, LOG_LIMIT, 0).decode(errors="replace") if self._log >= 0 else ""

    def failure(self, what: str) -> QemuError:
        """Return the error for a QEMU that went away or misbehaved while doing `what`."""
        try:
            status = self._process.wait(ENDING_S)
        except subprocess.TimeoutExpired:
            status = None
        state = "is running" if status is None else f"ended with status {status}"
        return QemuError(f"{what}: QEMU {state}; it printed: {self.log().strip()[-2000:] or 'nothing'}")

    def close(self) -> None:
        """Kill QEMU by its pid and wait for it; harmless when called again."""
        atexit.unregister(self.close)
        self._process.kill()
        self._process.wait()
        if self._log >= 0:
            os.close(self._log)
            self._log = -1
