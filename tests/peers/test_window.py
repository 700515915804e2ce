"""The PCI_CFG window of QEMU's devices (virtio 1.4, 4.1.4.9)."""

from __future__ import annotations

import pytest

from pymodel import spec
from pymodel.spec import CapType, Status
from tests.peers import devices
from tests.peers.conftest import StartPeer
from tests.peers.peer import Peer


def aim(peer: Peer, cap_type: CapType, offset: int, length: int) -> int:
    """Point the window into a structure; return where its data lie in configuration space."""
    window, target = peer.cap(CapType.PCI_CFG).position, peer.cap(cap_type)
    for name, value in (("bar", target.bar), ("offset", target.offset + offset), ("length", length)):
        field = spec.CAP_FIELDS[name]
        peer.run(peer.transport.config_write(window + field.offset, field.width, value))
    return window + spec.CAP_PCI_CFG_DATA


@pytest.mark.parametrize("name", ["num_queues", "device_status", "queue_size", "device_feature"])
def test_window_reads_what_the_bar_reads(start_peer: StartPeer, name: str) -> None:
    peer, field = start_peer(devices.net()), spec.COMMON_CFG[name]
    data = aim(peer, CapType.COMMON, field.offset, field.width)
    assert peer.run(peer.transport.config_read(data, field.width)) == peer.get(name)


def test_window_write_has_the_bar_writes_effect(start_peer: StartPeer) -> None:
    peer, field = start_peer(devices.rng()), spec.COMMON_CFG["device_status"]
    data = aim(peer, CapType.COMMON, field.offset, field.width)
    peer.run(peer.transport.config_write(data, field.width, Status.ACKNOWLEDGE))
    assert peer.get("device_status") == Status.ACKNOWLEDGE


def test_window_reaches_the_notify_and_device_structures(start_peer: StartPeer) -> None:
    peer = start_peer(devices.net())
    data = aim(peer, CapType.DEVICE, 0, 1)
    assert peer.run(peer.transport.config_read(data, 1)) == int(devices.MAC[:2], 16)
    data = aim(peer, CapType.NOTIFY, 0, 2)
    peer.run(peer.transport.config_write(data, 2, 0))
    assert peer.get("device_status") == 0
