"""Failure pages of planted bugs: `python -m tests.waves.mutant_pages --seed 1 --count 10 --out DIR`.

Each mutant drawn is planted in a copy of the tree, the suite runs until something finds it, and the page
of that failure must show the event that broke the rule: in its list of events, and in its picture.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from tb.failure import describe
from tb.ground import copy_bench
from tb.hunt import problem_of
from tb.mutants import Mutant, load_mutants
from tb.paths import MUTANTS, ROOT, SIM_TESTS, build_root
from tb.ranking import Ranking
from tb.results import FAIL, Result
from tb.sim_test import discover, select
from waves.names import time_text
from waves.story import tell

LIMIT_S = 900


def drawn(seed: int, count: int) -> list[Mutant]:
    """Some mutants, the same ones for the same seed."""
    mutants = load_mutants(MUTANTS)
    return random.Random(f"pages/{seed}").sample(mutants, min(count, len(mutants)))


def failed_tests(mutant: Mutant, folder: Path, order: Sequence[str]) -> list[Path]:
    """Plant a mutant, run the suite until it is found; the folders of the tests that failed."""
    tree = copy_bench(ROOT, folder / mutant.name)
    problem = problem_of(mutant.patch, tree, check=False)
    assert not problem, f"{mutant.name}: {problem}"
    command = [sys.executable, "-m", "tb.cli", "run", "--out", "run", "--jobs", "1", "--hasty"]
    command += ["--until", "violation" if mutant.expect else "failure"]
    command += ["--dut", mutant.dut] if mutant.dut else []
    command += [word for name in order for word in ("--test", name)]
    env = {**os.environ, "PYTHONPATH": str(tree), "VIRTIO_COSIM_BUILD": str(build_root() / "mutants/builds")}
    with (folder / f"{mutant.name}.log").open("w") as log:
        subprocess.run(command, cwd=tree, env=env, stdout=log, stderr=log, check=False, timeout=LIMIT_S)
    found = [path.parent for path in (tree / "run").glob("*/failure.md")]
    # A failure with a violation tells more than one without.
    return sorted(found, key=lambda path: not Result.load(path / "result.json").violations)


def faults_of(folder: Path) -> list[str]:
    """What the page of a failed test lacks, empty where the violating event is on it and in its picture."""
    result = Result.load(folder / "result.json")
    if result.status != FAIL:
        return [f"{folder.name} ended with {result.status}"]
    moments = tell(folder / "trace.vtrace", result.violations).moments
    page = (folder / "failure.md").read_text()
    missing: list[str] = []
    if result.violations:
        events = [describe(moment.step.event).strip() for moment in moments]
        first = result.violations[0]
        missing += [] if first["event"] in events or not first["event"] else ["the violating event"]
        missing += [] if first["message"].replace("|", "\\|") in page else ["the verdict"]
    for number, moment in enumerate(moments, 1):
        picture = (folder / f"failure-{number}.svg").read_text()
        missing += (
            [] if f"> {time_text(moment.step.event.t):>12}" in page else [f"event {number} in the list"]
        )
        missing += [] if 'class="bad"' in picture else [f"event {number} in the picture"]
    return missing


@click.command()
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--count", type=int, default=10, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(seed: int, count: int, out: Path) -> None:
    """Render the failure pages of mutants drawn by a seed and say where they lie."""
    ranking = Ranking.load(MUTANTS)
    tests = [test.name for test in select(discover(SIM_TESTS), ())]
    rows = []
    for mutant in drawn(seed, count):
        folders = failed_tests(mutant, out, ranking.order(mutant, tests))
        lacks = faults_of(folders[0]) if folders else ["no test failed"]
        rows.append({"mutant": mutant.name, "page": str(folders[0]) if folders else "", "lacks": lacks})
        click.echo(json.dumps(rows[-1]))
    sys.exit(any(row["lacks"] for row in rows))


if __name__ == "__main__":
    main()
