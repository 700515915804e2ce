"""The native path's top level: the DUT with C-driven bus models on its ports, as generated SystemVerilog."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tb.elaborate import AXI_LITE_PINS, AXI_PINS, TopPort
from tb.manifest import Manifest, Port

TOPLEVEL = "vio_bench"
CONFIG, BAR = 0, 1
"""Numbers of the initiators in the C library."""
DMA, MEDIUM = 0, 1
"""Numbers of the targets in the C library."""
_TARGET_PINS = [*AXI_PINS, "awid", "bid", "arid", "rid"]
_CONSTANT = {"bresp", "rresp", "bid", "rid", "rlast"}


def native_blocker(manifest: Manifest) -> str | None:
    """Why the native path cannot drive this DUT, or None where it can."""
    wanted = {
        "config": ("axi4-lite", "none"),
        "bar": ("axi4-lite",),
        "dma": ("axi4",),
        "irq": ("msix-write",),
    }
    for what, several in (("clock", manifest.clocks), ("reset", manifest.resets)):
        if len(several) > 1:
            return f"it has {len(several)} {what}s, the native path drives one"
    for name, kinds in wanted.items():
        port = getattr(manifest, name)
        if port.kind not in kinds:
            return f"{port.table} is of kind {port.kind}, the native path drives {' or '.join(kinds)}"
    return None


def wrapper(manifest: Manifest, ports: dict[str, TopPort]) -> str:
    """Return the source of module `vio_bench`; the pins that no model takes become its own ports."""
    return "\n".join(_Wrapper(manifest, ports).lines()) + "\n"


def free_ports(manifest: Manifest, ports: dict[str, TopPort]) -> list[str]:
    """The DUT's ports that the wrapper passes on under their own names."""
    taken = _taken(manifest, ports)
    return [name for name in ports if name not in taken and name != manifest.clock.port]


def _bus_ports(manifest: Manifest) -> list[Port]:
    candidates = (manifest.config, manifest.bar, manifest.dma, manifest.medium)
    return [port for port in candidates if port is not None]


def _taken(manifest: Manifest, ports: dict[str, TopPort]) -> set[str]:
    taken = {manifest.irq.intx} if manifest.irq.intx else set()
    for port in _bus_ports(manifest):
        taken |= set(port.signals.values())
        taken |= {name for name in ports if port.prefix and name.startswith(port.prefix)}
    return taken


class _Wrapper:
    def __init__(self, manifest: Manifest, ports: dict[str, TopPort]) -> None:
        self._manifest = manifest
        self._ports = ports
        self._free = free_ports(manifest, ports)

    def lines(self) -> Iterator[str]:
        clock, reset = self._manifest.clock.port, self._manifest.reset
        yield f"module {TOPLEVEL} ("
        heads = [f"  input logic {clock}", *(self._declared(name) for name in self._free)]
        yield ",\n".join(heads)
        yield ");"
        yield f"  logic reset_n;\n  assign reset_n = {'' if reset.active_low else '!'}{reset.port};"
        for name in sorted(self._ports.keys() - set(self._free) - {clock}):
            yield f"  logic {self._range(name)}{name};"
        yield from self._ties()
        yield from self._dut()
        if self._manifest.config.kind != "none":
            yield from self._initiator("config", self._manifest.config, CONFIG)
        yield from self._initiator("bar", self._manifest.bar, BAR)
        yield from self._target("dma", self._manifest.dma, DMA)
        if self._manifest.medium is not None:
            yield from self._target("medium", self._manifest.medium, MEDIUM)
        if self._manifest.irq.intx:
            yield f"  vio_line_watch u_intx (.line_i({self._manifest.irq.intx}));"
        yield "endmodule"

    def _range(self, name: str) -> str:
        width = self._ports[name].width
        return f"[{width - 1}:0] " if width > 1 else ""

    def _declared(self, name: str) -> str:
        return f"  {self._ports[name].direction} logic {self._range(name)}{name}"

    def _ties(self) -> Iterator[str]:
        """Inputs of the DUT's buses that the models do not know, such as awprot."""
        driven = set()
        for port in (self._manifest.config, self._manifest.bar):
            if port.kind == "none":
                continue
            driven |= {port.pin(signal) for signal in AXI_LITE_PINS}
        for bus in (self._manifest.dma, self._manifest.medium):
            driven |= {bus.pin(signal) for signal in _TARGET_PINS} if bus else set()
        for name in sorted(_taken(self._manifest, self._ports) & self._ports.keys() - driven):
            if self._ports[name].direction == "input":
                yield f"  assign {name} = '0;"

    def _dut(self) -> Iterator[str]:
        hdl = self._manifest.hdl
        parameters = ", ".join(f".{name}({value})" for name, value in hdl.parameters.items())
        yield f"  {hdl.toplevel} {f'#({parameters}) ' if parameters else ''}dut (.*);"

    def _pins(self, port: Port, signals: Sequence[str]) -> str:
        rows = []
        for signal in signals:
            pin = port.pin(signal)
            if pin in self._ports:
                rows.append(f".{signal}({pin})")
            else:
                rows.append(f".{signal}()" if signal in _CONSTANT else f".{signal}('0)")
        return ", ".join(rows)

    def _width(self, port: Port, signal: str) -> int:
        return self._ports[port.pin(signal)].width if port.pin(signal) in self._ports else 1

    def _initiator(self, name: str, port: Port, number: int) -> Iterator[str]:
        widths = f".DataWidth({self._width(port, 'wdata')}), .AddrWidth({self._width(port, 'awaddr')})"
        yield f"  vio_axil_initiator #(.Port({number}), {widths}) u_{name} ("
        yield f"    .clk_i({self._manifest.clock.port}), .rst_ni(reset_n),"
        yield f"    {self._pins(port, AXI_LITE_PINS)});"

    def _target(self, name: str, port: Port, number: int) -> Iterator[str]:
        widths = f".DataWidth({self._width(port, 'wdata')}), .IdWidth({self._width(port, 'arid')})"
        yield f"  vio_axi_target #(.Port({number}), {widths}) u_{name} ("
        yield f"    .clk_i({self._manifest.clock.port}), .rst_ni(reset_n),"
        yield f"    {self._pins(port, _TARGET_PINS)});"
