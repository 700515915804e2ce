"""Constants of virtio 1.4: the only place where a number of the standard is written.

The SystemVerilog package and the C header are generated from this table (`pymodel.gen`);
`tests/unit/test_spec.py` pins the table to literal numbers of the standard.
Offsets and lengths are in bytes; all multi-byte fields are little-endian (virtio 1.4, 1.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

VENDOR_ID = 0x1AF4
MODERN_DEVICE_ID_BASE = 0x1040
TRANSITIONAL_DEVICE_ID = {1: 0x1000, 2: 0x1001, 5: 0x1002, 3: 0x1003, 8: 0x1004, 4: 0x1005, 9: 0x1009}
NO_VECTOR = 0xFFFF
MAX_QUEUE_SIZE = 32768


class DeviceType(IntEnum):
    """Virtio device type numbers (virtio 1.4, 5)."""

    NET = 1
    BLK = 2
    CONSOLE = 3
    ENTROPY = 4
    BALLOON = 5
    SCSI = 8


class Status(IntFlag):
    """Device status bits (virtio 1.4, 2.1)."""

    ACKNOWLEDGE = 0x01
    DRIVER = 0x02
    DRIVER_OK = 0x04
    FEATURES_OK = 0x08
    SUSPEND = 0x10
    DEVICE_NEEDS_RESET = 0x40
    FAILED = 0x80


class Feature(IntEnum):
    """Bit numbers of the device-independent features (virtio 1.4, 6 and 6.3)."""

    NOTIFY_ON_EMPTY = 24
    ANY_LAYOUT = 27
    INDIRECT_DESC = 28
    EVENT_IDX = 29
    UNUSED_PROBE = 30
    VERSION_1 = 32
    ACCESS_PLATFORM = 33
    RING_PACKED = 34
    IN_ORDER = 35
    ORDER_PLATFORM = 36
    SR_IOV = 37
    NOTIFICATION_DATA = 38
    NOTIF_CONFIG_DATA = 39
    RING_RESET = 40
    ADMIN_VQ = 41
    SUSPEND = 43


def feature_mask(*bits: int) -> int:
    """Return the feature set in which exactly these bit numbers are one."""
    mask = 0
    for bit in bits:
        mask |= 1 << bit
    return mask


@dataclass(frozen=True)
class Field:
    """One register of a structure: byte offset, width in bytes, and who may write ("RO" or "RW")."""

    name: str
    offset: int
    width: int
    access: str

    @property
    def end(self) -> int:
        """Offset of the first byte behind the field."""
        return self.offset + self.width


def _fields(*rows: tuple[str, int, int, str]) -> dict[str, Field]:
    return {row[0]: Field(*row) for row in rows}


COMMON_CFG = _fields(
    ("device_feature_select", 0x00, 4, "RW"),
    ("device_feature", 0x04, 4, "RO"),
    ("driver_feature_select", 0x08, 4, "RW"),
    ("driver_feature", 0x0C, 4, "RW"),
    ("config_msix_vector", 0x10, 2, "RW"),
    ("num_queues", 0x12, 2, "RO"),
    ("device_status", 0x14, 1, "RW"),
    ("config_generation", 0x15, 1, "RO"),
    ("queue_select", 0x16, 2, "RW"),
    ("queue_size", 0x18, 2, "RW"),
    ("queue_msix_vector", 0x1A, 2, "RW"),
    ("queue_enable", 0x1C, 2, "RW"),
    ("queue_notify_off", 0x1E, 2, "RO"),
    ("queue_desc", 0x20, 8, "RW"),
    ("queue_driver", 0x28, 8, "RW"),
    ("queue_device", 0x30, 8, "RW"),
    ("queue_notif_config_data", 0x38, 2, "RO"),
    ("queue_reset", 0x3A, 2, "RW"),
    ("admin_queue_index", 0x3C, 2, "RO"),
    ("admin_queue_num", 0x3E, 2, "RO"),
)
"""The common configuration structure (virtio 1.4, 4.1.4.3)."""
COMMON_CFG_LENGTH = 64

LEGACY_CFG = _fields(
    ("device_features", 0x00, 4, "RO"),
    ("driver_features", 0x04, 4, "RW"),
    ("queue_address", 0x08, 4, "RW"),
    ("queue_size", 0x0C, 2, "RO"),
    ("queue_select", 0x0E, 2, "RW"),
    ("queue_notify", 0x10, 2, "RW"),
    ("device_status", 0x12, 1, "RW"),
    ("isr_status", 0x13, 1, "RO"),
    ("config_msix_vector", 0x14, 2, "RW"),
    ("queue_msix_vector", 0x16, 2, "RW"),
)
"""The legacy register block in BAR0 (virtio 1.4, 4.1.4.10); the two vectors exist while MSI-X is enabled."""
LEGACY_CFG_LENGTH = 0x14
LEGACY_CFG_LENGTH_MSIX = 0x18
LEGACY_PAGE_SIZE = 4096


class IsrBit(IntFlag):
    """ISR status bits (virtio 1.4, 4.1.4.5)."""

    QUEUE = 0x1
    CONFIG = 0x2


class CapType(IntEnum):
    """cfg_type of a virtio vendor capability (virtio 1.4, 4.1.4)."""

    COMMON = 1
    NOTIFY = 2
    ISR = 3
    DEVICE = 4
    PCI_CFG = 5
    SHARED_MEMORY = 8
    VENDOR = 9


CAP_FIELDS = _fields(
    ("cap_vndr", 0, 1, "RO"),
    ("cap_next", 1, 1, "RO"),
    ("cap_len", 2, 1, "RO"),
    ("cfg_type", 3, 1, "RO"),
    ("bar", 4, 1, "RO"),
    ("id", 5, 1, "RO"),
    ("offset", 8, 4, "RO"),
    ("length", 12, 4, "RO"),
)
"""struct virtio_pci_cap (virtio 1.4, 4.1.4); bar, offset and length are writable in PCI_CFG only."""
CAP_LENGTH = 16
CAP_LENGTH_NOTIFY = 20
CAP_LENGTH_PCI_CFG = 20
CAP_NOTIFY_MULTIPLIER = 16
CAP_PCI_CFG_DATA = 16


class PciCapId(IntEnum):
    """PCI capability IDs that a virtio function may carry."""

    POWER_MANAGEMENT = 0x01
    VENDOR = 0x09
    PCI_EXPRESS = 0x10
    MSIX = 0x11


PCI_CFG = _fields(
    ("vendor_id", 0x00, 2, "RO"),
    ("device_id", 0x02, 2, "RO"),
    ("command", 0x04, 2, "RW"),
    ("status", 0x06, 2, "RO"),
    ("revision_id", 0x08, 1, "RO"),
    ("class_code", 0x09, 3, "RO"),
    ("cache_line_size", 0x0C, 1, "RW"),
    ("latency_timer", 0x0D, 1, "RO"),
    ("header_type", 0x0E, 1, "RO"),
    ("bar0", 0x10, 4, "RW"),
    ("bar1", 0x14, 4, "RW"),
    ("bar2", 0x18, 4, "RW"),
    ("bar3", 0x1C, 4, "RW"),
    ("bar4", 0x20, 4, "RW"),
    ("bar5", 0x24, 4, "RW"),
    ("subsystem_vendor_id", 0x2C, 2, "RO"),
    ("subsystem_id", 0x2E, 2, "RO"),
    ("capabilities_pointer", 0x34, 1, "RO"),
    ("interrupt_line", 0x3C, 1, "RW"),
    ("interrupt_pin", 0x3D, 1, "RO"),
)
"""Type 0 configuration header of PCI."""


class PciCommand(IntFlag):
    """Bits of the PCI command register."""

    IO = 0x0001
    MEMORY = 0x0002
    BUS_MASTER = 0x0004
    INTX_DISABLE = 0x0400


class PciStatus(IntFlag):
    """Bits of the PCI status register."""

    INTERRUPT = 0x0008
    CAPABILITIES = 0x0010


MSIX_CONTROL = 2
MSIX_TABLE = 4
MSIX_PBA = 8
MSIX_CONTROL_ENABLE = 0x8000
MSIX_CONTROL_FUNCTION_MASK = 0x4000
MSIX_CONTROL_SIZE_MASK = 0x07FF
MSIX_ENTRY_LENGTH = 16
MSIX_ENTRY_ADDRESS = 0
MSIX_ENTRY_DATA = 8
MSIX_ENTRY_CONTROL = 12
MSIX_ENTRY_MASKED = 0x1

PCIE_DEVICE_CAPABILITIES = 4
PCIE_DEVICE_CAPABILITIES_FLR = 1 << 28
PCIE_DEVICE_CONTROL = 8
PCIE_DEVICE_CONTROL_FLR = 1 << 15
PCIE_DEVICE_STATUS = 10
PCIE_DEVICE_STATUS_PENDING = 1 << 5

DESC_LENGTH = 16
SPLIT_AVAIL_HEADER = 4
SPLIT_USED_HEADER = 4
SPLIT_USED_ELEMENT = 8
SPLIT_DESC_ALIGN = 16
SPLIT_AVAIL_ALIGN = 2
SPLIT_USED_ALIGN = 4
PACKED_RING_ALIGN = 16
PACKED_EVENT_LENGTH = 4
PACKED_EVENT_ALIGN = 4


class DescFlag(IntFlag):
    """Descriptor flags; AVAIL and USED exist in the packed ring only (virtio 1.4, 2.7.5 and 2.8.1)."""

    NEXT = 0x0001
    WRITE = 0x0002
    INDIRECT = 0x0004
    AVAIL = 0x0080
    USED = 0x8000


AVAIL_F_NO_INTERRUPT = 1
USED_F_NO_NOTIFY = 1


class RingEvent(IntEnum):
    """Flags of a packed event suppression structure (virtio 1.4, 2.8.10)."""

    ENABLE = 0
    DISABLE = 1
    DESC = 2


class BlkFeature(IntEnum):
    """Feature bits of a block device (virtio 1.4, 5.2.3)."""

    SIZE_MAX = 1
    SEG_MAX = 2
    GEOMETRY = 4
    RO = 5
    BLK_SIZE = 6
    FLUSH = 9
    TOPOLOGY = 10
    CONFIG_WCE = 11
    MQ = 12
    DISCARD = 13
    WRITE_ZEROES = 14
    LIFETIME = 15
    SECURE_ERASE = 16
    ZONED = 17


class BlkRequest(IntEnum):
    """Request types of a block device (virtio 1.4, 5.2.6)."""

    IN = 0
    OUT = 1
    FLUSH = 4
    GET_ID = 8
    GET_LIFETIME = 10
    DISCARD = 11
    WRITE_ZEROES = 13
    SECURE_ERASE = 14


class BlkStatus(IntEnum):
    """Status byte of a block request (virtio 1.4, 5.2.6)."""

    OK = 0
    IOERR = 1
    UNSUPP = 2


class BlkZoneRequest(IntEnum):
    """Request types of a zoned block device (virtio 1.4, 5.2.6)."""

    APPEND = 15
    REPORT = 16
    OPEN = 18
    CLOSE = 20
    FINISH = 22
    RESET = 24
    RESET_ALL = 26


class BlkZoneStatus(IntEnum):
    """Further values of the status byte of a zoned block device (virtio 1.4, 5.2.6)."""

    INVALID_CMD = 3
    UNALIGNED_WP = 4
    OPEN_RESOURCE = 5
    ACTIVE_RESOURCE = 6


BLK_SECTOR = 512
BLK_HEADER_LENGTH = 16
BLK_ID_LENGTH = 20
BLK_CFG = _fields(
    ("capacity", 0x00, 8, "RO"),
    ("size_max", 0x08, 4, "RO"),
    ("seg_max", 0x0C, 4, "RO"),
    ("cylinders", 0x10, 2, "RO"),
    ("heads", 0x12, 1, "RO"),
    ("sectors", 0x13, 1, "RO"),
    ("blk_size", 0x14, 4, "RO"),
    ("physical_block_exp", 0x18, 1, "RO"),
    ("alignment_offset", 0x19, 1, "RO"),
    ("min_io_size", 0x1A, 2, "RO"),
    ("opt_io_size", 0x1C, 4, "RO"),
    ("writeback", 0x20, 1, "RW"),
    ("num_queues", 0x22, 2, "RO"),
    ("max_discard_sectors", 0x24, 4, "RO"),
    ("max_discard_seg", 0x28, 4, "RO"),
    ("discard_sector_alignment", 0x2C, 4, "RO"),
    ("max_write_zeroes_sectors", 0x30, 4, "RO"),
    ("max_write_zeroes_seg", 0x34, 4, "RO"),
    ("write_zeroes_may_unmap", 0x38, 1, "RO"),
    ("max_secure_erase_sectors", 0x3C, 4, "RO"),
    ("max_secure_erase_seg", 0x40, 4, "RO"),
    ("secure_erase_sector_alignment", 0x44, 4, "RO"),
)
"""struct virtio_blk_config up to the zoned part (virtio 1.4, 5.2.4)."""
BLK_ZONED_CFG = _fields(
    ("zone_sectors", 0x48, 4, "RO"),
    ("max_open_zones", 0x4C, 4, "RO"),
    ("max_active_zones", 0x50, 4, "RO"),
    ("max_append_sectors", 0x54, 4, "RO"),
    ("write_granularity", 0x58, 4, "RO"),
    ("model", 0x5C, 1, "RO"),
)
"""The zoned part of struct virtio_blk_config (virtio 1.4, 5.2.4)."""
BLK_CFG_LENGTH = 0x60


class NetFeature(IntEnum):
    """Feature bits of a network device up to bit 63 (virtio 1.4, 5.1.3)."""

    CSUM = 0
    GUEST_CSUM = 1
    CTRL_GUEST_OFFLOADS = 2
    MTU = 3
    MAC = 5
    GUEST_TSO4 = 7
    GUEST_TSO6 = 8
    GUEST_ECN = 9
    GUEST_UFO = 10
    HOST_TSO4 = 11
    HOST_TSO6 = 12
    HOST_ECN = 13
    HOST_UFO = 14
    MRG_RXBUF = 15
    STATUS = 16
    CTRL_VQ = 17
    CTRL_RX = 18
    CTRL_VLAN = 19
    CTRL_RX_EXTRA = 20
    GUEST_ANNOUNCE = 21
    MQ = 22
    CTRL_MAC_ADDR = 23
    DEVICE_STATS = 50
    HASH_TUNNEL = 51
    VQ_NOTF_COAL = 52
    NOTF_COAL = 53
    GUEST_USO4 = 54
    GUEST_USO6 = 55
    HOST_USO = 56
    HASH_REPORT = 57
    GUEST_HDRLEN = 59
    RSS = 60
    RSC_EXT = 61
    STANDBY = 62
    SPEED_DUPLEX = 63


class NetStatus(IntFlag):
    """Bits of a network device's status field (virtio 1.4, 5.1.4)."""

    LINK_UP = 0x1
    ANNOUNCE = 0x2


