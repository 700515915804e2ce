"""QEMU devices under test: command-line arguments and the host's end of each back end."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from pymodel.qtest.machine import BUS
from pymodel.qtest.process import memory_file
from pymodel.spec import DeviceType

BACKEND_TIMEOUT_S = 10.0
"""Bound on waiting for a back end; a test that reaches it fails."""

DEVICE_ID = "dut"
MEDIUM = "medium"
MAC = "52:54:00:12:34:56"
NONE: Mapping[str, object] = {}


@dataclass
class Device:
    """A device's QEMU arguments, the descriptors they name, and (net, console) the host's socket."""

    kind: DeviceType
    arguments: list[str]
    descriptors: list[int] = field(default_factory=list)
    host: socket.socket | None = None

    def close(self) -> None:
        """Close what belongs to the back end."""
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors.clear()
        if self.host is not None:
            self.host.close()


Properties = Mapping[str, object]
"""QEMU's device properties, as `-device` spells them."""


def _device_option(model: str, properties: Properties, own: Properties) -> list[str]:
    options = {"ioeventfd": "off", **own, **properties}
    text = "".join(f",{name}={value}" for name, value in options.items())
    return ["-device", f"virtio-{model}-pci,bus={BUS},id={DEVICE_ID}{text}"]


def blk(image: bytes, properties: Properties = NONE, *, read_only: bool = False) -> Device:
    """A disk whose medium is `image`; read it back with `medium`."""
    medium = memory_file("medium", len(image), image)
    descriptors = [medium]
    if read_only:
        descriptors.append(os.open(f"/proc/self/fd/{medium}", os.O_RDONLY))
    mode = "on" if read_only else "off"
    return Device(
        DeviceType.BLK,
        [
            *("-add-fd", f"fd={descriptors[-1]},set=1"),
            *("-blockdev", f"driver=file,filename=/dev/fdset/1,node-name={MEDIUM},read-only={mode}"),
            *_device_option("blk", properties, {"drive": MEDIUM, "serial": "virtio-cosim-peer"}),
        ],
        descriptors,
    )


def medium(device: Device, offset: int, length: int) -> bytes:
    """Return what stands in a disk's medium at byte `offset`."""
    return os.pread(device.descriptors[0], length, offset)


def _backend_socket() -> tuple[socket.socket, int]:
    host, peer = socket.socketpair()
    host.settimeout(BACKEND_TIMEOUT_S)
    return host, peer.detach()


def net(properties: Properties = NONE) -> Device:
    """A network card on a stream socket: `send_frame` and `receive_frame` are the wire's other end."""
    host, peer = _backend_socket()
    option = _device_option("net", properties, {"netdev": "wire", "mac": MAC, "romfile": ""})
    return Device(DeviceType.NET, ["-netdev", f"socket,id=wire,fd={peer}", *option], [peer], host)


def rng(properties: Properties = NONE) -> Device:
    """An entropy source fed by the host's generator."""
    option = _device_option("rng", properties, {"rng": "source"})
    return Device(DeviceType.ENTROPY, ["-object", "rng-builtin,id=source", *option])


def console(properties: Properties = NONE) -> Device:
    """A console with one port (multiport off unless asked for) whose terminal is `host`."""
    host, peer = _backend_socket()
    arguments = [
        *("-chardev", f"socket,id=terminal,fd={peer}"),
        *_device_option("serial", properties, {"max_ports": 1}),
        *("-device", "virtconsole,chardev=terminal"),
    ]
    return Device(DeviceType.CONSOLE, arguments, [peer], host)


def send_frame(device: Device, frame: bytes) -> None:
    """Put an Ethernet frame on the wire of a network card."""
    assert device.host is not None
    device.host.sendall(struct.pack(">I", len(frame)) + frame)


def receive_frame(device: Device) -> bytes:
    """Take the next Ethernet frame off the wire; raises TimeoutError."""
    (length,) = struct.unpack(">I", receive(device, 4))
    return receive(device, length)


def receive(device: Device, length: int) -> bytes:
    """Take `length` bytes from a back end's socket; raises TimeoutError or EOFError."""
    assert device.host is not None
    data = b""
    while len(data) < length:
        piece = device.host.recv(length - len(data))
        if not piece:
            raise EOFError("QEMU closed the back end")
        data += piece
    return data
