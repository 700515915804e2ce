"""The ring variants that QEMU offers, as features on top of a base."""

from __future__ import annotations

import pytest

from pymodel.spec import Feature, feature_mask

DEVICE_FEATURES = (1 << 24) - 1
BASE = feature_mask(Feature.VERSION_1, Feature.RING_RESET) | DEVICE_FEATURES
RINGS = {
    "split": 0,
    "split-event": feature_mask(Feature.EVENT_IDX),
    "split-indirect": feature_mask(Feature.INDIRECT_DESC),
    "split-both": feature_mask(Feature.EVENT_IDX, Feature.INDIRECT_DESC),
    "packed": feature_mask(Feature.RING_PACKED),
    "packed-event": feature_mask(Feature.RING_PACKED, Feature.EVENT_IDX),
    "packed-indirect": feature_mask(Feature.RING_PACKED, Feature.INDIRECT_DESC),
    "packed-both": feature_mask(Feature.RING_PACKED, Feature.EVENT_IDX, Feature.INDIRECT_DESC),
}


def offering(ring: int) -> dict[str, object]:
    """Return the property that lets a device offer the packed ring where `ring` is one."""
    return {"packed": "on" if ring >> Feature.RING_PACKED & 1 else "off"}


each_ring = pytest.mark.parametrize("ring", RINGS.values(), ids=RINGS)
each_layout = pytest.mark.parametrize("ring", [RINGS["split"], RINGS["packed"]], ids=["split", "packed"])
