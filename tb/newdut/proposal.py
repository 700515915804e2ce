"""Which bus of a design is what, as the lines of a manifest: each with why it is a guess, or what to give."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from pymodel import spec
from tb.manifest import DEVICE_TYPES, TLP
from tb.newdut.clocking import Clocking, find_clocking
from tb.newdut.design import Design
from tb.newdut.groups import Group, find_groups
from tb.newdut.interrupts import InterruptPins, find_interrupts

CONFIG_ADDRESS_BITS = 12
_CONFIG = re.compile(r"cfg|config|csr", re.IGNORECASE)
_MEDIUM = re.compile(r"med|disk|storage|flash|ddr|dram|backing", re.IGNORECASE)
_HOST = re.compile(r"dma|host|pcie?|guest", re.IGNORECASE)
_SECTORS = re.compile(r"sector|capacity", re.IGNORECASE)
_NAMES = {
    "blk": re.compile(r"blk|block|disk|sector", re.IGNORECASE),
    "net": re.compile(r"(?:^|_|v)net|eth", re.IGNORECASE),
    "console": re.compile(r"console|uart|serial", re.IGNORECASE),
    "entropy": re.compile(r"rng|entropy|random", re.IGNORECASE),
}


@dataclass(slots=True)
class Roles:
    """What each bus is for, with the reasons of what is guessed; None where no bus is."""

    config: Group | None = None
    bar: Group | None = None
    dma: Group | None = None
    medium: Group | None = None
    reasons: dict[str, str] = field(default_factory=dict)

    def bound(self) -> set[str]:
        """The ports that belong to one of them."""
        groups = (self.config, self.bar, self.dma, self.medium)
        return {port for group in groups if group for port in group.pins.values()}


@dataclass(frozen=True, slots=True)
class Proposal:
    """All that could be found out about a design, and what was guessed."""

    design: Design
    clocking: Clocking
    roles: Roles
    interrupts: InterruptPins
    sectors: str
    device: str
    device_reason: str
    unbound: tuple[str, ...]

    @property
    def device_id(self) -> int | None:
        """The PCI device id of a device of this type (virtio 1.4, 4.1.2.1)."""
        number = DEVICE_TYPES.get(self.device)
        return None if number is None else spec.MODERN_DEVICE_ID_BASE + number


def propose(design: Design, device: str) -> Proposal:
    """Find the roles of a design's ports; `device` is its type as manifests name it, "" to guess that too."""
    clocking = find_clocking(design)
    roles = assign(design, find_groups(design.ports))
    taken = roles.bound() | {clocking.clock, clocking.reset, *clocking.other_clocks}
    taken |= {other.port for other in clocking.other_resets}
    left = [name for name in design.ports if name not in taken]
    interrupts = find_interrupts(design.ports, left, own_config=roles.config is not None)
    inputs = [name for name in left if design.ports[name].direction == "input"]
    sectors = next((name for name in inputs if roles.medium and _SECTORS.search(name)), "")
    used = {*interrupts.pins.values(), sectors}
    guess = _device(design, roles)
    return Proposal(
        design,
        clocking,
        roles,
        interrupts,
        sectors,
        device or guess,
        "" if device or not guess else f"by the names of {design.toplevel} and its ports",
        tuple(name for name in left if name not in used),
    )


def assign(design: Design, groups: Sequence[Group]) -> Roles:
    """Which bus is the configuration space, the BARs, the DMA and the medium."""
    roles = Roles()
    targets = [group for group in groups if group.target and group.kind != TLP]
    masters = [group for group in groups if not group.target and group.kind == "axi4"]
    config = [group for group in targets if _may_be_config(design, group)]
    if len(targets) > 1 and config:
        roles.config = next((group for group in config if _CONFIG.search(group.name)), config[0])
        if not _CONFIG.search(roles.config.name):
            roles.reasons["config"] = f"its addresses have {CONFIG_ADDRESS_BITS} bits"
    bars = [group for group in targets if group is not roles.config]
    roles.bar = bars[0] if bars else None
    stream = next((group for group in groups if group.target and group.kind == TLP), None)
    if len(bars) > 1:
        names = ", ".join(repr(group.prefix) for group in bars)
        roles.reasons["bar"] = f"the first of the buses {names}"
    medium = [group for group in masters if _MEDIUM.search(group.name) and not _HOST.search(group.name)]
    hosts = [group for group in masters if group not in medium] or medium
    roles.dma = hosts[0] if hosts else None
    rest = [group for group in masters if group is not roles.dma]
    roles.medium = next((group for group in rest if group in medium), next(iter(rest), None))
    if rest and not (_MEDIUM.search(rest[0].name) and len(rest) == 1):
        roles.reasons["dma"] = f"{len(masters)} AXI4 initiators: this one is taken for guest memory"
        roles.reasons["medium"] = "taken for the block device's medium; delete the table if it is none"
    if stream is not None:
        _all_on_stream(roles, stream)
    return roles


def _all_on_stream(roles: Roles, stream: Group) -> None:
    """Packets carry the BARs and the DMA, and perhaps configuration space; any AXI4 initiator is a medium."""
    roles.medium = roles.medium or roles.dma
    roles.bar = roles.dma = stream
    for role in ("bar", "dma"):
        roles.reasons.pop(role, None)
    if roles.config is None:
        roles.config = stream
        roles.reasons["config"] = (
            'configuration requests come as packets; "shell" if your PCIe block has them'
        )


def _may_be_config(design: Design, group: Group) -> bool:
    signal = "awaddr" if group.kind.startswith("axi4") else "req_addr"
    narrow = design.ports[group.pins[signal]].width == CONFIG_ADDRESS_BITS
    return group.kind != "axi4" and (bool(_CONFIG.search(group.name)) or narrow)


def _device(design: Design, roles: Roles) -> str:
    """The device type that names speak of; "" where none or several do."""
    if roles.medium is not None:
        return "blk"
    text = " ".join((design.toplevel, *design.ports))
    found = [device for device, pattern in _NAMES.items() if pattern.search(text)]
    return found[0] if len(found) == 1 else ""
