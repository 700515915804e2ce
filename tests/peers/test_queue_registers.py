"""What QEMU's devices answer in a queue's registers before, while and after it runs (virtio 1.4, 4.1.4.3)."""

from __future__ import annotations

import pytest

from pymodel.driver.blk import VirtioBlk
from pymodel.spec import BLK_SECTOR, NO_VECTOR, CapType, Feature, feature_mask
from tests.peers import devices
from tests.peers.conftest import StartPeer
from tests.peers.disk import IMAGE, sectors
from tests.peers.peer import QUIET_NS, Peer
from tests.peers.rings import BASE, each_layout, offering

MODERN = feature_mask(Feature.VERSION_1, Feature.RING_RESET)
RING = {"queue_desc": 0x10_0000, "queue_driver": 0x10_1000, "queue_device": 0x10_2000}


def enabled(peer: Peer) -> None:
    """Bring queue 0 up by hand, with 4 descriptors and vector 1."""
    assert peer.accept(MODERN)
    peer.put("queue_select", 0)
    peer.put("queue_size", 4)
    peer.put("queue_msix_vector", 1)
    assert peer.get("queue_msix_vector") == 1
    for name, value in RING.items():
        peer.put(name, value)
    peer.put("queue_enable", 1)


def test_queue_reset_puts_size_and_vector_back_and_keeps_the_addresses(start_peer: StartPeer) -> None:
    peer = start_peer(devices.rng())
    enabled(peer)
    peer.put("queue_reset", 1)
    assert (peer.get("queue_reset"), peer.get("queue_enable")) == (0, 0)
    assert (peer.get("queue_size"), peer.get("queue_msix_vector")) == (8, NO_VECTOR)
    assert [peer.get(name) for name in RING] == list(RING.values())


def test_registers_of_another_queue_are_its_own(start_peer: StartPeer) -> None:
    peer = start_peer(devices.net())
    assert peer.accept(MODERN)
    for index in range(3):
        peer.put("queue_select", index)
        for name, value in RING.items():
            peer.put(name, value + 0x1_0000 * index)
    for index in range(3):
        peer.put("queue_select", index)
        assert [peer.get(name) for name in RING] == [value + 0x1_0000 * index for value in RING.values()]
        assert peer.get("queue_notify_off") == index


def test_64_bit_addresses_are_taken_by_halves_in_any_order(start_peer: StartPeer) -> None:
    peer = start_peer(devices.rng())
    assert peer.accept(MODERN)
    cap = CapType.COMMON
    for high_first in (False, True):
        halves = [(0x20, 0x1234_5670), (0x24, 0x0000_000A)]
        for offset, value in reversed(halves) if high_first else halves:
            peer.write(cap, offset, 4, value)
        assert peer.get("queue_desc") == 0xA_1234_5670


def test_masked_queue_vector_holds_its_message_back(start_peer: StartPeer) -> None:
    peer = start_peer(devices.blk(IMAGE))
    blk = peer.bind(VirtioBlk())
    msix = peer.pci.interrupts.msix
    assert msix is not None
    peer.run(msix.mask(1, masked=True))
    request = peer.run(blk.submit_read(9))
    assert peer.run(peer.transport.wait_interrupt(QUIET_NS)) is None
    assert peer.run(msix.pending(1))
    peer.run(msix.mask(1, masked=False))
    assert peer.run(blk.wait(request)) == sectors(9, 1)
    assert not peer.run(msix.pending(1))


@each_layout
def test_switched_off_interrupts_stay_off_and_poll_works(start_peer: StartPeer, ring: int) -> None:
    peer = start_peer(devices.blk(IMAGE, offering(ring)))
    blk = peer.bind(VirtioBlk(), (BASE | ring) & ~feature_mask(Feature.EVENT_IDX))
    peer.device.queues[0].disable_interrupts()
    peer.run(blk.submit_read(1))
    assert peer.run(peer.transport.wait_interrupt(QUIET_NS)) is None
    assert peer.device.queues[0].used_pending()


@pytest.mark.parametrize("size", [4, 64, 1024])
def test_every_power_of_two_carries_traffic(start_peer: StartPeer, size: int) -> None:
    peer = start_peer(devices.blk(IMAGE, {"queue-size": size}))
    blk = peer.bind(VirtioBlk(queue_size=size))
    assert peer.device.queues[0].size == size
    for sector in range(20):
        assert peer.run(blk.read(sector)) == IMAGE[sector * BLK_SECTOR :][:BLK_SECTOR]


def test_config_generation_stands_still_without_a_change(start_peer: StartPeer) -> None:
    peer = start_peer(devices.net())
    before = peer.get("config_generation")
    for _ in range(5):
        peer.read(CapType.DEVICE, 0, 1)
        assert peer.get("config_generation") == before
