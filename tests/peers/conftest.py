"""A QEMU per test, killed whatever happens, pinned together with this process to one core."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import Protocol

import pytest

from pymodel.checker import Finding, Results, Verdict
from pymodel.checker.report import merge_verdicts
from pymodel.qtest import QemuMissing, find_qemu
from tests.peers.devices import Device
from tests.peers.peer import Options, Peer
from tests.peers.verdicts import TRACES, breaches, case_name, compare, judge

PLAIN = Options()


class StartPeer(Protocol):
    """Starts QEMU with a device under a guest that runs as `options` say."""

    def __call__(self, device: Device, options: Options = PLAIN) -> Peer: ...


@pytest.fixture(scope="session", autouse=True)
def _one_core() -> Iterator[None]:
    """Run on one core with QEMU: a register access costs a fifth of what two cores make of it."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    yield
    os.sched_setaffinity(0, allowed)


PASSED = pytest.StashKey[bool]()
RESULTS = pytest.StashKey[list[Results]]()


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker of tests that break rules on purpose."""
    config.addinivalue_line("markers", "provokes(*clauses): the test itself breaches these clauses")
    config.stash[RESULTS] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what the checker saw of all sessions with QEMU."""
    results = config.stash[RESULTS]
    if results:
        events = sum(result.events for result in results)
        held = sum(verdict is Verdict.HELD for verdict in merge_verdicts(results).values())
        terminalreporter.write_line(
            f"checker: {len(results)} traces in {TRACES}, {events} events, {held} clauses held throughout"
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether a test's body passed: only then is its traffic judged."""
    report = yield
    if report.when == "call":
        item.stash[PASSED] = report.passed
    return report


def provoked(request: pytest.FixtureRequest) -> set[str]:
    """Return the clauses that a test says it breaches itself."""
    return {clause for mark in request.node.iter_markers("provokes") for clause in mark.args}


@pytest.fixture
def start_peer(request: pytest.FixtureRequest) -> Iterator[StartPeer]:
    """Start QEMU with a device; skips where QEMU is not installed.

    After the test each peer's traffic goes through the checker, whose breaches must be exactly those
    known of the peer and those provoked by the test.
    """
    try:
        find_qemu()
    except QemuMissing as missing:
        pytest.skip(str(missing))
    peers: list[Peer] = []

    with ExitStack() as stack:

        def start(device: Device, options: Options = PLAIN) -> Peer:
            peers.append(Peer(device, options))
            stack.callback(peers[-1].close)
            return peers[-1]

        yield start
    if not (peers and request.node.stash.get(PASSED, False)):
        return
    name, found = case_name(request.node.nodeid), dict[str, Finding]()
    for index, peer in enumerate(peers):
        results = judge(f"{name}.{index}" if index else name, peer.backend, peer.events)
        request.config.stash[RESULTS].append(results)
        found |= breaches(results)
    wrong = compare(name, found, provoked(request))
    if wrong:
        pytest.fail("the checker sees otherwise:\n  " + "\n  ".join(wrong), pytrace=False)
