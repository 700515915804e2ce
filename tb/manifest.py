"""The DUT manifest: dut.toml as frozen, validated objects.

Every mistake is a UsageError of one line: file, table, key, what is wrong and how to mend it.
"""

from __future__ import annotations

import glob
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tb.errors import UsageError
from tb.manifest_pci import PciShell, read_pci
from tb.toml_table import Table

CONFIG_KINDS = ("axi4-lite", "reqcpl", "shell", "none")
BAR_KINDS = ("axi4-lite", "axi4", "reqcpl", "pcie-tlp", "python")
DMA_KINDS = ("axi4", "pcie-tlp", "python")
IRQ_KINDS = ("msix-write", "msix-pulse", "reqack", "level", "python")
NOT_YET = ("pcie-tlp", "python")
"""Kinds that a manifest may name and no path of the bench drives yet."""
SHELL_IRQ_KINDS = ("msix-pulse", "reqack")
"""Kinds whose vectors only a shell can turn into messages."""
DEVICE_TYPES = {"net": 1, "blk": 2, "console": 3, "entropy": 4, "other": None}
INTERFACES = {
    "modern": ("modern",),
    "transitional": ("transitional", "modern"),
    "admin": ("admin", "modern"),
    "lguest": ("lguest",),
}
"""How a device may be driven, and the interfaces whose tests a device of each kind can be asked."""
HDL_SUFFIXES = (".sv", ".v", ".vlt")


