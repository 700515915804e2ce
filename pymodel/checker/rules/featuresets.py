"""Which feature bits the standard defines, for which device, and what they require of each other."""

from __future__ import annotations

from pymodel.spec import BlkFeature, DeviceType, Feature, NetFeature, feature_mask

_LEGACY_QUEUE = (Feature.NOTIFY_ON_EMPTY, Feature.ANY_LAYOUT, Feature.UNUSED_PROBE)
QUEUE_RANGE = sum(1 << bit for bit in range(24, 41)) | 1 << 43
RESERVED_RANGE = sum(1 << bit for bit in range(44, 50))
QUEUE_BITS = feature_mask(*Feature) | feature_mask(*_LEGACY_QUEUE)
_NET_HIGH = range(64, 71)
TYPE_BITS: dict[int, int] = {
    DeviceType.NET: feature_mask(*NetFeature, *_NET_HIGH, 6, 41, 42),
    DeviceType.BLK: feature_mask(*BlkFeature, 0, 7),
    DeviceType.CONSOLE: feature_mask(0, 1, 2),
    DeviceType.ENTROPY: 0,
    DeviceType.BALLOON: feature_mask(*range(6)),
    DeviceType.SCSI: feature_mask(*range(4)),
}
"""Feature bits of the device types that the standard describes, legacy ones included."""

_N = NetFeature
_ANY, _ALL = "any", "all"
REQUIRES: dict[int, tuple[tuple[int, str, tuple[int, ...]], ...]] = {
    DeviceType.NET: (
        *((bit, _ALL, (_N.GUEST_CSUM,)) for bit in (7, 8, 10, 54, 55)),
        (9, _ANY, (7, 8)),
        (65, _ALL, (7, 8, 54, 55)),
        (66, _ALL, (65,)),
        *((bit, _ALL, (_N.CSUM,)) for bit in (11, 12, 14, 56)),
        (13, _ANY, (11, 12)),
        (67, _ALL, (11, 12, 56)),
        (68, _ALL, (67,)),
        *((bit, _ALL, (_N.CTRL_VQ,)) for bit in (18, 19, 21, 22, 23, 51, 52, 53, 60, 64)),
        (51, _ANY, (57, 60)),
        (61, _ANY, (11, 12)),
        (64, _ALL, (60,)),
    ),
}
"""By device type: (bit, "any" or "all", bits that it requires) (virtio 1.4, 5.1.3.1)."""


def described(device_type: int | None) -> int | None:
    """Return all bits that a device of this type may have; None for a type not tabled here."""
    bits = TYPE_BITS.get(device_type or 0)
    return None if bits is None else bits | QUEUE_BITS


def undescribed(bits: int, device_type: int | None) -> int:
    """Return those of `bits` that the standard surely does not describe for this device type."""
    known = described(device_type)
    if known is not None:
        return bits & ~known
    beyond = bits >> 128 << 128
    return (bits & (RESERVED_RANGE | (QUEUE_RANGE & ~QUEUE_BITS))) | beyond


def missing_requirement(bits: int, device_type: int | None) -> str:
    """Return what a feature set lacks by its own rules, "" if nothing."""
    for bit, how, needed in REQUIRES.get(device_type or 0, ()):
        if bits >> bit & 1:
            present = [bool(bits >> need & 1) for need in needed]
            if not (any(present) if how == _ANY else all(present)):
                return f"bit {bit} requires {how} of {', '.join(str(int(need)) for need in needed)}"
    return ""
