"""Byte layouts of rings, descriptors and capabilities: the only place with offset arithmetic.

Addresses are guest-physical, everything is little-endian (virtio 1.4, 1.4). Nothing here behaves:
driver, device model and checker share this module and nothing else.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pymodel import spec

_SPLIT_DESC = struct.Struct("<QIHH")
_USED_ELEMENT = struct.Struct("<II")
_BLK_HEADER = struct.Struct("<IIQ")
_NET_HEADER = struct.Struct("<BBHHHHH")
_CONSOLE_CONTROL = struct.Struct("<IHH")
_ADMIN_HEADER = struct.Struct("<HH12xQ")
_ADMIN_STATUS = struct.Struct("<HH4x")


@dataclass(frozen=True, slots=True)
class SplitDesc:
    """An entry of a split descriptor table or split indirect table (virtio 1.4, 2.7.5): 16 bytes."""

    addr: int
    len: int
    flags: int
    next: int

    def pack(self) -> bytes:
        """Return the 16 bytes."""
        return _SPLIT_DESC.pack(self.addr, self.len, self.flags, self.next)

    @classmethod
    def unpack(cls, data: bytes) -> SplitDesc:
        """Read the 16 bytes; raises struct.error on another length."""
        return cls(*_SPLIT_DESC.unpack(data))


@dataclass(frozen=True, slots=True)
class PackedDesc:
    """An entry of a packed descriptor ring or packed indirect table (virtio 1.4, 2.8.13): 16 bytes."""

    addr: int
    len: int
    id: int
    flags: int

    def pack(self) -> bytes:
        """Return the 16 bytes."""
        return _SPLIT_DESC.pack(self.addr, self.len, self.id, self.flags)

    @classmethod
    def unpack(cls, data: bytes) -> PackedDesc:
        """Read the 16 bytes; raises struct.error on another length."""
        return cls(*_SPLIT_DESC.unpack(data))


PACKED_DESC_ID = 12
PACKED_DESC_FLAGS = 14


@dataclass(frozen=True, slots=True)
class SplitRing:
    """Where the parts of a split virtqueue of `size` descriptors lie (virtio 1.4, 2.7)."""

    size: int
    desc: int
    avail: int
    used: int

    @property
    def desc_length(self) -> int:
        """Bytes of the descriptor table."""
        return spec.DESC_LENGTH * self.size

    @property
    def avail_length(self) -> int:
        """Bytes of the available ring with used_event."""
        return 6 + 2 * self.size

    @property
    def used_length(self) -> int:
        """Bytes of the used ring with avail_event."""
        return 6 + 8 * self.size

    def desc_entry(self, index: int) -> int:
        """Address of descriptor `index`."""
        return self.desc + spec.DESC_LENGTH * index

    @property
    def avail_flags(self) -> int:
        """Address of avail.flags."""
        return self.avail

    @property
    def avail_idx(self) -> int:
        """Address of avail.idx."""
        return self.avail + 2

    def avail_entry(self, index: int) -> int:
        """Address of the ring entry of the free-running index `index`."""
        return self.avail + spec.SPLIT_AVAIL_HEADER + 2 * (index % self.size)

    @property
    def used_event(self) -> int:
        """Address of avail.used_event (exists with EVENT_IDX)."""
        return self.avail + spec.SPLIT_AVAIL_HEADER + 2 * self.size

    @property
    def used_flags(self) -> int:
        """Address of used.flags."""
        return self.used

    @property
    def used_idx(self) -> int:
        """Address of used.idx."""
        return self.used + 2

    def used_entry(self, index: int) -> int:
        """Address of the used element of the free-running index `index`."""
        return self.used + spec.SPLIT_USED_HEADER + spec.SPLIT_USED_ELEMENT * (index % self.size)

    @property
    def avail_event(self) -> int:
        """Address of used.avail_event (exists with EVENT_IDX)."""
        return self.used + spec.SPLIT_USED_HEADER + spec.SPLIT_USED_ELEMENT * self.size


def _align_up(value: int, align: int) -> int:
    return -(-value // align) * align


def legacy_ring(size: int, start: int, align: int) -> SplitRing:
    """Return the parts of a legacy virtqueue whose block begins at `start` (virtio 1.4, 2.7.2)."""
    avail = start + spec.DESC_LENGTH * size
    return SplitRing(size, start, avail, start + _align_up(spec.DESC_LENGTH * size + 6 + 2 * size, align))


def legacy_ring_length(size: int, align: int) -> int:
    """Return the bytes of a legacy virtqueue's block, a multiple of `align`."""
    used = legacy_ring(size, 0, align).used
    return used + _align_up(6 + 8 * size, align)


@dataclass(frozen=True, slots=True)
class PackedRing:
    """Where the parts of a packed virtqueue of `size` descriptors lie (virtio 1.4, 2.8)."""

    size: int
    desc: int
    driver_event: int
    device_event: int

    @property
    def desc_length(self) -> int:
        """Bytes of the descriptor ring."""
        return spec.DESC_LENGTH * self.size

    def desc_entry(self, slot: int) -> int:
        """Address of the descriptor in ring slot `slot`."""
        return self.desc + spec.DESC_LENGTH * slot


def pack_used_element(head: int, length: int) -> bytes:
    """Return a used element: descriptor head and bytes written (virtio 1.4, 2.7.8)."""
    return _USED_ELEMENT.pack(head, length)


