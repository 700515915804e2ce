"""Which simulator runs a DUT, by which path, and how it is built there."""

from __future__ import annotations

from collections.abc import Callable

from tb.build import Build, build
from tb.errors import UsageError
from tb.ghdl import build_ghdl
from tb.icarus import build_icarus
from tb.manifest import Manifest
from tb.native_wrapper import native_blocker

VERILATOR, ICARUS, GHDL = SIMULATORS = ("verilator", "icarus", "ghdl")


def simulator_for(manifest: Manifest, asked: str) -> str:
    """The simulator that takes the DUT: VHDL is GHDL's; raises UsageError where another was asked for.

    `asked` is one of SIMULATORS, or empty.
    """
    fit = (GHDL,) if manifest.hdl.vhdl else (VERILATOR, ICARUS)
    if asked and asked not in fit:
        language = "VHDL" if manifest.hdl.vhdl else "Verilog"
        raise UsageError(f"{manifest.path}: its sources are {language}: {' or '.join(fit)} takes that")
    return asked or fit[0]


def wants_native(manifest: Manifest, simulator: str, path: str, waves: bool) -> bool:
    """Whether to take the native path; raises UsageError where it was asked for and cannot be."""
    blocker = native_blocker(manifest)
    if simulator != VERILATOR:
        blocker = f"{simulator} has no DPI, which the native path is made of"
    if path == "native" and blocker:
        raise UsageError(f"{manifest.path}: {blocker}")
    return path == "native" or (path == "auto" and not blocker and not waves)


def build_with(
    simulator: str,
    manifest: Manifest,
    tell: Callable[[str], None],
    *,
    native: bool,
    waves: bool,
    hasty: bool,
) -> Build:
    """Build the DUT for one of SIMULATORS; raises UsageError and ToolError."""
    if simulator == GHDL:
        return build_ghdl(manifest, tell, waves=waves)
    if simulator == VERILATOR:
        return build(manifest, waves=waves, tell=tell, native=native, hasty=hasty)
    if waves:
        raise UsageError("--waves always: Icarus Verilog writes none here; Verilator and GHDL do")
    return build_icarus(manifest, tell)
