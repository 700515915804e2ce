"""A block device's back end over a medium in memory (virtio 1.4, 5.2)."""

from __future__ import annotations

from pymodel import spec
from pymodel.device.backend import Backend
from pymodel.device.host import Host
from pymodel.device.ring import DeviceChain, RingError
from pymodel.layout import unpack_blk_header
from pymodel.spec import (
    BLK_CFG,
    BLK_HEADER_LENGTH,
    BLK_SECTOR,
    BlkFeature,
    BlkRequest,
    BlkStatus,
    DeviceType,
    feature_mask,
)

FEATURES = feature_mask(BlkFeature.SEG_MAX, BlkFeature.BLK_SIZE, BlkFeature.FLUSH, BlkFeature.CONFIG_WCE)


class BlkBackend(Backend):
    """Reads and writes whole sectors of `medium`; `resize` changes the capacity while it runs."""

    device_type = DeviceType.BLK
    class_code = 0x018000

    def __init__(
        self,
        medium: bytearray,
        *,
        queues: int = 1,
        read_only: bool = False,
        seg_max: int = 62,
        name: str = "virtio-cosim",
    ) -> None:
        super().__init__()
        self.medium = medium
        self.queue_count = queues
        self.seg_max = seg_max
        self.name = name.encode("latin-1")[: spec.BLK_ID_LENGTH].ljust(spec.BLK_ID_LENGTH, b"\0")
        self.read_only = read_only
        self.writeback = 1
        self.flushes = 0
        extra = ([BlkFeature.MQ] if queues > 1 else []) + ([BlkFeature.RO] if read_only else [])
        self.features = FEATURES | feature_mask(*extra)

    @property
    def capacity(self) -> int:
        """Sectors of 512 bytes."""
        return len(self.medium) // BLK_SECTOR

    def resize(self, sectors: int) -> None:
        """Change the capacity, which the driver is told of."""
        length = sectors * BLK_SECTOR
        self.medium[length:] = bytes(max(0, length - len(self.medium)))
        self.changed()

    def config(self) -> bytes:
        """Return struct virtio_blk_config."""
        values = {
            "capacity": self.capacity,
            "seg_max": self.seg_max,
            "blk_size": BLK_SECTOR,
            "writeback": self.writeback,
            "num_queues": self.queue_count,
        }
        data = bytearray(spec.BLK_CFG_LENGTH)
        for name, value in values.items():
            field = BLK_CFG[name]
            data[field.offset : field.end] = value.to_bytes(field.width, "little")
        return bytes(data)

    def write_config(self, offset: int, data: bytes) -> None:
        """Only `writeback` can be written."""
        position = BLK_CFG["writeback"].offset - offset
        if 0 <= position < len(data):
            self.writeback = data[position] & 1

    def start(self, features: int) -> None:
        """The cache is write-through unless the driver can flush it (virtio 1.4, 5.2.5.2)."""
        self.writeback = features >> BlkFeature.FLUSH & 1

    def start_legacy(self, features: int) -> None:
        """The cache mode changes only for a driver that cannot set it (virtio 1.4, 5.2.5.3)."""
        if not features >> BlkFeature.CONFIG_WCE & 1:
            self.start(features)

    def handle(self, chain: DeviceChain, host: Host) -> int:
        """Execute one request; header, data and status may be cut anywhere (virtio 1.4, 2.7.4.1).

        Where an error leaves data unwritten the used length is 0: status is not at the beginning.
        """
        readable, writable = chain.length(write=False), chain.length(write=True)
        if readable < BLK_HEADER_LENGTH or writable < 1:
            raise RingError(f"a block request of {readable} readable and {writable} writable bytes")
        kind, sector = unpack_blk_header(chain.read(host, 0, BLK_HEADER_LENGTH))
        status, data = self._execute(chain, host, kind, sector, writable - 1)
        chain.write(host, 0, data)
        chain.write(host, writable - 1, bytes([status]))
        return writable if len(data) == writable - 1 else 0

    def _execute(
        self, chain: DeviceChain, host: Host, kind: int, sector: int, room: int
    ) -> tuple[BlkStatus, bytes]:
        start = sector * BLK_SECTOR
        if kind == BlkRequest.IN:
            if not self._covers(start, room):
                return BlkStatus.IOERR, b""
            return BlkStatus.OK, bytes(self.medium[start : start + room])
        if kind == BlkRequest.OUT:
            length = chain.length(write=False) - BLK_HEADER_LENGTH
            if self.read_only or not self._covers(start, length):
                return BlkStatus.IOERR, b""
            self.medium[start : start + length] = chain.read(host, BLK_HEADER_LENGTH, length)
            return BlkStatus.OK, b""
        if kind == BlkRequest.FLUSH:
            self.flushes += 1
            return BlkStatus.OK, b""
        if kind == BlkRequest.GET_ID:
            return BlkStatus.OK, self.name[:room]
        return BlkStatus.UNSUPP, b""

    def _covers(self, start: int, length: int) -> bool:
        return length % BLK_SECTOR == 0 and start + length <= len(self.medium)
