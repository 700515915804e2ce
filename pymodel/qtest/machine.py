"""A q35 machine whose processor halts at once: only the qtest connection drives its devices."""

from __future__ import annotations

import mmap
import os
import socket
from collections.abc import Sequence
from types import TracebackType

from pymodel.memory import HIGH_BASE, LOW_BASE, REGION_LENGTH, GuestMemory, Region
from pymodel.qtest.hostbridge import ROOT_PORT_SLOT
from pymodel.qtest.process import QemuProcess, find_qemu, memory_file
from pymodel.qtest.qmp import QmpMonitor
from pymodel.qtest.wire import QtestWire, WireClosed

BUS = "root"
"""Name of the bus a device is put on: `-device virtio-...-pci,bus=root`."""

_LOW_RAM = 128 << 20
_RAM = _LOW_RAM + REGION_LENGTH
_ROM_LENGTH = 64 << 10
_ROM_RESET_VECTOR = 0xFFF0
_ROM_CODE = b"\xfa\xf4\xeb\xfd"


def _rom() -> bytes:
    """Return 64 KiB of `hlt` with `cli; hlt; jmp` at the reset vector."""
    rom = bytearray(b"\xf4" * _ROM_LENGTH)
    rom[_ROM_RESET_VECTOR : _ROM_RESET_VECTOR + len(_ROM_CODE)] = _ROM_CODE
    return bytes(rom)


class QemuMachine:
    """QEMU with a root port, guest memory shared with this process, and a monitor.

    `arguments` are QEMU's own, for the device (on bus `root`) and its back end; `descriptors` are
    those that the arguments name, inherited under the same numbers. Guest memory lies where
    `pymodel.memory.default_regions` puts it. Raises QemuMissing, or QemuError when QEMU does not start.
    """

    def __init__(self, arguments: Sequence[str], descriptors: Sequence[int] = ()) -> None:
        find_qemu()
        self._ram = memory_file("ram", _RAM)
        rom = memory_file("rom", _ROM_LENGTH, _rom())
        qtest, qtest_peer = socket.socketpair()
        qmp, qmp_peer = socket.socketpair()
        inherited = [self._ram, rom, qtest_peer.fileno(), qmp_peer.fileno()]
        try:
            self.process = QemuProcess(
                [*self._options(rom, qtest_peer.fileno(), qmp_peer.fileno()), *arguments],
                [*inherited, *descriptors],
            )
        finally:
            for peer in (qtest_peer, qmp_peer):
                peer.close()
            os.close(rom)
        self.wire = QtestWire(qtest)
        self._map = mmap.mmap(self._ram, _RAM)
        self.memory = GuestMemory(self._regions())
        self._connect(qmp)

    def _connect(self, qmp: socket.socket) -> None:
        try:
            self.wire.turn()
            self.wire.command("irq_intercept_in ioapic")
            self.qmp = QmpMonitor(qmp)
        except (WireClosed, OSError) as error:
            failure = self.process.failure(f"start ({error})")
            self.close()
            raise failure from error

    def _options(self, rom: int, qtest: int, qmp: int) -> list[str]:
        memory = f"memory-backend-file,id=ram,size={_RAM},mem-path=/proc/self/fd/{self._ram},share=on"
        return [
            *("-machine", f"q35,accel=tcg,memory-backend=ram,max-ram-below-4g={_LOW_RAM}"),
            *("-m", f"{_RAM >> 20}M", "-object", memory, "-bios", f"/proc/self/fd/{rom}"),
            *("-nodefaults", "-no-user-config", "-display", "none"),
            *("-chardev", f"socket,id=qtest,fd={qtest}", "-qtest", "chardev:qtest", "-qtest-log", "none"),
            *("-chardev", f"socket,id=qmp,fd={qmp}", "-mon", "chardev=qmp,mode=control"),
            *("-device", f"pcie-root-port,id={BUS},bus=pcie.0,addr={ROOT_PORT_SLOT},hotplug=off"),
        ]

    def _regions(self) -> list[Region]:
        view = memoryview(self._map)
        low = Region(LOW_BASE, view[LOW_BASE : LOW_BASE + REGION_LENGTH])
        return [low, Region(HIGH_BASE, view[_LOW_RAM : _LOW_RAM + REGION_LENGTH])]

    @property
    def low_ram(self) -> memoryview:
        """Guest addresses 0 to 640 KiB, which lie outside `memory`: for the host's own use."""
        return memoryview(self._map)[: 640 << 10]

    def close(self) -> None:
        """Kill QEMU and let go of its connections; guest memory stays readable."""
        self.process.close()
        self.wire.close()
        if hasattr(self, "qmp"):
            self.qmp.close()
        if self._ram >= 0:
            os.close(self._ram)
            self._ram = -1

    def __enter__(self) -> QemuMachine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
