"""The device model behind the same Transport as everything else; nothing in it ever suspends."""

from __future__ import annotations

from pymodel.device.backend import Backend
from pymodel.device.config import DeviceConfig
from pymodel.device.host import ACCESS_PS, Host
from pymodel.device.pci import PciModel
from pymodel.events import BarRead, BarWrite, ConfigRead, ConfigWrite, EventStream, Reset
from pymodel.memory import GuestMemory
from pymodel.transport import Interrupt, Line


class ModelTransport:
    """A modelled virtio-pci function and its host.

    Events go to `events` in the order in which they complete; the driver's stores are among them.
    """

    def __init__(
        self,
        backend: Backend,
        config: DeviceConfig | None = None,
        *,
        memory: GuestMemory | None = None,
        events: EventStream | None = None,
    ) -> None:
        self.memory = memory or GuestMemory()
        self.events = events or EventStream()
        self.host = Host(self.memory, self.events)
        self.device = PciModel(self.host, config or DeviceConfig(), backend)

    async def config_read(self, addr: int, length: int) -> int:
        """Read configuration space."""
        data = self.device.config_read(addr, length)
        self.events.emit(ConfigRead(**self._times(), addr=addr, data=data))
        self.device.settle()
        return int.from_bytes(data, "little")

    async def config_write(self, addr: int, length: int, value: int) -> None:
        """Write configuration space."""
        data = value.to_bytes(length, "little")
        self.events.emit(ConfigWrite(**self._times(), addr=addr, data=data))
        self.device.config_write(addr, data)
        self.device.settle()

    async def bar_read(self, bar: int, addr: int, length: int) -> int:
        """Read a BAR."""
        data = self.device.bar_read(bar, addr, length)
        self.events.emit(BarRead(**self._times(), bar=bar, addr=addr, data=data))
        self.device.settle()
        return int.from_bytes(data, "little")

    async def bar_write(self, bar: int, addr: int, length: int, value: int) -> None:
        """Write a BAR."""
        data = value.to_bytes(length, "little")
        self.events.emit(BarWrite(**self._times(), bar=bar, addr=addr, data=data))
        self.device.bar_write(bar, addr, data)
        self.device.settle()

    def _times(self) -> dict[str, int]:
        requested = self.host.time
        return {"t": self.host.tick(ACCESS_PS), "t_req": requested}

    async def wait_interrupt(self, timeout_ns: int) -> Interrupt | None:
        """Let the device work until it interrupts; None when it is idle, and the time is over."""
        while True:
            if self.host.messages:
                return self.host.messages.popleft()
            if self.host.intx:
                return Line()
            if not timeout_ns or not self.device.work():
                self.host.tick(timeout_ns * 1000)
                return None
            self.device.update_lines()

    async def delay(self, ns: int) -> None:
        """Let the device finish what it can, and time pass."""
        self.device.catch_up()
        self.device.update_lines()
        self.host.tick(ns * 1000)

    async def reset(self, kind: str) -> None:
        """Reset the function below virtio."""
        self.device.function_reset()
        self.events.emit(Reset(t=self.host.time, kind=kind))
        self.device.update_lines()

    def now(self) -> int:
        """Return the model's time in picoseconds."""
        return self.host.time
