"""A guest with one virtio-pci device: what tests hold in their hands."""

from __future__ import annotations

from typing import Generic, TypeVar

from pymodel.driver.config_ops import Style
from pymodel.driver.core import VirtioDevice, VirtioDriver
from pymodel.driver.function import Windows
from pymodel.driver.interrupts import InterruptMode
from pymodel.driver.pci import VirtioPci
from pymodel.transport import Transport

D = TypeVar("D", bound=VirtioDriver)


class Guest(Generic[D]):
    """One driver on one device over a Transport.

    `start` enumerates the function once, then probes the driver; every further `start` is a new
    session that begins with a reset.
    """

    def __init__(
        self,
        transport: Transport,
        driver: D,
        *,
        mode: InterruptMode = InterruptMode.PER_QUEUE,
        style: Style | None = None,
        window: bool = False,
        windows: Windows | None = None,
    ) -> None:
        self.transport = transport
        self.driver = driver
        self.pci = VirtioPci(transport, mode=mode, style=style, window=window, windows=windows)
        self.device = VirtioDevice(self.pci)
        self._found = False

    async def start(self, features: int = -1) -> D:
        """Bring the device up to DRIVER_OK with at most these features; return the driver."""
        if not self._found:
            await self.pci.enumerate()
            self._found = True
        if self.device.driver:
            await self.device.remove()
        await self.device.probe(self.driver, features)
        return self.driver

    async def reset(self) -> None:
        """Unbind the driver with a device reset; requests in flight are lost, all memory is free."""
        await self.device.remove()
