"""Zoned block devices: what can be told without knowing the states of zones (virtio 1.4, 5.2.5 and 5.2.6)."""

from __future__ import annotations

from pymodel.checker.facts import DeviceConfigRead
from pymodel.checker.rule import Rule, on
from pymodel.checker.rules.blk_request import BlkRule, Request, RequestRule
from pymodel.spec import (
    BLK_SECTOR,
    BLK_ZONED_CFG,
    BlkFeature,
    BlkStatus,
    BlkZoneRequest,
    BlkZoneStatus,
    DeviceType,
)

_START = BLK_ZONED_CFG["zone_sectors"].offset
_MODEL = BLK_ZONED_CFG["model"].offset
_PADDING = range(_MODEL + 1, _MODEL + 4)


class _Zoned(Rule):
    @on(DeviceConfigRead)
    def read(self, fact: DeviceConfigRead) -> None:
        """The zoned part of a block device's configuration is read."""
        if self.state.device_type == DeviceType.BLK and fact.offset + len(fact.data) > _START:
            for index, byte in enumerate(fact.data, fact.offset):
                self.byte(index, byte)

    def byte(self, offset: int, value: int) -> None:
        """Judge a byte of it."""
        raise NotImplementedError


class OnlyZonedDevicesOfferZoned(_Zoned):
    """A device that is not zoned does not offer ZONED (5.2.5.2); judged when the driver reads model."""

    clause = "DEV-BLK-005"

    def byte(self, offset: int, value: int) -> None:
        """model is read."""
        if offset == _MODEL and self.session.offered.get(0, 0) >> BlkFeature.ZONED & 1:
            self.judge(value != 0, "ZONED is offered, and the zone model is none")


class DeclinedZonesReadZero(_Zoned):
    """Where ZONED is offered and not accepted all zoned characteristics read 0 (5.2.5.2)."""

    clause = "DEV-BLK-007"

    def byte(self, offset: int, value: int) -> None:
        """A byte of them is read."""
        offered = self.session.offered.get(0, 0) >> BlkFeature.ZONED & 1
        if offset >= _START and offered and self.session.lacks(BlkFeature.ZONED):
            self.judge(value == 0, f"the byte at {offset:#x} reads {value:#x}, and ZONED was not accepted")


class ZonedPaddingIsZero(_Zoned):
    """Padding behind the zone model is 0 (5.2.5.2)."""

    clause = "DEV-BLK-020"

    def byte(self, offset: int, value: int) -> None:
        """Padding is read."""
        if offset in _PADDING and self.session.has(BlkFeature.ZONED):
            self.judge(value == 0, f"padding at {offset:#x} reads {value:#x}")


class _ZonedLimits(BlkRule):
    """A rule on configuration fields taken together, judged whenever a zoned one is read."""

    names: tuple[str, ...] = ()

    @on(DeviceConfigRead)
    def read(self, fact: DeviceConfigRead) -> None:
        """The zoned part is read, and the other fields were."""
        if self.state.device_type == DeviceType.BLK and fact.offset + len(fact.data) > _START:
            values = [self.config(name) for name in self.names]
            known = [value for value in values if value is not None]
            if len(known) == len(values):
                self.limits(*known)

    def limits(self, *values: int) -> None:
        """Judge them."""
        raise NotImplementedError


class AppendLimitFitsSegments(_ZonedLimits):
    """max_append_sectors does not exceed seg_max times size_max bytes (5.2.5.2)."""

    clause = "DEV-BLK-017"
    names = ("max_append_sectors", "seg_max", "size_max")

    def limits(self, *values: int) -> None:
        """Compare in bytes."""
        append, segments, size = values
        message = f"max_append_sectors is {append}, seg_max * size_max {segments * size} bytes"
        self.judge(append * BLK_SECTOR <= segments * size, message)


class EraseAlignmentFitsZones(_ZonedLimits):
    """secure_erase_sector_alignment is a multiple of zone_sectors (5.2.6.2)."""

    clause = "DEV-BLK-060"
    names = ("secure_erase_sector_alignment", "zone_sectors")

    def limits(self, *values: int) -> None:
        """Compare."""
        alignment, zone = values
        if zone and self.session.has(BlkFeature.ZONED):
            self.judge(alignment % zone == 0, f"erasing is aligned to {alignment} sectors, zones are {zone}")


