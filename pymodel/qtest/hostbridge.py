"""The q35 host bridge and one PCI Express root port: the way to the function's registers.

Values outside the function (bridge registers, windows, the chipset's ports) are the host's own affair
and never become events.
"""

from __future__ import annotations

from pymodel.qtest.wire import QtestWire

ECAM_BASE = 0xB000_0000
ROOT_PORT_SLOT = 4
FUNCTION_BUS = 1
MEMORY_WINDOW = 0xE000_0000
PREFETCH_WINDOW = 0x8_0000_0000
WINDOW_LENGTH = 0x100_0000
PORT_WINDOW = 0xC000
PORT_WINDOW_LENGTH = 0x1000

_CF8, _CFC, _CF9 = 0xCF8, 0xCFC, 0xCF9
_CF9_FULL_RESET = 0x06
_PCIEXBAR = 0x60
_PCIEXBAR_ENABLE = 1
_COMMAND = 0x04
_COMMAND_ALL = 0x0007
_BUS_NUMBERS = 0x18
_IO_WINDOW = 0x1C
_IO_WINDOW_HIGH = 0x30
_MEMORY_WINDOW = 0x20
_PREFETCH_WINDOW = 0x24
_PREFETCH_BASE_HIGH = 0x28
_PREFETCH_LIMIT_HIGH = 0x2C
_BRIDGE_CONTROL = 0x3E
_BRIDGE_CONTROL_RESET = 0x0040


class HostBridge:
    """Enables ECAM, opens the root port's windows for BARs, and resets the bus."""

    def __init__(self, wire: QtestWire) -> None:
        self._wire = wire
        self.setup()

    def setup(self) -> None:
        """Bring bridge and root port to where firmware leaves them (again after a power reset)."""
        self._host_write(_PCIEXBAR + 4, 0)
        self._host_write(_PCIEXBAR, ECAM_BASE | _PCIEXBAR_ENABLE)
        self._setup_root_port()

    def function_address(self, addr: int) -> int:
        """Return the machine address of the function's configuration byte `addr`."""
        return ECAM_BASE | FUNCTION_BUS << 20 | addr

    def bus_reset(self) -> None:
        """Pulse the secondary bus reset: the function's hot reset."""
        addr = self._port_address(_BRIDGE_CONTROL)
        control = self._wire.read(addr, 2)
        self._wire.write(addr, 2, control | _BRIDGE_CONTROL_RESET)
        self._wire.write(addr, 2, control & ~_BRIDGE_CONTROL_RESET)

    def power_reset(self) -> None:
        """Reset the whole machine and set the bridge up again; guest memory keeps its content."""
        self._wire.port_write(_CF9, 1, _CF9_FULL_RESET)
        for _ in range(1000):
            if not self._host_read(_PCIEXBAR) & _PCIEXBAR_ENABLE:
                return self.setup()
        raise TimeoutError("the machine did not reset")

    def _setup_root_port(self) -> None:
        memory_limit = MEMORY_WINDOW + WINDOW_LENGTH - 1
        prefetch_limit = PREFETCH_WINDOW + WINDOW_LENGTH - 1
        port_limit = PORT_WINDOW + PORT_WINDOW_LENGTH - 1
        registers = (
            (_BUS_NUMBERS, 4, FUNCTION_BUS << 16 | FUNCTION_BUS << 8),
            (_IO_WINDOW, 2, port_limit & 0xF000 | PORT_WINDOW >> 8 & 0x00F0),
            (_IO_WINDOW_HIGH, 4, 0),
            (_MEMORY_WINDOW, 4, memory_limit & 0xFFF0_0000 | MEMORY_WINDOW >> 16 & 0xFFF0),
            (_PREFETCH_WINDOW, 4, prefetch_limit & 0xFFF0_0000 | PREFETCH_WINDOW >> 16 & 0xFFF0),
            (_PREFETCH_BASE_HIGH, 4, PREFETCH_WINDOW >> 32),
            (_PREFETCH_LIMIT_HIGH, 4, prefetch_limit >> 32),
            (_COMMAND, 2, _COMMAND_ALL),
        )
        for offset, length, value in registers:
            self._wire.write(self._port_address(offset), length, value)

    def _port_address(self, offset: int) -> int:
        return ECAM_BASE | ROOT_PORT_SLOT << 15 | offset

    def _host_write(self, offset: int, value: int) -> None:
        self._wire.port_write(_CF8, 4, 1 << 31 | offset)
        self._wire.port_write(_CFC, 4, value)

    def _host_read(self, offset: int) -> int:
        self._wire.port_write(_CF8, 4, 1 << 31 | offset)
        return self._wire.port_read(_CFC, 4)
