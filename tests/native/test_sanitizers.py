"""The checker's C twin under AddressSanitizer and UBSan: a sample of its tests, in a process of its own.

`make native-sanitize` runs all tests of native/ that way.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from native.library import sanitizing

TESTS = ("tests/native/test_checker_twin.py", "tests/native/test_checker_files.py")
SAMPLE = "each_rule or any_stream or hostile_files or damaged or broken_lines or listens"


def libasan() -> str | None:
    """The sanitizer's library, which must be loaded ahead of everything; None if there is none."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    command = [compiler or "cc", "-print-file-name=libasan.so"]
    path = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return path if Path(path).is_absolute() else None


@pytest.mark.skipif(sanitizing(), reason="runs within itself")
@pytest.mark.skipif(libasan() is None, reason="the compiler has no AddressSanitizer")
def test_twin_is_clean_under_sanitizers() -> None:
    env = {
        **os.environ,
        "VIRTIO_COSIM_SANITIZE": "1",
        "VIRTIO_COSIM_EXAMPLES": os.environ.get("VIRTIO_COSIM_EXAMPLES", "10"),
        "LD_PRELOAD": str(libasan()),
        "ASAN_OPTIONS": "detect_leaks=0:halt_on_error=1",
    }
    command = [sys.executable, "-m", "pytest", "-x", "-s", "-p", "no:cacheprovider", *TESTS]
    done = subprocess.run([*command, "-k", SAMPLE], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert " passed" in done.stdout
