"""The guest's console driver on QEMU's virtio-serial, one port and several."""

from __future__ import annotations

import pytest

from pymodel.driver.console import VirtioConsole
from pymodel.driver.interrupts import InterruptMode
from pymodel.spec import ConsoleControl
from tests.peers import devices
from tests.peers.conftest import StartPeer
from tests.peers.peer import Options
from tests.peers.rings import BASE, each_layout, each_ring, offering

TEXT = bytes(range(256)) * 3


@each_ring
def test_text_passes_both_ways(start_peer: StartPeer, ring: int) -> None:
    peer = start_peer(devices.console(offering(ring)), Options(seed=5))
    console = peer.bind(VirtioConsole(rx_count=32), BASE | ring)
    peer.run(console.write(TEXT))
    assert devices.receive(peer.backend, len(TEXT)) == TEXT
    assert peer.backend.host is not None
    peer.backend.host.sendall(TEXT)
    assert peer.run(console.read(len(TEXT))) == TEXT


@pytest.mark.parametrize("mode", InterruptMode)
def test_text_passes_in_every_interrupt_mode(start_peer: StartPeer, mode: InterruptMode) -> None:
    peer = start_peer(devices.console(), Options(mode=mode))
    console = peer.bind(VirtioConsole())
    peer.run(console.write(b"hello"))
    assert devices.receive(peer.backend, 5) == b"hello"
    assert peer.backend.host is not None
    peer.backend.host.sendall(b"world")
    assert peer.run(console.read(5)) == b"world"


@each_layout
def test_ports_are_announced_by_control_messages(start_peer: StartPeer, ring: int) -> None:
    peer = start_peer(devices.console({"max_ports": 3, **offering(ring)}))
    console = peer.bind(VirtioConsole(), BASE | ring)
    while not (0 in console.ports and console.ports[0].console):
        peer.run(console.serve_control())
    peer.run(console.write(b"multiport"))
    assert devices.receive(peer.backend, 9) == b"multiport"


def test_emergency_write_works_on_an_unconfigured_device(start_peer: StartPeer) -> None:
    peer = start_peer(devices.console())
    peer.run(VirtioConsole().emergency_write(peer.device, ord("!")))
    assert devices.receive(peer.backend, 1) == b"!"
    assert peer.get("device_status") == 0


@each_layout
def test_device_answers_ready_with_an_added_port(start_peer: StartPeer, ring: int) -> None:
    peer = start_peer(devices.console({"max_ports": 2, **offering(ring)}))
    console = peer.bind(VirtioConsole(), BASE | ring)
    message = peer.run(console.serve_control())
    assert (message.id, message.event) == (0, ConsoleControl.DEVICE_ADD)
