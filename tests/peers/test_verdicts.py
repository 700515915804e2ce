"""Judging can fail: traffic of QEMU with one fact changed is convicted, and the comparison is exact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pymodel import spec
from pymodel.checker import Checker, Finding
from pymodel.driver.entropy import VirtioEntropy
from pymodel.events import BarRead, Event, Msix
from pymodel.spec import CapType
from pymodel.vtrace import Header
from tests.peers import devices
from tests.peers.conftest import StartPeer
from tests.peers.peer import Peer
from tests.peers.verdicts import Deviation, breaches, compare

Forgery = Callable[[Peer, list[Event]], list[Event]]


def read_of(peer: Peer, name: str, value: int) -> Callable[[Event], bool]:
    """Return what recognises a read of a common field that answered `value`."""
    cap, field = peer.cap(CapType.COMMON), spec.COMMON_CFG[name]

    def matches(event: Event) -> bool:
        at = isinstance(event, BarRead) and (event.bar, event.addr) == (cap.bar, cap.offset + field.offset)
        return at and isinstance(event, BarRead) and int.from_bytes(event.data, "little") == value

    return matches


def answer(name: str, value: int, forged: int) -> Forgery:
    """Return what changes the first answer `value` of a common field to `forged`."""

    def forge(peer: Peer, events: list[Event]) -> list[Event]:
        matches = read_of(peer, name, value)
        index = next(i for i, event in enumerate(events) if matches(event))
        read = events[index]
        assert isinstance(read, BarRead)
        data = forged.to_bytes(len(read.data), "little")
        return [*events[:index], replace(read, data=data), *events[index + 1 :]]

    return forge


def stray_message(peer: Peer, events: list[Event]) -> list[Event]:
    """A message that repeats after the device was reset."""
    message = next(event for event in reversed(events) if isinstance(event, Msix))
    return [*events, replace(message, t=events[-1].t + 1)]


FORGERIES = {
    "vector refused": (answer("queue_msix_vector", 1, 0xFFFF), "DEV-PCI-065"),
    "vector mixed up": (answer("queue_msix_vector", 1, 0), "DEV-PCI-063"),
    "odd queue size": (answer("queue_size", 8, 6), "DEV-PCI-026"),
    "queue enabled by itself": (answer("queue_enable", 0, 1), "DEV-PCI-019"),
    "modern device without VERSION_1": (answer("device_feature", 0x101, 0x100), "DEV-RSVD-001"),
    "unknown feature": (answer("device_feature", 0x101, 0x2101), "DEV-FEAT-004"),
    "message after reset": (stray_message, "DEV-RESET-002"),
}


@pytest.mark.parametrize(("forge", "clause"), FORGERIES.values(), ids=FORGERIES)
def test_a_forged_fact_is_convicted(start_peer: StartPeer, forge: Forgery, clause: str) -> None:
    peer = start_peer(devices.rng())
    entropy = peer.bind(VirtioEntropy())
    assert peer.run(entropy.read(16))
    peer.run(peer.device.remove())
    checker = Checker(Header(source="qemu"))
    for event in forge(peer, peer.events):
        checker.observe(event)
    assert clause in breaches(checker.finish())


def test_comparison_is_exact_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    known = [Deviation("DEV-FEAT-003", ("a.py::*",), ("a.py::not_here",), "because")]
    monkeypatch.setattr("tests.peers.verdicts.known_deviations", lambda: known)
    finding = {"DEV-FEAT-003": Finding("DEV-FEAT-003", 0, 0, "seen", None)}
    assert compare("a.py::x", finding, ()) == []
    assert compare("a.py::x", {}, ()) == ["DEV-FEAT-003: expected, but did not show"]
    assert compare("a.py::not_here", finding, ()) == ["DEV-FEAT-003: seen"]
    assert compare("b.py::x", {}, ["DRV-PCI-034"]) == ["DRV-PCI-034: expected, but did not show"]
