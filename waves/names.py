"""Numbers of the standard in words: status bits, features, interrupt vectors, block requests."""

from __future__ import annotations

from enum import IntEnum, IntFlag

from pymodel import spec

_TYPE_FEATURES: dict[int, type[IntEnum]] = {
    spec.DeviceType.BLK: spec.BlkFeature,
    spec.DeviceType.NET: spec.NetFeature,
    spec.DeviceType.CONSOLE: spec.ConsoleFeature,
}


def flag_names(kind: type[IntFlag], value: int) -> list[str]:
    """Return the names of the bits that are set, then what has no name in hex."""
    names = [str(bit.name) for bit in kind if value & bit]
    rest = value & ~sum(int(bit) for bit in kind)
    return names + ([f"{rest:#x}"] if rest else [])


def status_text(value: int) -> str:
    """device_status in words."""
    return " ".join(flag_names(spec.Status, value)) or "0"


def feature_names(value: int, device_type: int | None) -> list[str]:
    """The names of a feature set's bits, lowest first; "bit N" where the standard gives no name."""
    known = {int(bit): bit.name for bit in spec.Feature}
    known.update({int(bit): bit.name for bit in _TYPE_FEATURES.get(device_type or 0, ())})
    bits = [bit for bit in range(value.bit_length()) if value >> bit & 1]
    return [known.get(bit, f"bit {bit}") for bit in bits]


def vector_text(value: int | None) -> str:
    """An MSI-X vector in words."""
    if value is None:
        return "an unknown vector"
    return "no vector" if value == spec.NO_VECTOR else f"vector {value}"


def enum_name(kind: type[IntEnum], value: int) -> str:
    """The name of a value, or the value itself."""
    return kind(value).name if value in [int(item) for item in kind] else f"{value:#x}"


def request_name(kind: int) -> str:
    """The type of a block request in words (virtio 1.4, 5.2.6)."""
    if kind in (spec.BlkRequest.IN, spec.BlkRequest.OUT):
        return "READ" if kind == spec.BlkRequest.IN else "WRITE"
    if kind in [int(item) for item in spec.BlkZoneRequest]:
        return f"ZONE_{spec.BlkZoneRequest(kind).name}"
    return enum_name(spec.BlkRequest, kind)


def time_text(picoseconds: int) -> str:
    """A time in nanoseconds, as waves and reports show it."""
    return f"{picoseconds / 1000:.3f} ns"


def hex_text(data: bytes, most: int = 16) -> str:
    """Bytes in hex, cut off behind `most` of them."""
    return data[:most].hex() + ("..." if len(data) > most else "")
