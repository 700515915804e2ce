"""lguest's descriptor page: devices described in the page just above the top of guest memory.

Two layouts. The first: type, config length, status, then typed fields (type, length, bytes), a queue
record being one of them. The later one: type, number of queues, feature length, config length, status,
then queue records, the feature bitmap in two halves (offered, accepted), then the configuration. Type 0
ends the page. Fields are little-endian here, the byte order of an x86 guest.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import Enum

from pymodel.spec import BLK_CFG, BlkFeature, DeviceType, feature_mask

LGUEST_PAGE = 4096
LGUEST_FIRST_HEADER = 3
LGUEST_LATER_HEADER = 5
LGUEST_FIRST_STATUS = 2
LGUEST_LATER_STATUS = 4
LGUEST_FIELD_HEADER = 2
LGUEST_FIELD_VIRTIO = 1
LGUEST_FIELD_VIRTQUEUE = 2
LGUEST_FIELD_USED = 0x80
LGUEST_FIELD_FEATURES = 0x40
LGUEST_FIELD_BLK_CAPACITY = 0x41
LGUEST_FIELD_BLK_SIZE_MAX = 0x42
LGUEST_FIELD_BLK_SEG_MAX = 0x43
LGUEST_QUEUE_LENGTH = 8
LGUEST_BAR_PAGE = 0
LGUEST_BAR_NOTIFY = 1
"""The Transport shows the page as BAR 0, and takes a notified address as a 32-bit write to BAR 1."""
LGUEST_BAR_LAUNCHER = 2
LGUEST_LAUNCHER_CONSOLE = 0x0
LGUEST_LAUNCHER_WARNINGS = 0x4
LGUEST_LAUNCHER_LAYOUT = 0x8
LGUEST_LAUNCHER_LENGTH = 0xC
LGUEST_CHARACTER = 0x100
"""BAR 2 is the Launcher's, not the guest's: the next character of early output (0 if there is none,
else with LGUEST_CHARACTER set), how many kicks came too early (low half) and how many notifications
meant nothing (high half), both modulo 0x10000, and which layout the page has (0 the later, 1 the first
one), which may be chosen while no device is in use."""

_QUEUE = struct.Struct("<HHI")
TYPED_CONFIG: dict[int, dict[int, int]] = {
    DeviceType.BLK: {
        BLK_CFG["capacity"].offset: LGUEST_FIELD_BLK_CAPACITY,
        BLK_CFG["size_max"].offset: LGUEST_FIELD_BLK_SIZE_MAX,
        BLK_CFG["seg_max"].offset: LGUEST_FIELD_BLK_SEG_MAX,
    }
}
"""Which typed field of the first layout holds the configuration at an offset of the later one."""
UNTYPED_FEATURES: dict[int, int] = {
    DeviceType.BLK: feature_mask(
        BlkFeature.GEOMETRY, BlkFeature.BLK_SIZE, BlkFeature.TOPOLOGY, BlkFeature.CONFIG_WCE, BlkFeature.MQ
    )
}
"""Features whose configuration has no typed field, so that the first layout cannot offer them."""
FIELD_FEATURES = {
    LGUEST_FIELD_BLK_SIZE_MAX: BlkFeature.SIZE_MAX,
    LGUEST_FIELD_BLK_SEG_MAX: BlkFeature.SEG_MAX,
}
"""Features that the first layout offers by the presence of a field."""


class LguestLayout(Enum):
    """The two layouts of the page."""

    FIRST = "typed fields"
    LATER = "records, bitmaps, configuration"


@dataclass(frozen=True)
class LguestQueue:
    """A queue record at page offset `position`: descriptors, interrupt, page frame of the ring."""

    position: int
    size: int
    interrupt: int
    page: int

    def pack(self) -> bytes:
        """Return the 8 bytes."""
        return _QUEUE.pack(self.size, self.interrupt, self.page)


@dataclass
class LguestDevice:
    """A descriptor at page offset `position`; all other places are page offsets too.

    `features` is where the offered half begins, `accepted` the accepted half, each `feature_length`
    bytes. `fields` (first layout) maps a field type to the place and length of its bytes.
    """

    position: int
    type: int
    status: int
    end: int
    queues: list[LguestQueue] = field(default_factory=list)
    features: int = 0
    feature_length: int = 0
    config: int = 0
    config_length: int = 0
    fields: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def accepted(self) -> int:
        """Where the accepted half of the feature bitmap begins."""
        return self.features + self.feature_length


def header_length(layout: LguestLayout) -> int:
    """Bytes of a descriptor that tell how long the whole of it is."""
    return LGUEST_FIRST_HEADER if layout is LguestLayout.FIRST else LGUEST_LATER_HEADER


def descriptor_length(layout: LguestLayout, header: bytes) -> int:
    """Bytes of the descriptor that begins with `header`."""
    if layout is LguestLayout.FIRST:
        return LGUEST_FIRST_HEADER + header[1]
    _, queues, feature_length, config_length, _ = header
    return LGUEST_LATER_HEADER + LGUEST_QUEUE_LENGTH * queues + 2 * feature_length + config_length


def parse(layout: LguestLayout, position: int, data: bytes) -> LguestDevice:
    """Read the descriptor whose bytes are `data`; raises ValueError for a field that runs out of it."""
    if layout is LguestLayout.FIRST:
        return _parse_first(position, data)
    _, count, feature_length, config_length, _ = data[:LGUEST_LATER_HEADER]
    device = LguestDevice(position, data[0], position + LGUEST_LATER_STATUS, position + len(data))
    for number in range(count):
        _add_queue(device, data, LGUEST_LATER_HEADER + LGUEST_QUEUE_LENGTH * number)
    device.features = position + LGUEST_LATER_HEADER + LGUEST_QUEUE_LENGTH * count
    device.feature_length = feature_length
    device.config = device.features + 2 * feature_length
    device.config_length = config_length
    return device


def _parse_first(position: int, data: bytes) -> LguestDevice:
    device = LguestDevice(position, data[0], position + LGUEST_FIRST_STATUS, position + len(data))
    cursor = LGUEST_FIRST_HEADER
    while cursor < len(data):
        start = cursor + LGUEST_FIELD_HEADER
        if start > len(data) or start + data[cursor + 1] > len(data):
            raise ValueError(f"the field at {position + cursor:#x} runs out of its descriptor")
        kind, length = data[cursor] & ~LGUEST_FIELD_USED, data[cursor + 1]
        if kind == LGUEST_FIELD_VIRTQUEUE:
            if length != LGUEST_QUEUE_LENGTH:
                raise ValueError(f"a queue record of {length} bytes")
            _add_queue(device, data, start)
        elif kind == LGUEST_FIELD_FEATURES:
            device.features, device.feature_length = position + start, length // 2
        else:
            device.fields[kind] = (position + start, length)
        cursor = start + length
    return device


def _add_queue(device: LguestDevice, data: bytes, offset: int) -> None:
    size, interrupt, page = _QUEUE.unpack_from(data, offset)
    device.queues.append(LguestQueue(device.position + offset, size, interrupt, page))


def build(
    layout: LguestLayout, kind: int, queues: list[LguestQueue], features: bytes, config: bytes
) -> bytes:
    """Return a descriptor with status 0 and nothing accepted; `config` in the later layout's form."""
    records = [queue.pack() for queue in queues]
    halves = features + bytes(len(features))
    if layout is LguestLayout.LATER:
        header = bytes([kind, len(queues), len(features), len(config), 0])
        return header + b"".join(records) + halves + config
    fields = b"".join(_field(LGUEST_FIELD_VIRTQUEUE, record) for record in records)
    fields += _field(LGUEST_FIELD_FEATURES, halves)
    typed = TYPED_CONFIG.get(kind, {})
    offered = int.from_bytes(features, "little")
    for offset, name in typed.items():
        length = 8 if name == LGUEST_FIELD_BLK_CAPACITY else 4
        if name not in FIELD_FEATURES or offered >> FIELD_FEATURES[name] & 1:
            fields += _field(name, config[offset : offset + length])
    return bytes([kind, len(fields), 0]) + fields


def _field(kind: int, data: bytes) -> bytes:
    return bytes([kind, len(data)]) + data
