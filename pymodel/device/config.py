"""The shape of a modelled PCI function: BARs, where the structures lie, sizes, features, timing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pymodel import spec
from pymodel.spec import CapType, Feature, feature_mask

DEVICE_FEATURES = feature_mask(
    Feature.INDIRECT_DESC,
    Feature.EVENT_IDX,
    Feature.VERSION_1,
    Feature.RING_PACKED,
    Feature.IN_ORDER,
    Feature.ORDER_PLATFORM,
    Feature.NOTIFICATION_DATA,
    Feature.NOTIF_CONFIG_DATA,
    Feature.RING_RESET,
    Feature.SUSPEND,
)


@dataclass(frozen=True)
class BarSpec:
    """A BAR: "mem32", "mem64" or "io", and its size in bytes (a power of two, at least 16)."""

    kind: str
    size: int
    prefetchable: bool = False


@dataclass(frozen=True)
class Place:
    """Where a structure lies: BAR number, byte offset, length in bytes."""

    bar: int
    offset: int
    length: int


def default_bars() -> dict[int, BarSpec]:
    """MSI-X in a 32-bit BAR, the virtio structures in a 64-bit one."""
    return {0: BarSpec("mem32", 0x4000), 2: BarSpec("mem64", 0x8000)}


def default_places() -> dict[CapType, Place]:
    """Each structure in a page of its own."""
    return {
        CapType.COMMON: Place(2, 0x0000, spec.COMMON_CFG_LENGTH),
        CapType.ISR: Place(2, 0x1000, 4),
        CapType.DEVICE: Place(2, 0x2000, 0x100),
        CapType.NOTIFY: Place(2, 0x4000, 0x4000),
    }


@dataclass
class DeviceConfig:
    """A modelled function.

    `lag` is the most host accesses by which the device may trail behind (0: it works at once and in
    order); `seed` decides. `notify_data_base` is added to a queue's index for NOTIF_CONFIG_DATA. With
    `transitional` BAR0 serves legacy drivers.
    """

    features: int = DEVICE_FEATURES
    max_queue_size: int = 256
    vectors: int = 9
    notify_multiplier: int = 4
    notify_data_base: int = 0x100
    bars: dict[int, BarSpec] = field(default_factory=default_bars)
    places: dict[CapType, Place] = field(default_factory=default_places)
    msix_table: tuple[int, int] = (0, 0x0000)
    msix_pba: tuple[int, int] = (0, 0x2000)
    most_in_flight: int = 32
    lag: int = 0
    seed: int = 0
    transitional: bool = False


def transitional(**others: Any) -> DeviceConfig:
    """A function that serves legacy drivers too: their register block is BAR0, in I/O space."""
    bars = {0: BarSpec("io", 0x100), 1: BarSpec("mem32", 0x4000), 2: BarSpec("mem64", 0x8000)}
    return DeviceConfig(transitional=True, bars=bars, msix_table=(1, 0x0000), msix_pba=(1, 0x2000), **others)
