"""Real boots of a real Linux; skipped, with the reason, where Debian's packages cannot be had."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tb.linux.packages import Store, Unavailable, cache_root
from tb.paths import ROOT


@pytest.fixture(scope="session", autouse=True)
def _packages() -> None:
    store = Store(cache_root(), print)
    try:
        store.qemu(), store.busybox(), store.kernel("6.1")
    except Unavailable as reason:
        pytest.skip(str(reason))


def guest(out: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tb.cli", "guest", "--out", str(out), *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def script(folder: Path, *lines: str) -> str:
    path = folder / "work.sh"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def test_linux_drives_the_rtl(tmp_path: Path) -> None:
    """Mount, verify, write, remove, rebind, suspend, reload: Linux is content, and so is the checker."""
    done = guest(tmp_path / "out")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    for said in ("files verified: 32", "/mnt/written: OK", "resumed", "done"):
        assert said in done.stdout
    assert "checker  0 violations" in done.stdout
    assert "DEV-SPLIT" in done.stdout or "DEV-PACKED" in done.stdout


def test_script_that_fails_is_told(tmp_path: Path) -> None:
    work = script(tmp_path, "say looking", "ls /no/such/file", "say never")
    done = guest(tmp_path / "out", "--dut", "model", "--script", work)
    assert done.returncode == 1
    assert "the guest's script failed" in done.stdout
    assert "never" not in done.stdout


def test_guest_that_dies_is_told(tmp_path: Path) -> None:
    work = script(tmp_path, "wait_for /dev/vda", "echo c > /proc/sysrq-trigger")
    done = guest(tmp_path / "out", "--dut", "model", "--script", work)
    assert done.returncode == 1
    assert "the guest never came to its script's end" in done.stdout
    assert (tmp_path / "out" / "linux.test_guest" / "trace.vtrace").stat().st_size > 1000


def test_guest_that_hangs_is_ended(tmp_path: Path) -> None:
    work = script(tmp_path, "say asleep", "sleep 1000")
    done = guest(tmp_path / "out", "--dut", "model", "--script", work, "--limit", "12")
    assert done.returncode == 1
    assert "the guest's time is over; the last it said: == asleep" in done.stdout


def test_missing_script_is_bad_input(tmp_path: Path) -> None:
    done = guest(tmp_path / "out", "--script", str(tmp_path / "none.sh"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1


def test_packages_that_cannot_be_had_are_refused(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    done = guest(tmp_path / "out", PATH=str(programs), XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert done.returncode == 3
    assert "needs Debian's apt-get" in done.stderr
    assert done.stderr.count("\n") == 1
