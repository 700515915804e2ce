"""What QEMU's devices answer in the common configuration structure (virtio 1.4, 4.1.4.3)."""

from __future__ import annotations

from typing import Protocol

import pytest

from pymodel import spec
from pymodel.spec import NO_VECTOR, Feature
from tests.peers import devices
from tests.peers.conftest import StartPeer
from tests.peers.devices import NONE, Device, Properties


class MakeDevice(Protocol):
    """Makes a device with properties."""

    def __call__(self, properties: Properties = NONE) -> Device: ...


def disk(properties: Properties = NONE) -> Device:
    return devices.blk(bytes(1 << 20), properties)


DEVICES = {
    "blk": disk,
    "net": devices.net,
    "rng": devices.rng,
    "console": devices.console,
}
each_device = pytest.mark.parametrize("make", DEVICES.values(), ids=DEVICES)
RING_FEATURES = (
    Feature.INDIRECT_DESC,
    Feature.EVENT_IDX,
    Feature.VERSION_1,
    Feature.RING_PACKED,
    Feature.RING_RESET,
)


@each_device
def test_offered_features_hold_the_ring_features(start_peer: StartPeer, make: MakeDevice) -> None:
    peer = start_peer(make({"packed": "on"}))
    offered = peer.offered(0) | peer.offered(1) << 32
    assert all(offered >> bit & 1 for bit in RING_FEATURES)


@each_device
@pytest.mark.parametrize("word", [2, 3, 0x8000_0000, 0xFFFF_FFFF])
def test_feature_words_without_features_read_zero(start_peer: StartPeer, make: MakeDevice, word: int) -> None:
    peer = start_peer(make())
    assert peer.offered(word) == 0
    assert peer.get("device_feature_select") == word


@each_device
def test_absent_queue_reads_size_zero_and_cannot_be_enabled(start_peer: StartPeer, make: MakeDevice) -> None:
    peer = start_peer(make())
    for index in (peer.get("num_queues"), 1023):
        peer.put("queue_select", index)
        peer.put("queue_size", 8)
        assert (peer.get("queue_size"), peer.get("queue_enable")) == (0, 0)


def test_queue_select_beyond_the_peers_1024_is_not_taken(start_peer: StartPeer) -> None:
    peer = start_peer(devices.rng())
    for index in (1024, 0xFFFF):
        peer.put("queue_select", index)
        assert (peer.get("queue_select"), peer.get("queue_size")) == (0, 8)


@pytest.mark.provokes("DRV-PCI-034")
@each_device
def test_vector_outside_the_table_is_refused(start_peer: StartPeer, make: MakeDevice) -> None:
    peer = start_peer(make())
    vectors = peer.transport.msix_entries
    for name in ("config_msix_vector", "queue_msix_vector"):
        for vector, stored in ((vectors - 1, vectors - 1), (vectors, NO_VECTOR), (0x7FF, NO_VECTOR)):
            peer.put(name, vector)
            assert peer.get(name) == stored


@each_device
def test_reset_restores_every_register(start_peer: StartPeer, make: MakeDevice) -> None:
    peer = start_peer(make())
    names = [
        name for name, field in spec.COMMON_CFG.items() if "select" not in name and "feature" not in name
    ]
    fresh = {name: peer.get(name) for name in names}
    peer.accept(1 << Feature.VERSION_1)
    for name, value in (
        ("config_msix_vector", 1),
        ("queue_msix_vector", 1),
        ("queue_size", 4),
        ("queue_desc", 0x1_0000_1000),
        ("queue_driver", 0x1_0000_2000),
        ("queue_device", 0x1_0000_3000),
        ("queue_enable", 1),
    ):
        peer.put(name, value)
        assert peer.get(name) == value
    peer.put("device_status", 0)
    assert peer.get("device_status") == 0
    assert {name: peer.get(name) for name in names} == fresh


@pytest.mark.provokes("DRV-PCI-015")
@each_device
def test_read_only_registers_ignore_writes(start_peer: StartPeer, make: MakeDevice) -> None:
    peer = start_peer(make())
    for name in ("device_feature", "num_queues", "config_generation", "queue_notify_off"):
        before = peer.get(name)
        peer.put(name, 0x5A)
        assert peer.get(name) == before


@each_device
def test_queue_enable_ignores_zero(start_peer: StartPeer, make: MakeDevice) -> None:
    peer = start_peer(make())
    peer.accept(1 << Feature.VERSION_1)
    peer.put("queue_enable", 1)
    peer.put("queue_enable", 0)
    assert peer.get("queue_enable") == 1


@pytest.mark.provokes("DRV-RSVD-006")
@each_device
def test_features_ok_stands_for_each_ring_feature_alone(start_peer: StartPeer, make: MakeDevice) -> None:
    peer = start_peer(make({"packed": "on"}))
    for bit in RING_FEATURES:
        assert peer.accept(1 << Feature.VERSION_1 | 1 << bit)


@pytest.mark.provokes("DRV-FEAT-001")
def test_peer_keeps_features_ok_for_an_unoffered_bit(start_peer: StartPeer) -> None:
    """QEMU masks what it did not offer instead of refusing FEATURES_OK, and reads the bit back."""
    peer = start_peer(devices.rng())
    assert not peer.offered(1) >> (Feature.SUSPEND - 32) & 1
    assert peer.accept(1 << Feature.VERSION_1 | 1 << Feature.SUSPEND)
    peer.put("driver_feature_select", 1)
    assert peer.get("driver_feature") >> (Feature.SUSPEND - 32) & 1


def test_peer_takes_queue_sizes_that_are_no_power_of_two(start_peer: StartPeer) -> None:
    peer = start_peer(devices.rng())
    peer.accept(1 << Feature.VERSION_1)
    peer.put("queue_size", 3)
    assert peer.get("queue_size") == 3


@pytest.mark.provokes("DRV-PCI-005")
def test_narrow_and_wide_accesses_read_what_the_peer_makes_of_them(start_peer: StartPeer) -> None:
    """QEMU answers a 4-byte read at a 2-byte field with that field alone."""
    peer = start_peer(devices.rng())
    field = spec.COMMON_CFG["config_msix_vector"]
    assert peer.read(spec.CapType.COMMON, field.offset, 4) == NO_VECTOR
