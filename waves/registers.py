"""Host accesses in words: which register, of which structure, with what value."""

from __future__ import annotations

from pymodel import spec
from pymodel.checker.state.boundary import State
from pymodel.checker.state.config import Place
from pymodel.checker.state.devconfig import LAYOUTS
from pymodel.layout import common_field
from waves.names import feature_names, flag_names, hex_text, status_text, vector_text

_BANKED = range(spec.COMMON_CFG["queue_size"].offset, spec.COMMON_CFG["queue_reset"].end)
_MSIX_FIELDS = ("address", "address high", "data", "control")
_CAPABILITIES = {
    spec.PciCapId.POWER_MANAGEMENT: "power management",
    spec.PciCapId.VENDOR: "virtio",
    spec.PciCapId.PCI_EXPRESS: "PCI Express",
    spec.PciCapId.MSIX: "MSI-X",
}


def _assigned(name: str, value: str, write: bool) -> str:
    return f"{name} := {value}" if write else f"{name} = {value}"


def bar_text(state: State, bar: int, addr: int, data: bytes, *, write: bool) -> str:
    """An access to BAR space in words; ask before the state has taken it in."""
    place = state.config.locate(bar, addr)
    if place is None and bar == 0 and state.transitional:
        return _legacy_text(state, addr, data, write)
    if place is None:
        return _assigned(f"BAR{bar}+{addr:#x}", f"0x{data[::-1].hex()}", write)
    offset = addr - place.offset
    if place.kind == "common":
        return common_text(state, offset, data, write=write)
    if place.kind == "notify":
        return _doorbell_text(state, place, offset, data, write)
    if place.kind == "isr":
        names = flag_names(spec.IsrBit, data[0]) if data else []
        return _assigned("ISR", " ".join(names) or "0", write)
    if place.kind == "device":
        return _device_text(state, offset, data, write)
    return _table_text(place, offset, data, write)


def _legacy_text(state: State, addr: int, data: bytes, write: bool) -> str:
    """An access to the legacy register block in BAR0 (virtio 1.4, 4.1.4.10)."""
    value = int.from_bytes(data, "little")
    end = spec.LEGACY_CFG_LENGTH_MSIX if state.config.msix.enabled else spec.LEGACY_CFG_LENGTH
    for field in spec.LEGACY_CFG.values():
        if field.offset <= addr < field.end <= end:
            shown = str(value)
            if field.name == "device_status":
                shown = status_text(value)
            elif field.name.endswith("features"):
                shown = " ".join([f"{value:#010x}", *feature_names(value, state.device_type)])
            elif field.name.endswith("vector"):
                shown = vector_text(value)
            return _assigned(f"legacy {field.name}", shown, write)
    return _assigned(f"legacy config+{addr - end:#x}", hex_text(data), write)


def common_text(state: State, offset: int, data: bytes, *, write: bool) -> str:
    """An access to the common configuration structure in words (virtio 1.4, 4.1.4.3)."""
    field = common_field(offset)
    value = int.from_bytes(data, "little")
    if field is None:
        return _assigned(f"common+{offset:#x}", f"{value:#x}", write)
    name = field.name
    if field.width == 8 and len(data) == 4:
        name += "[63:32]" if offset > field.offset else "[31:0]"
    elif (offset, len(data)) != (field.offset, field.width):
        name += f" (bytes {offset - field.offset}..{offset - field.offset + len(data) - 1})"
    if offset in _BANKED:
        select = state.common.values.get("queue_select")
        name = f"queue {'?' if select is None else select}: {name}"
    return _assigned(name, _common_value(state, field.name, value), write)


def _common_value(state: State, name: str, value: int) -> str:
    if name == "device_status":
        return status_text(value)
    if name.endswith("msix_vector"):
        return vector_text(value)
    if name in ("device_feature", "driver_feature"):
        select = state.common.values.get(f"{name}_select", 0)
        names = feature_names(value << 32 * select, state.device_type) if select < 4 else []
        return f"{value:#010x} (word {select}{': ' + ' '.join(names) if names else ''})"
    wide = name in ("queue_desc", "queue_driver", "queue_device")
    return f"{value:#x}" if wide else str(value)


