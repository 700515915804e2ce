"""GHDL as a simulator: VHDL as it stands, with its nine-valued logic, on the portable path."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

from cocotb_tools.config import lib_entry

from tb.build import WAVE_FILE, Build
from tb.build_cache import build_once, key_of, source_parts
from tb.elaborate import top_ports
from tb.manifest import Manifest
from tb.paths import build_root
from tb.port_check import check_ports
from tb.toolchain import find_verilator
from tb.vhdl import analyse, find_ghdl, ghdl_version, options

SCRIPT = "simulator.sh"


def build_ghdl(manifest: Manifest, tell: Callable[[str], None], *, waves: bool) -> Build:
    """Return the DUT analysed by GHDL, now if the cache has none.

    Raises UsageError where the manifest does not fit the top level, ToolError where GHDL is missing or does
    not take the sources.
    """
    program = find_ghdl()
    folder = build_root() / f"{manifest.hdl.toplevel}-ghdl-{_key(manifest, program)}"

    def make() -> None:
        tell(f"building {manifest.hdl.name} ({ghdl_version(program)})")
        check_ports(manifest, top_ports(manifest, find_verilator(), folder / "elaborate"))
        analyse(manifest, program, folder / "library")
        (folder / SCRIPT).write_text(_script(manifest, program, folder / "library"))

    fresh = build_once(folder, {"name": manifest.hdl.name, "simulator": "ghdl"}, make)
    return Build(folder, folder / SCRIPT, False, fresh, manifest.hdl.toplevel, ("/bin/sh",), wave_each=waves)


def _script(manifest: Manifest, program: str, library: Path) -> str:
    """A shell script that becomes the simulation."""
    hdl = manifest.hdl
    command = [program, "--elab-run", *options(hdl, library), "--time-resolution=ps", hdl.toplevel]
    command += [f"--vpi={lib_entry('vpi', 'ghdl')}", "--ieee-asserts=disable"]
    command += [f"-g{name}={value}" for name, value in hdl.parameters.items()]
    return f'export TOPLEVEL_LANG=vhdl\nexec {shlex.join(command)} ${{{WAVE_FILE}:+"--fst=${WAVE_FILE}"}}\n'


def _key(manifest: Manifest, program: str) -> str:
    about = repr((ghdl_version(program), manifest.as_built)).encode()
    return key_of((about, Path(__file__).read_bytes(), *source_parts(manifest.hdl)))
