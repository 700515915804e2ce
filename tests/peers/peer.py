"""A running peer: QEMU with one device, its transport, and the events that crossed its boundary."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from pymodel import spec
from pymodel.driver.config_ops import Style, Timing
from pymodel.driver.core import VirtioDevice, VirtioDriver
from pymodel.driver.function import PciFunction
from pymodel.driver.interrupts import InterruptMode
from pymodel.driver.pci import VirtioPci
from pymodel.events import Event, EventStream, Intx, Mark, Msix
from pymodel.layout import VirtioCap
from pymodel.qtest import QemuMachine, QemuTransport
from pymodel.transport import run_now
from tests.peers.devices import Device

QUIET_NS = 2_000_000
"""How long a test listens before it says that no interrupt came."""
TIMING = Timing(reset_ns=5_000_000_000, request_ns=5_000_000_000, slice_ns=50_000_000, flr_ns=0)

D = TypeVar("D", bound=VirtioDriver)
T = TypeVar("T")


@dataclass
class Options:
    """How the guest side runs: interrupts, PCI_CFG window, a seed for the driver's freedom, bus driver."""

    mode: InterruptMode = InterruptMode.PER_QUEUE
    window: bool = False
    seed: int | None = None
    pci: type[VirtioPci] = VirtioPci


class Peer:
    """QEMU with a device whose function was enumerated: raw registers, and the guest driver.

    Nothing in here suspends, so everything runs without an event loop.
    """

    def __init__(self, backend: Device, options: Options) -> None:
        self.backend = backend
        self.machine = QemuMachine(backend.arguments, backend.descriptors)
        try:
            self.events: list[Event] = []
            self.stream = EventStream()
            self.stream.subscribe(self.events.append)
            self.transport = QemuTransport(self.machine, self.stream)
            rng = None if options.seed is None else Random(options.seed)
            style = Style(
                rng=rng,
                mixed_indirect=False,
                length_needs_write=False,
                id_in_last_only=False,
                timing=TIMING,
            )
            self.pci = options.pci(self.transport, mode=options.mode, style=style, window=options.window)
            self.run(self.pci.enumerate())
            self.device = VirtioDevice(self.pci)
        except BaseException:
            self.machine.close()
            raise

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Carry out what the guest does."""
        return run_now(coroutine)

    def bind(self, driver: D, wanted: int = -1) -> D:
        """Bind a guest driver that wants these features; it is at DRIVER_OK afterwards."""
        self.run(self.device.probe(driver, wanted))
        return driver

    def close(self) -> None:
        """Kill QEMU and end the event stream."""
        if self.machine.process.running:
            self.stream.emit(Mark(t=self.transport.now(), text="end"))
        self.machine.close()
        self.backend.close()

    @property
    def function(self) -> PciFunction:
        """The PCI function."""
        return self.pci.function

    def cap(self, cap_type: spec.CapType) -> VirtioCap:
        """Return the first virtio capability of a type."""
        return next(cap for cap in self.pci.layout.all if cap.cfg_type == cap_type)

    def read(self, cap_type: spec.CapType, offset: int, length: int) -> int:
        """Read inside the structure that a virtio capability describes."""
        cap = self.cap(cap_type)
        return self.run(self.transport.bar_read(cap.bar, cap.offset + offset, length))

    def write(self, cap_type: spec.CapType, offset: int, length: int, value: int) -> None:
        """Write inside the structure that a virtio capability describes."""
        cap = self.cap(cap_type)
        self.run(self.transport.bar_write(cap.bar, cap.offset + offset, length, value))

    def get(self, name: str) -> int:
        """Read a field of the common configuration structure."""
        return self.run(self.pci.read_common(name))

    def put(self, name: str, value: int) -> None:
        """Write a field of the common configuration structure."""
        self.run(self.pci.write_common(name, value))

    def offered(self, word: int) -> int:
        """Return 32 offered feature bits."""
        self.put("device_feature_select", word)
        return self.get("device_feature")

    def accept(self, features: int) -> bool:
        """Walk up to FEATURES_OK with 64 feature bits, return whether the device kept it."""
        self.put("device_status", 0)
        assert self.get("device_status") == 0
        self.put("device_status", 1)
        self.put("device_status", 3)
        self.offered(0)
        self.offered(1)
        for word in (0, 1):
            self.put("driver_feature_select", word)
            self.put("driver_feature", features >> 32 * word & 0xFFFF_FFFF)
        self.put("device_status", 0x0B)
        return bool(self.get("device_status") & spec.Status.FEATURES_OK)

    def interrupts(self) -> list[Msix | Intx]:
        """Return the interrupts seen so far, as events."""
        return [event for event in self.events if isinstance(event, Msix | Intx)]
