"""A QEMU per test, killed whatever happens, pinned together with this process to one core."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Protocol

import pytest

from pymodel.qtest import QemuMissing, find_qemu
from tests.peers.devices import Device
from tests.peers.peer import Options, Peer

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


@pytest.fixture
def start_peer() -> Iterator[StartPeer]:
    """Start QEMU with a device; skips where QEMU is not installed."""
    try:
        find_qemu()
    except QemuMissing as missing:
        pytest.skip(str(missing))
    peers: list[Peer] = []

    def start(device: Device, options: Options = PLAIN) -> Peer:
        peers.append(Peer(device, options))
        return peers[-1]

    yield start
    for peer in peers:
        peer.close()
