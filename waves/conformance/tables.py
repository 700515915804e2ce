"""What devices showed, as tables with a column for each device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pymodel import spec
from waves.conformance.judgement import type_name
from waves.conformance.profile import Bar, Profile, Structure, union
from waves.names import feature_names

K = TypeVar("K")
NOT_SEEN = "not seen"
_COUNTS = ("interrupts that left it", "resets", "driver sessions", "driven by", "traces")
_MOST_VALUES = 4
_MOST_SIZES = 24
_CAPABILITIES = {
    spec.PciCapId.POWER_MANAGEMENT: "power management",
    spec.PciCapId.PCI_EXPRESS: "PCI Express",
    spec.PciCapId.MSIX: "MSI-X",
}
_STRUCTURES = {
    spec.CapType.COMMON: "common structure",
    spec.CapType.NOTIFY: "notification structure",
    spec.CapType.ISR: "ISR structure",
    spec.CapType.DEVICE: "device structure",
    spec.CapType.PCI_CFG: "PCI_CFG window",
    spec.CapType.SHARED_MEMORY: "shared memory",
    spec.CapType.VENDOR: "vendor data",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A row: its label and a cell for each column; `differs` marks one in which two runs differ."""

    label: str
    cells: tuple[str, ...]
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Columns:
    """Heads of columns, and which columns of one run are held against which of the other."""

    heads: tuple[str, ...]
    pairs: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, runs: Sequence[Sequence[str]]) -> Columns:
        """The columns of one run by name, or of two, A and B: devices of one name are held together.

        Where no name is in both, each is held against each.
        """
        letters = ("",) if len(runs) == 1 else ("A: ", "B: ")
        heads = [f"{letter}{name}" for letter, names in zip(letters, runs, strict=True) for name in names]
        if len(runs) == 1:
            return cls(tuple(heads))
        ours, theirs = runs
        every = [(i, len(ours) + j) for i in range(len(ours)) for j in range(len(theirs))]
        alike = [(i, j) for i, j in every if ours[i] == theirs[j - len(ours)]]
        return cls(tuple(heads), tuple(alike or every))

    def line(self, label: str, cells: Sequence[str], essence: Sequence[str] | None = None) -> Line:
        """A row; `essence` is what of the cells two runs may differ in, by default all of them."""
        told = cells if essence is None else essence
        differs = bool(told) and any(told[i] != told[j] for i, j in self.pairs)
        return Line(label, tuple(cells), differs)


@dataclass(frozen=True, slots=True)
class Table:
    """Column heads, and rows of as many cells."""

    heads: tuple[str, ...]
    lines: tuple[Line, ...]


def device_table(columns: Columns, profiles: Sequence[Profile]) -> Table:
    """Identity and transport of each device as its traces show them."""
    kinds: dict[str, Callable[[Profile], str]] = {
        "device type": lambda p: _values(p.types, type_name),
        "vendor and device ID": lambda p: _pair(p, "vendor_id", "device_id"),
        "revision": lambda p: _id(p, "revision_id"),
        "class code": lambda p: _id(p, "class_code"),
        "subsystem vendor and ID": lambda p: _pair(p, "subsystem_vendor_id", "subsystem_id"),
        "BARs": lambda p: _values(p.bars, _bar, "; ", 6),
        "MSI-X vectors": lambda p: _values(p.vectors, str),
        "interrupts that left it": _interrupts,
        "function-level reset": lambda p: _values(p.flr, lambda able: "offered" if able else "not offered"),
        "resets": _resets,
        "virtqueues": lambda p: _values(p.queues, str),
        "driver sessions": _sessions,
        "split rings": lambda p: _rings(p, "split"),
        "packed rings": lambda p: _rings(p, "packed"),
        "driven by": lambda p: ", ".join(sorted({row.interface for row in p.sessions})) or NOT_SEEN,
        "traces": lambda p: f"{p.traces} ({_values(p.sources, str)})",
    }
    lines = []
    for name, kind in kinds.items():
        cells = [kind(profile) for profile in profiles]
        lines.append(columns.line(name, cells, () if name in _COUNTS else cells))
    for label in dict.fromkeys(name for profile in profiles for name in _structures(profile)):
        cells = [_structures(profile).get(label, "none seen") for profile in profiles]
        lines.append(columns.line(label, cells))
    return Table(columns.heads, tuple(lines))


def feature_table(columns: Columns, profiles: Sequence[Profile]) -> Table:
    """A row for each feature bit that any device offered or any driver accepted."""
    bits = union(profile.offered | profile.accepted for profile in profiles)
    kinds: set[int | None] = {kind for profile in profiles for kind in profile.types}
    lines = []
    for bit in range(bits.bit_length()):
        if bits >> bit & 1:
            names = {feature_names(1 << bit, kind)[0] for kind in kinds or {None}}
            cells = [_feature(profile, bit) for profile in profiles]
            essence = [cell.partition(" in ")[0] for cell in cells]
            lines.append(columns.line(f"{bit} {' or '.join(sorted(names))}", cells, essence))
    return Table(columns.heads, tuple(lines))


