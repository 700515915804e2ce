"""`make bench-rtl`: the RTL's throughput beside what its data beats alone take, into build/bench-rtl.json.

DataWidth 256, 250 cycles of read latency, 32 reads in flight, one queue of 256.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tb.errors import ToolError, UsageError
from tb.paths import BUNDLED_MANIFEST, ENTROPY_MANIFEST, build_root, shown
from tb.request import RunRequest
from tb.results import PASS
from tb.run import Run

TARGETS = {"split_64B_cycles": "<= 12", "packed_64B_cycles": "<= 8", "blk_4KiB_bus_share": ">= 0.90"}
# Beats of 32 bytes that a buffer cannot do without on the busier channel, that of writes: its 64 bytes,
# and 8 (split) or 16 (packed) of the used ring.
FLOORS = {"split_64B_cycles": 2 + 8 / 32, "packed_64B_cycles": 2 + 16 / 32, "blk_4KiB_bus_share": 1.0}
# What 32 reads in flight of 250 cycles allow a small block request: see test_rates.py.
BOUNDS = {"blk_small_split_cycles": 3 * 250 / 32, "blk_small_packed_cycles": 250 / 32}


def measure(console: Console) -> dict[str, float]:
    """Run the rates on both devices; raises ToolError where one of them cannot be taken."""
    found: dict[str, float] = {}
    for manifest in (ENTROPY_MANIFEST, BUNDLED_MANIFEST):
        out = build_root() / "bench-rtl" / manifest.stem
        shutil.rmtree(out, ignore_errors=True)
        request = RunRequest(dut=str(manifest), folder=Path(__file__).parent, out=out, jobs=1)
        report = Run(request, console.print, lambda result: None).execute()
        for result in report.results:
            if result.status != PASS:
                raise ToolError(f"{result.name}: {result.message}", out / result.folder)
            found |= json.loads((out / result.folder / "figures.json").read_text())
    return found


def figures(found: dict[str, float]) -> dict[str, float]:
    """The three figures; the bus share is that of the slower direction."""
    share = min(found["blk_4KiB_in_share"], found["blk_4KiB_out_share"])
    named = {**found, "blk_4KiB_bus_share": share}
    return {name: round(named[name], 4) for name in TARGETS}


def main() -> int:
    """Measure, print, write; 0 where every target is reached, 1 if not, 2 and 3 as everywhere."""
    console = Console(width=110, highlight=False)
    try:
        found = measure(console)
    except UsageError as error:
        print(f"bench-rtl: {error}", file=sys.stderr)
        return 2
    except ToolError as error:
        print(f"bench-rtl: {error}", file=sys.stderr)
        return 3
    values = figures(found)
    table = Table("figure", "measured", "floor of the beats", "wanted", title="RTL throughput")
    for name, value in values.items():
        table.add_row(name, f"{value:.3f}", f"{FLOORS[name]:.3f}", TARGETS[name])
    console.print(table)
    console.print(
        f"4 KiB from the guest {found['blk_4KiB_out_share']:.3f}, to it {found['blk_4KiB_in_share']:.3f}"
    )
    for name, bound in BOUNDS.items():
        console.print(f"{name} {found[name]:.1f}; no RTL could be below {bound:.1f} (reads in flight)")
    path = build_root() / "bench-rtl.json"
    path.write_text(json.dumps(values, indent=1) + "\n")
    console.print(f"figures: {shown(path)}")
    return 0 if all(reached(name, value) for name, value in values.items()) else 1


def reached(name: str, value: float) -> bool:
    """Whether a figure lies where it shall."""
    relation, bound = TARGETS[name].split()
    return value <= float(bound) if relation == "<=" else value >= float(bound)


if __name__ == "__main__":
    sys.exit(main())
