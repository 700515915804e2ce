"""One session after another on QEMU's devices: remove, resets of every kind, rings reset one by one."""

from __future__ import annotations

import pytest

from pymodel.driver.blk import VirtioBlk
from pymodel.driver.config_ops import QueueRequest
from pymodel.driver.entropy import VirtioEntropy
from pymodel.spec import Status
from pymodel.transport import Message
from tests.peers import devices
from tests.peers.conftest import StartPeer
from tests.peers.disk import IMAGE, mixed_traffic, sectors
from tests.peers.peer import QUIET_NS, Peer
from tests.peers.rings import BASE, RINGS, each_layout, each_ring, offering


def drain(peer: Peer) -> None:
    """Take the messages that are still on their way."""
    while isinstance(peer.run(peer.transport.wait_interrupt(QUIET_NS)), Message):
        continue


def test_every_ring_layout_in_one_life_of_the_device(start_peer: StartPeer) -> None:
    peer = start_peer(devices.blk(IMAGE))
    for ring in (*RINGS.values(), *reversed(RINGS.values())):
        mixed_traffic(peer, peer.bind(VirtioBlk(queue_size=16), BASE | ring))
        peer.run(peer.device.remove())
        assert peer.get("device_status") == 0


@each_ring
def test_reset_amid_requests_leaves_nothing_behind(start_peer: StartPeer, ring: int) -> None:
    peer = start_peer(devices.blk(IMAGE, offering(ring)))
    blk = peer.bind(VirtioBlk(queue_size=16), BASE | ring)
    requests = [peer.run(blk.submit_read(sector, kick=sector == 4)) for sector in range(5)]
    peer.run(peer.device.remove())
    assert all(request.lost for request in requests if not request.done)
    drain(peer)
    mixed_traffic(peer, peer.bind(VirtioBlk(queue_size=16), BASE | ring))


@each_layout
@pytest.mark.parametrize("kind", ["flr", "hot", "power"])
def test_function_comes_back_from_a_reset_below_virtio(start_peer: StartPeer, kind: str, ring: int) -> None:
    peer = start_peer(devices.blk(IMAGE, offering(ring)))
    mixed_traffic(peer, peer.bind(VirtioBlk(), BASE | ring))
    peer.run(peer.transport.reset(kind))
    peer.run(peer.pci.enumerate())
    assert peer.get("device_status") == 0
    peer.put("queue_select", 0)
    assert (peer.get("queue_enable"), peer.get("queue_msix_vector")) == (0, 0xFFFF)
    peer.run(peer.device.remove())
    mixed_traffic(peer, peer.bind(VirtioBlk(), BASE | ring))


def test_drivers_own_function_level_reset(start_peer: StartPeer) -> None:
    peer = start_peer(devices.blk(IMAGE))
    mixed_traffic(peer, peer.bind(VirtioBlk()))
    peer.run(peer.pci.function_level_reset())
    assert peer.get("device_status") == 0
    peer.run(peer.device.remove())
    mixed_traffic(peer, peer.bind(VirtioBlk()))


@each_ring
def test_ring_reset_starts_the_queue_afresh(start_peer: StartPeer, ring: int) -> None:
    peer = start_peer(devices.rng(offering(ring)))
    entropy = peer.bind(VirtioEntropy(), BASE | ring)
    for size in (8, 4, 2, 8):
        assert peer.run(entropy.read(16))
        peer.run(peer.pci.reset_vq(peer.device.queues[0]))
        assert (peer.get("queue_reset"), peer.get("queue_enable"), peer.get("queue_size")) == (0, 0, 8)
        peer.device.queues[0] = peer.run(peer.pci.enable_vq(QueueRequest(0, size)))
        assert peer.device.queues[0].size == size


@each_layout
def test_ring_reset_leaves_the_other_queues_running(start_peer: StartPeer, ring: int) -> None:
    peer = start_peer(devices.blk(IMAGE, {"num-queues": 2, **offering(ring)}))
    blk = peer.bind(VirtioBlk(queue_size=16), BASE | ring)
    assert peer.run(blk.read(3, queue=0)) == peer.run(blk.read(3, queue=1)) == sectors(3, 1)
    peer.run(peer.pci.reset_vq(peer.device.queues[0]))
    assert peer.run(blk.read(5, 2, queue=1)) == sectors(5, 2)
    peer.device.queues[0] = peer.run(peer.pci.enable_vq(QueueRequest(0, 8)))
    assert peer.run(blk.read(7, queue=0)) == sectors(7, 1)


@each_layout
def test_freeze_and_restore_over_a_function_that_lost_everything(start_peer: StartPeer, ring: int) -> None:
    peer = start_peer(devices.blk(IMAGE, offering(ring)))
    blk = peer.bind(VirtioBlk(), BASE | ring)
    mixed_traffic(peer, blk)
    peer.run(peer.device.freeze())
    peer.run(peer.transport.reset("flr"))
    peer.run(peer.device.restore())
    mixed_traffic(peer, blk)


def test_bus_master_off_stops_the_device(start_peer: StartPeer) -> None:
    """QEMU stops a device without bus mastering until a reset; with a packed ring it would hang instead."""
    peer = start_peer(devices.blk(IMAGE))
    blk = peer.bind(VirtioBlk(), BASE)
    assert peer.run(blk.read(1)) == sectors(1, 1)
    peer.run(peer.pci.freeze())
    peer.run(blk.submit_read(2))
    assert peer.run(peer.transport.wait_interrupt(QUIET_NS)) is None
    peer.run(peer.pci.thaw())
    peer.run(peer.device.remove())
    mixed_traffic(peer, peer.bind(VirtioBlk(), BASE))
    assert peer.get("device_status") & Status.DRIVER_OK
