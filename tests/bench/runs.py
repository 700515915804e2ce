"""One measurement in a process of its own: on a path's simulator, or in the bare harness."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from native.library import build_library
from tb.build import FAST, Build, build
from tb.elaborate import source_arguments
from tb.errors import ToolError
from tb.image import Image
from tb.manifest import Manifest, load_manifest
from tb.paths import BUNDLED_MANIFEST, build_root
from tb.simulate import cocotb_environment
from tb.toolchain import compiler_version, find_verilator
from tests.bench.order import ORDER, Order

HARNESS = Path(__file__).with_name("bare.cpp")
MODULE = "tests.bench.entry"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run took: CPU and wall seconds of the traffic alone, clock cycles, turns, peak memory (KiB)."""

    total: int
    seconds: float
    cpu: float
    cycles: int
    turns: int
    peak_kib: int
    events: int = 0

    @property
    def rate(self) -> float:
        """Buffers a CPU second."""
        return self.total / self.cpu


class Workshop:
    """Builds what is measured, once, and runs it."""

    def __init__(self, folder: Path, manifest: Path = BUNDLED_MANIFEST) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.manifest = load_manifest(manifest)
        self._builds: dict[tuple[bool, bool], Build] = {}
        self._bare: Path | None = None

    def order(self, **fields: Any) -> Order:
        """A work order for this device."""
        return Order(str(self.manifest.path), str(self.folder / "result.json"), **fields)

    def simulator(self, *, native: bool, waves: bool = False) -> Build:
        """The simulator of one path."""
        key = (native, waves)
        if key not in self._builds:
            self._builds[key] = build(self.manifest, waves=waves, tell=print, native=native)
        return self._builds[key]

    def on_path(self, order: Order, *, native: bool, waves: bool = False) -> Measured:
        """Measure on a path; raises ToolError."""
        return _measured(order, self._simulate(order, self.simulator(native=native, waves=waves)))

    def bare(self, order: Order) -> Measured:
        """Measure in the bare harness; raises ToolError."""
        if self._bare is None:
            self._bare = build_bare(self.manifest)
        script, image = self._script(order)
        self._run([str(self._bare), str(script), str(image), order.result], dict(os.environ), order)
        return _measured(order, json.loads(Path(order.result).read_text()))

    def _simulate(self, order: Order, simulator: Build) -> dict[str, Any]:
        path = self.folder / "order.json"
        order.save(path)
        results = self.folder / "cocotb.xml"
        env = {**cocotb_environment(simulator.toplevel, MODULE, results), ORDER: str(path)}
        self._run([str(simulator.executable)], env, order)
        result: dict[str, Any] = json.loads(Path(order.result).read_text())
        return result

    def _script(self, order: Order) -> tuple[Path, Path]:
        """Write down how a run on the native path brought the device up, for the harness to replay."""
        order = replace(order, checker=False)
        simulator = self.simulator(native=True)
        name = hashlib.sha256(repr((order, simulator.folder)).encode()).hexdigest()[:12]
        script, image = self.folder / f"{name}.script", self.folder / f"{name}.image"
        if script.exists():
            return script, image
        scout = replace(order, total=order.depth, script=True)
        seen = self._simulate(scout, simulator)["script"]
        flags = (int("RING_PACKED" in order.features), int("EVENT_IDX" in order.features))
        head = (*seen["areas"], seen["slots"], seen["notify"], order.total, order.ring, order.depth)
        rows = [" ".join(map(str, (*head, order.sectors, order.batch, order.latency, *flags)))]
        for space, write, addr, value, length in seen["accesses"]:
            rows.append(f"{space} {int(write)} {addr} {value} {length}")
        Image.pattern(order.image_sectors, 1).save(image)
        script.write_text("\n".join(rows) + "\n")
        return script, image

    def _run(self, command: list[str], env: dict[str, str], order: Order) -> None:
        Path(order.result).unlink(missing_ok=True)
        log = self.folder / "run.log"
        with log.open("wb") as out:
            subprocess.run(command, env=env, cwd=self.folder, stdout=out, stderr=out, check=False)
        if not Path(order.result).exists():
            raise ToolError(f"the measurement by {Path(command[0]).name} failed", log)


def _measured(order: Order, result: dict[str, Any]) -> Measured:
    names = ("seconds", "cpu", "cycles", "turns", "peak_kib")
    return Measured(order.total, **{name: result[name] for name in names}, events=result.get("events", 0))


def build_bare(manifest: Manifest) -> Path:
    """Build the bare harness around the DUT with the native path's flags; raises ToolError."""
    verilator = find_verilator()
    library = build_library()
    digest = hashlib.sha256(repr((manifest, FAST, compiler_version(), library.key)).encode())
    for source in (HARNESS, *manifest.hdl.sources):
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    folder = build_root() / f"bare-{digest.hexdigest()[:16]}"
    if (folder / "done").exists():
        return folder / "bare"
    folder.mkdir(parents=True, exist_ok=True)
    print("building the bare harness")
    include = f"-I{HARNESS.parents[2] / 'native'} -std=c++17"
    linker = f"-L{library.folder} -Wl,-rpath,{library.folder} -lvio_native"
    verilate = [
        str(verilator.program),
        "-cc",
        "--exe",
        "-Mdir",
        str(folder),
        "--prefix",
        "Vtop",
        "-o",
        "bare",
    ]
    verilate += ["--timescale", "1ns/1ps", "-O3", "--x-initial", "unique", "-Wno-fatal"]
    verilate += ["-CFLAGS", include, "-LDFLAGS", linker, *source_arguments(manifest), str(HARNESS)]
    log = folder / "build.log"
    with log.open("wb") as out:
        for command in (verilate, ["make", "-C", str(folder), "-f", "Vtop.mk", *FAST]):
            done = subprocess.run(
                command, env=verilator.environment(), stdout=out, stderr=out, check=False
            ).returncode
            if done:
                raise ToolError("the bare harness does not build", log)
    (folder / "done").touch()
    return folder / "bare"
