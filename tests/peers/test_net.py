"""The guest's network driver on QEMU's virtio-net, with real frames through a socket."""

from __future__ import annotations

import struct

import pytest

from pymodel import spec
from pymodel.driver.interrupts import InterruptMode
from pymodel.driver.net import VirtioNet
from pymodel.spec import NetControl, NetControlRx, NetFeature, feature_mask
from tests.peers import devices
from tests.peers.conftest import StartPeer
from tests.peers.peer import Options, Peer
from tests.peers.rings import BASE, each_layout, each_ring, offering

OWN = bytes.fromhex(devices.MAC.replace(":", ""))
HOST = bytes.fromhex("020000000001")
OTHER = bytes.fromhex("020000000002")


def frame(number: int, length: int = 60, *, to: bytes = OWN) -> bytes:
    """An Ethernet frame of an experimental type whose payload is known."""
    head = to + HOST + struct.pack(">HH", 0x88B5, number)
    return head + bytes((number + i) & 0xFF for i in range(length - len(head)))


def exchange(peer: Peer, net: VirtioNet, count: int = 24) -> None:
    """Send and receive frames of many lengths in turns; each arrives as it was."""
    for number in range(count):
        length = 60 + (number * 97) % 1455
        outward = frame(number, length, to=HOST)
        peer.run(net.send(outward))
        assert devices.receive_frame(peer.backend) == outward
        devices.send_frame(peer.backend, frame(number, length))
        assert peer.run(net.receive()) == frame(number, length)


@each_ring
@pytest.mark.parametrize("merge", [False, True], ids=["whole", "merged"])
def test_frames_pass_both_ways(start_peer: StartPeer, ring: int, merge: bool) -> None:
    peer = start_peer(devices.net(offering(ring)))
    wanted = (BASE | ring) & ~(0 if merge else feature_mask(NetFeature.MRG_RXBUF))
    net = peer.bind(VirtioNet(rx_buffer=256 if merge else spec.NET_RX_BUFFER_MINIMUM), wanted)
    assert (net.mac, net.link_up) == (OWN, True)
    exchange(peer, net)


@each_ring
def test_frames_pass_in_any_framing(start_peer: StartPeer, ring: int) -> None:
    peer = start_peer(devices.net(offering(ring)), Options(seed=11))
    exchange(peer, peer.bind(VirtioNet(rx_buffer=400), BASE | ring))


@pytest.mark.parametrize("mode", InterruptMode)
@each_layout
def test_frames_pass_in_every_interrupt_mode(start_peer: StartPeer, mode: InterruptMode, ring: int) -> None:
    peer = start_peer(devices.net(offering(ring)), Options(mode=mode))
    exchange(peer, peer.bind(VirtioNet(), BASE | ring), 8)


@each_layout
def test_bursts_arrive_in_order(start_peer: StartPeer, ring: int) -> None:
    peer = start_peer(devices.net(offering(ring)))
    net = peer.bind(VirtioNet(rx_count=64), BASE | ring)
    for number in range(50):
        devices.send_frame(peer.backend, frame(number, 100))
    assert [peer.run(net.receive()) for _ in range(50)] == [frame(number, 100) for number in range(50)]
    sent = [peer.run(net.submit(frame(i, to=HOST), kick=i % 10 == 9)) for i in range(50)]
    assert [devices.receive_frame(peer.backend) for _ in sent] == [frame(i, to=HOST) for i in range(50)]
    for request in sent:
        peer.run(net.requests.wait(request))


def test_link_goes_down_and_up_by_configuration_change(start_peer: StartPeer) -> None:
    peer = start_peer(devices.net())
    net = peer.bind(VirtioNet())
    peer.machine.qmp.command("set_link", name=devices.DEVICE_ID, up=False)
    peer.run(net.requests.wait_until(lambda: not net.link_up, "the link stays up"))
    peer.machine.qmp.command("set_link", name=devices.DEVICE_ID, up=True)
    peer.run(net.requests.wait_until(lambda: net.link_up, "the link stays down"))
    assert peer.get("config_generation") >= 2


@each_layout
def test_control_queue_changes_the_receive_filter(start_peer: StartPeer, ring: int) -> None:
    peer = start_peer(devices.net(offering(ring)))
    net = peer.bind(VirtioNet(), BASE | ring)
    promiscuous = peer.run(net.control(NetControl.RX, NetControlRx.PROMISC, b"\x00"))
    assert promiscuous == spec.NET_CONTROL_OK
    devices.send_frame(peer.backend, frame(1, to=OTHER))
    devices.send_frame(peer.backend, frame(2))
    assert peer.run(net.receive()) == frame(2)
    assert peer.run(net.control(NetControl.MAC, spec.NET_CONTROL_MAC_ADDR_SET, OTHER)) == spec.NET_CONTROL_OK
    devices.send_frame(peer.backend, frame(3, to=OTHER))
    assert peer.run(net.receive()) == frame(3, to=OTHER)


def test_unknown_control_command_is_refused(start_peer: StartPeer) -> None:
    peer = start_peer(devices.net())
    net = peer.bind(VirtioNet())
    assert peer.run(net.control(0x7F, 0, b"\x00")) == spec.NET_CONTROL_ERR


def test_peer_leaves_num_buffers_zero_without_merging(start_peer: StartPeer) -> None:
    """QEMU writes num_buffers only with MRG_RXBUF; the standard wants 1 (virtio 1.4, 5.1.6.4.1)."""
    peer = start_peer(devices.net())
    net = peer.bind(VirtioNet(), BASE & ~feature_mask(NetFeature.MRG_RXBUF))
    devices.send_frame(peer.backend, frame(1))
    header, _ = peer.run(net.receive_with_header())
    assert header.num_buffers == 0
