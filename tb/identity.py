"""What a run was of, for results.json: device and sources, bench and tools, date."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from tb.manifest import Manifest
from tb.simulators import GHDL, simulator_for
from tb.sources import BENCH, hash_of, hdl_files, project_files
from tb.toolchain import compiler_version, find_verilator
from tb.vhdl import find_ghdl, ghdl_version


def identity(manifests: Sequence[Manifest], asked: str = "") -> dict[str, Any]:
    """Date (UTC), bench, tools, and a row for each configuration of the device; none for the model.

    `asked` is the simulator that was asked for, if any. Raises UsageError and ToolError about it.

    `sources` is a hash over what is compiled, without the manifest; `config` the kind of the port for
    PCI configuration space ("shell": the bench answers there from the manifest).
    """
    tools = {"Python": platform.python_version(), "cocotb": version("cocotb")}
    simulators = {simulator_for(manifest, asked) for manifest in manifests}
    if simulators:
        tools |= {"simulator": ", ".join(sorted(simulators)), "Verilator": find_verilator().describe()}
        tools["C++"] = compiler_version()
    if GHDL in simulators:
        tools["GHDL"] = ghdl_version(find_ghdl())
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "bench": {"version": version("virtio-cosim"), "sources": hash_of(project_files(*BENCH))},
        "tools": tools,
        "configurations": [_configuration(manifest) for manifest in manifests],
    }


def _configuration(manifest: Manifest) -> dict[str, Any]:
    base = manifest.path.parent
    return {
        "name": manifest.hdl.name,
        "manifest": str(manifest.path),
        "manifest_hash": hash_of([manifest.path], base),
        "sources": hash_of(hdl_files(manifest), base),
        "toplevel": manifest.hdl.toplevel,
        "device": manifest.device,
        "config": manifest.config.kind,
    }
