"""From a queue's registers to its device-side ring."""

from __future__ import annotations

from pymodel import spec
from pymodel.device.common import QueueBank
from pymodel.device.host import Host
from pymodel.device.packed import DevicePackedRing
from pymodel.device.ring import DeviceRing
from pymodel.device.split import DeviceSplitRing
from pymodel.layout import PackedRing, SplitRing
from pymodel.spec import Feature

_PACKED_ALIGNS = (spec.PACKED_RING_ALIGN, spec.PACKED_EVENT_ALIGN, spec.PACKED_EVENT_ALIGN)
_SPLIT_ALIGNS = (spec.SPLIT_DESC_ALIGN, spec.SPLIT_AVAIL_ALIGN, spec.SPLIT_USED_ALIGN)


def make_ring(host: Host, index: int, bank: QueueBank, features: int) -> DeviceRing | None:
    """Return the ring that a queue's registers describe; None for an impossible size or alignment."""
    packed = bool(features >> Feature.RING_PACKED & 1)
    places = (bank.desc, bank.driver, bank.device)
    aligns = _PACKED_ALIGNS if packed else _SPLIT_ALIGNS
    crooked = any(place % align for place, align in zip(places, aligns, strict=True))
    if crooked or not 0 < bank.size <= bank.most:
        return None
    if packed:
        return DevicePackedRing(host, index, PackedRing(bank.size, *places), features)
    if bank.size & (bank.size - 1):
        return None
    return DeviceSplitRing(host, index, SplitRing(bank.size, *places), features)
