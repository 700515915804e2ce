"""A proposal as the text of a manifest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tb.manifest import TLP
from tb.newdut.groups import Group
from tb.newdut.interrupts import InterruptPins
from tb.newdut.proposal import Proposal
from tb.newdut.sources import Sources, relative, spelled

GUESSED, FILL_IN = "# guessed:", "# fill in:"
OPEN = '"?"'
PERIOD_PS = 4000
MOST_ADDRESS_BITS = 24
FALLBACK_BITS = 16
INLINE_MAX = 4
_LENGTHS = {"common": 0x40, "isr": 0x1, "notify": 0x4, "device": 0x40}
_WHAT = {
    "common": "the common configuration structure (virtio 1.4, 4.1.4.3)",
    "isr": "the ISR status byte (4.1.4.5)",
    "notify": "the doorbells (4.1.4.4)",
    "device": "the device's own configuration (4.1.4.6)",
}


def manifest_text(proposal: Proposal, sources: Sources, parameters: dict[str, str], folder: Path) -> str:
    """The manifest for a file in `folder`."""
    tables = [
        _dut(proposal, sources, parameters, folder),
        _clock(proposal),
        _reset(proposal),
        _config(proposal),
        _bar(proposal),
        _dma(proposal),
        _irq(proposal),
        _medium(proposal),
        _pci(proposal),
        _device(proposal),
        _unbound(proposal),
    ]
    return "\n".join("\n".join(lines) + "\n" for table in tables if (lines := list(table)))


def _line(key: str, value: str, guessed: str = "", fill_in: str = "") -> str:
    mark = f"{FILL_IN} {fill_in}" if fill_in else f"{GUESSED} {guessed}" if guessed else ""
    return f"{key} = {value}" + (f"  {mark}" if mark else "")


def _text(value: str) -> str:
    """A TOML string."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _named(key: str, port: str, reason: str, missing: str) -> str:
    return _line(key, _text(port), reason) if port else _line(key, OPEN, fill_in=missing)


def _inline(pairs: dict[str, str]) -> str:
    return "{ " + ", ".join(f"{name} = {_text(value)}" for name, value in pairs.items()) + " }"


def _dut(proposal: Proposal, sources: Sources, parameters: dict[str, str], folder: Path) -> Iterator[str]:
    yield "[dut]"
    yield _line("name", _text(proposal.design.toplevel.replace("_", "-")))
    yield _line("toplevel", _text(proposal.design.toplevel))
    if sources.file_list is not None:
        yield _line("filelist", _text(relative(sources.file_list, folder)))
        if sources.base != sources.file_list.parent:
            yield _line("filelist_root", _text(relative(sources.base, folder)))
    else:
        names = spelled(sources.files, folder)
        if len(names) == 1:
            yield _line("sources", f"[{_text(names[0])}]")
        else:
            yield "sources = ["
            yield from (f"  {_text(name)}," for name in names)
            yield "]"
    if sources.include_dirs:
        names = [_text(relative(place, folder)) for place in sources.include_dirs]
        yield _line("include_dirs", f"[{', '.join(names)}]")
    if sources.defines:
        yield _line("defines", _inline(sources.defines))
    if parameters:
        yield _line("parameters", _inline(parameters))


def _clock(proposal: Proposal) -> Iterator[str]:
    found = proposal.clocking
    yield "[[clock]]" if found.other_clocks else "[clock]"
    yield _named("port", found.clock, found.clock_reason, "no input looks like a clock; name it")
    yield _line("period_ps", str(PERIOD_PS), "250 MHz, as PCIe blocks have it")
    for name in found.other_clocks:
        yield from ("", "[[clock]]", _line("port", _text(name)))
        yield _line("period_ps", str(PERIOD_PS), "as fast as the main one")


def _reset(proposal: Proposal) -> Iterator[str]:
    found = proposal.clocking
    yield "[[reset]]" if found.other_resets else "[reset]"
    yield _named("port", found.reset, "", "no input looks like a reset; name it")
    yield _named("active", found.active, found.reset_reason, '"low" or "high"')
    for other in found.other_resets:
        yield from ("", "[[reset]]", _line("port", _text(other.port)))
        yield _line("active", _text(other.active), other.reason)
        if found.other_clocks:
            yield _line("clock", _text(other.clock), "by its name")


def _bus(proposal: Proposal, group: Group) -> Iterator[str]:
    if group.prefix:
        yield _line("prefix", _text(group.prefix))
    if proposal.clocking.other_clocks:
        yield _line("clock", _text(proposal.clocking.clock), "the main clock")
    if 0 < len(group.odd) <= INLINE_MAX:
        yield _line("signals", _inline(group.odd))


def _odd_pins(group: Group | None, table: str) -> Iterator[str]:
    """The table of names that do not fit, where it is too long for a line; it ends the bus's table."""
    if group is not None and len(group.odd) > INLINE_MAX:
        yield ""
        yield f"[{table}.signals]"
        for signal, port in group.odd.items():
            yield _line(signal, _text(port))