class NetControl(IntEnum):
    """Command classes of the control queue (virtio 1.4, 5.1.6.5)."""

    RX = 0
    MAC = 1
    VLAN = 2
    ANNOUNCE = 3
    MQ = 4
    GUEST_OFFLOADS = 5


class NetControlRx(IntEnum):
    """Commands of class RX (virtio 1.4, 5.1.6.5.1); each carries one byte, 0 or 1."""

    PROMISC = 0
    ALLMULTI = 1
    ALLUNI = 2
    NOMULTI = 3
    NOUNI = 4
    NOBCAST = 5


NET_CONTROL_MAC_TABLE_SET = 0
NET_CONTROL_MAC_ADDR_SET = 1
NET_CONTROL_ANNOUNCE_ACK = 0
NET_CONTROL_OK = 0
NET_CONTROL_ERR = 1
NET_HEADER_LENGTH = 12
"""struct virtio_net_hdr without HASH_REPORT and later extensions (virtio 1.4, 5.1.6)."""
NET_RX_BUFFER_MINIMUM = 1526
"""Bytes of a receive buffer without MRG_RXBUF and receive offloads (virtio 1.4, 5.1.6.3.1)."""
NET_CFG = _fields(
    ("mac", 0x00, 6, "RO"),
    ("status", 0x06, 2, "RO"),
    ("max_virtqueue_pairs", 0x08, 2, "RO"),
    ("mtu", 0x0A, 2, "RO"),
    ("speed", 0x0C, 4, "RO"),
    ("duplex", 0x10, 1, "RO"),
    ("rss_max_key_size", 0x11, 1, "RO"),
    ("rss_max_indirection_table_length", 0x12, 2, "RO"),
    ("supported_hash_types", 0x14, 4, "RO"),
    ("supported_tunnel_types", 0x18, 4, "RO"),
)
"""struct virtio_net_config (virtio 1.4, 5.1.4)."""


