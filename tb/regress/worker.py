"""What a Dask worker executes: it is sent there by value, so it knows the standard library only.

A worker needs the same Python and this project's dependencies, but no checkout and no shared disk: what
runs arrives as a bundle, is kept under its hash in the worker's private folder, and runs in a process of
its own.
"""

from __future__ import annotations

import io
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

MOST_KEPT = 16 * 2**20


class Unfit(Exception):
    """This worker cannot run what it was sent; the message says why."""


def cpu_flags() -> list[str]:
    """What this machine's processor can do, as far as Linux tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []
    return sorted(next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), []))


def private_folder() -> Path:
    """The folder of this worker, gone with it."""
    from distributed import get_worker

    folder = Path(get_worker().local_directory) / "virtio-cosim"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def unpack(bundle: bytes, key: str, base: Path) -> Path:
    """The folder with the bundle's content, unpacked now if it is not there yet."""
    folder = base / key
    if not folder.exists():
        part = Path(tempfile.mkdtemp(dir=base))
        with tarfile.open(fileobj=io.BytesIO(bundle), mode="r:gz") as archive:
            archive.extractall(part)
        try:
            part.rename(folder)
        except OSError:
            shutil.rmtree(part)
    return folder


def check(needs: dict[str, Any]) -> None:
    """Raise Unfit where the simulators of the bundle cannot run here."""
    if list(sys.version_info[:2]) != needs["python"]:
        raise Unfit(f"{platform.node()} has Python {platform.python_version()}, not {needs['python']}")
    if needs["simulators"] and platform.machine() != needs["machine"]:
        raise Unfit(f"{platform.node()} is a {platform.machine()}, the simulator is for {needs['machine']}")
    missing = set(needs["flags"]) - set(cpu_flags()) if needs["simulators"] else set()
    if missing:
        raise Unfit(f"the processor of {platform.node()} lacks {', '.join(sorted(missing)[:5])}")


def work(bundle: bytes, key: str, order: dict[str, Any]) -> list[tuple[str, dict[str, bytes]]]:
    """Run the jobs of an order; return for each its result as JSON, and the files that a failure left."""
    check(order["needs"])
    base = private_folder()
    folder = unpack(bundle, key, base)
    scratch = Path(tempfile.mkdtemp(prefix="batch-", dir=base))
    try:
        (scratch / "order.json").write_text(json.dumps(order))
        given = os.environ.get("LD_LIBRARY_PATH")
        libraries = os.pathsep.join((str(folder / "lib"), *([given] if given else [])))
        env = {
            **os.environ,
            "PYTHONPATH": str(folder / "tree"),
            "LD_LIBRARY_PATH": libraries,
            "VIRTIO_COSIM_PARENT": str(os.getpid()),
            "VIRTIO_COSIM_NATIVE": str(folder / "lib"),
        }
        command = [sys.executable, "-m", "tb.regress.remote", str(folder), str(scratch)]
        run(command, scratch, env)
        return [collect(scratch / "jobs" / str(index)) for index in range(len(order["jobs"]))]
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def run(command: list[str], scratch: Path, env: dict[str, str]) -> None:
    """Run the batch's process to its end; whatever ends this call ends its process group."""
    log = scratch / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=scratch, env=env, stdout=stream, stderr=stream, start_new_session=True
        )
    try:
        code = process.wait()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    if code:
        last = (log.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
        raise Unfit(f"{platform.node()}: the batch ended with {code}: {last}")


def collect(folder: Path) -> tuple[str, dict[str, bytes]]:
    """A job's result, and what else lies in its folder where it failed."""
    text = (folder / "result.json").read_text()
    if json.loads(text)["status"] not in ("fail", "error"):
        return text, {}
    paths = [path for path in folder.iterdir() if path.is_file() and path.name != "result.json"]
    return text, {path.name: path.read_bytes() for path in paths if path.stat().st_size <= MOST_KEPT}
