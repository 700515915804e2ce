"""A virtqueue's register bank as the driver sees it, and its ring once it is enabled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymodel import spec

if TYPE_CHECKING:
    from pymodel.checker.state.tracker import Tracker

AREAS = ("queue_desc", "queue_driver", "queue_device")


class Queue:
    """One queue since the last reset.

    `regs` holds the last known value by (field, half); `written` the fields that the driver wrote.
    `enabled` is None where it cannot be known (the trace began later).
    """

    def __init__(self, index: int, features: int | None, *, known: bool) -> None:
        self.index = index
        self.features = features
        self.regs: dict[tuple[str, int], int] = {}
        self.written: set[tuple[str, int]] = set()
        self.enabled: bool | None = False if known else None
        self.resetting = False
        self.was_reset = False
        self.vector: int | None = spec.NO_VECTOR if known else None
        self.vector_pending = False
        self.tracker: Tracker | None = None
        self.doorbells = 0

    def __str__(self) -> str:
        return f"queue {self.index}"

    def has(self, feature: int) -> bool:
        """Whether a feature is known to be accepted."""
        return self.features is not None and bool(self.features >> feature & 1)

    @property
    def packed(self) -> bool:
        """Whether the ring is a packed one."""
        return self.has(spec.Feature.RING_PACKED)

    @property
    def size(self) -> int | None:
        """queue_size as last written or read."""
        return self.regs.get(("queue_size", 0))

    def area(self, name: str) -> int | None:
        """Return a ring address from its two halves; a high half never seen counts as 0."""
        low = self.regs.get((name, 0))
        return None if low is None else low | self.regs.get((name, 1), 0) << 32

    def restart(self) -> None:
        """Forget what a queue reset puts back to its default."""
        for key in list(self.regs):
            if key[0] not in ("queue_notify_off", "queue_notif_config_data"):
                del self.regs[key]
        self.written.clear()
        self.enabled = False
        self.resetting = False
        self.was_reset = True
        self.vector = spec.NO_VECTOR
        self.vector_pending = False
        self.tracker = None
