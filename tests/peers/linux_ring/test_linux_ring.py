"""Linux's own ring code drives QEMU's devices and the device model, beside our driver."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pymodel.checker import Checker, Results
from pymodel.device.blk import BlkBackend
from pymodel.device.transport import ModelTransport
from pymodel.driver.blk import VirtioBlk
from pymodel.driver.core import VirtioDevice
from pymodel.driver.entropy import VirtioEntropy
from pymodel.driver.interrupts import InterruptMode
from pymodel.driver.net import VirtioNet
from pymodel.driver.pci import VirtioPci
from pymodel.ring.base import UsedRingError
from pymodel.spec import Feature, feature_mask
from pymodel.transport import run_now
from tests.peers import devices
from tests.peers.conftest import StartPeer
from tests.peers.disk import IMAGE, mixed_traffic, sectors
from tests.peers.linux_ring.kernel import KernelMissing, library
from tests.peers.linux_ring.queue import LinuxPci, LinuxQueue
from tests.peers.peer import Options
from tests.peers.rings import BASE, each_layout, each_ring, offering
from tests.peers.test_net import exchange


@pytest.fixture(autouse=True)
def _kernel() -> None:
    try:
        library()
    except KernelMissing as missing:
        pytest.skip(str(missing))


@each_ring
def test_linux_rings_read_and_write_qemus_disk(start_peer: StartPeer, ring: int) -> None:
    peer = start_peer(devices.blk(IMAGE, offering(ring)), Options(pci=LinuxPci))
    blk = peer.bind(VirtioBlk(queue_size=16), BASE | ring)
    assert isinstance(peer.device.queues[0], LinuxQueue)
    mixed_traffic(peer, blk)


@each_ring
def test_linux_rings_pass_frames(start_peer: StartPeer, ring: int) -> None:
    peer = start_peer(devices.net(offering(ring)), Options(pci=LinuxPci, seed=3))
    exchange(peer, peer.bind(VirtioNet(rx_buffer=400), BASE | ring))


@each_layout
def test_linux_rings_live_through_sessions(start_peer: StartPeer, ring: int) -> None:
    peer = start_peer(devices.rng(offering(ring)), Options(pci=LinuxPci, mode=InterruptMode.INTX))
    for _ in range(3):
        entropy = peer.bind(VirtioEntropy(), BASE | ring)
        assert len(peer.run(entropy.read(100))) == 100
        peer.run(peer.device.remove())


def on_model(pci_class: Callable[[ModelTransport], VirtioPci], ring: int) -> Results:
    """Drive the model's disk in two sessions, judged live; stores are hidden, as Linux's are."""
    transport, checker = ModelTransport(BlkBackend(bytearray(IMAGE))), Checker()
    transport.memory.observer = None
    transport.events.subscribe(checker.observe)
    pci = pci_class(transport)
    device = VirtioDevice(pci)
    run_now(pci.enumerate())
    for _ in range(2):
        blk = VirtioBlk(queue_size=16)
        run_now(device.probe(blk, BASE | ring))
        for first in range(0, 80, 4):
            reads = [run_now(blk.submit_read(first + i, 1 + i, kick=i == 3)) for i in range(4)]
            assert run_now(blk.wait_all(reads)) == [sectors(first + i, 1 + i) for i in range(4)]
        run_now(device.remove())
    return checker.finish()


@each_ring
def test_linux_and_our_rings_get_the_same_verdicts(ring: int) -> None:
    linux, ours = on_model(LinuxPci, ring), on_model(VirtioPci, ring)
    assert [finding.message for finding in linux.violations] == []
    assert linux.verdicts == ours.verdicts


def test_linux_calls_a_ring_broken_that_ours_refuses_too() -> None:
    for pci_class in (LinuxPci, VirtioPci):
        transport = ModelTransport(BlkBackend(bytearray(IMAGE)))
        pci = pci_class(transport)
        run_now(pci.enumerate())
        run_now(VirtioDevice(pci).probe(VirtioBlk(queue_size=8), feature_mask(Feature.VERSION_1)))
        queue = pci.queues[0]
        used = queue.addresses[2]
        transport.memory.dma_write(used + 2, b"\x01\x00\x00\x00\xff\x00\x00\x00")
        with pytest.raises(UsedRingError):
            queue.get_used()
