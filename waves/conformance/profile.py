"""What devices showed of themselves at the host boundary: identity, features, queues, interrupts, resets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from pymodel import spec

MODERN, LEGACY, LGUEST = "modern", "legacy", "lguest"


@dataclass(frozen=True, slots=True, order=True)
class Negotiation:
    """A driver session's features: offered, and accepted where the device kept FEATURES_OK, else None.

    `interface` is by which it was driven: "modern", "legacy" or "lguest"; `traffic` says that the device
    returned a buffer in it.
    """

    offered: int
    accepted: int | None
    interface: str
    traffic: bool


@dataclass(frozen=True, slots=True, order=True)
class Structure:
    """A PCI capability: configuration offset, ID, and for a virtio one its type and where it points.

    `offset` and `length` are bytes in BAR `bar`; `multiplier` is notify_off_multiplier, else 0.
    """

    position: int
    id: int
    cfg_type: int | None = None
    bar: int | None = None
    offset: int | None = None
    length: int | None = None
    multiplier: int = 0

    @property
    def virtio(self) -> bool:
        """Whether it is a virtio one of a type that the standard names."""
        return self.id == spec.PciCapId.VENDOR and self.cfg_type in list(spec.CapType)

    @property
    def known(self) -> bool:
        """Whether the driver read all of it that there is to tell."""
        if self.id != spec.PciCapId.VENDOR or self.cfg_type == spec.CapType.PCI_CFG:
            return True
        return None not in (self.cfg_type, self.bar, self.offset, self.length)


@dataclass(frozen=True, slots=True, order=True)
class Bar:
    """A base address register as sizing showed it: "io", "mem32" or "mem64", size in bytes."""

    index: int
    kind: str
    size: int
    prefetchable: bool


@dataclass(slots=True)
class Profile:
    """What the traces of one device (`name` of their headers) show, counted over sessions.

    `ids` holds the values read of fields of the PCI header; `layouts` whole capability lists; `rings`
    counts by (format, size) the queues enabled, `used_rings` those on which a buffer came back. `resets`
    counts by kind: "status" is a write of 0 to device_status. `functions` says how often FLR was
    offered or not.
    """

    name: str
    sources: Counter[str] = field(default_factory=Counter)
    types: Counter[int] = field(default_factory=Counter)
    ids: dict[str, Counter[int]] = field(default_factory=dict)
    layouts: Counter[tuple[Structure, ...]] = field(default_factory=Counter)
    bars: Counter[Bar] = field(default_factory=Counter)
    vectors: Counter[int] = field(default_factory=Counter)
    flr: Counter[bool] = field(default_factory=Counter)
    queues: Counter[int] = field(default_factory=Counter)
    sessions: Counter[Negotiation] = field(default_factory=Counter)
    rings: Counter[tuple[str, int]] = field(default_factory=Counter)
    used_rings: Counter[tuple[str, int]] = field(default_factory=Counter)
    messages: int = 0
    lines: int = 0
    resets: Counter[str] = field(default_factory=Counter)
    traces: int = 0

    def add(self, other: Profile) -> None:
        """Count another trace's profile of the same device in."""
        for name in ("sources", "types", "layouts", "bars", "vectors", "flr", "queues"):
            getattr(self, name).update(getattr(other, name))
        for name in ("sessions", "rings", "used_rings", "resets"):
            getattr(self, name).update(getattr(other, name))
        for name, values in other.ids.items():
            self.ids.setdefault(name, Counter()).update(values)
        self.messages += other.messages
        self.lines += other.lines
        self.traces += other.traces

    @property
    def offered(self) -> int:
        """The features offered in any session."""
        return union(row.offered for row in self.sessions)

    @property
    def accepted(self) -> int:
        """The features accepted in any session."""
        return union(row.accepted or 0 for row in self.sessions)

    @property
    def exercised(self) -> int:
        """The features accepted in any session in which a buffer came back."""
        return union(row.accepted or 0 for row in self.sessions if row.traffic)

    def count(self, bit: int, *, accepted: bool = False, traffic: bool = False) -> int:
        """How many sessions offered (or accepted; or accepted, with traffic) a feature."""
        total = 0
        for row, number in self.sessions.items():
            features = (row.accepted or 0) if accepted else row.offered
            if features >> bit & 1 and (row.traffic or not traffic):
                total += number
        return total


def union(masks: Iterable[int]) -> int:
    """All bits of some masks."""
    result = 0
    for mask in masks:
        result |= mask
    return result
