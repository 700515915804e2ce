"""VHDL through GHDL: a design as its library, and its top level's ports as a Verilog module.

VHDL knows no case of names: here they are lower-case everywhere, in manifests, waves and traces.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tb.errors import ToolError
from tb.manifest import Hdl, Manifest

STANDARD = "--std=08"


def find_ghdl() -> str:
    """The program; raises ToolError where it is not installed."""
    found = shutil.which("ghdl")
    if found is None:
        raise ToolError("GHDL, which VHDL needs, is not installed: apt-get install ghdl-mcode")
    return found


def ghdl_version(program: str) -> str:
    """The first line of what it says of itself."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.partition("\n")[0]


def options(hdl: Hdl, folder: Path) -> list[str]:
    """GHDL's options for every step on this design; its library lies in `folder`."""
    return [STANDARD, *hdl.ghdl_args, f"--workdir={folder}"]


def analyse(manifest: Manifest, program: str, folder: Path) -> None:
    """Read the sources into a library in `folder`, in whatever order they need; raises ToolError."""
    folder.mkdir(parents=True, exist_ok=True)
    how = options(manifest.hdl, folder)
    _ghdl(manifest, [program, "-i", *how, *map(str, manifest.hdl.sources)], folder)
    _ghdl(manifest, [program, "-m", *how, manifest.hdl.toplevel], folder)


def ports_as_verilog(manifest: Manifest, folder: Path) -> Manifest:
    """The manifest of a Verilog module in `folder` that has the VHDL top level's ports, and nothing else.

    GHDL 2.0 translates whole designs as well, but drops flip-flops behind an index that is a signal
    (its issue 2232): what is simulated is the VHDL. Raises ToolError where GHDL does not take the design.
    """
    hdl, program = manifest.hdl, find_ghdl()
    analyse(manifest, program, folder)
    empty = folder / "ports.vhd"
    empty.write_text(f"architecture ports_alone of {hdl.toplevel} is begin end architecture;\n")
    how = options(hdl, folder)
    _ghdl(manifest, [program, "-a", *how, str(empty)], folder)
    generics = [f"-g{name}={value}" for name, value in hdl.parameters.items()]
    command = [program, "synth", *how, "--out=verilog", *generics, hdl.toplevel, "ports_alone"]
    result = folder / "ports.v"
    result.write_text(_ghdl(manifest, command, folder).lower())
    return replace(manifest, hdl=replace(hdl, sources=(result,), parameters={}))


def _ghdl(manifest: Manifest, command: Sequence[str], folder: Path) -> str:
    """Run one step and return what it printed; raises ToolError with the log."""
    log = folder / "ghdl.log"
    with log.open("a") as err:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=err, cwd=folder, text=True, check=False)
    if done.returncode:
        raise ToolError(f"GHDL does not take {manifest.hdl.name}: {_first_error(log)}", log)
    return done.stdout


def _first_error(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    located = [line for line in lines if re.search(r":\d+:\d+:(error:| (?!warning))", line)]
    return next(iter(located or lines), "it gave no reason").strip()