def _doorbell_text(state: State, place: Place, offset: int, data: bytes, write: bool) -> str:
    value = int.from_bytes(data, "little")
    if not write:
        return f"notify+{offset:#x} = {value:#x}"
    named = [
        queue.index
        for queue in state.queues.values()
        if place.multiplier and queue.regs.get(("queue_notify_off", 0), -1) * place.multiplier == offset
    ]
    queue = named[0] if len(named) == 1 else value & 0xFFFF
    text = f"queue {queue}: doorbell"
    if len(data) == 4 and state.session.has(spec.Feature.NOTIFICATION_DATA):
        return f"{text}, next available {value >> 16:#x}"
    return text + ("" if value == queue else f" (value {value:#x})")


def _device_text(state: State, offset: int, data: bytes, write: bool) -> str:
    value = int.from_bytes(data, "little")
    for field in LAYOUTS.get(state.device_type or 0, {}).values():
        if field.offset <= offset < field.end:
            part = "" if offset == field.offset else f"+{offset - field.offset}"
            return _assigned(f"config.{field.name}{part}", str(value), write)
    return _assigned(f"config+{offset:#x}", hex_text(data), write)


def _table_text(place: Place, offset: int, data: bytes, write: bool) -> str:
    value = int.from_bytes(data, "little")
    if place.kind == "msix-pba":
        return _assigned(f"MSI-X pending bits+{offset:#x}", f"{value:#x}", write)
    entry, inner = divmod(offset, spec.MSIX_ENTRY_LENGTH)
    field = _MSIX_FIELDS[inner // 4]
    shown = f"{value:#x}"
    if field == "control":
        shown = "masked" if value & spec.MSIX_ENTRY_MASKED else "unmasked"
    return _assigned(f"MSI-X entry {entry} {field}", shown, write)


def config_text(state: State, addr: int, data: bytes, *, write: bool) -> str:
    """An access to PCI configuration space in words; ask before the state has taken it in."""
    window = state.config.window
    target = state.config.window_target() if window is not None else None
    if window is not None and addr == window + spec.CAP_PCI_CFG_DATA and target and target[2] in (1, 2, 4):
        return "by PCI_CFG: " + bar_text(state, target[0], target[1], data[: target[2]], write=write)
    value = int.from_bytes(data, "little")
    for field in spec.PCI_CFG.values():
        if field.offset <= addr < field.end:
            names = flag_names(spec.PciCommand, value) if field.name == "command" else []
            shown = " ".join(names) or f"{value:#x}"
            return _assigned(f"PCI {field.name}", shown, write)
    return _assigned(_capability_name(state, addr), f"{value:#x}", write)


def _capability_name(state: State, addr: int) -> str:
    """The capability that holds a byte of configuration space, as far as reads have shown it."""
    below = [capability for capability in state.config.capabilities if capability.position <= addr]
    if not below:
        return f"PCI {addr:#04x}"
    capability = max(below, key=lambda item: item.position)
    kind = _CAPABILITIES.get(spec.PciCapId(capability.id)) if capability.id in list(spec.PciCapId) else None
    name = kind or f"{capability.id:#x}"
    if capability.virtio and capability.cfg_type in list(spec.CapType):
        name += f" {spec.CapType(capability.cfg_type).name}"
    return f"PCI {name} capability+{addr - capability.position}"


def message_text(state: State, vectors: frozenset[int] | None) -> str:
    """Which events an interrupt message stands for."""
    if vectors is None:
        return "MSI-X message of an unknown vector"
    if not vectors:
        return "MSI-X message that no table entry holds"
    users = [f"queue {queue.index}" for queue in state.queues.values() if queue.vector in vectors]
    if state.interrupts.config_vector in vectors:
        users.insert(0, "configuration change")
    named = "/".join(str(vector) for vector in sorted(vectors))
    return f"MSI-X vector {named} ({', '.join(users) or 'nothing is mapped to it'})"
