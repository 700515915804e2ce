"""Builds a DUT once: a cache of simulators keyed by configuration, source contents and tools."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import cocotb_tools.config
from cocotb_tools import runner

from tb import elaborate
from tb.build_cache import build_once, key_of, source_parts
from tb.elaborate import (
    bound_ports,
    file_arguments,
    first_error,
    source_arguments,
    top_ports,
)
from tb.errors import ToolError
from tb.manifest import Manifest
from tb.native_build import key_parts, native_parts
from tb.native_wrapper import TOPLEVEL
from tb.paths import build_root
from tb.port_check import check_ports
from tb.toolchain import Verilator, compiler_version, find_verilator

MAIN = Path(__file__).with_name("sim_main.cpp")
QUICK_TO_BUILD = ("OPT_FAST=-O2", "OPT_SLOW=-O0", "OPT_GLOBAL=-O1")
FAST = ("OPT_FAST=-O3 -march=native", "OPT_SLOW=-O1", "OPT_GLOBAL=-O3 -march=native")
HASTY = ("OPT_FAST=-O1", "OPT_SLOW=-O0", "OPT_GLOBAL=-O1")
WAVE_FILE = "VIRTIO_COSIM_WAVE"


@dataclass(frozen=True, slots=True)
class Build:
    """A built simulator, started by `launcher` where it needs one; `fresh` says that this call built it.

    `waves`: the bench can write waves, one file a test. `wave_each`: the simulator writes all of a process
    into the file that the variable WAVE_FILE names.
    """

    folder: Path
    executable: Path
    waves: bool
    fresh: bool
    toplevel: str
    launcher: tuple[str, ...] = ()
    wave_each: bool = False


class Simulator(runner.Verilator):
    """cocotb's Verilator runner with the bench's own main and only the bound pins public."""

    def __init__(self, verilator: Verilator, trace: bool, linker: str, optimise: Sequence[str]) -> None:
        super().__init__()
        self._verilator = verilator
        self._trace = trace
        self._linker = linker
        self._optimise = optimise

    def _set_env_build(self) -> None:
        super()._set_env_build()
        self.env.pop("VERILATOR_ROOT", None)
        self.env.update(self._verilator.environment())

    def _build_command(self) -> list[list[str]]:
        self.executable = str(self._verilator.program)
        libs = cocotb_tools.config.libs_dir
        verilate = [self.executable, "-cc", "--exe", "--vpi", "-Mdir", str(self.build_dir)]
        verilate += ["--prefix", "Vtop", "-o", "simulator", "--timescale", "1ns/1ps", "--timing"]
        verilate += ["-O3", "--x-initial", "unique", "-Wno-fatal"]
        verilate += ["-LDFLAGS", f"-rdynamic -Wl,-rpath,{libs} -L{libs} -lcocotbvpi_verilator {self._linker}"]
        verilate += ["--trace-fst", "--trace-structs"] if self._trace else []
        verilate += [str(argument.value) for argument in self._build_args]
        make = ["make", "-j", str(min(os.cpu_count() or 1, 8)), "-C", str(self.build_dir), "-f", "Vtop.mk"]
        return [verilate, [*make, *self._optimise]]


def build(
    manifest: Manifest,
    *,
    waves: bool,
    tell: Callable[[str], None],
    native: bool = False,
    hasty: bool = False,
) -> Build:
    """Return the simulator of this manifest, built now if the cache has none.

    `native` builds for the native path: the DUT within its bus models, optimised for long runs, unless
    `hasty` asks for the soonest simulator. `tell` hears one line when a build starts. Raises UsageError
    where the manifest does not fit the top level, ToolError (with the log) where Verilator or the
    compiler fails.
    """
    verilator = find_verilator()
    optimise = QUICK_TO_BUILD if not native else HASTY if hasty else FAST
    folder = build_root() / _key(manifest, verilator, (waves, *optimise), native)

    def make() -> None:
        kind = f"{' for the native path' if native else ''}{' with waves' if waves else ''}"
        tell(f"building {manifest.hdl.name}{kind} ({verilator.describe()})")
        _build(manifest, verilator, folder, waves, native, optimise)
        _tidy(folder, ("*.cpp", "*.h") if hasty else ())

    about = {"name": manifest.hdl.name, "waves": waves, "verilator": verilator.describe()}
    fresh = build_once(folder, about, make)
    toplevel = TOPLEVEL if native else manifest.hdl.toplevel
    return Build(folder, folder / "simulator", waves, fresh, toplevel)


def _build(
    manifest: Manifest,
    verilator: Verilator,
    folder: Path,
    waves: bool,
    native: bool,
    optimise: Sequence[str],
) -> None:
    ports = top_ports(manifest, verilator, folder / "elaborate")
    check_ports(manifest, ports)
    pins = folder / "pins.vlt"
    log = folder / "build.log"
    toplevel, public, linker = manifest.hdl.toplevel, bound_ports(manifest, ports), ""
    arguments = [*source_arguments(manifest), str(MAIN)]
    if native:
        parts = native_parts(manifest, ports, folder)
        toplevel, public, linker = TOPLEVEL, parts.pins, parts.linker
        arguments = [*file_arguments(manifest), *parts.arguments]
    pins.write_text(_public_pins(toplevel, public))
    try:
        Simulator(verilator, waves, linker, optimise).build(
            hdl_toplevel=toplevel,
            sources=[runner.Verilog(manifest.hdl.sources[0])],
            build_args=[str(pins), *arguments],
            build_dir=folder,
            log_file=log,
            always=True,
        )
    except (subprocess.CalledProcessError, SystemExit, RuntimeError) as error:
        reason = first_error(log) if log.exists() else str(error)
        raise ToolError(f"building {manifest.hdl.name} failed: {reason}", log) from None


def _tidy(folder: Path, more: Sequence[str]) -> None:
    """Drop what only the compiler needed and is big."""
    for pattern in ("*.gch", "*.o", "*.a", "elaborate/*.json", *more):
        for path in folder.glob(pattern):
            path.unlink()


def _public_pins(toplevel: str, names: list[str]) -> str:
    """A control file that opens only these pins to the bench: public signals cost speed."""
    lines = [f'public_flat_rw -module "{toplevel}" -var "{name}"' for name in names]
    return "\n".join(["`verilator_config", *lines, ""])


def _key(manifest: Manifest, verilator: Verilator, how: tuple[object, ...], native: bool) -> str:
    parts = (*_key_parts(manifest, verilator, how), *(key_parts() if native else ()))
    return f"{manifest.hdl.toplevel}-{'native-' if native else ''}{key_of(parts)}"


def _key_parts(manifest: Manifest, verilator: Verilator, how: tuple[object, ...]) -> Iterator[bytes]:
    tools = [verilator.describe(), version("cocotb"), compiler_version(), str(cocotb_tools.config.libs_dir)]
    # Two copies of one tree share their builds.
    yield repr((tools, how, manifest.as_built)).replace(str(manifest.path.resolve().parent), "").encode()
    for own in (MAIN, Path(__file__), Path(elaborate.__file__)):
        yield own.read_bytes()
    yield from source_parts(manifest.hdl)
