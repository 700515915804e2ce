"""All rules: the modules that define them, imported in the order of this list."""

from pymodel.checker.rule import RULES
from pymodel.checker.rules import (
    blk,
    blk_zoned,
    capabilities,
    common_cfg,
    config,
    features,
    init,
    interrupts,
    notify,
    packed,
    pci,
    queue_reset,
    reset,
    split,
    split_notify,
    status,
    suspend,
)

ALL = tuple(RULES)
MODULES = (
    blk,
    blk_zoned,
    capabilities,
    common_cfg,
    config,
    features,
    init,
    interrupts,
    notify,
    packed,
    pci,
    queue_reset,
    reset,
    split,
    split_notify,
    status,
    suspend,
)
