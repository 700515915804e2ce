"""The header of a vtrace, and how the values of its lines are read from JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

VERSION = 1
BAR_LAST = 5
MAX_ADDRESS = (1 << 64) - 1
MSIX_ENTRIES_MAX = 2048


@dataclass(frozen=True, slots=True)
class Region:
    """Where a virtio structure lies: BAR number, byte offset and length; `multiplier` for notify only."""

    bar: int
    offset: int
    length: int
    multiplier: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """Places of the virtio structures for traces whose configuration space was not observed."""

    common: Region | None = None
    notify: Region | None = None
    isr: Region | None = None
    device: Region | None = None
    msix_entries: int | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """Line 1 of a trace; `type` is the virtio device type number where it is known.

    With `lguest_top` the device is on lguest's bus; that is where guest memory ends.
    """

    source: str = "unknown"
    device: str | None = None
    type: int | None = None
    layout: Layout | None = None
    lguest_top: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the header as the object that stands in line 1."""
        row: dict[str, Any] = {"vtrace": VERSION, "source": self.source, "time_unit": "ps"}
        if self.device is not None:
            row["device"] = self.device
        if self.type is not None:
            row["type"] = self.type
        if self.layout is not None:
            row["layout"] = _layout_to_json(self.layout)
        if self.lguest_top is not None:
            row["lguest_top"] = self.lguest_top
        return row


_REGIONS = ("common", "notify", "isr", "device")


def _layout_to_json(layout: Layout) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name in _REGIONS:
        region: Region | None = getattr(layout, name)
        if region is not None:
            row[name] = {"bar": region.bar, "offset": region.offset, "length": region.length}
            if name == "notify":
                row[name]["multiplier"] = region.multiplier
    if layout.msix_entries is not None:
        row["msix"] = {"entries": layout.msix_entries}
    return row


class Broken(Exception):
    """Why the current line cannot be read."""


def integer(row: dict[str, Any], key: str, low: int, high: int) -> int:
    """Return the integer at `key`; raises Broken if it is none, or lies outside low..high."""
    value = row.get(key)
    if type(value) is not int:
        raise Broken(f'"{key}" is missing' if key not in row else f'"{key}" must be an integer')
    if not low <= value <= high:
        raise Broken(f'"{key}" must lie in {low}..{high}')
    return value


def text_of(row: dict[str, Any], key: str) -> str:
    """Return the string at `key`; raises Broken if it is none."""
    value = row.get(key)
    if not isinstance(value, str):
        raise Broken(f'"{key}" is missing' if key not in row else f'"{key}" must be a string')
    return value


HEADER_KEYS = frozenset(("vtrace", "source", "time_unit", "device", "type", "layout", "lguest_top"))


def _region(name: str, row: Any) -> Region:
    if not isinstance(row, dict):
        raise Broken(f'"layout": "{name}" must be an object')
    bar = integer(row, "bar", 0, BAR_LAST)
    offset = integer(row, "offset", 0, MAX_ADDRESS)
    length = integer(row, "length", 0, MAX_ADDRESS)
    multiplier = integer(row, "multiplier", 0, 0xFFFFFFFF) if name == "notify" else 0
    return Region(bar, offset, length, multiplier)


def _layout(row: Any) -> Layout:
    if not isinstance(row, dict):
        raise Broken('"layout" must be an object')
    regions = {name: _region(name, row[name]) for name in _REGIONS if name in row}
    entries = None
    if "msix" in row:
        if not isinstance(row["msix"], dict):
            raise Broken('"layout": "msix" must be an object')
        entries = integer(row["msix"], "entries", 0, MSIX_ENTRIES_MAX)
    return Layout(msix_entries=entries, **regions)


def parse_header(row: dict[str, Any]) -> Header:
    """Return the header that line 1 holds; raises Broken."""
    if type(row.get("vtrace")) is not int:
        raise Broken('the first line must be a vtrace header: {"vtrace":1,...}')
    if row["vtrace"] != VERSION:
        raise Broken("this is another version of vtrace than 1")
    if row.get("time_unit", "ps") != "ps":
        raise Broken('"time_unit" must be "ps"')
    source = text_of(row, "source") if "source" in row else "unknown"
    device = text_of(row, "device") if "device" in row else None
    kind = integer(row, "type", 0, 0xFFFF) if "type" in row else None
    top = integer(row, "lguest_top", 0, 0xFFFFFFFF) if "lguest_top" in row else None
    return Header(source, device, kind, _layout(row["layout"]) if "layout" in row else None, top)