class ConsoleFeature(IntEnum):
    """Feature bits of a console (virtio 1.4, 5.3.3)."""

    SIZE = 0
    MULTIPORT = 1
    EMERG_WRITE = 2


class ConsoleControl(IntEnum):
    """Events of a console's control messages (virtio 1.4, 5.3.6.2)."""

    DEVICE_READY = 0
    DEVICE_ADD = 1
    DEVICE_REMOVE = 2
    PORT_READY = 3
    CONSOLE_PORT = 4
    RESIZE = 5
    PORT_OPEN = 6
    PORT_NAME = 7


CONSOLE_CONTROL_LENGTH = 8
CONSOLE_CFG = _fields(
    ("cols", 0x00, 2, "RO"),
    ("rows", 0x02, 2, "RO"),
    ("max_nr_ports", 0x04, 4, "RO"),
    ("emerg_wr", 0x08, 4, "RW"),
)
"""struct virtio_console_config (virtio 1.4, 5.3.4)."""


class AdminCommand(IntEnum):
    """Opcodes of group administration commands that every group has (virtio 1.4, 2.12.1)."""

    LIST_QUERY = 0
    LIST_USE = 1


class AdminGroup(IntEnum):
    """Group types (virtio 1.4, 2.12)."""

    SELF = 0
    SR_IOV = 1


class AdminStatus(IntEnum):
    """Status of a group administration command (virtio 1.4, 2.12.1)."""

    OK = 0
    ENXIO = 6
    EAGAIN = 11
    ENOMEM = 12
    EBUSY = 16
    EINVAL = 22
    ENOSPC = 28


class AdminQualifier(IntEnum):
    """status_qualifier of a group administration command (virtio 1.4, 2.12.1)."""

    OK = 0
    INVALID_COMMAND = 1
    INVALID_OPCODE = 2
    INVALID_FIELD = 3
    INVALID_GROUP = 4
    INVALID_MEMBER = 5
    NORESOURCE = 6
    TRYAGAIN = 7


ADMIN_HEADER_LENGTH = 24
"""Bytes of struct virtio_admin_cmd in front of command_specific_data (virtio 1.4, 2.12.1)."""
ADMIN_STATUS_LENGTH = 8
"""Bytes of its device-writable part in front of command_specific_result."""

MSI_ADDRESS_BASE = 0xFEE0_0000
MSI_ADDRESS_END = 0xFEF0_0000
"""Where this bench's host takes memory writes as interrupt messages (the x86 convention)."""
