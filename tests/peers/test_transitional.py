"""QEMU's transitional devices: the modern interface beside the legacy one (virtio 1.4, 4.1.4.10)."""

from __future__ import annotations

import pytest

from pymodel.driver.blk import VirtioBlk
from pymodel.driver.core import VirtioDevice
from pymodel.driver.interrupts import InterruptMode
from pymodel.driver.legacy import VirtioPciLegacy
from pymodel.spec import LEGACY_CFG, TRANSITIONAL_DEVICE_ID, DeviceType, Feature
from tests.peers import devices
from tests.peers.conftest import StartPeer
from tests.peers.disk import IMAGE, mixed_traffic
from tests.peers.peer import Peer

TRANSITIONAL = {"disable-legacy": "off"}


def legacy(peer: Peer, name: str) -> int:
    """Read a register of the legacy block."""
    field = LEGACY_CFG[name]
    return peer.run(peer.transport.bar_read(0, field.offset, field.width))


def put_legacy(peer: Peer, name: str, value: int) -> None:
    """Write a register of the legacy block."""
    field = LEGACY_CFG[name]
    peer.run(peer.transport.bar_write(0, field.offset, field.width, value))


def test_modern_driver_works_on_a_transitional_device(start_peer: StartPeer) -> None:
    peer = start_peer(devices.blk(IMAGE, TRANSITIONAL))
    assert peer.function.device_id == TRANSITIONAL_DEVICE_ID[DeviceType.BLK]
    assert peer.function.revision_id == 0
    assert peer.function.subsystem_id == DeviceType.BLK
    assert peer.function.bars[0].kind == "io"
    mixed_traffic(peer, peer.bind(VirtioBlk()))


def test_legacy_block_shows_the_low_features_and_the_queue(start_peer: StartPeer) -> None:
    peer = start_peer(devices.blk(IMAGE, TRANSITIONAL))
    modern = peer.offered(0)
    assert legacy(peer, "device_features") & modern == modern
    assert legacy(peer, "device_features") >> Feature.ANY_LAYOUT & 1
    put_legacy(peer, "queue_select", 0)
    assert legacy(peer, "queue_size") == 256
    put_legacy(peer, "queue_select", 1)
    assert legacy(peer, "queue_size") == 0


@pytest.mark.parametrize("mode", InterruptMode)
def test_legacy_driver_works_on_a_transitional_device(start_peer: StartPeer, mode: InterruptMode) -> None:
    peer = start_peer(devices.blk(IMAGE, TRANSITIONAL))
    ops = VirtioPciLegacy(peer.transport, mode=mode, style=peer.pci.style)
    peer.run(ops.enumerate())
    peer.device = VirtioDevice(ops)
    for _ in range(2):
        blk = peer.bind(VirtioBlk())
        blk.requests.polling = mode is InterruptMode.POLL
        mixed_traffic(peer, blk)
        peer.run(peer.device.remove())


def test_legacy_status_is_the_modern_status(start_peer: StartPeer) -> None:
    peer = start_peer(devices.blk(IMAGE, TRANSITIONAL))
    put_legacy(peer, "device_status", 1)
    assert peer.get("device_status") == 1
    put_legacy(peer, "device_status", 0)
    assert peer.get("device_status") == 0
