"""`make test`: unit tests without a simulator first, then the simulation tests; the last line counts."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tb.paths import ENTROPY_MANIFEST, ROOT, SEEDLING_MANIFEST, build_root

PYTEST_FOLDERS = (
    "tests/unit",
    "tests/native",
    "tests/bench",
    "tests/tb",
    "tests/tlp",
    "tests/linux",
    "tests/waves",
    "tests/conformance",
    "tests/regress",
    "tests/cli",
)
PLANTED = ("bug-012", "bug-048", "bug-052")
"""A sample of the planted bugs: all in the driver, so that one build serves them."""

PLANTED_IN_THE_SECOND = ("bug-801", "bug-810")
"""The same in the second device under test."""

SECOND = (
    "clauses.*",
    "discovery.*",
    "interrupts.*",
    "malformed.*",
    "negotiation.*",
    "registers.*",
    "transport.*",
)
"""What the second device is asked here; the night asks it everything."""

TAPPED = ("*arrives_whole", "*survives_a_harsh_host")


@dataclass(slots=True)
class Tally:
    """Tests that passed, failed (or errored) and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, junit: Path, *, whole: bool = False) -> None:
        """Count the cases of a JUnit file; one that is missing is a failure, if `whole` also one skipped."""
        if not junit.exists():
            self.failed += 1
            return
        for case in ET.parse(junit).getroot().iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                self.failed += 1
            elif case.find("skipped") is not None:
                self.failed += whole
                self.skipped += not whole
            else:
                self.passed += 1


def _pytest(folder: str, tally: Tally) -> None:
    print(f"== {folder}", flush=True)
    junit = build_root() / f"{folder.replace('/', '-')}.xml"
    junit.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", folder, f"--junit-xml={junit}"]
    subprocess.run(command, cwd=ROOT, check=False)
    tally.add(junit)


def _simulations(tally: Tally, title: str, *words: str, whole: bool = False) -> Path:
    print(f"== tests/sim, {title}", flush=True)
    out = build_root() / f"test-run-{title.replace(' ', '-')}"
    (out / "results.xml").unlink(missing_ok=True)
    command = [sys.executable, "-m", "tb.cli", "run", "--out", str(out), *words]
    subprocess.run(command, cwd=ROOT, check=False)
    tally.add(out / "results.xml", whole=whole)
    return out


def _coverage(tally: Tally, runs: list[Path]) -> None:
    """Every judged clause of the core must have been put to the test."""
    print("== tb.coverage", flush=True)
    command = [sys.executable, "-m", "tb.coverage", *map(str, runs)]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        tally.failed += 1
    else:
        tally.passed += 1


def _mutants(tally: Tally, planted: Sequence[str], *dut: str) -> None:
    print(f"== planted bugs, a sample{' in the second device' if dut else ''}", flush=True)
    words = [word for name in planted for word in ("--only", name)]
    command = [sys.executable, "-m", "tb.cli", "mutants", "--format", "json", *dut, *words]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    fates = json.loads(done.stdout)["mutants"] if done.stdout else []
    killed = sum(fate["status"] == "killed" and bool(fate["clauses"]) for fate in fates)
    tally.passed += killed
    tally.failed += max(len(fates), len(planted)) - killed


def main() -> int:
    """Run everything, also when something failed; 0 only when nothing did."""
    build_root().mkdir(parents=True, exist_ok=True)
    tally = Tally()
    for folder in PYTEST_FOLDERS:
        if any((ROOT / folder).glob("test_*.py")):
            _pytest(folder, tally)
    runs = [
        _simulations(tally, "device model", "--dut", "model"),
        # The bundled device has all that the suite asks for: nothing may be skipped there.
        _simulations(tally, "RTL", "--waves", "on-fail", "--test", "*", whole=True),
        _simulations(tally, "entropy RTL", "--dut", str(ENTROPY_MANIFEST)),
    ]
    second = [word for glob in SECOND for word in ("--test", glob)]
    _simulations(tally, "second DUT", "--dut", str(SEEDLING_MANIFEST), *second)
    taps = [word for glob in TAPPED for word in ("--test", glob)]
    _simulations(tally, "RTL on pins with taps", "--path", "portable", *taps)
    _coverage(tally, runs)
    _mutants(tally, PLANTED)
    _mutants(tally, PLANTED_IN_THE_SECOND, "--dut", str(SEEDLING_MANIFEST))
    skipped = f", {tally.skipped} skipped" if tally.skipped else ""
    print(f"{tally.passed} passed, {tally.failed} failed{skipped}")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
