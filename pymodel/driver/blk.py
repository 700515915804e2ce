"""The guest's block driver (virtio 1.4, 5.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pymodel import spec
from pymodel.driver import errors
from pymodel.driver.config_ops import QueueRequest
from pymodel.driver.core import VirtioDevice
from pymodel.driver.framing import Framed, Framer
from pymodel.driver.request_driver import RequestDriver
from pymodel.driver.requests import Request
from pymodel.layout import pack_blk_header
from pymodel.spec import (
    BLK_CFG,
    BLK_SECTOR,
    BlkFeature,
    BlkRequest,
    BlkStatus,
    DeviceType,
    Feature,
    feature_mask,
)

FEATURES = feature_mask(
    BlkFeature.SIZE_MAX,
    BlkFeature.SEG_MAX,
    BlkFeature.RO,
    BlkFeature.BLK_SIZE,
    BlkFeature.FLUSH,
    BlkFeature.TOPOLOGY,
    BlkFeature.CONFIG_WCE,
    BlkFeature.MQ,
    BlkFeature.DISCARD,
    BlkFeature.WRITE_ZEROES,
)

UNWRITTEN = 0xFF
"""Stands in the status byte until the device writes it."""


class BlkError(Exception):
    """The device finished a request with another status than OK; `status` is that byte."""

    def __init__(self, kind: int, sector: int, status: int) -> None:
        super().__init__(f"request type {kind} at sector {sector} ended with status {status}")
        self.status = status


@dataclass
class BlkRequestState(Request):
    """A block request; `data` and `status` are valid once it is done."""

    kind: int = 0
    sector: int = 0
    length: int = 0
    legacy: bool = False
    status: int = -1
    data: bytes = b""

    def complete(self, framed: Framed, used: int) -> None:
        """Take over what the device wrote: the first `used` bytes (virtio 1.4, 2.7.8.3).

        On the legacy interface the used length says nothing (5.2.6.4).
        """
        written = framed.written(self.length + 1)
        self.data = written[: self.length if self.legacy else min(self.length, used)]
        self.status = written[self.length]


class VirtioBlk(RequestDriver):
    """Reads and writes sectors of 512 bytes; several requests may be in flight, on several queues.

    `queues` is how many are used (0: all), from 0 on with `queue_size` descriptors at most (0: as offered),
    or a table of queue index to size: what it leaves out is not enabled.
    """

    device_type = DeviceType.BLK
    features = FEATURES
    requires = {BlkFeature.CONFIG_WCE: feature_mask(BlkFeature.FLUSH)}

    def __init__(self, *, queue_size: int = 0, queues: int | Mapping[int, int] = 0) -> None:
        super().__init__(queue_size=queue_size)
        self.queues_wanted = queues
        self.capacity = 0
        self.seg_max = 0
        self._framer: Framer | None = None

    async def probe(self, device: VirtioDevice) -> None:
        """Read the configuration and set up the request queues."""
        (self.capacity,) = await device.read_config(BLK_CFG["capacity"])
        self.seg_max = await self._optional(device, BlkFeature.SEG_MAX, "seg_max")
        size_max = await self._optional(device, BlkFeature.SIZE_MAX, "size_max")
        requests = self._choose_queues(await self._optional(device, BlkFeature.MQ, "num_queues") or 1)
        free = device.has(Feature.VERSION_1) or device.has(Feature.ANY_LAYOUT)
        self._framer = Framer(device.ops.memory, device.ops.style, size_max or None, free=free)
        await self.bind(device, requests)

    @property
    def queue_count(self) -> int:
        """How many queues are in use."""
        return len(self.queue_indexes)

    def _choose_queues(self, available: int) -> list[QueueRequest]:
        wanted = self.queues_wanted
        if isinstance(wanted, Mapping):
            return [QueueRequest(index, size) for index, size in wanted.items() if index < available]
        return [QueueRequest(index, self.queue_size) for index in range(min(available, wanted or available))]

    async def _optional(self, device: VirtioDevice, feature: BlkFeature, name: str) -> int:
        if not device.has(feature):
            return 0
        (value,) = await device.read_config(BLK_CFG[name])
        return value

    async def config_changed(self, device: VirtioDevice) -> None:
        """Read the capacity again (virtio 1.4, 5.2.6.1)."""
        (self.capacity,) = await device.read_config(BLK_CFG["capacity"])

    async def submit(
        self,
        kind: int,
        sector: int = 0,
        *,
        data: bytes = b"",
        length: int = 0,
        queue: int = 0,
        kick: bool = True,
    ) -> BlkRequestState:
        """Add a request with `data` for the device or `length` bytes from it; return it at once.

        Waits only while the queue is full. With `kick` false it is added, but not yet published.
        """
        if self._framer is None:
            raise errors.DriverBug("the block driver is bound to no device")
        request = BlkRequestState(
            kind=kind,
            sector=sector,
            length=length,
            queue=queue,
            legacy=not self.requests.device.has(Feature.VERSION_1),
        )
        header = pack_blk_header(kind, sector)
        virtqueue = self.requests.device.queues[queue]
        most = min(virtqueue.size, self.seg_max or virtqueue.size)
        framed = self._framer.frame([header, data], [length, 1], max(most, 2))
        framed.mark_end(UNWRITTEN)
        count = len(framed.readable) + len(framed.writable)
        await self.requests.add(request, framed, self._framer.indirect_from(virtqueue, count), kick=kick)
        return request

    async def submit_read(
        self, sector: int, count: int = 1, *, queue: int = 0, kick: bool = True
    ) -> BlkRequestState:
        """Start to read `count` sectors; raises DriverBug beyond the capacity."""
        self._check_range(sector, count)
        return await self.submit(BlkRequest.IN, sector, length=count * BLK_SECTOR, queue=queue, kick=kick)

    async def submit_write(
        self, sector: int, data: bytes, *, queue: int = 0, kick: bool = True
    ) -> BlkRequestState:
        """Start to write whole sectors; raises DriverBug beyond the capacity."""
        if len(data) % BLK_SECTOR:
            raise errors.DriverBug(f"{len(data)} bytes are no whole number of sectors")
        self._check_range(sector, len(data) // BLK_SECTOR)
        return await self.submit(BlkRequest.OUT, sector, data=data, queue=queue, kick=kick)

    def _check_range(self, sector: int, count: int) -> None:
        if sector + count > self.capacity:
            raise errors.DriverBug(f"sectors {sector}..{sector + count - 1} of {self.capacity}")

    async def wait(self, request: BlkRequestState) -> bytes:
        """Wait for a request and return its data; raises BlkError, RequestTimeout, DeviceNeedsReset."""
        await self.requests.wait(request)
        if request.status != BlkStatus.OK:
            raise BlkError(request.kind, request.sector, request.status)
        return request.data

    async def wait_all(self, requests: Iterable[BlkRequestState]) -> list[bytes]:
        """Wait for several requests and return their data."""
        return [await self.wait(request) for request in requests]

    async def read(self, sector: int, count: int = 1, *, queue: int = 0) -> bytes:
        """Read `count` sectors."""
        return await self.wait(await self.submit_read(sector, count, queue=queue))

    async def write(self, sector: int, data: bytes, *, queue: int = 0) -> None:
        """Write whole sectors."""
        await self.wait(await self.submit_write(sector, data, queue=queue))

    async def flush(self, *, queue: int = 0) -> None:
        """Make completed writes durable."""
        await self.wait(await self.submit(BlkRequest.FLUSH, queue=queue))

    async def get_id(self, *, queue: int = 0) -> str:
        """Return the device's identification string."""
        request = await self.submit(BlkRequest.GET_ID, length=spec.BLK_ID_LENGTH, queue=queue)
        data = await self.wait(request)
        return data.split(b"\0")[0].decode("latin-1")
