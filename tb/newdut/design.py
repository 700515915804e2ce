"""What a design is, asked of Verilator without a manifest: its top level, ports, and what clocks them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tb.elaborate import Node, TopPort, first_error, nodes, ports_of, syntax_tree, types_of
from tb.errors import UsageError
from tb.toolchain import find_verilator


@dataclass(frozen=True, slots=True)
class Design:
    """A top level: its ports in order, and at which edges the design below it waits for each of them.

    `edges` maps a port to "POS" and "NEG" with how many always blocks (of distinct modules) do so.
    """

    toplevel: str
    ports: Mapping[str, TopPort]
    edges: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def single(self, direction: str) -> list[str]:
        """The ports of one bit in this direction."""
        return [n for n, port in self.ports.items() if (port.direction, port.width) == (direction, 1)]


def read_design(words: Sequence[str], toplevel: str, scratch: Path) -> Design:
    """Elaborate what Verilator's arguments `words` name, below `toplevel` or ("") what must be the top.

    Raises UsageError with Verilator's first line where it takes the sources for wrong, and where no
    module, or more than one, could be the top level.
    """
    log = scratch / "elaborate.log"
    top = ["--top-module", toplevel] if toplevel else []
    tree = syntax_tree([*top, *words], find_verilator(), scratch, log)
    if tree is None:
        reason = first_error(log)
        if "--top-module" in reason:
            raise UsageError(f"--top {toplevel}: the sources hold no such module")
        raise UsageError(reason)
    modules = [
        node for node in nodes(tree) if node.get("type") == "MODULE" and node["name"] != "@CONST-POOL@"
    ]
    types = types_of(tree)
    ported = {module["addr"]: ports_of(module, types) for module in modules}
    chosen = _chosen(modules, ported, toplevel)
    return Design(chosen["origName"], ported[chosen["addr"]], _edges(tree, chosen))


def _chosen(modules: Sequence[Node], ported: Mapping[str, Mapping[str, TopPort]], toplevel: str) -> Node:
    """The module of that name, or the one with ports that no module with ports instantiates."""
    if toplevel:
        return next(module for module in modules if toplevel in (module["name"], module["origName"]))
    with_ports = [module for module in modules if ported[module["addr"]]]
    used = {cell["modp"] for module in with_ports for cell in nodes(module) if cell.get("type") == "CELL"}
    free = [module for module in with_ports if module["addr"] not in used]
    if not free:
        raise UsageError("the sources hold no module with ports that could be the top level")
    if len(free) > 1:
        names = ", ".join(sorted(module["origName"] for module in free))
        raise UsageError(f"several modules could be the top level: say --top with one of {names}")
    return free[0]


def _edges(tree: Node, top: Node) -> dict[str, dict[str, int]]:
    """Which edges of the top's ports the design waits for, followed through instances by plain connection."""
    above = dict(_connections(tree))

    def root(address: str) -> str:
        seen: set[str] = set()
        while address in above and address not in seen:
            seen.add(address)
            address = above[address]
        return address

    names = {node["addr"]: node["name"] for node in top.get("stmtsp", []) if node.get("type") == "VAR"}
    found: dict[str, dict[str, int]] = {}
    for item in nodes(tree):
        if item.get("type") == "SENITEM" and item.get("sensp"):
            name = names.get(root(item["sensp"][0].get("varp", "")))
            if name:
                counts = found.setdefault(name, {})
                counts[item["edgeType"]] = counts.get(item["edgeType"], 0) + 1
    return found


def _connections(tree: Node) -> Iterator[tuple[str, str]]:
    """Every (port of an instance, signal it is tied to) where that is a signal by itself."""
    for pin in nodes(tree):
        if pin.get("type") == "PIN" and pin.get("exprp") and pin["exprp"][0].get("type") == "VARREF":
            yield pin.get("modVarp", ""), pin["exprp"][0]["varp"]
