"""What QEMU's devices make of rings that no driver may build: DEVICE_NEEDS_RESET, and nothing worse."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from _pytest.mark import ParameterSet

from pymodel.driver.blk import VirtioBlk
from pymodel.driver.entropy import VirtioEntropy
from pymodel.layout import PackedDesc, SplitDesc
from pymodel.ring.packed import PackedQueue
from pymodel.ring.split import SplitQueue
from pymodel.spec import CapType, DescFlag, Feature, Status, feature_mask
from pymodel.transport import Message
from tests.peers import devices
from tests.peers.conftest import StartPeer
from tests.peers.disk import IMAGE, mixed_traffic
from tests.peers.peer import QUIET_NS, Peer
from tests.peers.rings import BASE, RINGS, offering

WAIT_NS = 5_000_000_000
NEXT, WRITE, INDIRECT = int(DescFlag.NEXT), int(DescFlag.WRITE), int(DescFlag.INDIRECT)
AVAIL = int(DescFlag.AVAIL)
NOWHERE = 0x7000_0000_0000
"""A guest-physical address without memory."""

Hostile = Callable[[Peer, SplitQueue], None]


def entropy_queue(peer: Peer, ring: int) -> SplitQueue | PackedQueue:
    """Bind the entropy driver, hand out its queue for abuse."""
    peer.bind(VirtioEntropy(), BASE | ring)
    queue = peer.device.queues[0]
    assert isinstance(queue, SplitQueue | PackedQueue)
    return queue


def offer(peer: Peer, queue: SplitQueue, *descs: SplitDesc, head: int = 0, idx: int = 1) -> None:
    """Store descriptors from entry 0 on, make `head` available with avail.idx `idx`, ring."""
    memory, ring = peer.transport.memory, queue.ring
    for index, desc in enumerate(descs):
        memory.write(ring.desc_entry(index), desc.pack())
    memory.write_int(ring.avail_entry(0), 2, head)
    memory.write_int(ring.avail_idx, 2, idx)
    peer.run(peer.device.notify(queue))


def buffer(peer: Peer, length: int = 64) -> int:
    return peer.transport.memory.alloc(length).addr


def loop(peer: Peer, queue: SplitQueue) -> None:
    place = buffer(peer)
    offer(peer, queue, SplitDesc(place, 8, NEXT | WRITE, 1), SplitDesc(place + 8, 8, NEXT | WRITE, 0))


def head_outside(peer: Peer, queue: SplitQueue) -> None:
    offer(peer, queue, head=queue.size)


def next_outside(peer: Peer, queue: SplitQueue) -> None:
    offer(peer, queue, SplitDesc(buffer(peer), 8, NEXT | WRITE, queue.size))


def index_jump(peer: Peer, queue: SplitQueue) -> None:
    offer(peer, queue, SplitDesc(buffer(peer), 8, WRITE, 0), idx=queue.size + 1)


def readable_after_writable(peer: Peer, queue: SplitQueue) -> None:
    place = buffer(peer)
    offer(peer, queue, SplitDesc(place, 8, NEXT | WRITE, 1), SplitDesc(place + 8, 8, 0, 0))


def odd_table(peer: Peer, queue: SplitQueue) -> None:
    offer(peer, queue, SplitDesc(buffer(peer), 24, INDIRECT, 0))


def empty_table(peer: Peer, queue: SplitQueue) -> None:
    offer(peer, queue, SplitDesc(buffer(peer), 0, INDIRECT, 0))


def case(build: Hostile, *clauses: str) -> ParameterSet:
    """A case named after its ring, with the clauses that it breaches visibly."""
    return pytest.param(build, id=build.__name__, marks=pytest.mark.provokes(*clauses))


HOSTILE = (
    case(loop, "DRV-SPLIT-004", "DRV-SPLIT-008"),
    case(head_outside),
    case(next_outside),
    case(index_jump),
    case(readable_after_writable, "DRV-SPLIT-002", "DRV-RNG-001"),
    case(odd_table),
    case(empty_table),
)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_broken_split_ring_needs_reset_and_recovers(start_peer: StartPeer, hostile: Hostile) -> None:
    peer = start_peer(devices.rng())
    queue = entropy_queue(peer, feature_mask(Feature.INDIRECT_DESC))
    assert isinstance(queue, SplitQueue)
    hostile(peer, queue)
    told = peer.run(peer.transport.wait_interrupt(WAIT_NS))
    assert isinstance(told, Message)
    assert peer.pci.interrupts.msix is not None
    assert peer.pci.interrupts.msix.vector_of(told) == 0
    assert peer.get("device_status") & Status.DEVICE_NEEDS_RESET
    peer.run(peer.device.remove())
    entropy = peer.bind(VirtioEntropy())
    assert len(peer.run(entropy.read(16))) == 16


def test_broken_device_ignores_doorbells_until_reset(start_peer: StartPeer) -> None:
    peer = start_peer(devices.rng())
    queue = entropy_queue(peer, 0)
    assert isinstance(queue, SplitQueue)
    head_outside(peer, queue)
    assert isinstance(peer.run(peer.transport.wait_interrupt(WAIT_NS)), Message)
    offer(peer, queue, SplitDesc(buffer(peer), 8, WRITE, 0), idx=2)
    assert peer.run(peer.transport.wait_interrupt(QUIET_NS)) is None
    assert peer.transport.memory.read_int(queue.ring.used_idx, 2) == 0


def test_peer_drops_what_it_writes_where_no_memory_is(start_peer: StartPeer) -> None:
    peer = start_peer(devices.rng())
    queue = entropy_queue(peer, 0)
    assert isinstance(queue, SplitQueue)
    offer(peer, queue, SplitDesc(NOWHERE, 8, WRITE, 0))
    assert isinstance(peer.run(peer.transport.wait_interrupt(WAIT_NS)), Message)
    assert not peer.get("device_status") & Status.DEVICE_NEEDS_RESET
    assert peer.transport.memory.read_int(queue.ring.used_idx, 2) == 1


def test_packed_list_longer_than_the_ring_needs_reset(start_peer: StartPeer) -> None:
    peer = start_peer(devices.rng(offering(RINGS["packed"])))
    queue = entropy_queue(peer, RINGS["packed"])
    assert isinstance(queue, PackedQueue)
    place = buffer(peer)
    for slot in reversed(range(queue.size)):
        desc = PackedDesc(place, 8, 0, NEXT | WRITE | AVAIL)
        peer.transport.memory.write(queue.ring.desc_entry(slot), desc.pack())
    peer.run(peer.device.notify(queue))
    assert isinstance(peer.run(peer.transport.wait_interrupt(WAIT_NS)), Message)
    assert peer.get("device_status") & Status.DEVICE_NEEDS_RESET


def test_block_request_without_a_header_needs_reset(start_peer: StartPeer) -> None:
    peer = start_peer(devices.blk(IMAGE))
    peer.bind(VirtioBlk(), BASE)
    queue = peer.device.queues[0]
    assert isinstance(queue, SplitQueue)
    offer(peer, queue, SplitDesc(buffer(peer), 1, WRITE, 0))
    assert isinstance(peer.run(peer.transport.wait_interrupt(WAIT_NS)), Message)
    assert peer.get("device_status") & Status.DEVICE_NEEDS_RESET
    peer.run(peer.device.remove())
    mixed_traffic(peer, peer.bind(VirtioBlk()))


@pytest.mark.provokes("DRV-NOTIF-003")
@pytest.mark.parametrize("index", [1, 2, 1023, 0xFFFF])
def test_doorbell_for_an_absent_queue_changes_nothing(start_peer: StartPeer, index: int) -> None:
    peer = start_peer(devices.rng())
    entropy = peer.bind(VirtioEntropy())
    offset = 4 * index if index < 1024 else 0
    peer.write(CapType.NOTIFY, offset, 2, index)
    assert not peer.get("device_status") & Status.DEVICE_NEEDS_RESET
    assert len(peer.run(entropy.read(16))) == 16


@pytest.mark.provokes("DRV-NOTIF-003")
def test_peer_goes_by_the_doorbells_place_not_its_value(start_peer: StartPeer) -> None:
    """QEMU takes the queue from the address (virtio 1.4, 4.1.5.2 lets either serve)."""
    peer = start_peer(devices.rng())
    queue = entropy_queue(peer, 0)
    assert isinstance(queue, SplitQueue)
    memory, ring = peer.transport.memory, queue.ring
    memory.write(ring.desc_entry(0), SplitDesc(buffer(peer), 8, WRITE, 0).pack())
    memory.write_int(ring.avail_idx, 2, 1)
    peer.write(CapType.NOTIFY, 0, 2, 0xFFFF)
    assert isinstance(peer.run(peer.transport.wait_interrupt(WAIT_NS)), Message)
    assert memory.read_int(ring.used_idx, 2) == 1