@dataclass(frozen=True, slots=True)
class Hdl:
    """What is compiled: `sources` in order, with everything that changes the result."""

    name: str
    toplevel: str
    sources: tuple[Path, ...]
    include_dirs: tuple[Path, ...]
    defines: dict[str, str]
    parameters: dict[str, str]
    verilator_args: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock input and its period in picoseconds."""

    port: str
    period_ps: int


@dataclass(frozen=True, slots=True)
class ResetPort:
    """The reset input; `active_low` says at which level it resets."""

    port: str
    active_low: bool


@dataclass(frozen=True, slots=True)
class Port:
    """One interface of the DUT: pins are `prefix` + signal name, or what `signals` says instead."""

    table: str
    kind: str
    prefix: str = ""
    signals: dict[str, str] = field(default_factory=dict)
    class_name: str = ""

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


@dataclass(frozen=True, slots=True)
class Manifest:
    """One device under test, whole."""

    path: Path
    hdl: Hdl
    clock: Clock
    reset: ResetPort
    config: Port
    bar: BarPort
    dma: Port
    irq: IrqPort
    medium: MediumPort | None
    pci: PciShell | None
    device: str
    interface: str

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


def _manifest(path: Path, content: dict[str, Any]) -> Manifest:
    root = Table(path, "", content)
    ports = root.table("ports")
    config = _config(ports.table("config"))
    pci_table = root.optional_table("pci")
    if config.kind == "shell" and pci_table is None:
        raise root.fail("pci", 'is missing: ports.config kind = "shell" needs it')
    if config.kind != "shell" and pci_table is not None:
        raise root.fail("pci", 'is only for ports.config kind = "shell"')
    device, interface = _device(root.table("device"))
    manifest = Manifest(
        path=path.resolve(),
        hdl=_hdl(root.table("dut")),
        clock=_clock(root.table("clock")),
        reset=_reset(root.table("reset")),
        config=config,
        bar=_bar(ports.table("bar")),
        dma=_dma(ports.table("dma")),
        irq=_irq(ports.table("irq")),
        medium=_medium(ports.optional_table("medium")),
        pci=read_pci(pci_table) if pci_table else None,
        device=device,
        interface=interface,
    )
    ports.finish()
    root.finish()
    _check_bars(root, manifest)
    _check_irq(root, manifest)
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


def _hdl(table: Table) -> Hdl:
    base = table.file.resolve().parent
    name = table.get("name", str)
    if not name or any(c in name for c in "/\\\0\n"):
        raise table.fail("name", f"is {name!r}: give a plain name")
    if table.has("sources") == table.has("filelist"):
        raise table.fail("sources", "give either sources or filelist")
    sources = _globbed(table, base) if table.has("sources") else _listed(table, base)
    hdl = Hdl(
        name=name,
        toplevel=_identifier(table, "toplevel"),
        sources=tuple(sources),
        include_dirs=tuple(_folder(table, base, item) for item in table.strings("include_dirs")),
        defines=_scalars(table, "defines"),
        parameters=_scalars(table, "parameters"),
        verilator_args=tuple(table.strings("verilator_args")),
    )
    table.finish()
    return hdl


def _globbed(table: Table, base: Path) -> list[Path]:
    result: list[Path] = []
    for pattern in table.strings("sources"):
        found = sorted(glob.glob(str(base / pattern), recursive=True))
        if not found:
            raise table.fail("sources", f"no file matches {pattern!r} below {base}")
        result += [_source(table, "sources", Path(name)) for name in found if Path(name) not in result]
    if not result:
        raise table.fail("sources", "is empty: name at least one file")
    return result


def _listed(table: Table, base: Path) -> list[Path]:
    """Sources of a file list: one a line, relative to `filelist_root` (default: the list's folder)."""
    file = base / table.get("filelist", str)
    root = base / table.get("filelist_root", str, str(file.parent))
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise table.fail("filelist", f"{file} cannot be read: {error}") from None
    names = [line.partition("//")[0].partition("#")[0].strip() for line in lines]
    result = [_source(table, "filelist", root / name) for name in names if name]
    if not result:
        raise table.fail("filelist", f"{file} names no source")
    return result


def _source(table: Table, key: str, path: Path) -> Path:
    if not path.is_file():
        raise table.fail(key, f"there is no file {path}")
    if path.suffix not in HDL_SUFFIXES:
        raise table.fail(key, f"{path} is not Verilog: its name must end in {' or '.join(HDL_SUFFIXES)}")
    return path.resolve()


def _folder(table: Table, base: Path, name: str) -> Path:
    path = base / name
    if not path.is_dir():
        raise table.fail("include_dirs", f"there is no folder {path}")
    return path.resolve()


def _scalars(table: Table, key: str) -> dict[str, str]:
    result = {}
    for name, value in table.mapping(key).items():
        if isinstance(value, bool):
            value = int(value)
        if not name.isidentifier() or not isinstance(value, str | int):
            raise table.fail(key, f"{name} = {value!r}: give a name and an integer or string")
        result[name] = str(value)
    return result


def _identifier(table: Table, key: str, default: str | None = None) -> str:
    value = table.get(key, str, default)
    if not value.replace("$", "_").isidentifier() and value != default:
        raise table.fail(key, f"is {value!r}: give the name of a port or module")
    return value


def _clock(table: Table) -> Clock:
    clock = Clock(_identifier(table, "port"), table.get("period_ps", int))
    if not 2 <= clock.period_ps <= 10**9 or clock.period_ps % 2:
        raise table.fail("period_ps", f"is {clock.period_ps}: give an even number from 2 to 10^9")
    table.finish()
    return clock


def _reset(table: Table) -> ResetPort:
    reset = ResetPort(_identifier(table, "port"), table.choice("active", ("low", "high")) == "low")
    table.finish()
    return reset


def _pins(table: Table, kind: str) -> dict[str, Any]:
    """What every port table may say: prefix, signals, class."""
    if kind in NOT_YET:
        raise table.fail(
            "kind", f"{kind!r} is not driven yet: put an AXI4 or request/completion shim before it"
        )
    signals = table.mapping("signals")
    for signal, port in signals.items():
        if not isinstance(port, str):
            raise table.fail("signals", f"{signal} = {port!r}: give the name of a port")
    prefix = table.get("prefix", str, "")
    class_name = table.get("class", str, "")
    if (kind == "python") != bool(class_name):
        raise table.fail("class", 'goes with kind = "python", as "module:Class"')
    if kind.startswith("axi4") and not prefix and not signals:
        raise table.fail("prefix", f"is missing: kind = {kind!r} needs prefix or signals")
    return {"table": table.name, "kind": kind, "prefix": prefix, "signals": signals, "class_name": class_name}


def _config(table: Table) -> Port:
    port = Port(**_pins(table, table.choice("kind", CONFIG_KINDS)))
    table.finish()
    return port


def _bar(table: Table) -> BarPort:
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
    port = BarPort(**_pins(table, table.choice("kind", BAR_KINDS)), bars=bars)
    table.finish()
    return port


def _dma(table: Table) -> Port:
    port = Port(**_pins(table, table.choice("kind", DMA_KINDS)))
    table.finish()
    return port


def _irq(table: Table) -> IrqPort:
    kind = table.choice("kind", IRQ_KINDS)
    pins = _pins(table, kind)
    named = {name: _identifier(table, name) for name in _IRQ_PINS.get(kind, ())}
    optional = {"ready": _identifier(table, "ready", "")} if kind == "msix-pulse" else {}
    pins["signals"] |= named | {name: port for name, port in optional.items() if port}
    port = IrqPort(**pins, intx=_identifier(table, "intx", ""))
    table.finish()
    return port


_IRQ_PINS = {"msix-pulse": ("valid", "vector"), "reqack": ("request", "vector", "acknowledge")}


def _medium(table: Table | None) -> MediumPort | None:
    if table is None:
        return None
    pins = _pins(table, table.choice("kind", ("axi4",)))
    port = MediumPort(**pins, sectors=_identifier(table, "sectors", ""))
    table.finish()
    return port


def _device(table: Table) -> tuple[str, str]:
    """The device's type, and how it is driven (default: as a modern virtio-pci function)."""
    kind = table.choice("type", tuple(DEVICE_TYPES))
    interface = table.choice("interface", tuple(INTERFACES)) if table.has("interface") else "modern"
    table.finish()
    return kind, interface
