"""The DUT manifest whole: dut.toml as frozen, validated objects.

Every mistake is a UsageError of one line: file, table, key, what is wrong and how to mend it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tb.errors import UsageError
from tb.manifest.clocking import Clock, ResetPort, read_clocks, read_resets
from tb.manifest.hdl import Hdl, read_hdl
from tb.manifest.pci import PciShell, read_pci
from tb.manifest.ports import (
    SHELL_IRQ_KINDS,
    TLP,
    ULTRASCALE,
    BarPort,
    IrqPort,
    MediumPort,
    Port,
    read_bar,
    read_config,
    read_dma,
    read_irq,
    read_medium,
)
from tb.manifest.scope import read_scope
from tb.toml_table import Table

DEVICE_TYPES = {"net": 1, "blk": 2, "console": 3, "entropy": 4, "other": None}
INTERFACES = {
    "modern": ("modern",),
    "transitional": ("transitional", "modern"),
    "admin": ("admin", "modern"),
    "lguest": ("lguest",),
}
"""How a device may be driven, and the interfaces whose tests a device of each kind can be asked."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One device under test, whole."""

    path: Path
    hdl: Hdl
    clocks: tuple[Clock, ...]
    resets: tuple[ResetPort, ...]
    config: Port
    bar: BarPort
    dma: Port
    irq: IrqPort
    medium: MediumPort | None
    pci: PciShell | None
    device: str
    interface: str
    out_of_scope: dict[str, str] = field(default_factory=dict)

    @property
    def clock(self) -> Clock:
        """The main clock: the bench counts its cycles."""
        return self.clocks[0]

    @property
    def reset(self) -> ResetPort:
        """The main reset."""
        return self.resets[0]

    @property
    def as_built(self) -> Manifest:
        """The manifest without what changes no simulator."""
        ports = {
            name: replace(getattr(self, name), class_name="") for name in ("config", "bar", "dma", "irq")
        }
        return replace(self, out_of_scope={}, **ports)

    @property
    def python_ports(self) -> list[Port]:
        """The ports of kind "python"."""
        return [p for p in (self.config, self.bar, self.dma, self.irq) if p.kind == "python"]

    def clock_of(self, port: Port) -> Clock:
        """The clock that a port belongs to."""
        return next((clock for clock in self.clocks if clock.name == port.clock), self.clock)

    def reset_of(self, port: Port) -> ResetPort:
        """The reset of a port: the first with the port's clock, or else the main one."""
        return next((r for r in self.resets if r.clock == self.clock_of(port).name), self.reset)

    @property
    def device_type(self) -> int | None:
        """The virtio device type number, None for "other"."""
        return DEVICE_TYPES[self.device]


def load_manifest(path: Path) -> Manifest:
    """Read and validate a manifest; raises UsageError."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such manifest") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: is not valid TOML: {error}") from None
    return _manifest(path, content)


def _lower(names: Any) -> Any:
    """What a manifest says of VHDL's pins: VHDL does not know case, so its names are lower-case here."""
    if isinstance(names, dict):
        return {key: value if key == "class" else _lower(value) for key, value in names.items()}
    if isinstance(names, list):
        return [_lower(name) for name in names]
    return names.lower() if isinstance(names, str) else names


def _manifest(path: Path, content: dict[str, Any]) -> Manifest:
    root = Table(path, "", content)
    hdl = read_hdl(root.table("dut"))
    if hdl.vhdl:
        pins = {key: _lower(content[key]) for key in ("clock", "reset", "ports") if key in content}
        root = Table(path, "", content | pins)
        root.table("dut")
    device, interface = _device(root.table("device"))
    clocks = read_clocks(root)
    ports = root.table("ports")
    config = read_config(ports.table("config"), clocks)
    pci_table = root.optional_table("pci")
    if config.kind == "shell" and pci_table is None:
        raise root.fail("pci", 'is missing: ports.config kind = "shell" needs it')
    if config.kind != "shell" and pci_table is not None:
        raise root.fail("pci", 'is only for ports.config kind = "shell"')
    manifest = Manifest(
        path=path.resolve(),
        hdl=hdl,
        clocks=clocks,
        resets=read_resets(root, clocks),
        config=config,
        bar=read_bar(ports.table("bar"), clocks),
        dma=read_dma(ports.table("dma"), clocks),
        irq=read_irq(ports.table("irq"), clocks),
        medium=read_medium(ports.optional_table("medium"), clocks),
        pci=read_pci(pci_table) if pci_table else None,
        device=device,
        interface=interface,
        out_of_scope=read_scope(root.tables("out_of_scope")),
    )
    ports.finish()
    root.finish()
    _check_bars(root, manifest)
    _check_irq(root, manifest)
    _check_tlp(root, manifest)
    return manifest


def _check_bars(root: Table, manifest: Manifest) -> None:
    """The BARs that the shell sizes must have room on the port, each at a place of its own."""
    sizes = {bar.index: bar.size for bar in manifest.pci.bars} if manifest.pci else {}
    end, before = 0, -1
    for number, base in sorted(manifest.bar.bars.items(), key=lambda item: item[1]):
        if sizes and number not in sizes:
            raise root.fail("ports.bar.bars", f"names BAR {number}, which [pci] bars does not have")
        if base < end:
            raise root.fail("ports.bar.bars", f"BAR {number} at {base:#x} overlaps BAR {before}")
        end, before = base + sizes.get(number, 1), number


def _check_tlp(root: Table, manifest: Manifest) -> None:
    """One pair of streams carries all that is of kind "pcie-tlp"."""
    ports = {"bar": manifest.bar, "dma": manifest.dma, "config": manifest.config}
    spoken = {name for name, port in ports.items() if port.kind == TLP}
    missing = sorted({"bar", "dma"} - spoken) if spoken else []
    if missing:
        here, there = missing[0], sorted(spoken)[0]
        kind = ports[here].kind
        raise UsageError(
            f"{root.file}: [ports.{here}] kind: is {kind!r}: ports.{there} is {TLP!r}, which carries both"
        )
    for name in sorted(spoken):
        port, bar = ports[name], manifest.bar
        own, shared = ((p.prefix, p.signals, p.clock, p.shape) for p in (port, bar))
        if own != shared:
            raise UsageError(
                f"{root.file}: [ports.{name}] prefix: differs from ports.bar: {TLP!r} is one pair of streams"
            )
    if manifest.bar.shape == ULTRASCALE and manifest.pci is None:
        raise UsageError(
            f"{root.file}: [ports.config] kind: must be 'shell': behind shape {ULTRASCALE!r} configuration "
            "space is the PCIe block's"
        )


def _check_irq(root: Table, manifest: Manifest) -> None:
    kind = manifest.irq.kind
    if kind in SHELL_IRQ_KINDS and manifest.pci is None:
        raise root.fail(
            "ports.irq.kind", f'is {kind!r}: vectors need ports.config kind = "shell" and [pci] msix'
        )
    if kind in SHELL_IRQ_KINDS and manifest.pci is not None and not manifest.pci.vectors:
        raise root.fail("pci.msix", f"is missing: ports.irq kind = {kind!r} names its vectors")
    if kind == "level" and not manifest.irq.intx:
        raise root.fail("ports.irq.intx", 'is missing: kind = "level" needs the pin')


def _device(table: Table) -> tuple[str, str]:
    """The device's type, and how it is driven (default: as a modern virtio-pci function)."""
    kind = table.choice("type", tuple(DEVICE_TYPES))
    interface = table.choice("interface", tuple(INTERFACES)) if table.has("interface") else "modern"
    table.finish()
    return kind, interface
