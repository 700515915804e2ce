"""Icarus Verilog as the other simulator: it runs the portable path, and so shows that it is portable."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import cocotb_tools.config

from tb.build import Build
from tb.build_cache import build_once, key_of, source_parts
from tb.elaborate import top_ports
from tb.errors import ToolError
from tb.manifest import Manifest
from tb.paths import build_root
from tb.port_check import check_ports
from tb.toolchain import find_verilator

COMPILED = "simulator.vvp"
MODULE = "libcocotbvpi_icarus"


def build_icarus(manifest: Manifest, tell: Callable[[str], None]) -> Build:
    """Return the DUT compiled for Icarus Verilog, built now if the cache has none.

    Raises UsageError where the manifest does not fit the top level (Verilator reads its ports), ToolError
    where iverilog is missing or does not take the sources.
    """
    compiler, runtime = shutil.which("iverilog"), shutil.which("vvp")
    if compiler is None or runtime is None:
        raise ToolError("Icarus Verilog is not installed: apt-get install iverilog")
    folder = build_root() / f"{manifest.hdl.toplevel}-icarus-{_key(manifest, compiler)}"

    def make() -> None:
        tell(f"building {manifest.hdl.name} (Icarus Verilog)")
        check_ports(manifest, top_ports(manifest, find_verilator(), folder / "elaborate"))
        _compile(manifest, compiler, folder)
        # Icarus 11 looks for .vpi, cocotb brings .so.
        (folder / f"{MODULE}.vpi").symlink_to(Path(cocotb_tools.config.libs_dir) / f"{MODULE}.so")

    fresh = build_once(folder, {"name": manifest.hdl.name, "simulator": "icarus"}, make)
    libraries = f"LD_LIBRARY_PATH={cocotb_tools.config.libs_dir}"
    launcher = ("/usr/bin/env", libraries, runtime, "-n", "-M", str(folder), "-m", MODULE)
    return Build(folder, folder / COMPILED, False, fresh, manifest.hdl.toplevel, launcher)


def _compile(manifest: Manifest, compiler: str, folder: Path) -> None:
    hdl = manifest.hdl
    settings = folder / "settings.f"
    settings.write_text("+timescale+1ns/1ps\n")
    command = [compiler, "-g2012", "-s", hdl.toplevel, "-f", str(settings), "-o", str(folder / "part")]
    command += [f"-P{hdl.toplevel}.{name}={value}" for name, value in hdl.parameters.items()]
    command += [f"-D{name}={value}" for name, value in hdl.defines.items()]
    command += [f"-I{place}" for place in hdl.include_dirs]
    log = folder / "build.log"
    with log.open("w") as out:
        words = [*command, *map(str, hdl.sources)]
        code = subprocess.run(words, stdout=out, stderr=subprocess.STDOUT, check=False).returncode
    if code:
        lines = [line for line in log.read_text(errors="replace").splitlines() if "error" in line]
        reason = lines[0] if lines else "it gave no reason"
        raise ToolError(f"Icarus Verilog does not take {hdl.name}: {reason}", log)
    (folder / "part").rename(folder / COMPILED)


def _key(manifest: Manifest, compiler: str) -> str:
    version = subprocess.run([compiler, "-V"], capture_output=True, text=True, check=False).stdout
    about = repr((version.partition("\n")[0], manifest.as_built)).encode()
    return key_of((about, Path(__file__).read_bytes(), *source_parts(manifest.hdl)))