def _config(proposal: Proposal) -> Iterator[str]:
    group = proposal.roles.config
    yield "[ports.config]"
    if group is None:
        why = "no port for configuration space found, so the bench supplies it from [pci]"
        yield _line("kind", _text("shell"), why)
        return
    yield _line("kind", _text(group.kind), proposal.roles.reasons.get("config", ""))
    yield from _bus(proposal, group)
    yield from _odd_pins(group, "ports.config")


def _bar(proposal: Proposal) -> Iterator[str]:
    group = proposal.roles.bar
    yield "[ports.bar]"
    if group is None:
        yield _line(
            "kind", OPEN, fill_in="no AXI or request/completion target found; see README's table of kinds"
        )
    else:
        yield _line("kind", _text(group.kind), proposal.roles.reasons.get("bar", ""))
        yield from _bus(proposal, group)
    yield _line("bars", "{ 0 = 0x0 }", "one BAR, number 0, which begins at address 0 of the port")
    yield from _odd_pins(group, "ports.bar")


def _dma(proposal: Proposal) -> Iterator[str]:
    group = proposal.roles.dma
    yield "[ports.dma]"
    if group is None:
        yield _line("kind", OPEN, fill_in="no AXI4 initiator found; see README's table of kinds")
        return
    yield _line("kind", _text(group.kind), proposal.roles.reasons.get("dma", ""))
    yield from _bus(proposal, group)
    yield from _odd_pins(group, "ports.dma")


def _irq(proposal: Proposal) -> Iterator[str]:
    found = proposal.interrupts
    yield "[ports.irq]"
    if not found.kind:
        yield _line("kind", OPEN, fill_in="msix-pulse, reqack or level with its pins; none looks like one")
        return
    stream = proposal.roles.dma is not None and proposal.roles.dma.kind == TLP
    if stream and found.kind == "msix-write":
        found = InterruptPins("msix-write", {}, "messages leave as memory writes among the packets")
    yield _line("kind", _text(found.kind), found.reason)
    for key, port in found.pins.items():
        yield _line(key, _text(port))


def _medium(proposal: Proposal) -> Iterator[str]:
    group = proposal.roles.medium
    if group is None:
        return
    yield "[ports.medium]"
    yield _line("kind", _text(group.kind), proposal.roles.reasons.get("medium", ""))
    yield from _bus(proposal, group)
    if proposal.sectors:
        yield _line("sectors", _text(proposal.sectors))
    yield from _odd_pins(group, "ports.medium")


def _pci(proposal: Proposal) -> Iterator[str]:
    if proposal.roles.config is not None:
        return
    yield "[pci]"
    yield _line("vendor_id", "0x1af4")
    number = proposal.device_id
    what = "0x1040 + the virtio device type: 0x1041 net, 0x1042 blk, 0x1043 console, 0x1044 entropy"
    yield _line("device_id", f"{number:#x}" if number else OPEN, fill_in="" if number else what)
    size, why = _bar_size(proposal)
    yield _line("bars", f'[ {{ index = 0, size = {size:#x}, kind = "mem32" }} ]', why)
    if proposal.interrupts.kind in ("msix-pulse", "reqack"):
        yield _line("msix", "{ vectors = 2 }", "one vector for changes of the configuration, one for a queue")
    for kind in ("common", "isr", "notify"):
        yield from _capability(kind)
    if proposal.device not in ("", "entropy", "other"):
        yield from _capability("device")
    if not proposal.device:
        yield from ("", "# A device with a configuration of its own needs these lines too:")
        yield from (f"# {line}" for line in _capability("device") if line)
    yield ""
    yield "[[pci.virtio]]"
    yield _line("type", _text("pci-cfg"))


def _capability(kind: str) -> Iterator[str]:
    yield ""
    yield "[[pci.virtio]]"
    yield _line("type", _text(kind))
    yield _line("bar", "0")
    yield _line("offset", OPEN, fill_in=f"where in the BAR the DUT decodes {_WHAT[kind]}")
    why = (
        "one doorbell of 4 bytes"
        if kind == "notify"
        else "as the standard has it"
        if kind != "device"
        else "enough"
    )
    yield _line("length", f"{_LENGTHS[kind]:#x}", why)
    if kind == "notify":
        yield _line("multiplier", "0", "all queues share one doorbell; else the distance of two, in bytes")


def _bar_size(proposal: Proposal) -> tuple[int, str]:
    group = proposal.roles.bar
    signal = "awaddr" if group and group.kind.startswith("axi4") else "req_addr"
    bits = proposal.design.ports[group.pins[signal]].width if group else MOST_ADDRESS_BITS + 1
    if bits > MOST_ADDRESS_BITS:
        return 1 << FALLBACK_BITS, f"its port has {bits} address bits, which says nothing"
    return 1 << bits, f"its port has {bits} address bits"


def _device(proposal: Proposal) -> Iterator[str]:
    yield "[device]"
    yield _named("type", proposal.device, proposal.device_reason, "blk, net, console, entropy or other")


def _unbound(proposal: Proposal) -> Iterator[str]:
    for name in proposal.unbound:
        port = proposal.design.ports[name]
        fate = "the bench leaves it at 0" if port.direction == "input" else "the bench does not look at it"
        yield f"# not used: {name} ({port.direction} of {port.width}): {fate}"
