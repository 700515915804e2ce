"""QEMU as a process: it never outlives its test, and its end is told in its own words."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

import pytest

from pymodel.qtest import QemuError, QemuMachine
from pymodel.qtest.wire import WireClosed, WireRefused
from tests.peers import devices
from tests.peers.conftest import StartPeer

ORPHAN = """
import sys
from pymodel.qtest import QemuMachine
machine = QemuMachine(["-device", "virtio-rng-pci,bus=root"])
print(machine.process.pid, flush=True)
sys.stdin.read()
"""


def wait_for_end(descriptor: int) -> bool:
    """Whether the process behind a pidfd ends within seconds."""
    return bool(select.select([descriptor], [], [], 10)[0])


def test_refused_device_is_told_with_what_qemu_printed(start_peer: StartPeer) -> None:
    with pytest.raises(QemuError, match="'virtio-no-such-pci' is not a valid device model name"):
        QemuMachine(["-device", "virtio-no-such-pci"])


def test_refused_command_names_itself(start_peer: StartPeer) -> None:
    peer = start_peer(devices.rng())
    with pytest.raises(WireRefused, match="nonsense"):
        peer.machine.wire.command("nonsense")


def test_killed_qemu_is_noticed_at_the_next_access(start_peer: StartPeer) -> None:
    peer = start_peer(devices.rng())
    os.kill(peer.machine.process.pid, signal.SIGKILL)
    with pytest.raises(WireClosed):
        peer.get("device_status")


def test_close_ends_qemu_and_may_come_twice(start_peer: StartPeer) -> None:
    peer = start_peer(devices.rng())
    pidfd = os.pidfd_open(peer.machine.process.pid)
    peer.machine.close()
    peer.machine.close()
    assert wait_for_end(pidfd)
    os.close(pidfd)


def test_qemu_dies_with_a_killed_parent(start_peer: StartPeer) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHAN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pidfd = os.pidfd_open(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    assert wait_for_end(pidfd)
    os.close(pidfd)


def test_memory_is_shared_above_and_below_four_gigabytes(start_peer: StartPeer) -> None:
    peer = start_peer(devices.rng())
    for high in (False, True):
        place = peer.transport.memory.alloc(16, high=high)
        peer.machine.wire.write(place.addr, 8, 0x0123_4567_89AB_CDEF)
        assert peer.transport.memory.read_int(place.addr, 8) == 0x0123_4567_89AB_CDEF
        peer.transport.memory.write_int(place.addr, 4, 0xFEED_BEEF)
        assert peer.machine.wire.read(place.addr, 4) == 0xFEED_BEEF
