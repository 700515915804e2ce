"""The guest's block driver on QEMU's virtio-blk."""

from __future__ import annotations

import pytest

from pymodel.driver.blk import BlkError, VirtioBlk
from pymodel.driver.interrupts import InterruptMode
from pymodel.spec import BLK_SECTOR, BlkRequest, BlkStatus
from tests.peers import devices
from tests.peers.conftest import StartPeer
from tests.peers.disk import IMAGE, SECTORS, mixed_traffic, sectors
from tests.peers.peer import Options
from tests.peers.rings import BASE, each_layout, each_ring, offering


@each_ring
def test_traffic_reads_and_writes_the_medium(start_peer: StartPeer, ring: int) -> None:
    peer = start_peer(devices.blk(IMAGE, offering(ring)))
    mixed_traffic(peer, peer.bind(VirtioBlk(queue_size=16), BASE | ring))


@each_ring
@pytest.mark.parametrize("seed", range(3))
def test_any_framing_and_order_reads_the_same(start_peer: StartPeer, ring: int, seed: int) -> None:
    peer = start_peer(devices.blk(IMAGE, offering(ring)), Options(seed=seed))
    mixed_traffic(peer, peer.bind(VirtioBlk(queue_size=32), BASE | ring))


@pytest.mark.parametrize("mode", InterruptMode)
@each_layout
def test_every_interrupt_mode_completes(start_peer: StartPeer, mode: InterruptMode, ring: int) -> None:
    peer = start_peer(devices.blk(IMAGE, offering(ring)), Options(mode=mode))
    blk = peer.bind(VirtioBlk(), BASE | ring)
    blk.requests.polling = mode is InterruptMode.POLL
    mixed_traffic(peer, blk)


def test_all_through_the_window(start_peer: StartPeer) -> None:
    peer = start_peer(devices.blk(IMAGE), Options(window=True))
    mixed_traffic(peer, peer.bind(VirtioBlk()))


def test_flush_and_id(start_peer: StartPeer) -> None:
    peer = start_peer(devices.blk(IMAGE))
    blk = peer.bind(VirtioBlk())
    peer.run(blk.flush())
    assert peer.run(blk.get_id()) == "virtio-cosim-peer"


def test_errors_are_told_by_status(start_peer: StartPeer) -> None:
    peer = start_peer(devices.blk(IMAGE))
    blk = peer.bind(VirtioBlk())
    for kind, sector, status in ((BlkRequest.IN, SECTORS, BlkStatus.IOERR), (99, 0, BlkStatus.UNSUPP)):
        request = peer.run(blk.submit(kind, sector, length=BLK_SECTOR))
        with pytest.raises(BlkError) as refusal:
            peer.run(blk.wait(request))
        assert refusal.value.status == status


def test_read_only_disk_refuses_a_write(start_peer: StartPeer) -> None:
    peer = start_peer(devices.blk(IMAGE, read_only=True))
    blk = peer.bind(VirtioBlk())
    with pytest.raises(BlkError) as refusal:
        peer.run(blk.write(0, bytes(BLK_SECTOR)))
    assert refusal.value.status == BlkStatus.IOERR
    assert devices.medium(peer.backend, 0, BLK_SECTOR) == sectors(0, 1)
