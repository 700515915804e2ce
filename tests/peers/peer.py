"""A running peer: QEMU with one device, its transport, and the events that crossed its boundary."""

from __future__ import annotations

from dataclasses import dataclass

from pymodel import spec
from pymodel.driver.errors import AccessLog
from pymodel.driver.function import PciFunction
from pymodel.driver.layout_scan import scan
from pymodel.events import Event, EventStream, Intx, Msix
from pymodel.layout import VirtioCap
from pymodel.qtest import QemuMachine, QemuTransport
from pymodel.transport import run_now
from tests.peers.devices import Device

QUIET_NS = 2_000_000
"""How long a test listens before it says that no interrupt came."""


@dataclass
class Peer:
    """Raw access to a QEMU device; the guest driver's own way is `driver`-based (see `session`)."""

    device: Device
    machine: QemuMachine
    transport: QemuTransport
    events: list[Event]
    function: PciFunction
    caps: dict[int, VirtioCap]

    @classmethod
    def start(cls, device: Device) -> Peer:
        """Start QEMU, place the function's BARs and read its virtio capabilities."""
        machine = QemuMachine(device.arguments, device.descriptors)
        try:
            stream, events = EventStream(), list[Event]()
            stream.subscribe(events.append)
            transport = QemuTransport(machine, stream)
            function = PciFunction(transport, AccessLog())
            run_now(function.enumerate())
            run_now(function.command(enable=spec.PciCommand.BUS_MASTER))
            caps = {cap.cfg_type: cap for cap in reversed(run_now(scan(function)).all)}
            return cls(device, machine, transport, events, function, caps)
        except BaseException:
            machine.close()
            raise

    def close(self) -> None:
        """Kill QEMU."""
        self.machine.close()
        self.device.close()

    def read(self, cap_type: spec.CapType, offset: int, length: int) -> int:
        """Read inside the structure that a virtio capability describes."""
        cap = self.caps[cap_type]
        return run_now(self.transport.bar_read(cap.bar, cap.offset + offset, length))

    def write(self, cap_type: spec.CapType, offset: int, length: int, value: int) -> None:
        """Write inside the structure that a virtio capability describes."""
        cap = self.caps[cap_type]
        run_now(self.transport.bar_write(cap.bar, cap.offset + offset, length, value))

    def get(self, name: str) -> int:
        """Read a field of the common configuration structure."""
        field = spec.COMMON_CFG[name]
        if field.width == 8:
            low = self.read(spec.CapType.COMMON, field.offset, 4)
            return low | self.read(spec.CapType.COMMON, field.offset + 4, 4) << 32
        return self.read(spec.CapType.COMMON, field.offset, field.width)

    def put(self, name: str, value: int) -> None:
        """Write a field of the common configuration structure."""
        field = spec.COMMON_CFG[name]
        if field.width == 8:
            self.write(spec.CapType.COMMON, field.offset, 4, value & 0xFFFF_FFFF)
            self.write(spec.CapType.COMMON, field.offset + 4, 4, value >> 32)
        else:
            self.write(spec.CapType.COMMON, field.offset, field.width, value)

    def offered(self, word: int) -> int:
        """Return 32 offered feature bits."""
        self.put("device_feature_select", word)
        return self.get("device_feature")

    def accept(self, features: int) -> bool:
        """Walk up to FEATURES_OK with 64 feature bits, return whether the device kept it."""
        for status in (0, 1, 3):
            self.put("device_status", status)
        for word in (0, 1):
            self.put("driver_feature_select", word)
            self.put("driver_feature", features >> 32 * word & 0xFFFF_FFFF)
        self.put("device_status", 0x0B)
        return bool(self.get("device_status") & spec.Status.FEATURES_OK)

    def interrupts(self) -> list[Msix | Intx]:
        """Return the interrupts seen so far, as events."""
        return [event for event in self.events if isinstance(event, Msix | Intx)]
