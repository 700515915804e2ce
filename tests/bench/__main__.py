"""`make bench`: measures how fast the native path is, prints the table, writes build/bench.json.

Every figure is a ratio of medians over interleaved runs, so that what else the machine does meets both
sides alike. Rates are per CPU second of the process: nothing here ever waits for anything else.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tb.errors import ToolError, UsageError
from tb.paths import BUNDLED_MANIFEST, build_root
from tests.bench.check_rate import check_rates
from tests.bench.figure import Figure
from tests.bench.per_second import PASSING, run_cpu, tests_per_second
from tests.bench.runs import Measured, Workshop

Run = Callable[[], Measured]


class Bench:
    """All figures, measured with `rounds` interleaved runs each."""

    def __init__(self, shop: Workshop, rounds: int, total: int) -> None:
        self.shop = shop
        self.rounds = rounds
        self.total = total

    def ratio(self, one: Run, other: Run) -> tuple[float, Measured, Measured]:
        """Median rate of one against the other's, and a run of each."""
        pairs = [(one(), other()) for _ in range(self.rounds)]
        ours = statistics.median(a.rate for a, _ in pairs)
        theirs = statistics.median(b.rate for _, b in pairs)
        return ours / theirs, *pairs[-1]

    def against_bare(self, name: str, least: float, batch: int, depth: int) -> Figure:
        """The native path against the bare harness, an interrupt for every `batch` buffers."""
        total = self.total if depth > 1 else self.total // 4
        order = self.shop.order(total=total, batch=batch, depth=depth, checker=True)
        value, ours, bare = self.ratio(
            lambda: self.shop.on_path(order, native=True), lambda: self.shop.bare(order)
        )
        note = f" ({ours.turns / ours.total:.3f} wakes and {ours.cycles / ours.total:.1f} cycles a buffer;"
        note += f" bare {bare.turns / bare.total:.3f} and {bare.cycles / bare.total:.1f})"
        return Figure(name, "native, judged live, against bare C++", value, least, note=note)

    def checked(self) -> Figure:
        """The checker listening against nobody listening."""
        order = self.shop.order(total=self.total)
        value, judged, _ = self.ratio(
            lambda: self.shop.on_path(replace(order, checker=True), native=True),
            lambda: self.shop.on_path(order, native=True),
        )
        note = f" ({judged.events / judged.total:.1f} events a buffer)"
        return Figure("checker_on_vs_off", "checker live against off", value, 0.95, note=note)

    def against_portable(self) -> Figure:
        """The native path against the portable one."""
        long, short = self.shop.order(total=self.total), self.shop.order(total=max(200, self.total // 60))
        value, _, _ = self.ratio(
            lambda: self.shop.on_path(long, native=True), lambda: self.shop.on_path(short, native=False)
        )
        return Figure("native_vs_portable", "native against portable", value, 60)

    def tenfold(self) -> tuple[Figure, Figure]:
        """Ten times the work: time and peak memory."""
        short = self.shop.order(total=self.total, checker=True)
        long = replace(short, total=10 * self.total)
        pairs = [
            (self.shop.on_path(short, native=True), self.shop.on_path(long, native=True))
            for _ in range(self.rounds)
        ]
        time = statistics.median(b.cpu for _, b in pairs) / statistics.median(a.cpu for a, _ in pairs)
        memory = statistics.median(b.peak_kib for _, b in pairs) / statistics.median(
            a.peak_kib for a, _ in pairs
        )
        return (
            Figure("time_x10", "time of 10 times the work", time, 9.5, 10.5),
            Figure("memory_x10", "peak memory of 10 times the work", memory, 0, 1.05),
        )

    def armed(self) -> Figure:
        """`run --waves on-fail` of a test that passes against `--waves never`.

        On-fail reruns the failing seed; the note tells what a simulator that can write waves costs.
        """
        order = self.shop.order(total=self.total)
        capable, _, _ = self.ratio(
            lambda: self.shop.on_path(order, native=True, waves=True),
            lambda: self.shop.on_path(order, native=True),
        )
        pairs = [
            (run_cpu(self.shop, PASSING, 1, "on-fail"), run_cpu(self.shop, PASSING, 1, "never"))
            for _ in range(self.rounds)
        ]
        value = statistics.median(b for _, b in pairs) / statistics.median(a for a, _ in pairs)
        note = f" (a simulator with waves built in, none written: {capable:.3f})"
        return Figure("waves_armed_vs_off", "waves on failure against never", value, 0.98, note=note)

    def all(self, wanted: Sequence[str]) -> list[Figure]:
        """Measure the figures whose names are wanted (none: all)."""
        steps: dict[str, Callable[[], Sequence[Figure]]] = {
            "native_vs_bare_irq32": lambda: [self.against_bare("native_vs_bare_irq32", 0.90, 32, 64)],
            "native_vs_bare_irq1": lambda: [self.against_bare("native_vs_bare_irq1", 0.75, 1, 1)],
            "checker_on_vs_off": lambda: [self.checked()],
            "native_vs_portable": lambda: [self.against_portable()],
            "time_x10": lambda: self.tenfold(),
            "tests_per_second": lambda: [
                Figure("tests_per_second", "trivial tests a CPU second", tests_per_second(self.shop), 1000)
            ],
            "waves_armed_vs_off": lambda: [self.armed()],
            "check_events_per_second": lambda: check_rates(self.shop),
        }
        figures: list[Figure] = []
        for name, step in steps.items():
            if not wanted or name in wanted:
                taken = step()
                figures += taken
                for figure in taken:
                    print(figure.row(), flush=True)
        return figures


def main() -> int:
    """Measure and print; 0 if every figure was reached, 1 if not, 2 and 3 as everywhere."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("figures", nargs="*", help="names from the table (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved runs a figure")
    parser.add_argument("--total", type=int, default=20000, help="buffers a run")
    parser.add_argument("--dut", type=Path, default=BUNDLED_MANIFEST, help="manifest of a block device")
    arguments = parser.parse_args()
    try:
        shop = Workshop(build_root() / "bench", arguments.dut)
        figures = Bench(shop, arguments.rounds, arguments.total).all(arguments.figures)
    except UsageError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except ToolError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 3
    path = build_root() / "bench.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    known.update({figure.name: round(figure.value, 4) for figure in figures})
    path.write_text(json.dumps(known, indent=1) + "\n")
    return 0 if all(figure.reached for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
