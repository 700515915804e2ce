"""Holds the manifest against the top level's ports: names, directions, widths; the first fault in a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from tb.elaborate import AXI_LITE_PINS, AXI_PINS, REQUEST_PINS, TLP_PINS, US_PINS, US_STREAMS, TopPort
from tb.errors import UsageError
from tb.manifest import TLP, ULTRASCALE, BarPort, Manifest, Port

INPUT, OUTPUT = "input", "output"
CONFIG_BITS = 8
"""Address bits of conventional configuration space (256 bytes)."""
DMA_WIDTHS = (32, 64, 128, 256, 512)
HOST_WIDTHS = {"axi4-lite": (32, 64), "axi4": DMA_WIDTHS, "reqcpl": (8, 16, *DMA_WIDTHS)}
_IDS = {"awid": "bid", "arid": "rid"}
_AXI_WIDTHS = {"awlen": 8, "arlen": 8, "awsize": 3, "arsize": 3, "awburst": 2, "arburst": 2}
_AXI_WIDTHS |= {"bresp": 2, "rresp": 2, "wlast": 1, "rlast": 1}
_AXI_WIDTHS |= {f"{channel}{end}": 1 for channel in ("aw", "w", "b", "ar", "r") for end in ("valid", "ready")}
_TO_TARGET = {name for name in (*AXI_PINS, *_IDS) if name[0] in "aw"} | {"bready", "rready"}
_TO_TARGET -= {"awready", "wready", "arready"}
_REQUEST_OPTIONS = ("req_ready", "req_strb", "cpl_ready")
_REQUEST_WIDTHS = {"req_valid": 1, "req_ready": 1, "req_write": 1, "cpl_valid": 1, "cpl_ready": 1}
_FROM_REQUESTER = {"req_ready", "cpl_valid", "cpl_rdata"}
TLP_WIDTHS = (32, 64, 128, 256, 512, 1024)
US_WIDTHS = (64, 128, 256, 512)
US_USER = (
    {"s_axis_cq": (85, 88), "m_axis_cc": (33,), "m_axis_rq": (60, 62), "s_axis_rc": (75,)},
    {"s_axis_cq": (183,), "m_axis_cc": (81,), "m_axis_rq": (137,), "s_axis_rc": (161,)},
)
"""Bits of tuser, below 512 bits of data (UltraScale, UltraScale+) and at 512."""
_TLP_OPTIONS = tuple(f"{way}_{mark}" for way in ("rx", "tx") for mark in ("tlast", "tsop", "tkeep"))
_TLP_WIDTHS = {f"{way}_{name}": 1 for way in ("rx", "tx") for name in ("tvalid", "tready", "tlast", "tsop")}
_IRQ_OUTPUTS = {"valid", "vector", "request"}


@dataclass(frozen=True, slots=True)
class Pin:
    """One port of the top level that the manifest needs: by which key, in which direction, how wide.

    `width` 0 leaves the width open; an `optional` one may be missing.
    """

    key: str
    signal: str
    name: str
    direction: str
    width: int = 0
    optional: bool = False


def check_ports(manifest: Manifest, ports: Mapping[str, TopPort]) -> None:
    """Raise UsageError about the first port of the manifest that the top level lacks or has otherwise."""
    for pin in wanted_pins(manifest):
        if problem := _problem(manifest, pin, ports.get(pin.name)):
            known = "" if pin.name in ports else _known(pin.name, ports)
            raise _fail(manifest, pin.key, f"{manifest.hdl.toplevel} {problem}{known}")
    for port in (manifest.config, manifest.bar, manifest.dma, manifest.medium):
        if port is not None:
            for key, problem in _bus_problems(manifest, port, ports):
                raise _fail(manifest, key, problem)
    for key, problem in _vector_problems(manifest, ports):
        raise _fail(manifest, key, problem)


def _fail(manifest: Manifest, key: str, text: str) -> UsageError:
    return UsageError(f"{manifest.path}: {key}: {text}")


def _known(name: str, ports: Mapping[str, TopPort]) -> str:
    near = get_close_matches(name, ports, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(sorted(ports)[:8])}, ..."


def _problem(manifest: Manifest, pin: Pin, port: TopPort | None) -> str | None:
    if port is None:
        return None if pin.optional else f"has no port {pin.name!r}"
    if pin.direction and port.direction not in (pin.direction, "inout"):
        return f"has {pin.name!r} as an {port.direction}, not as an {pin.direction}"
    if port.width == 0:
        return f"has {pin.name!r} as an unpacked array: give it a packed one"
    if pin.width and port.width != pin.width:
        return f"has {pin.name!r} with {_bits(port.width)}, not with {pin.width}"
    return None


def _bits(width: int) -> str:
    return "1 bit" if width == 1 else f"{width} bits"


def wanted_pins(manifest: Manifest) -> Iterator[Pin]:
    """Every port of the top level that the manifest needs."""
    for number, clock in enumerate(manifest.clocks):
        yield Pin(_numbered("clock", number, manifest.clocks), "", clock.port, INPUT, 1)
    for number, reset in enumerate(manifest.resets):
        yield Pin(_numbered("reset", number, manifest.resets), "", reset.port, INPUT, 1)
    for port, initiator in _buses(manifest):
        yield from _bus_pins(port, initiator=initiator)
    irq = manifest.irq
    for signal, name in irq.signals.items():
        direction = "" if irq.kind == "python" else OUTPUT if signal in _IRQ_OUTPUTS else INPUT
        width = 0 if signal == "vector" or irq.kind == "python" else 1
        key = f"signals.{signal}" if irq.kind == "python" else signal
        yield Pin(f"[ports.irq] {key}", signal, name, direction, width)
    if irq.intx:
        yield Pin("[ports.irq] intx", "", irq.intx, OUTPUT, 1)
    if manifest.medium is not None and manifest.medium.sectors:
        yield Pin("[ports.medium] sectors", "", manifest.medium.sectors, INPUT)


def _numbered(table: str, number: int, several: tuple[object, ...]) -> str:
    return f"[{table}] port" if len(several) == 1 else f"[{table}[{number}]] port"


def _buses(manifest: Manifest) -> list[tuple[Port, bool]]:
    """The ports that are buses, and whether the DUT is the one that asks."""
    buses = [(manifest.config, False), (manifest.bar, False), (manifest.dma, True)]
    return buses + ([(manifest.medium, True)] if manifest.medium is not None else [])


def _bus_pins(port: Port, *, initiator: bool) -> Iterator[Pin]:
    if port.kind == "reqcpl":
        for signal in (*REQUEST_PINS, *_REQUEST_OPTIONS):
            direction = OUTPUT if signal in _FROM_REQUESTER else INPUT
            yield _pin(port, signal, direction, _REQUEST_WIDTHS, signal in _REQUEST_OPTIONS)
    elif port.kind in ("axi4-lite", "axi4"):
        required = AXI_PINS if port.kind == "axi4" else AXI_LITE_PINS
        ids = (*_IDS, *_IDS.values()) if port.kind == "axi4" else ()
        for signal in (*required, *ids):
            to_target = signal in _TO_TARGET
            direction = OUTPUT if to_target == initiator else INPUT
            yield _pin(port, signal, direction, _AXI_WIDTHS, signal not in required)
    elif port.shape == ULTRASCALE:
        for signal in US_PINS:
            to_device = signal.startswith("s_") != signal.endswith("ready")
            width = 1 if signal.endswith(("valid", "ready", "last")) else 0
            yield _pin(port, signal, INPUT if to_device else OUTPUT, {signal: width}, False)
    elif port.kind == TLP:
        for signal in (*TLP_PINS, *_TLP_OPTIONS):
            to_device = signal.startswith("rx") != signal.endswith("ready")
            yield _pin(port, signal, INPUT if to_device else OUTPUT, _TLP_WIDTHS, signal in _TLP_OPTIONS)
    else:
        for signal in port.signals:
            yield _pin(port, signal, "", {}, False)


def _pin(port: Port, signal: str, direction: str, widths: Mapping[str, int], optional: bool) -> Pin:
    # A port that `signals` names by hand must be there.
    optional = optional and signal not in port.signals
    return Pin(_key(port, signal), signal, port.pin(signal), direction, widths.get(signal, 0), optional)


def _key(port: Port, signal: str) -> str:
    return f"[{port.table}] signals.{signal}" if signal in port.signals else f"[{port.table}] prefix"


def _bus_problems(manifest: Manifest, port: Port, ports: Mapping[str, TopPort]) -> Iterator[tuple[str, str]]:
    """What is wrong with widths that hang together: (key, problem)."""
    if port.kind == TLP:
        yield from _stream_problems(port, ports)
    if port.kind not in HOST_WIDTHS:
        return
    request = port.kind == "reqcpl"
    data, back, strobe = ("req_wdata", "cpl_rdata", "req_strb") if request else ("wdata", "rdata", "wstrb")
    host = port in (manifest.config, manifest.bar)
    allowed = HOST_WIDTHS[port.kind] if host else DMA_WIDTHS

    def width(signal: str) -> int:
        found = ports.get(port.pin(signal))
        return found.width if found else 0

    def told(signal: str, wanted: str) -> tuple[str, str]:
        return _key(port, signal), f"{port.pin(signal)!r} has {_bits(width(signal))}: {wanted}"

    lanes = width(data)
    if lanes not in allowed:
        yield told(data, f"{port.kind} is of {', '.join(map(str, allowed[:-1]))} or {allowed[-1]} bits here")
    if width(back) != lanes:
        yield told(back, f"{port.pin(data)!r} has {lanes}, and both must have the same")
    if width(strobe) not in (0, lanes // 8):
        yield told(strobe, f"{port.pin(data)!r} has {lanes}, so give it {lanes // 8}, one for each byte")
    for one, other in _IDS.items() if port.kind == "axi4" else ():
        if width(one) != width(other):
            yield told(other, f"{port.pin(one)!r} has {_bits(width(one))}, and both must have the same")
    needed, why = _address_bits(manifest, port)
    for signal in ("req_addr",) if request else ("awaddr", "araddr"):
        if width(signal) < needed:
            yield told(signal, f"{why} needs {needed}")
        if width(signal) > 64:
            yield told(signal, "an address has at most 64")


def _stream_problems(port: Port, ports: Mapping[str, TopPort]) -> Iterator[tuple[str, str]]:
    if port.shape == ULTRASCALE:
        yield from _us_problems(port, ports)
        return
    for way in ("rx", "tx"):
        data, keep = (port.pin(f"{way}_{name}") for name in ("tdata", "tkeep"))
        bits = ports[data].width
        if bits not in TLP_WIDTHS:
            yield (
                _key(port, f"{way}_tdata"),
                f"{data!r} has {_bits(bits)}: {TLP} is of 32 to 1024, a power of two",
            )
        elif keep in ports and ports[keep].width not in (bits // 8, bits // 32):
            wanted = f"{bits // 8} or {bits // 32}, one for each byte or dword"
            yield _key(port, f"{way}_tkeep"), f"{keep!r} has {_bits(ports[keep].width)}: give it {wanted}"


def _us_problems(port: Port, ports: Mapping[str, TopPort]) -> Iterator[tuple[str, str]]:
    for stream in US_STREAMS:
        data, keep, user = (f"{stream}_{name}" for name in ("tdata", "tkeep", "tuser"))
        bits, lanes, marks = (ports[port.pin(signal)].width for signal in (data, keep, user))
        wanted = US_USER[bits == 512][stream]
        if bits not in US_WIDTHS:
            yield _key(port, data), f"{port.pin(data)!r} has {_bits(bits)}: a PCIe block is of 64 to 512"
        elif lanes != bits // 32:
            named = f"{port.pin(keep)!r} has {_bits(lanes)}"
            yield _key(port, keep), f"{named}: give it {bits // 32}, one for each dword"
        elif marks not in wanted:
            told = " or ".join(map(str, wanted))
            yield _key(port, user), f"{port.pin(user)!r} has {_bits(marks)}: the block's has {told}"


def _address_bits(manifest: Manifest, port: Port) -> tuple[int, str]:
    """How many address bits a port needs, and what for."""
    if port is manifest.config:
        return CONFIG_BITS, "configuration space"
    if not isinstance(port, BarPort):
        return 1, "an address"
    sizes = {bar.index: bar.size for bar in manifest.pci.bars} if manifest.pci else {}
    last, number = max((base + sizes.get(bar, 1) - 1, bar) for bar, base in port.bars.items())
    return last.bit_length(), f"BAR {number}, which ends at {last:#x},"


def _vector_problems(manifest: Manifest, ports: Mapping[str, TopPort]) -> Iterator[tuple[str, str]]:
    name = manifest.irq.signals.get("vector")
    vectors = manifest.pci.vectors if manifest.pci else 0
    if manifest.irq.kind == "python" or name is None:
        return
    needed = (vectors - 1).bit_length()
    if ports[name].width < needed:
        have = _bits(ports[name].width)
        yield "[ports.irq] vector", f"{name!r} has {have}: [pci] msix vectors = {vectors} needs {needed}"
