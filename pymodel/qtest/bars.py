"""Sizing and placing the function's BARs, as firmware does, through recorded configuration accesses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from pymodel import spec

BAR_COUNT = 6
FIRST_BAR = spec.PCI_CFG["bar0"].offset
_IO = 0x1
_TYPE_64 = 0x4
_TYPE_MASK = 0x6
_PREFETCHABLE = 0x8


class ConfigSpace(Protocol):
    """Recorded accesses to the function's configuration space."""

    async def config_read(self, addr: int, length: int) -> int:
        """Read `length` bytes at `addr`."""
        ...

    async def config_write(self, addr: int, length: int, value: int) -> None:
        """Write `length` bytes at `addr`."""
        ...


@dataclass(frozen=True, slots=True)
class Bar:
    """An implemented BAR: kind "io", "mem32" or "mem64" (64-bit and prefetchable), size in bytes."""

    index: int
    kind: str
    size: int
    wide: bool


async def size_bars(config: ConfigSpace) -> AsyncIterator[Bar]:
    """Find the function's BARs by writing ones; decoding must be off, BARs are left all ones."""
    index = 0
    while index < BAR_COUNT:
        register = FIRST_BAR + 4 * index
        await config.config_write(register, 4, 0xFFFF_FFFF)
        mask = await config.config_read(register, 4)
        wide = not mask & _IO and mask & _TYPE_MASK == _TYPE_64
        if wide:
            await config.config_write(register + 4, 4, 0xFFFF_FFFF)
            mask |= await config.config_read(register + 4, 4) << 32
        flags = mask & 0xF
        address_mask = mask & ~(0x3 if flags & _IO else 0xF)
        if address_mask:
            kind = "io" if flags & _IO else "mem64" if wide and flags & _PREFETCHABLE else "mem32"
            yield Bar(index, kind, address_mask & -address_mask, wide)
        index += 2 if wide else 1


async def place_bar(config: ConfigSpace, bar: Bar, address: int) -> None:
    """Write a BAR's address."""
    register = FIRST_BAR + 4 * bar.index
    await config.config_write(register, 4, address & 0xFFFF_FFFF)
    if bar.wide:
        await config.config_write(register + 4, 4, address >> 32)