class _ZoneRequest(RequestRule):
    def request(self, request: Request) -> None:
        """Judge a request of a session with ZONED."""
        if self.session.has(BlkFeature.ZONED):
            self.zone(request, self.config("zone_sectors"))

    def zone(self, request: Request, zone_sectors: int | None) -> None:
        """Judge it."""
        raise NotImplementedError


class ManagementNamesZoneStart(_ZoneRequest):
    """OPEN, CLOSE, FINISH and RESET name the first sector of a zone (5.2.6.1)."""

    clause = "DRV-BLK-030"
    kinds = (BlkZoneRequest.OPEN, BlkZoneRequest.CLOSE, BlkZoneRequest.FINISH, BlkZoneRequest.RESET)

    def zone(self, request: Request, zone_sectors: int | None) -> None:
        """sector is a multiple of the zone's size."""
        if zone_sectors:
            self.judge(request.sector % zone_sectors == 0, f"sector {request.sector} begins no zone")


class ResetAllNamesNoSector(_ZoneRequest):
    """RESET_ALL has sector 0 (5.2.6.1)."""

    clause = "DRV-BLK-031"
    kinds = (BlkZoneRequest.RESET_ALL,)

    def zone(self, request: Request, zone_sectors: int | None) -> None:
        """sector is 0."""
        self.judge(request.sector == 0, f"a RESET_ALL request names sector {request.sector}")


class AppendNamesZoneStart(_ZoneRequest):
    """APPEND names the first sector of a zone (5.2.6.1)."""

    clause = "DRV-BLK-032"
    kinds = (BlkZoneRequest.APPEND,)

    def zone(self, request: Request, zone_sectors: int | None) -> None:
        """sector is a multiple of the zone's size."""
        if zone_sectors:
            self.judge(request.sector % zone_sectors == 0, f"sector {request.sector} begins no zone")


class AppendIsGranular(_ZoneRequest):
    """Data of APPEND is a multiple of write_granularity (5.2.6.1)."""

    clause = "DRV-BLK-033"
    kinds = (BlkZoneRequest.APPEND,)

    def zone(self, request: Request, zone_sectors: int | None) -> None:
        """The length fits."""
        grain = self.config("write_granularity")
        if grain:
            self.judge(request.length % grain == 0, f"{request.length} bytes are no multiple of {grain}")


class AppendIsLimited(_ZoneRequest):
    """Data of APPEND is at most max_append_sectors (5.2.6.1)."""

    clause = "DRV-BLK-034"
    kinds = (BlkZoneRequest.APPEND,)

    def zone(self, request: Request, zone_sectors: int | None) -> None:
        """The length fits."""
        limit = self.config("max_append_sectors")
        if limit is not None:
            self.judge(
                request.length <= limit * BLK_SECTOR, f"{request.length} bytes, {limit} sectors allowed"
            )


class AppendInsideZoneIsRefused(_ZoneRequest):
    """APPEND that does not name a zone's first sector ends with ZONE_INVALID_CMD (5.2.6.2)."""

    clause = "DEV-BLK-047"
    kinds = (BlkZoneRequest.APPEND,)

    def zone(self, request: Request, zone_sectors: int | None) -> None:
        """The status says so."""
        if zone_sectors and request.sector % zone_sectors:
            self.judge(
                request.status == BlkZoneStatus.INVALID_CMD, f"the request ended with {request.status}"
            )


class _OversizedAppend(_ZoneRequest):
    kinds = (BlkZoneRequest.APPEND,)
    supported = False
    wanted = 0

    def zone(self, request: Request, zone_sectors: int | None) -> None:
        """The status says so; what is refused for its sector already is left out."""
        limit = self.config("max_append_sectors")
        if limit is None or bool(limit) != self.supported or not zone_sectors:
            return
        if request.length > limit * BLK_SECTOR and request.sector % zone_sectors == 0:
            self.judge(request.status == self.wanted, f"an oversized APPEND ended with {request.status}")


class AppendIsUnsupported(_OversizedAppend):
    """With max_append_sectors 0 an APPEND ends with UNSUPP (5.2.6.2)."""

    clause = "DEV-BLK-050"
    wanted = BlkStatus.UNSUPP


class OversizedAppendIsRefused(_OversizedAppend):
    """An APPEND above max_append_sectors ends with ZONE_INVALID_CMD (5.2.6.2)."""

    clause = "DEV-BLK-051"
    supported = True
    wanted = BlkZoneStatus.INVALID_CMD
