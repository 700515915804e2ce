"""The manifest's [ports]: the DUT's interfaces, and the pins that carry them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tb.manifest.clocking import Clock, read_clock_name
from tb.toml_table import Table

CONFIG_KINDS = ("axi4-lite", "reqcpl", "shell", "none", "pcie-tlp", "python")
BAR_KINDS = ("axi4-lite", "axi4", "reqcpl", "pcie-tlp", "python")
DMA_KINDS = ("axi4", "pcie-tlp", "python")
IRQ_KINDS = ("msix-write", "msix-pulse", "reqack", "level", "python")
TLP = "pcie-tlp"
PACKETS, ULTRASCALE = "packets", "ultrascale"
"""Shapes of `TLP`: whole packets, or the user side of AMD's UltraScale+ PCIe block."""
_CLASS = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
SHELL_IRQ_KINDS = ("msix-pulse", "reqack")
"""Kinds whose vectors only a shell can turn into messages."""


@dataclass(frozen=True, slots=True)
class Port:
    """One interface of the DUT: pins are `prefix` + signal name, or what `signals` says instead."""

    table: str
    kind: str
    prefix: str = ""
    signals: dict[str, str] = field(default_factory=dict)
    class_name: str = ""
    clock: str = ""
    shape: str = ""

    def pin(self, signal: str) -> str:
        """The DUT's port that carries `signal` (an AXI signal's lower-case name)."""
        return self.signals.get(signal, self.prefix + signal)


@dataclass(frozen=True, slots=True)
class BarPort(Port):
    """The BAR space's interface; `bars` maps a BAR number to its base address on the port."""

    bars: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IrqPort(Port):
    """Interrupts: pins of the kinds that have any, and the INTx level where there is one."""

    intx: str = ""


@dataclass(frozen=True, slots=True)
class MediumPort(Port):
    """A block back end's way to its medium; `sectors` is the input that tells its capacity, if any."""

    sectors: str = ""


def _pins(table: Table, kind: str, clocks: Sequence[Clock]) -> dict[str, Any]:
    """What every port table may say: prefix, signals, class, clock."""
    shape = table.choice("shape", (PACKETS, ULTRASCALE), PACKETS) if kind == TLP else ""
    signals = table.mapping("signals")
    for signal, port in signals.items():
        if not isinstance(port, str):
            raise table.fail("signals", f"{signal} = {port!r}: give the name of a port")
    prefix = table.get("prefix", str, "")
    class_name = table.get("class", str, "")
    if (kind == "python") != bool(class_name):
        raise table.fail("class", 'goes with kind = "python", as "module:Class"')
    if class_name and not _CLASS.fullmatch(class_name):
        raise table.fail("class", f'is {class_name!r}: give "module:Class", a module beside the manifest')
    if (kind.startswith("axi4") or kind == "python" or shape == PACKETS) and not prefix and not signals:
        raise table.fail("prefix", f"is missing: kind = {kind!r} needs prefix or signals")
    return {
        "table": table.name,
        "shape": shape,
        "kind": kind,
        "prefix": prefix,
        "signals": signals,
        "class_name": class_name,
        "clock": read_clock_name(table, clocks),
    }


def read_config(table: Table, clocks: Sequence[Clock]) -> Port:
    """Read and validate [ports.config]; raises UsageError."""
    port = Port(**_pins(table, table.choice("kind", CONFIG_KINDS), clocks))
    table.finish()
    return port


def read_bar(table: Table, clocks: Sequence[Clock]) -> BarPort:
    """Read and validate [ports.bar]; raises UsageError."""
    bars = {}
    for number, base in table.mapping("bars").items():
        if number not in ("0", "1", "2", "3", "4", "5"):
            raise table.fail("bars", f"{number!r} is not a BAR number: use 0 to 5")
        if not isinstance(base, int) or isinstance(base, bool) or not 0 <= base < 1 << 64:
            raise table.fail("bars", f"{number} = {base!r}: give the BAR's base address on the port")
        bars[int(number)] = base
    if not bars:
        raise table.fail("bars", "is missing: say at which address each BAR lies, as { 0 = 0x0 }")
    if len(set(bars.values())) != len(bars):
        raise table.fail("bars", "two BARs overlap: they have the same base address")
    port = BarPort(**_pins(table, table.choice("kind", BAR_KINDS), clocks), bars=bars)
    table.finish()
    return port


def read_dma(table: Table, clocks: Sequence[Clock]) -> Port:
    """Read and validate [ports.dma]; raises UsageError."""
    port = Port(**_pins(table, table.choice("kind", DMA_KINDS), clocks))
    table.finish()
    return port


def read_irq(table: Table, clocks: Sequence[Clock]) -> IrqPort:
    """Read and validate [ports.irq]; raises UsageError."""
    kind = table.choice("kind", IRQ_KINDS)
    pins = _pins(table, kind, clocks)
    named = {name: table.identifier(name) for name in _IRQ_PINS.get(kind, ())}
    optional = {"ready": table.identifier("ready", "")} if kind == "msix-pulse" else {}
    pins["signals"] |= named | {name: port for name, port in optional.items() if port}
    port = IrqPort(**pins, intx=table.identifier("intx", ""))
    table.finish()
    return port


_IRQ_PINS = {"msix-pulse": ("valid", "vector"), "reqack": ("request", "vector", "acknowledge")}


def read_medium(table: Table | None, clocks: Sequence[Clock]) -> MediumPort | None:
    """Read and validate [ports.medium], None where it is left out; raises UsageError."""
    if table is None:
        return None
    pins = _pins(table, table.choice("kind", ("axi4",)), clocks)
    port = MediumPort(**pins, sectors=table.identifier("sectors", ""))
    table.finish()
    return port
