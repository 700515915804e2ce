"""Bytes of rings in words: descriptors, available and used entries, indexes, event suppression."""

from __future__ import annotations

from collections.abc import Iterator

from pymodel import spec
from pymodel.checker.state.tracker import DESC, DRIVER, Tracker
from pymodel.layout import PackedDesc, SplitDesc, unpack_packed_event, unpack_used_element
from waves.names import flag_names, hex_text

MOST_ENTRIES = 4


def ring_text(tracker: Tracker, part: str, offset: int, data: bytes) -> str:
    """What `data` at byte `offset` of a part of the ring says."""
    if tracker.queue.packed:
        return _packed(part, offset, data)
    if part == DESC:
        return _listed(_split_table("desc", offset, data))
    if part == DRIVER:
        return _listed(_split_area(tracker.size, "avail", 2, offset, data))
    return _listed(_split_area(tracker.size, "used", spec.SPLIT_USED_ELEMENT, offset, data))


def table_text(packed: bool, offset: int, data: bytes) -> str:
    """What `data` at byte `offset` of an indirect table says."""
    return _listed(_packed_slots("table", offset, data) if packed else _split_table("table", offset, data))


def entry_heads(part: str, size: int, offset: int, data: bytes) -> list[int]:
    """The heads that `data` names where it lies in the ring entries of a split virtqueue."""
    if part == DESC:
        return []
    entry = 2 if part == DRIVER else spec.SPLIT_USED_ELEMENT
    low, high = max(4, offset), min(4 + entry * size, offset + len(data))
    if low >= high:
        return []
    cells = _cells(low - 4, data[low - offset : high - offset], entry)
    return [int.from_bytes(piece[:4], "little") for _, _, piece in cells if len(piece) == entry]


def _listed(parts: Iterator[str]) -> str:
    words = list(parts)
    more = f", and {len(words) - MOST_ENTRIES} more" if len(words) > MOST_ENTRIES else ""
    return ", ".join(words[:MOST_ENTRIES]) + more


def _cells(offset: int, data: bytes, size: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield (index, offset in the entry, bytes) of the entries of `size` bytes that `data` touches."""
    position = 0
    while position < len(data):
        index, inner = divmod(offset + position, size)
        piece = data[position : position + size - inner]
        yield index, inner, piece
        position += len(piece)


def _split_table(name: str, offset: int, data: bytes) -> Iterator[str]:
    for index, inner, piece in _cells(offset, data, spec.DESC_LENGTH):
        if len(piece) < spec.DESC_LENGTH:
            yield f"{name}[{index}]+{inner}: {piece.hex()}"
            continue
        desc = SplitDesc.unpack(piece)
        flags = flag_names(spec.DescFlag, desc.flags)
        words = [f"{desc.addr:#x}", f"{desc.len} bytes", *flags]
        if desc.flags & spec.DescFlag.NEXT:
            words.append(f"-> {desc.next}")
        yield f"{name}[{index}] = {' '.join(words)}"


def _split_area(size: int, name: str, entry: int, offset: int, data: bytes) -> Iterator[str]:
    """The available or used ring of a split virtqueue: flags, idx, entries, the event index."""
    for low, high, label in ((0, 2, "flags"), (2, 4, "idx")):
        if offset <= low and offset + len(data) >= high:
            yield f"{name}.{label} = {int.from_bytes(data[low - offset : high - offset], 'little')}"
    start, end = 4, 4 + entry * size
    low, high = max(start, offset), min(end, offset + len(data))
    if low < high:
        yield from _split_entries(name, entry, low - start, data[low - offset : high - offset])
    if offset <= end and offset + len(data) >= end + 2:
        label = "used_event" if name == "avail" else "avail_event"
        yield f"{label} = {int.from_bytes(data[end - offset : end - offset + 2], 'little')}"


def _split_entries(name: str, entry: int, offset: int, data: bytes) -> Iterator[str]:
    for index, inner, piece in _cells(offset, data, entry):
        if len(piece) < entry:
            yield f"{name}.ring[{index}]+{inner}: {piece.hex()}"
        elif entry == 2:
            yield f"avail.ring[{index}] = {int.from_bytes(piece, 'little')}"
        else:
            head, length = unpack_used_element(piece)
            yield f"used.ring[{index}] = {{id {head}, len {length}}}"


def _packed(part: str, offset: int, data: bytes) -> str:
    if part == DESC:
        return _listed(_packed_slots("slot", offset, data))
    name = "driver event" if part == DRIVER else "device event"
    if offset or len(data) < spec.PACKED_EVENT_LENGTH:
        return f"{name}+{offset}: {hex_text(data)}"
    position, wrap, flags = unpack_packed_event(data[: spec.PACKED_EVENT_LENGTH])
    kind = spec.RingEvent(flags).name if flags in list(spec.RingEvent) else str(flags)
    return f"{name} = {kind}" + (f" at {position} wrap {wrap}" if kind == "DESC" else "")


def _packed_slots(name: str, offset: int, data: bytes) -> Iterator[str]:
    for index, inner, piece in _cells(offset, data, spec.DESC_LENGTH):
        if len(piece) == spec.DESC_LENGTH:
            desc = PackedDesc.unpack(piece)
            flags = " ".join(flag_names(spec.DescFlag, desc.flags)) or "no flags"
            yield f"{name} {index} = {desc.addr:#x} {desc.len} bytes id {desc.id} {flags}"
        elif inner == 8 and len(piece) == 8:
            length, ident = int.from_bytes(piece[:4], "little"), int.from_bytes(piece[4:6], "little")
            flags = " ".join(flag_names(spec.DescFlag, int.from_bytes(piece[6:], "little"))) or "no flags"
            yield f"{name} {index} = len {length} id {ident} {flags}"
        elif inner == 14:
            flags = " ".join(flag_names(spec.DescFlag, int.from_bytes(piece, "little"))) or "no flags"
            yield f"{name} {index} flags = {flags}"
        else:
            yield f"{name} {index}+{inner}: {piece.hex()}"