def _feature(profile: Profile, bit: int) -> str:
    if profile.exercised >> bit & 1:
        return f"exercised in {plural(profile.count(bit, accepted=True, traffic=True), 'session')}"
    if profile.accepted >> bit & 1:
        return f"negotiated in {plural(profile.count(bit, accepted=True), 'session')}, no buffer returned"
    return "offered, never negotiated" if profile.offered >> bit & 1 else "not offered"


def plural(number: int, what: str) -> str:
    """A number of things in words."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def size_text(size: int) -> str:
    """A size in bytes, in the largest unit that divides it."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size % unit == 0 and size:
            return f"{size // unit} {name}"
    return plural(size, "byte")


def _values(counter: Counter[K], word: Callable[[K], str], joint: str = " or ", most: int = 0) -> str:
    """The values that were seen, most frequent first; more than one is worth a look."""
    if not counter:
        return NOT_SEEN
    most = most or _MOST_VALUES
    words = list(dict.fromkeys(word(value) for value, _ in counter.most_common(most)))
    return joint.join(words) + (" ..." if len(counter) > most else "")


def _id(profile: Profile, name: str) -> str:
    width = 2 * spec.PCI_CFG[name].width
    return _values(profile.ids.get(name, Counter()), lambda value: f"0x{value:0{width}x}")


def _pair(profile: Profile, first: str, second: str) -> str:
    if first not in profile.ids and second not in profile.ids:
        return NOT_SEEN
    return f"{_id(profile, first)}, {_id(profile, second)}"


def _bar(bar: Bar) -> str:
    return f"BAR{bar.index} {bar.kind}{' prefetchable' if bar.prefetchable else ''} {size_text(bar.size)}"


def _interrupts(profile: Profile) -> str:
    return f"{plural(profile.messages, 'MSI-X message')}, {plural(profile.lines, 'INTx assertion')}"


def _resets(profile: Profile) -> str:
    names = {"status": "by device_status", "flr": "FLR", "hot": "hot"}
    return ", ".join(f"{profile.resets[kind]} {name}" for kind, name in names.items())


def _sessions(profile: Profile) -> str:
    counts = profile.sessions
    negotiated = sum(number for row, number in counts.items() if row.accepted is not None)
    traffic = sum(number for row, number in counts.items() if row.traffic)
    return f"{sum(counts.values())}; {negotiated} with features agreed, {traffic} with buffers returned"


def _rings(profile: Profile, form: str) -> str:
    used = sorted(size for kind, size in profile.used_rings if kind == form)
    idle = sorted(size for kind, size in profile.rings if kind == form and size not in used)
    parts = [f"sizes {_sizes(used)} with buffers returned"] if used else []
    parts += [f"sizes {_sizes(idle)} without"] if idle else []
    return "; ".join(parts) or "none enabled"


def _sizes(sizes: Iterable[int]) -> str:
    words = [str(size) for size in sizes]
    return ", ".join(words[:_MOST_SIZES]) + (
        f" and {len(words) - _MOST_SIZES} more" * (len(words) > _MOST_SIZES)
    )


def _structures(profile: Profile) -> dict[str, str]:
    """Where each structure lies by the capability list read most often."""
    if not profile.layouts:
        return {}
    layout, _ = profile.layouts.most_common(1)[0]
    found: dict[str, str] = {}
    others = []
    for structure in layout:
        label = _STRUCTURES[spec.CapType(structure.cfg_type or 0)] if structure.virtio else None
        if label is None:
            others.append(_capability(structure))
        else:
            found[label] = "; ".join(filter(None, (found.get(label), _place(structure))))
    found["other capabilities"] = ", ".join(others) or "none"
    if len(profile.layouts) > 1:
        found["capability lists read"] = f"{len(profile.layouts)} different ones"
    return found


def _place(structure: Structure) -> str:
    if structure.bar is None or structure.offset is None or structure.length is None:
        return "there"
    multiplier = f", multiplier {structure.multiplier}" if structure.multiplier else ""
    return f"BAR{structure.bar}+{structure.offset:#x}, {size_text(structure.length)}{multiplier}"


def _capability(structure: Structure) -> str:
    known = structure.id in list(spec.PciCapId) and structure.id != spec.PciCapId.VENDOR
    return _CAPABILITIES[spec.PciCapId(structure.id)] if known else f"ID {structure.id:#04x}"
