"""Real work for a device, whatever its type: the table of what the bench can do with which."""

from __future__ import annotations

from typing import Any

from pymodel.spec import DeviceType
from tb.sim_test import Skip
from tb.work.base import Work
from tb.work.blk import BlkWork
from tb.work.entropy import EntropyWork

__all__ = ["KINDS", "Work", "work_for"]

KINDS: dict[int, type[Work[Any]]] = {kind.device_type: kind for kind in (BlkWork, EntropyWork)}


def work_for(device_type: int) -> type[Work[Any]]:
    """The work for a device type; raises Skip where the bench has none."""
    if device_type not in KINDS:
        known = {kind.value: kind.name for kind in DeviceType}
        raise Skip(f"the bench has no traffic for a device of type {known.get(device_type, device_type)}")
    return KINDS[device_type]
