"""The Transport of a function inside QEMU: accesses over qtest, each recorded as an event.

QEMU's DMA can't be observed, so no DMA events are made. Accesses complete synchronously; interrupts
are looked for before and after each access, so that what an access caused stands behind it. Time is
real time since the transport was made.
"""

from __future__ import annotations

import time
from collections import deque

from pymodel import spec
from pymodel.events import (
    BarRead,
    BarWrite,
    ConfigRead,
    ConfigWrite,
    EventStream,
    Intx,
    MemWrite,
    Msix,
    Reset,
)
from pymodel.qtest.hostbridge import HostBridge
from pymodel.qtest.machine import QemuMachine
from pymodel.qtest.messages import MessageSlots
from pymodel.transport import Interrupt, Line, Message

_INTX_LINES = range(16, 24)
"""The I/O APIC inputs that q35 gives to PCI interrupts."""
_POLL_S = 0.0002
_BARS = range(spec.PCI_CFG["bar0"].offset, spec.PCI_CFG["bar5"].end)
_CAPABILITIES = 48


class QemuTransport:
    """A virtio-pci function of QEMU (see `pymodel.transport.Transport`), as it comes out of reset.

    BARs are reached where the driver placed them; the windows that the bridge forwards are those of
    `pymodel.qtest.hostbridge`.
    """

    def __init__(self, machine: QemuMachine, events: EventStream) -> None:
        self.memory = machine.memory
        self.memory.observer = self._record_store
        self._machine = machine
        self._wire = machine.wire
        self._events = events
        self._bridge = HostBridge(machine.wire)
        self._start = time.perf_counter_ns()
        self._messages: deque[Message] = deque()
        self._raised: set[int] = set()
        self._bases: dict[int, tuple[bool, int]] = {}
        capabilities = self._find_capabilities()
        self._device_control = capabilities[spec.PciCapId.PCI_EXPRESS] + spec.PCIE_DEVICE_CONTROL
        self._slots = self._find_slots(capabilities.get(spec.PciCapId.MSIX))

    def now(self) -> int:
        """Return picoseconds since the transport was made."""
        return (time.perf_counter_ns() - self._start) * 1000

    @property
    def msix_entries(self) -> int:
        """Entries of the function's MSI-X table; 0 without one."""
        return len(self._slots) if self._slots else 0

    def _peek(self, addr: int, length: int) -> int:
        """Read configuration space behind the driver's back, without an event."""
        return self._wire.read(self._bridge.function_address(addr), length)

    def _find_capabilities(self) -> dict[int, int]:
        """Return the position of the first capability of each kind."""
        found: dict[int, int] = {}
        position = self._peek(spec.PCI_CFG["capabilities_pointer"].offset, 1)
        for _ in range(_CAPABILITIES):
            if not position:
                break
            found.setdefault(self._peek(position, 1), position)
            position = self._peek(position + 1, 1)
        return found

    def _find_slots(self, position: int | None) -> MessageSlots | None:
        if position is None:
            return None
        entries = (self._peek(position + spec.MSIX_CONTROL, 2) & spec.MSIX_CONTROL_SIZE_MASK) + 1
        table = self._peek(position + spec.MSIX_TABLE, 4)
        return MessageSlots(self._machine.low_ram, table & 7, table & ~7, entries)

    async def config_read(self, addr: int, length: int) -> int:
        """Read configuration space at byte offset `addr`."""
        requested = self._begin()
        value = self._peek(addr, length)
        self._events.emit(
            ConfigRead(t=self.now(), t_req=requested, addr=addr, data=value.to_bytes(length, "little"))
        )
        self._collect()
        return value

    async def config_write(self, addr: int, length: int, value: int) -> None:
        """Write configuration space at byte offset `addr`."""
        requested = self._begin()
        if addr in _BARS:
            self._bases.clear()
        self._wire.write(self._bridge.function_address(addr), length, value)
        if addr == self._device_control and value & spec.PCIE_DEVICE_CONTROL_FLR:
            self._forget()
        self._events.emit(
            ConfigWrite(t=self.now(), t_req=requested, addr=addr, data=value.to_bytes(length, "little"))
        )
        self._collect()

    async def bar_read(self, bar: int, addr: int, length: int) -> int:
        """Read BAR `bar` at byte offset `addr`."""
        port, base = self._base(bar)
        requested = self._begin()
        read = self._wire.port_read if port else self._wire.read
        value = read(base + addr, length)
        if self._slots is not None:
            value = self._slots.to_driver(bar, addr, length, value)
        self._events.emit(
            BarRead(t=self.now(), t_req=requested, bar=bar, addr=addr, data=value.to_bytes(length, "little"))
        )
        self._collect()
        return value

    async def bar_write(self, bar: int, addr: int, length: int, value: int) -> None:
        """Write BAR `bar` at byte offset `addr`."""
        port, base = self._base(bar)
        requested = self._begin()
        data = value.to_bytes(length, "little")
        if self._slots is not None:
            value = self._slots.to_device(bar, addr, length, value)
        (self._wire.port_write if port else self._wire.write)(base + addr, length, value)
        self._events.emit(BarWrite(t=self.now(), t_req=requested, bar=bar, addr=addr, data=data))
        self._collect()

    async def wait_interrupt(self, timeout_ns: int) -> Interrupt | None:
        """Return the oldest message not yet taken, or Line() while INTx is asserted; None on timeout."""
        deadline = time.perf_counter_ns() + timeout_ns
        while True:
            self._wire.turn()
            self._collect()
            if self._messages:
                return self._messages.popleft()
            if self._raised:
                return Line()
            if time.perf_counter_ns() >= deadline:
                return None
            self._wire.poll(_POLL_S)

    async def delay(self, ns: int) -> None:
        """Let `ns` nanoseconds of real time pass, and take in interrupts meanwhile."""
        deadline = time.perf_counter_ns() + ns
        while (left := deadline - time.perf_counter_ns()) > 0:
            self._wire.poll(min(left / 1e9, _POLL_S))
            self._collect()

    async def reset(self, kind: str) -> None:
        """Reset the function: "flr", "hot" or "power"; its BARs have no address any more."""
        if kind == "flr":
            value = await self.config_read(self._device_control, 2)
            await self.config_write(self._device_control, 2, value | spec.PCIE_DEVICE_CONTROL_FLR)
        elif kind == "hot":
            self._bridge.bus_reset()
        elif kind == "power":
            self._bridge.power_reset()
        else:
            raise ValueError(f"no such reset: {kind}")
        self._wire.poll()
        self._collect()
        self._forget()
        self._events.emit(Reset(t=self.now(), kind=kind))

    def _forget(self) -> None:
        """The function lost its BARs and its MSI-X table."""
        self._bases.clear()
        if self._slots is not None:
            self._slots.forget()

    def _base(self, bar: int) -> tuple[bool, int]:
        """Return (whether it is I/O space, machine address) of a BAR, as its register says now."""
        if bar not in self._bases:
            register = _BARS.start + 4 * bar
            low = self._peek(register, 4)
            high = self._peek(register + 4, 4) if low & 0x7 == 0x4 else 0
            self._bases[bar] = bool(low & 1), high << 32 | low & ~(0x3 if low & 1 else 0xF)
        return self._bases[bar]

    def _begin(self) -> int:
        """Take in what happened before the access, return the time of its request."""
        self._wire.poll()
        self._collect()
        return self.now()

    def _collect(self) -> None:
        """Make events of interrupt lines and messages that arrived."""
        changes = self._wire.line_changes
        while changes:
            line, level = changes.popleft()
            if line in _INTX_LINES:
                self._note_line(line, level)
        if self._slots is not None:
            for message in self._slots.poll():
                self._messages.append(message)
                self._events.emit(Msix(t=self.now(), addr=message.address, data=message.data))

    def _note_line(self, line: int, level: bool) -> None:
        before = bool(self._raised)
        (self._raised.add if level else self._raised.discard)(line)
        if bool(self._raised) != before:
            self._events.emit(Intx(t=self.now(), level=int(level)))

    def _record_store(self, addr: int, data: bytes) -> None:
        self._events.emit(MemWrite(t=self.now(), addr=addr, data=data))
