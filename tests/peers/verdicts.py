"""Judging a peer's traffic: the trace is written, read back and checked, and compared with what is known."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from pymodel.checker import Finding, Results, check_file
from pymodel.events import Event
from pymodel.vtrace import Header, write_vtrace
from tests.peers.devices import Device

KNOWN = Path(__file__).with_name("known_deviations.toml")
TRACES = Path("build/peers")


@dataclass(frozen=True)
class Deviation:
    """A clause that the peer breaches in tests whose ID matches one of `tests` and none of `except_tests`."""

    clause: str
    tests: tuple[str, ...]
    except_tests: tuple[str, ...]
    reason: str

    def concerns(self, test: str) -> bool:
        """Whether the deviation must show in this test."""
        matches = any(fnmatchcase(test, pattern) for pattern in self.tests)
        return matches and not any(fnmatchcase(test, pattern) for pattern in self.except_tests)


def known_deviations() -> list[Deviation]:
    """Read the list; raises KeyError where an entry lacks its clause, its tests or its reason."""
    rows = tomllib.loads(KNOWN.read_text())["deviation"]
    return [
        Deviation(row["clause"], tuple(row["tests"]), tuple(row.get("except", ())), row["reason"])
        for row in rows
    ]


def seen_by_driver() -> dict[str, str]:
    """Return the deviations that the checker cannot see: the test that asserts each, and the reason."""
    return {row["test"]: row["reason"] for row in tomllib.loads(KNOWN.read_text())["seen_by_driver"]}


def case_name(node_id: str) -> str:
    """Return a test's ID without its folder and without square brackets, which patterns would misread."""
    return node_id.rsplit("/", 1)[-1].replace("[", ":").replace("]", "")


def judge(name: str, device: Device, events: Iterable[Event]) -> Results:
    """Write the events as a trace and check that file."""
    TRACES.mkdir(parents=True, exist_ok=True)
    path = TRACES / (name.replace("::", ".").replace("/", ".") + ".vtrace")
    header = Header(source="qemu", device=f"QEMU virtio-{device.kind.name.lower()}", type=device.kind)
    with write_vtrace(path, header) as trace:
        for event in events:
            trace(event)
    return check_file(path)


def breaches(results: Results) -> dict[str, Finding]:
    """Return the first finding of each clause, warnings included."""
    return {finding.clause: finding for finding in (*results.violations, *results.warnings)}


def compare(name: str, found: dict[str, Finding], provoked: Iterable[str]) -> list[str]:
    """Return what is wrong: breaches nobody expected, and expected ones that did not show."""
    expected = {deviation.clause for deviation in known_deviations() if deviation.concerns(name)} | set(
        provoked
    )
    unknown = [f"{clause}: {found[clause].message}" for clause in sorted(found.keys() - expected)]
    missing = [f"{clause}: expected, but did not show" for clause in sorted(expected - found.keys())]
    return unknown + missing
