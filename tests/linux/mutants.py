"""`make linuxmutants`: planted bugs under a real Linux: what the checker names, beside what Linux printed.

Software that works proves little: Linux survives most of these without a word. Exit status 1 where a
bug was not named.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tb.ground import copy_bench
from tb.hunt import problem_of
from tb.paths import MUTANTS, ROOT, build_root

CHOSEN = ("bug-011-", "bug-020-", "bug-035-", "bug-060-", "bug-061-", "bug-062-")
DUT = "hdl/dut_split.toml"
LIMIT_S = 60
TELLING = re.compile(r"virtio|vda|I/O error|blocked|== (?!interrupts|features|sectors)", re.IGNORECASE)
SHOWN = 4


def try_mutant(patch: Path, scratch: Path) -> tuple[list[str], list[str]]:
    """Boot Linux on a tree with the bug; return the clauses violated and Linux's telling last lines."""
    tree = copy_bench(ROOT, scratch / patch.stem)
    problem = problem_of(patch, tree, check=False)
    if problem:
        sys.exit(f"{patch.name} does not apply: {problem}")
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    environment["VIRTIO_COSIM_BUILD"] = str(build_root() / "mutants" / "builds")
    words = [sys.executable, "-m", "tb.cli", "guest", "--dut", DUT, "--limit", str(LIMIT_S)]
    words += ["--out", str(tree / "out")]
    done = subprocess.run(words, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    results = tree / "out" / "results.json"
    if not results.exists():
        sys.exit(f"{patch.stem}: the guest did not start: {done.stderr.strip().splitlines()[-1]}")
    test = json.loads(results.read_text())["tests"][0]
    console = (tree / "out" / "linux.test_guest" / "console.log").read_text(errors="replace")
    said = [line.strip() for line in console.splitlines() if TELLING.search(line)]
    return list(dict.fromkeys(v["clause"] for v in test["violations"])), said[-SHOWN:]


def main() -> int:
    """Try all, print the table; 1 where the checker named nothing."""
    console = Console(width=140, highlight=False)
    table = Table("bug", "the checker", "the last that Linux said", show_lines=True)
    silent = 0
    with tempfile.TemporaryDirectory(prefix="linux-mutants-") as scratch:
        for stem in CHOSEN:
            patch = next(MUTANTS.glob(f"{stem}*.patch"))
            clauses, said = try_mutant(patch, Path(scratch))
            silent += not clauses
            console.print(f"{patch.stem}: {', '.join(clauses) or 'nothing'}", markup=False)
            table.add_row(patch.stem, "\n".join(clauses) or "nothing", "\n".join(said).replace("[", r"\["))
    console.print(table)
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main())
