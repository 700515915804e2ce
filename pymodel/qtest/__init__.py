"""QEMU's own virtio devices as a Transport, over QEMU's qtest protocol."""

from pymodel.qtest.machine import QemuMachine
from pymodel.qtest.process import QemuError, QemuMissing, find_qemu
from pymodel.qtest.transport import QemuTransport

__all__ = ["QemuError", "QemuMachine", "QemuMissing", "QemuTransport", "find_qemu"]
