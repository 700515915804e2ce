"""The guest's entropy driver on QEMU's virtio-rng."""

from __future__ import annotations

from pymodel.driver.entropy import VirtioEntropy
from tests.peers import devices
from tests.peers.conftest import StartPeer
from tests.peers.peer import Options
from tests.peers.rings import BASE, each_ring, offering


@each_ring
def test_random_bytes_differ_and_come_whole(start_peer: StartPeer, ring: int) -> None:
    peer = start_peer(devices.rng(offering(ring)))
    entropy = peer.bind(VirtioEntropy(), BASE | ring)
    first, second = (peer.run(entropy.read(64)) for _ in range(2))
    assert len(first) == len(second) == 64
    assert first != second


@each_ring
def test_many_requests_in_flight_wrap_the_ring(start_peer: StartPeer, ring: int) -> None:
    peer = start_peer(devices.rng(offering(ring)), Options(seed=ring))
    entropy = peer.bind(VirtioEntropy(), BASE | ring)
    requests = [peer.run(entropy.submit(32, kick=i % 4 == 3)) for i in range(40)]
    assert all(peer.run(entropy.wait(request)) for request in requests)
