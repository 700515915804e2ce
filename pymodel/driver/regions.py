"""Access to the virtio structures: through their BARs or the PCI_CFG window (virtio 1.4, 4.1.4.9)."""

from __future__ import annotations

from dataclasses import dataclass

from pymodel import spec
from pymodel.driver import errors
from pymodel.driver.function import PciFunction
from pymodel.driver.structures import VirtioLayout
from pymodel.layout import VirtioCap
from pymodel.spec import CAP_FIELDS


@dataclass
class Regions:
    """Reads and writes fields at their own width, 64-bit ones as two dwords (virtio 1.4, 4.1.3.1)."""

    function: PciFunction
    layout: VirtioLayout | None = None
    through_window: bool = False

    async def read(self, cap: VirtioCap, offset: int, width: int) -> int:
        """Read a field of `width` bytes at byte `offset` of a structure."""
        if width == 8:
            return await self.read(cap, offset, 4) | await self.read(cap, offset + 4, 4) << 32
        if not self.through_window:
            return await self.function.bar_read(cap.bar, cap.offset + offset, width)
        data = await self._aim(cap, offset, width)
        return await self.function.config_read(data, width)

    async def write(self, cap: VirtioCap, offset: int, width: int, value: int) -> None:
        """Write a field of `width` bytes at byte `offset` of a structure."""
        if width == 8:
            await self.write(cap, offset, 4, value & 0xFFFF_FFFF)
            await self.write(cap, offset + 4, 4, value >> 32)
        elif not self.through_window:
            await self.function.bar_write(cap.bar, cap.offset + offset, width, value)
        else:
            data = await self._aim(cap, offset, width)
            await self.function.config_write(data, width, value)

    async def _aim(self, cap: VirtioCap, offset: int, width: int) -> int:
        """Point the window at a field and return the configuration address of its data."""
        window = self.layout.window if self.layout else None
        if window is None:
            raise self.function.log.error(errors.CapabilityError, "no PCI_CFG capability")
        await self.function.config_write(window + CAP_FIELDS["bar"].offset, 1, cap.bar)
        await self.function.config_write(window + CAP_FIELDS["length"].offset, 4, width)
        await self.function.config_write(window + CAP_FIELDS["offset"].offset, 4, cap.offset + offset)
        return window + spec.CAP_PCI_CFG_DATA
