"""The MSI-X capability as the guest programs it: table, masks, pending bits (PCI 3.0, 6.8.2)."""

from __future__ import annotations

from dataclasses import dataclass

from pymodel import spec
from pymodel.driver import errors
from pymodel.driver.function import PciFunction
from pymodel.spec import PciCapId
from pymodel.transport import Message


@dataclass
class Msix:
    """A function's MSI-X capability at `position` of configuration space, `size` vectors.

    Vector n sends `data` + n to `address`.
    """

    function: PciFunction
    position: int
    size: int
    table: tuple[int, int]
    pba: tuple[int, int]
    address: int = spec.MSI_ADDRESS_BASE
    data: int = 0x40
    enabled: bool = False

    @classmethod
    async def find(cls, function: PciFunction) -> Msix | None:
        """Read the capability, None without one; raises CapabilityError for an unusable one."""
        position = function.find_capability(PciCapId.MSIX)
        if position is None:
            return None
        control = await function.config_read(position + spec.MSIX_CONTROL, 2)
        size = (control & spec.MSIX_CONTROL_SIZE_MASK) + 1
        places: list[tuple[int, int]] = []
        for offset, length in (
            (spec.MSIX_TABLE, spec.MSIX_ENTRY_LENGTH * size),
            (spec.MSIX_PBA, -(-size // 64) * 8),
        ):
            word = await function.config_read(position + offset, 4)
            bar = function.bars.get(word & 7)
            if bar is None or (word & ~7) + length > bar.size:
                raise function.log.error(
                    errors.CapabilityError, f"MSI-X structure {word:#x} lies outside its BAR"
                )
            places.append((word & 7, word & ~7))
        return cls(function, position, size, places[0], places[1])

    async def control(self, *, enable: bool, masked: bool) -> None:
        """Write enable and function mask."""
        self.enabled = enable
        value = spec.MSIX_CONTROL_ENABLE if enable else 0
        value |= spec.MSIX_CONTROL_FUNCTION_MASK if masked else 0
        await self.function.config_write(self.position + spec.MSIX_CONTROL, 2, value)

    async def enable(self, vectors: int) -> None:
        """Program the first `vectors` entries under the function mask, then let messages out."""
        await self.control(enable=True, masked=True)
        for vector in range(vectors):
            await self.program(vector)
        await self.control(enable=True, masked=False)

    async def disable(self) -> None:
        """Switch MSI-X off."""
        await self.control(enable=False, masked=False)

    def _entry(self, vector: int, offset: int) -> tuple[int, int]:
        bar, base = self.table
        return bar, base + spec.MSIX_ENTRY_LENGTH * vector + offset

    async def program(self, vector: int) -> None:
        """Write one table entry and unmask it."""
        await self.function.bar_write(
            *self._entry(vector, spec.MSIX_ENTRY_ADDRESS), 4, self.address & 0xFFFF_FFFF
        )
        await self.function.bar_write(
            *self._entry(vector, spec.MSIX_ENTRY_ADDRESS + 4), 4, self.address >> 32
        )
        await self.function.bar_write(*self._entry(vector, spec.MSIX_ENTRY_DATA), 4, self.data + vector)
        await self.mask(vector, masked=False)

    async def mask(self, vector: int, *, masked: bool) -> None:
        """Mask or unmask one vector; a message held back leaves upon unmasking."""
        value = spec.MSIX_ENTRY_MASKED if masked else 0
        await self.function.bar_write(*self._entry(vector, spec.MSIX_ENTRY_CONTROL), 4, value)

    async def pending(self, vector: int) -> bool:
        """Read a vector's pending bit."""
        bar, base = self.pba
        word = await self.function.bar_read(bar, base + vector // 32 * 4, 4)
        return bool(word >> vector % 32 & 1)

    def vector_of(self, message: Message) -> int | None:
        """Return the vector that sends this message; None for a foreign one."""
        vector = message.data - self.data
        return vector if message.address == self.address and 0 <= vector < self.size else None
