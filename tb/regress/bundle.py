"""What other machines need to run a plan's batches, as one archive known by the hash of its content."""

from __future__ import annotations

import gzip
import hashlib
import io
import platform
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from native.library import build_library
from tb.build import Build
from tb.errors import UsageError
from tb.paths import ROOT
from tb.regress.desk import Batch
from tb.regress.plan import RegressPlan
from tb.regress.sources import bench_files, device_files
from tb.regress.worker import cpu_flags
from tb.request import build_for, manifest_of
from tb.session import Job


class Bundle:
    """Sources and simulators of a plan; `add` a kind of batch before `pack`."""

    def __init__(self, plan: RegressPlan, tell: Callable[[str], None]) -> None:
        self._plan = plan
        self._tell = tell
        self._files: dict[str, Path] = {}
        self._builds: dict[tuple[str, str], Build] = {}
        for path in bench_files():
            self._files[place_of(path)] = path
        for configuration in plan.configurations:
            for path in device_files(configuration):
                self._files[place_of(path)] = path

    def add(self, batch: Batch) -> bool:
        """Take in what this batch needs; whether that is more than was there before."""
        kind = batch.configuration.name, batch.interface
        manifest = manifest_of(batch.configuration.request, batch.interface)
        if manifest is None or kind in self._builds:
            return False
        built = build_for(batch.configuration.request, manifest, self._tell, waves=False)
        if built.launcher:
            raise UsageError(f"{manifest.path}: only Verilator's simulators go to other machines")
        self._builds[kind] = built
        self._files[self._simulator(kind)] = built.executable
        library = build_library().folder
        for path in library.glob("*.so"):
            self._files[f"lib/{path.name}"] = path
        return True

    def _simulator(self, kind: tuple[str, str]) -> str:
        return f"simulators/{self._builds[kind].folder.name}/simulator"

    def pack(self) -> tuple[bytes, str]:
        """The archive and the hash of its content."""
        raw = io.BytesIO()
        digest = hashlib.sha256()
        with tarfile.open(fileobj=raw, mode="w") as archive:
            for name, path in sorted(self._files.items()):
                content = path.read_bytes()
                digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(content), 0o700
                archive.addfile(entry, io.BytesIO(content))
        return gzip.compress(raw.getvalue(), compresslevel=3, mtime=0), digest.hexdigest()[:32]

    def order(self, batch: Batch) -> dict[str, Any]:
        """What a worker is told beside the archive; paths are those within it."""
        kind = batch.configuration.name, batch.interface
        manifest = manifest_of(batch.configuration.request, batch.interface)
        built = self._builds.get(kind)
        return {
            "needs": {
                "python": list(sys.version_info[:2]),
                "machine": platform.machine(),
                "flags": cpu_flags(),
                "simulators": built is not None,
            },
            "simulator": self._simulator(kind) if built else "",
            "toplevel": built.toplevel if built else "",
            "manifest": place_of(manifest.path) if manifest else "",
            "tests": place_of(batch.configuration.request.folder),
            "timeout_s": self._plan.timeout_s,
            "jobs": [_row(job) for job in batch.jobs],
        }


def _row(job: Job) -> dict[str, Any]:
    return {"test": job.test.name, "seed": job.seed, "stress": job.stress, "replay": job.replay}


def place_of(path: Path) -> str:
    """Where a file lies in the archive: below tree/ where it is the project's, else below outside/."""
    path = path.resolve()
    if path.is_relative_to(ROOT):
        return f"tree/{path.relative_to(ROOT)}"
    return f"outside{path}"
