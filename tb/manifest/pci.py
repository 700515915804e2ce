"""The manifest's [pci]: what the bench's configuration space says where the DUT has none of its own."""

from __future__ import annotations

from dataclasses import dataclass

from pymodel import spec
from tb.toml_table import Table

BAR_KINDS = ("mem32", "mem64", "io")
CAP_TYPES = {
    "common": spec.CapType.COMMON,
    "notify": spec.CapType.NOTIFY,
    "isr": spec.CapType.ISR,
    "device": spec.CapType.DEVICE,
    "pci-cfg": spec.CapType.PCI_CFG,
}


@dataclass(frozen=True, slots=True)
class BarSpace:
    """One base address register: `size` in bytes, a power of two."""

    index: int
    size: int
    kind: str
    prefetchable: bool


@dataclass(frozen=True, slots=True)
class ShellCap:
    """One virtio capability that the shell presents; offset and length in bytes."""

    cfg_type: spec.CapType
    bar: int
    offset: int
    length: int
    multiplier: int


@dataclass(frozen=True, slots=True)
class PciShell:
    """Identity, BARs, MSI-X vectors (0: no MSI-X) and virtio capabilities of the shell."""

    vendor_id: int
    device_id: int
    revision_id: int
    class_code: int
    subsystem_vendor_id: int
    subsystem_id: int
    bars: tuple[BarSpace, ...]
    vectors: int
    caps: tuple[ShellCap, ...]


def read_pci(table: Table) -> PciShell:
    """Read and validate the table; raises UsageError."""
    bars = _bars(table)
    msix = table.optional_table("msix")
    shell = PciShell(
        vendor_id=table.unsigned("vendor_id", 16),
        device_id=table.unsigned("device_id", 16),
        revision_id=table.unsigned("revision_id", 8, 1),
        class_code=table.unsigned("class_code", 24, 0),
        subsystem_vendor_id=table.unsigned("subsystem_vendor_id", 16, spec.VENDOR_ID),
        subsystem_id=table.unsigned("subsystem_id", 16, 0x40),
        bars=bars,
        vectors=_vectors(msix, bars) if msix else 0,
        caps=tuple(_cap(cap, bars) for cap in table.tables("virtio")),
    )
    table.finish()
    return shell


def _bars(table: Table) -> tuple[BarSpace, ...]:
    used: set[int] = set()
    bars = []
    for item in table.tables("bars"):
        bar = BarSpace(
            index=item.unsigned("index", 3),
            size=item.get("size", int),
            kind=item.choice("kind", BAR_KINDS),
            prefetchable=item.get("prefetchable", bool, False),
        )
        slots = {bar.index, bar.index + 1} if bar.kind == "mem64" else {bar.index}
        if max(slots) > 5:
            raise item.fail("index", f"is {bar.index}: a {bar.kind} BAR fits at 0 to {6 - len(slots)}")
        if slots & used:
            raise item.fail("index", f"BAR {bar.index} overlaps another one (a mem64 BAR takes two)")
        if bar.size < 16 or bar.size & (bar.size - 1):
            raise item.fail("size", f"is {bar.size:#x}: give a power of two of at least 16 bytes")
        item.finish()
        used |= slots
        bars.append(bar)
    return tuple(bars)


def msix_bar(bars: tuple[BarSpace, ...]) -> int | None:
    """The first BAR that nothing else takes, where the shell keeps the MSI-X table."""
    used = {bar.index for bar in bars} | {bar.index + 1 for bar in bars if bar.kind == "mem64"}
    return next((index for index in range(6) if index not in used), None)


def _vectors(table: Table, bars: tuple[BarSpace, ...]) -> int:
    vectors = table.get("vectors", int)
    if not 1 <= vectors <= 2048:
        raise table.fail("vectors", f"is {vectors}: give 1 to 2048")
    if msix_bar(bars) is None:
        raise table.fail("vectors", "needs a BAR for the table, and [pci] bars takes all six")
    table.finish()
    return vectors


def _cap(table: Table, bars: tuple[BarSpace, ...]) -> ShellCap:
    kind = table.choice("type", tuple(CAP_TYPES))
    needs_place = kind != "pci-cfg"
    cap = ShellCap(
        cfg_type=CAP_TYPES[kind],
        bar=table.unsigned("bar", 3, None if needs_place else 0),
        offset=table.unsigned("offset", 32, None if needs_place else 0),
        length=table.unsigned("length", 32, None if needs_place else 0),
        multiplier=table.unsigned("multiplier", 32, 0) if kind == "notify" else 0,
    )
    sizes = {bar.index: bar.size for bar in bars}
    if needs_place and cap.bar not in sizes:
        raise table.fail("bar", f"is {cap.bar}: [pci] bars has no such BAR")
    if needs_place and cap.offset + cap.length > sizes[cap.bar]:
        end = cap.offset + cap.length
        raise table.fail("length", f"ends at {end:#x}, behind the {sizes[cap.bar]:#x} bytes of BAR {cap.bar}")
    table.finish()
    return cap
