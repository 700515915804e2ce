"""Finding the virtio structures in a function's capability list (virtio 1.4, 4.1.4)."""

from __future__ import annotations

from dataclasses import dataclass

from pymodel import spec
from pymodel.driver import errors
from pymodel.driver.function import CAPABILITIES_END, PciFunction
from pymodel.layout import VirtioCap
from pymodel.spec import COMMON_CFG, CapType, PciCapId

COMMON_CFG_MINIMUM = COMMON_CFG["queue_device"].end
MINIMUM_LENGTH = {CapType.COMMON: COMMON_CFG_MINIMUM, CapType.NOTIFY: 2, CapType.ISR: 1, CapType.DEVICE: 1}
ALIGNMENT = {CapType.COMMON: 4, CapType.NOTIFY: 2, CapType.ISR: 1, CapType.DEVICE: 4}
MANDATORY = (CapType.COMMON, CapType.NOTIFY, CapType.ISR)


@dataclass(frozen=True)
class VirtioLayout:
    """The structures a driver chose: the first usable one of each type; `window` is PCI_CFG's position."""

    common: VirtioCap
    notify: VirtioCap
    isr: VirtioCap
    device: VirtioCap | None
    window: int | None
    all: tuple[VirtioCap, ...]


async def scan(function: PciFunction) -> VirtioLayout:
    """Read all virtio capabilities and choose; raises CapabilityError if a mandatory one is missing.

    Reserved types and BARs are ignored (virtio 1.4, 4.1.4.1). Nothing behind PCI_CFG's 16 bytes is
    read: pci_cfg_data has side effects.
    """
    function.log.step = "capabilities"
    found: list[VirtioCap] = []
    for kind, position in function.capabilities:
        if kind == PciCapId.VENDOR:
            cap = await _read_cap(function, position)
            if cap is not None:
                found.append(cap)
    chosen: dict[int, VirtioCap] = {}
    for cap in found:
        if cap.cfg_type not in chosen and _flaw(function, cap) is None:
            chosen[cap.cfg_type] = cap
    for cap_type in MANDATORY:
        if cap_type not in chosen:
            flaws = [_flaw(function, cap) for cap in found if cap.cfg_type == cap_type]
            why = f": {'; '.join(flaw for flaw in flaws if flaw)}" if flaws else ""
            raise function.log.error(errors.CapabilityError, f"no usable {cap_type.name} structure{why}")
    window = next((cap.position for cap in found if cap.cfg_type == CapType.PCI_CFG), None)
    return VirtioLayout(
        chosen[CapType.COMMON],
        chosen[CapType.NOTIFY],
        chosen[CapType.ISR],
        chosen.get(CapType.DEVICE),
        window,
        tuple(found),
    )


async def _read_cap(function: PciFunction, position: int) -> VirtioCap | None:
    head = await function.config_read(position, 4)
    length, cfg_type = head >> 16 & 0xFF, head >> 24
    if cfg_type not in (*MINIMUM_LENGTH, CapType.PCI_CFG):
        return None
    wanted = spec.CAP_LENGTH_NOTIFY if cfg_type == CapType.NOTIFY else spec.CAP_LENGTH
    if length < wanted or position + wanted > CAPABILITIES_END:
        return None
    words = [head]
    for offset in range(4, wanted, 4):
        words.append(await function.config_read(position + offset, 4))
    return VirtioCap.unpack(position, b"".join(word.to_bytes(4, "little") for word in words))


def _flaw(function: PciFunction, cap: VirtioCap) -> str | None:
    """Why a driver cannot use the structure that a capability leads to; None where it can."""
    cap_type = CapType(cap.cfg_type)
    minimum = MINIMUM_LENGTH.get(cap_type)
    bar = function.bars.get(cap.bar)
    if minimum is None:
        return "it is no structure"
    if bar is None:
        return f"there is no BAR {cap.bar}"
    if cap.size < minimum:
        return f"it has {cap.size} bytes of at least {minimum}"
    if cap.offset % ALIGNMENT[cap_type]:
        return f"its offset {cap.offset:#x} is not a multiple of {ALIGNMENT[cap_type]}"
    end = cap.offset + minimum
    return f"it ends at {end:#x}, behind the {bar.size:#x} bytes of BAR {cap.bar}" if end > bar.size else None
