"""What the top level's ports are, asked of Verilator."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tb.errors import ToolError
from tb.manifest import ULTRASCALE, Manifest
from tb.toolchain import Verilator
from tb.vhdl import ports_as_verilog

AXI_LITE_PINS = (
    *("awaddr", "awvalid", "awready", "wdata", "wstrb", "wvalid", "wready", "bvalid", "bready", "bresp"),
    *("araddr", "arvalid", "arready", "rdata", "rvalid", "rready", "rresp"),
)
AXI_PINS = (*AXI_LITE_PINS, "awlen", "awsize", "awburst", "wlast", "arlen", "arsize", "arburst", "rlast")
REQUEST_PINS = ("req_valid", "req_write", "req_addr", "req_wdata", "cpl_valid", "cpl_rdata")
TLP_PINS = ("rx_tdata", "rx_tvalid", "rx_tready", "tx_tdata", "tx_tvalid", "tx_tready")
US_STREAMS = ("s_axis_cq", "m_axis_cc", "m_axis_rq", "s_axis_rc")
US_SIGNALS = ("tdata", "tkeep", "tlast", "tuser", "tvalid", "tready")
US_PINS = tuple(f"{stream}_{signal}" for stream in US_STREAMS for signal in US_SIGNALS)
Node = dict[str, Any]
"""A node of Verilator's JSON."""


@dataclass(frozen=True, slots=True)
class TopPort:
    """A port of the top level: direction "input" or "output", width in bits (0: it is no vector)."""

    direction: str
    width: int


def source_arguments(manifest: Manifest) -> list[str]:
    """Verilator's arguments that name the design: top, parameters, defines, folders, files."""
    hdl = manifest.hdl
    parameters = [f"-G{name}={value}" for name, value in hdl.parameters.items()]
    return ["--top-module", hdl.toplevel, *parameters, *file_arguments(manifest)]


def file_arguments(manifest: Manifest) -> list[str]:
    """Verilator's arguments that name the design's files and how to read them, below any top."""
    hdl = manifest.hdl
    return [
        *hdl.verilator_args,
        *(f"-D{name}={value}" for name, value in hdl.defines.items()),
        *(f"-I{folder}" for folder in hdl.include_dirs),
        *map(str, hdl.sources),
    ]


def top_ports(manifest: Manifest, verilator: Verilator, scratch: Path) -> dict[str, TopPort]:
    """Elaborate the design and return its top level's ports; raises ToolError with the log on errors."""
    if manifest.hdl.vhdl:
        manifest = ports_as_verilog(manifest, scratch / "vhdl")
    log = scratch / "elaborate.log"
    tree = syntax_tree(source_arguments(manifest), verilator, scratch, log)
    if tree is None:
        raise ToolError(f"Verilator rejects {manifest.hdl.name}: {first_error(log)}", log)
    modules = [node for node in nodes(tree) if node.get("type") == "MODULE" and node.get("level", 0) <= 2]
    toplevel = manifest.hdl.toplevel
    top = next((m for m in modules if toplevel in (m.get("name"), m.get("origName"))), modules[0])
    return ports_of(top, types_of(tree))


def syntax_tree(words: Sequence[str], verilator: Verilator, scratch: Path, log: Path) -> Node | None:
    """Verilator's tree of the design that its arguments `words` name; None where `log` has errors."""
    scratch.mkdir(parents=True, exist_ok=True)
    command = [str(verilator.program), "--json-only", "--Mdir", str(scratch), "--prefix", "Vtop"]
    command += ["--timing", "-Wno-fatal", *words]
    with log.open("w") as out:
        code = subprocess.run(
            command, stdout=out, stderr=subprocess.STDOUT, env=verilator.environment(), check=False
        ).returncode
    if code:
        return None
    tree: Node = json.loads((scratch / "Vtop.tree.json").read_text())
    return tree


def first_error(log: Path) -> str:
    """The first line of a log that reports an error."""
    for line in log.read_text(errors="replace").splitlines():
        if line.startswith("%Error") or " error: " in line or "Error " in line:
            return line.strip()
    return "it gave no reason"


def types_of(tree: Node) -> dict[str, Node]:
    """The data types of a tree by their address."""
    return {node["addr"]: node for node in nodes(tree) if node.get("type", "").endswith("DTYPE")}


def ports_of(module: Node, types: Mapping[str, Node]) -> dict[str, TopPort]:
    """The ports of a module of the tree, in the order of their declaration."""
    return {
        node["name"]: TopPort(node["direction"].lower(), _width(node.get("dtypep", ""), types))
        for node in module.get("stmtsp", [])
        if node.get("type") == "VAR" and node.get("direction", "NONE") != "NONE"
    }


def nodes(tree: Any) -> Iterator[Node]:
    """All nodes below one of them, itself included, in no order."""
    stack = [tree]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            yield item
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def _width(address: str, types: Mapping[str, Node]) -> int:
    """Bits of a type; 0 for an unpacked array, or what is no vector."""
    node = types.get(address, {})
    kind, below = node.get("type"), node.get("refDTypep", "")
    if kind == "BASICDTYPE":
        high, _, low = node.get("range", "0:0").partition(":")
        return abs(int(high) - int(low)) + 1
    if kind == "PACKARRAYDTYPE":
        first, _, last = node["declRange"].strip("[]").partition(":")
        return (abs(int(first) - int(last)) + 1) * _width(below, types)
    if kind == "STRUCTDTYPE":
        widths = [_width(member.get("dtypep", ""), types) for member in node.get("membersp", [])]
        return sum(widths) if node.get("packed") and all(widths) else 0
    if kind == "UNIONDTYPE":
        return max((_width(member.get("dtypep", ""), types) for member in node["membersp"]), default=0)
    return _width(below, types) if kind in ("REFDTYPE", "ENUMDTYPE", "MEMBERDTYPE") else 0


def bound_ports(manifest: Manifest, ports: dict[str, TopPort]) -> list[str]:
    """The top level's ports that the bench touches."""
    wanted = {clock.port for clock in manifest.clocks} | {reset.port for reset in manifest.resets}
    wanted |= {manifest.irq.intx} | ({manifest.medium.sectors} if manifest.medium else set())
    for port in (manifest.config, manifest.bar, manifest.dma, manifest.irq, manifest.medium):
        if port is not None:
            wanted |= set(port.signals.values())
            wanted |= {name for name in ports if port.prefix and name.startswith(port.prefix)}
            if port.shape == ULTRASCALE:
                wanted |= {port.pin(name) for name in US_PINS}
    return sorted(wanted & ports.keys())
