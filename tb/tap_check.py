"""Holds the events of the ports against what passive taps saw on the same pins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from pymodel.events import (
    BarRead,
    BarWrite,
    ConfigRead,
    ConfigWrite,
    DmaRead,
    DmaWrite,
    Event,
    Msix,
)

HOST = (ConfigRead, ConfigWrite, BarRead, BarWrite)
DMA = (DmaRead, DmaWrite, Msix)
Key = tuple[object, ...]


def dma_difference(ports: Iterable[Event], taps: Iterable[Event]) -> list[str]:
    """What one side saw of the device's DMA and messages and the other did not, one line each.

    Order is not compared: a burst takes effect at one time and is answered at another.
    """
    seen = Counter(_dma_key(event) for event in ports if isinstance(event, DMA))
    tapped = Counter(_dma_key(event) for event in taps)
    missing = [f"only the port saw {_shown(key)}" for key in seen - tapped]
    return missing + [f"only the tap saw {_shown(key)}" for key in tapped - seen]


def _dma_key(event: Event) -> Key:
    if isinstance(event, Msix):
        return ("Msix", event.addr, event.data)
    assert isinstance(event, DmaRead | DmaWrite)
    return (type(event).__name__, event.addr, event.data.hex(), event.err)


def host_difference(ports: Iterable[Event], taps: Sequence[Event], lanes: int) -> list[str]:
    """The first place where port and tap disagree about the host's accesses, in order.

    A tap sees transfers of at most `lanes` bytes, and of a read everything up to the bus word's end.
    """
    wanted = [piece for event in ports if isinstance(event, HOST) for piece in _pieces(event, lanes)]
    seen = [piece for event in taps for piece in _pieces(event, lanes)]
    for index, (port, tap) in enumerate(zip(wanted, seen, strict=False)):
        if port[:3] != tap[:3] or not _same_data(port, tap):
            return [f"access {index}: the port did {_shown(port)}, the tap saw {_shown(tap)}"]
    if len(wanted) != len(seen):
        return [f"the port did {len(wanted)} transfers, the tap saw {len(seen)}"]
    return []


def _same_data(port: Key, tap: Key) -> bool:
    if "Read" in str(port[0]):
        return str(tap[3]).startswith(str(port[3]))
    return port[3] == tap[3]


def _pieces(event: Event, lanes: int) -> list[Key]:
    assert isinstance(event, HOST)
    bar = event.bar if isinstance(event, BarRead | BarWrite) else None
    pieces: list[Key] = []
    offset = 0
    while offset < len(event.data):
        addr = event.addr + offset
        size = lanes - addr % lanes
        pieces.append((type(event).__name__, bar, addr, event.data[offset : offset + size].hex()))
        offset += size
    return pieces


def _shown(key: Key) -> str:
    return " ".join(hex(part) if isinstance(part, int) and part > 9 else str(part)[:80] for part in key)
