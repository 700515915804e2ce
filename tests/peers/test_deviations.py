"""Where QEMU's devices fall short in ways that only the driver can see."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pymodel.driver.blk import VirtioBlk
from pymodel.driver.errors import DeviceNeedsReset
from pymodel.driver.framing import Framed
from pymodel.layout import PACKED_DESC_ID, pack_blk_header
from pymodel.ring.base import Element, UsedRingError
from pymodel.ring.packed import PackedQueue
from pymodel.spec import BLK_SECTOR, BlkRequest
from tests.peers import devices
from tests.peers.conftest import StartPeer
from tests.peers.disk import IMAGE, sectors
from tests.peers.rings import BASE, RINGS, offering

WAIT_NS = 5_000_000_000


def framed_read(blk: VirtioBlk, sector: int) -> Framed:
    """Frame a read as a header, a data and a status element."""
    memory = blk.requests.device.ops.memory
    framed = Framed(memory)
    header, data, status = (memory.alloc(length) for length in (16, BLK_SECTOR, 1))
    memory.write(header.addr, pack_blk_header(BlkRequest.IN, sector))
    framed.readable.append(Element(header.addr, 16))
    framed.writable += [Element(data.addr, BLK_SECTOR), Element(status.addr, 1)]
    return framed


def test_peer_refuses_direct_descriptors_in_front_of_a_table(start_peer: StartPeer) -> None:
    peer = start_peer(devices.blk(IMAGE))
    blk = peer.bind(VirtioBlk(), BASE | RINGS["split-indirect"])
    queue, framed = peer.device.queues[0], framed_read(blk, 5)
    queue.add_chain(framed.readable, framed.writable, indirect=0)
    peer.run(peer.device.kick(queue))
    assert peer.run(peer.transport.wait_interrupt(WAIT_NS)) is not None
    assert queue.get_used() is not None
    assert framed.written(BLK_SECTOR) == sectors(5, 1)
    queue.add_chain(framed.readable, framed.writable, indirect=1)
    peer.run(peer.device.kick(queue))
    assert peer.run(peer.transport.wait_interrupt(WAIT_NS)) is not None
    with pytest.raises(DeviceNeedsReset):
        peer.run(peer.device.check_alive())


def test_peer_leaves_the_write_flag_out_of_used_descriptors(start_peer: StartPeer) -> None:
    ring = RINGS["packed"]
    peer = start_peer(devices.blk(IMAGE, offering(ring)))
    for strict, length in ((True, 0), (False, BLK_SECTOR + 1)):
        peer.pci.style = replace(peer.pci.style, length_needs_write=strict)
        blk = peer.bind(VirtioBlk(), BASE | ring)
        request = peer.run(blk.submit_read(5))
        peer.run(blk.requests.wait(request))
        assert (request.status, request.used) == (0, length)
        peer.run(peer.device.remove())


def test_peer_takes_the_buffer_id_of_the_first_descriptor(start_peer: StartPeer) -> None:
    ring = RINGS["packed"]
    peer = start_peer(devices.blk(IMAGE, offering(ring)))
    blk = peer.bind(VirtioBlk(), BASE | ring)
    queue, framed = peer.device.queues[0], framed_read(blk, 5)
    assert isinstance(queue, PackedQueue)
    queue.add_chain(framed.readable, framed.writable)
    last = peer.transport.memory.read_int(queue.ring.desc_entry(2) + PACKED_DESC_ID, 2)
    peer.transport.memory.write_int(queue.ring.desc_entry(0) + PACKED_DESC_ID, 2, last + 1)
    peer.run(peer.device.kick(queue))
    assert peer.run(peer.transport.wait_interrupt(WAIT_NS)) is not None
    with pytest.raises(UsedRingError, match=f"id {last + 1} is not with the device"):
        queue.get_used()