def unpack_used_element(data: bytes) -> tuple[int, int]:
    """Return (head, length) of the 8 bytes of a used element."""
    head, length = _USED_ELEMENT.unpack(data)
    return head, length


def pack_packed_event(offset: int, wrap: int, flags: int) -> bytes:
    """Return the 4 bytes of an event suppression structure (virtio 1.4, 2.8.14)."""
    return struct.pack("<HH", offset & 0x7FFF | (wrap & 1) << 15, flags & 3)


def unpack_packed_event(data: bytes) -> tuple[int, int, int]:
    """Return (offset, wrap, flags) of an event suppression structure; reserved bits are dropped."""
    position, flags = struct.unpack("<HH", data)
    return position & 0x7FFF, position >> 15, flags & 3


def pack_blk_header(kind: int, sector: int) -> bytes:
    """Return the 16 bytes in front of a block request (virtio 1.4, 5.2.6); `sector` in 512 bytes."""
    return _BLK_HEADER.pack(kind, 0, sector)


def unpack_blk_header(data: bytes) -> tuple[int, int]:
    """Return (type, sector) of the 16 bytes in front of a block request."""
    kind, _, sector = _BLK_HEADER.unpack(data)
    return kind, sector


def pack_admin_header(opcode: int, group: int, member: int) -> bytes:
    """Return the 24 bytes in front of an administration command's data (virtio 1.4, 2.12.1)."""
    return _ADMIN_HEADER.pack(opcode, group, member)


def unpack_admin_header(data: bytes) -> tuple[int, int, int]:
    """Return (opcode, group type, member identifier) of an administration command's first 24 bytes."""
    opcode, group, member = _ADMIN_HEADER.unpack(data)
    return opcode, group, member


def pack_admin_status(status: int, qualifier: int) -> bytes:
    """Return the 8 bytes in front of an administration command's result."""
    return _ADMIN_STATUS.pack(status, qualifier)


def unpack_admin_status(data: bytes) -> tuple[int, int]:
    """Return (status, qualifier) of the first 8 bytes that the device wrote."""
    status, qualifier = _ADMIN_STATUS.unpack(data)
    return status, qualifier


@dataclass(frozen=True, slots=True)
class NetHeader:
    """struct virtio_net_hdr without extensions: the 12 bytes in front of a packet (virtio 1.4, 5.1.6)."""

    flags: int = 0
    gso_type: int = 0
    hdr_len: int = 0
    gso_size: int = 0
    csum_start: int = 0
    csum_offset: int = 0
    num_buffers: int = 0

    def pack(self) -> bytes:
        """Return the 12 bytes."""
        return _NET_HEADER.pack(
            self.flags,
            self.gso_type,
            self.hdr_len,
            self.gso_size,
            self.csum_start,
            self.csum_offset,
            self.num_buffers,
        )

    @classmethod
    def unpack(cls, data: bytes) -> NetHeader:
        """Read the first 12 bytes; raises struct.error where there are fewer."""
        return cls(*_NET_HEADER.unpack_from(data))


@dataclass(frozen=True, slots=True)
class ConsoleMessage:
    """A control message of a console: 8 bytes and, for some events, a payload (virtio 1.4, 5.3.6.2)."""

    id: int
    event: int
    value: int
    payload: bytes = b""

    def pack(self) -> bytes:
        """Return the 8 bytes and the payload."""
        return _CONSOLE_CONTROL.pack(self.id, self.event, self.value) + self.payload

    @classmethod
    def unpack(cls, data: bytes) -> ConsoleMessage:
        """Read 8 bytes, and what follows as payload; raises struct.error where there are fewer."""
        port, event, value = _CONSOLE_CONTROL.unpack_from(data)
        return cls(port, event, value, data[_CONSOLE_CONTROL.size :])


def need_event(event: int, new: int, old: int) -> bool:
    """Whether stepping a 16-bit index from `old` to `new` passes `event` (virtio 1.4, 2.7.7.2)."""
    return (new - event - 1) & 0xFFFF < (new - old) & 0xFFFF


@dataclass(frozen=True, slots=True)
class VirtioCap:
    """A virtio vendor capability as it stands in configuration space at byte offset `position`."""

    position: int
    length: int
    cfg_type: int
    bar: int
    offset: int
    size: int
    multiplier: int = 0

    @classmethod
    def unpack(cls, position: int, data: bytes) -> VirtioCap:
        """Read struct virtio_pci_cap (at least 16 bytes; 20 with a multiplier) (virtio 1.4, 4.1.4)."""
        _, _, length, cfg_type, bar, _, _, offset, size = struct.unpack_from("<BBBBBBHII", data)
        has_multiplier = cfg_type == spec.CapType.NOTIFY and len(data) >= spec.CAP_LENGTH_NOTIFY
        multiplier = struct.unpack_from("<I", data, spec.CAP_NOTIFY_MULTIPLIER)[0] if has_multiplier else 0
        return cls(position, length, cfg_type, bar, offset, size, multiplier)


def common_field(offset: int) -> spec.Field | None:
    """Return the field of the common configuration structure that holds byte `offset`."""
    for field in spec.COMMON_CFG.values():
        if field.offset <= offset < field.end:
            return field
    return None
