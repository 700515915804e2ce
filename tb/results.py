"""Results of tests: one JSON file a test while they run, results.json and results.xml at the end.

A file appears whole or not at all: it is written beside its place and renamed.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

PASS, FAIL, ERROR, SKIP = "pass", "fail", "error", "skip"
RANK = ("not-applicable", "not-exercised", "held", "violated")


@dataclass(slots=True)
class Result:
    """The outcome of one test under one seed.

    `message` is one line: what went wrong, or what a test that passed has measured. `sim_ns` is simulated
    time.

    `state` says in what state the device was at the first violation, `coverage` what the driver's
    sessions were like (see `tb.sessions`), `outcomes` by clause how often it held and how often it was
    breached. `stress` is the level that took the place of the test's own. `waived` are findings about clauses
    that the manifest puts out of scope, each with its "reason" there. `bench_broke` says
    that an error is the bench's own: no device brought the simulator down.
    """

    name: str
    seed: int
    status: str
    violations: list[dict[str, Any]] = field(default_factory=list)
    replay: str = ""
    message: str = ""
    warnings: list[dict[str, Any]] = field(default_factory=list)
    clauses: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    sim_ns: int = 0
    cycles: int = 0
    buffers: int = 0
    folder: str = ""
    details: str = ""
    state: str = ""
    coverage: list[list[str]] = field(default_factory=list)
    stress: str = ""
    outcomes: dict[str, list[int]] = field(default_factory=dict)
    waived: list[dict[str, Any]] = field(default_factory=list)
    bench_broke: bool = False

    def save(self, path: Path) -> None:
        """Write the result to a file, whole."""
        write_whole(path, json.dumps(self._fields()))

    def _fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def load(cls, path: Path) -> Result:
        """Read a result that `save` wrote."""
        return cls(**json.loads(path.read_text()))

    def public(self) -> dict[str, Any]:
        """What results.json says of this test."""
        hidden = ("clauses", "details", "state", "coverage", "outcomes", "bench_broke")
        return {key: value for key, value in self._fields().items() if key not in hidden}


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that it is there whole or not at all; raises OSError."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    try:
        # What was there by that name, a link perhaps, is gone: nothing but a new file is written.
        with part.open("x", encoding="utf-8") as stream:
            stream.write(text)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def merge_clauses(results: Iterable[dict[str, str]]) -> dict[str, str]:
    """Return the verdict per clause over several runs: violated before held before not exercised."""
    merged: dict[str, str] = {}
    for verdicts in results:
        for clause, verdict in verdicts.items():
            if RANK.index(verdict) >= RANK.index(merged.get(clause, RANK[0])):
                merged[clause] = verdict
    return dict(sorted(merged.items()))


def merge_outcomes(results: Iterable[dict[str, list[int]]]) -> dict[str, dict[str, int]]:
    """Return, by clause, how often it held and was breached over several runs, and in how many."""
    merged: dict[str, dict[str, int]] = {}
    for outcomes in results:
        for clause, (held, breached) in outcomes.items():
            row = merged.setdefault(clause, {"held": 0, "breached": 0, "runs": 0})
            row["held"] += held
            row["breached"] += breached
            row["runs"] += 1
    return dict(sorted(merged.items()))


def write_results(
    folder: Path,
    results: Sequence[Result],
    about: dict[str, Any],
    merged: dict[str, str] | None = None,
    scope: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Write results.json and results.xml of a run; `about` says what ran (DUT, seed, path).

    `merged` are the verdicts per clause where the results do not carry them, `scope` what `tb.scope` says
    of the clauses that are out of scope.
    """
    content = {
        "tests": [result.public() for result in results],
        "clauses": merged if merged is not None else merge_clauses(result.clauses for result in results),
        "outcomes": merge_outcomes(result.outcomes for result in results),
        "out_of_scope": dict(scope),
        "run": about,
    }
    write_whole(folder / "results.json", json.dumps(content, indent=1))
    write_junit(folder / "results.xml", {"virtio-cosim": results})


def write_junit(path: Path, suites: Mapping[str, Sequence[Result]]) -> None:
    """Write results as JUnit's XML, a test suite for each name."""
    root = ET.Element("testsuites")
    root.extend(_suite(name, results) for name, results in suites.items())
    ET.indent(root)
    write_whole(path, ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n")


def _suite(name: str, results: Sequence[Result]) -> ET.Element:
    suite = ET.Element("testsuite", name=name, tests=str(len(results)))
    for kind, attribute in ((FAIL, "failures"), (ERROR, "errors"), (SKIP, "skipped")):
        suite.set(attribute, str(sum(result.status == kind for result in results)))
    suite.set("time", f"{sum(result.seconds for result in results):.3f}")
    for result in results:
        module, _, function = result.name.rpartition(".")
        under = f"seed={result.seed}" + (f",stress={result.stress}" if result.stress else "")
        case = ET.SubElement(suite, "testcase", classname=module, name=f"{function}[{under}]")
        case.set("time", f"{result.seconds:.3f}")
        tag = {FAIL: "failure", ERROR: "error", SKIP: "skipped"}.get(result.status)
        if tag:
            element = ET.SubElement(case, tag, message=_clean(result.message))
            element.text = _clean(f"{result.details}\nreplay: {result.replay}")
    return suite


def _clean(text: str) -> str:
    """Text without the control characters that XML forbids."""
    return "".join(c if c in "\n\t" or c >= " " else "?" for c in text)
