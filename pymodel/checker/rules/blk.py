"""Block device: configuration and requests (virtio 1.4, 5.2.5 and 5.2.6)."""

from __future__ import annotations

from pymodel.checker.facts import DeviceConfigRead, DeviceConfigWrite, FeaturesOk, ResetDone
from pymodel.checker.rule import Rule, on
from pymodel.checker.rules.blk_request import SEGMENT, SEGMENTED, Request, RequestRule
from pymodel.spec import (
    BLK_CFG,
    BLK_ID_LENGTH,
    BLK_SECTOR,
    BlkFeature,
    BlkRequest,
    BlkStatus,
    BlkZoneRequest,
    DeviceType,
)

_WRITEBACK = BLK_CFG["writeback"].offset
_PADDING = (0x21, 0x39, 0x3A, 0x3B)


class _Offer(Rule):
    @on(FeaturesOk)
    def settled(self, fact: FeaturesOk) -> None:
        """The offer of a block device is known."""
        if self.state.device_type == DeviceType.BLK and fact.offered is not None:
            self.offer(fact.offered, fact.accepted or 0)

    def offer(self, offered: int, accepted: int) -> None:
        """Judge it."""
        raise NotImplementedError


class FlushIsOffered(_Offer):
    """The device offers FLUSH (5.2.5.2)."""

    clause = "DEV-BLK-001"

    def offer(self, offered: int, accepted: int) -> None:
        """The bit is there."""
        self.judge(bool(offered >> BlkFeature.FLUSH & 1), "FLUSH is not offered")


class FlushComesWithConfigWce(_Offer):
    """A device that offers CONFIG_WCE offers FLUSH (5.2.5.2)."""

    clause = "DEV-BLK-002"

    def offer(self, offered: int, accepted: int) -> None:
        """Both bits are there."""
        if offered >> BlkFeature.CONFIG_WCE & 1:
            self.judge(bool(offered >> BlkFeature.FLUSH & 1), "CONFIG_WCE is offered without FLUSH")


class ReadOnlyIsAccepted(_Offer):
    """The driver accepts RO where it is offered (5.2.6.1)."""

    clause = "DRV-BLK-013"

    def offer(self, offered: int, accepted: int) -> None:
        """The bit is accepted."""
        if offered >> BlkFeature.RO & 1:
            self.judge(bool(accepted >> BlkFeature.RO & 1), "RO is offered but not accepted")


class _Config(Rule):
    @on(DeviceConfigRead)
    def config(self, fact: DeviceConfigRead) -> None:
        """Configuration of a block device is read."""
        if self.state.device_type == DeviceType.BLK:
            self.read(fact.offset, fact.data)

    def read(self, offset: int, data: bytes) -> None:
        """Judge it."""
        raise NotImplementedError


class WritebackIsReadLate(_Config):
    """The driver reads writeback only after FEATURES_OK (5.2.5.1)."""

    clause = "DRV-BLK-004"

    def read(self, offset: int, data: bytes) -> None:
        """writeback is read."""
        if self.session.known and offset <= _WRITEBACK < offset + len(data):
            self.judge(self.session.features_ok_written, "writeback is read before FEATURES_OK")


class WritebackStartsAtZero(_Config):
    """With CONFIG_WCE but without FLUSH writeback starts as 0 (5.2.5.2)."""

    clause = "DEV-BLK-003"
    _written = False

    @on(ResetDone)
    def reset(self, _: ResetDone) -> None:
        """A new session."""
        self._written = False

    @on(DeviceConfigWrite)
    def write(self, fact: DeviceConfigWrite) -> None:
        """The driver sets it itself."""
        self._written = self._written or fact.offset <= _WRITEBACK < fact.offset + len(fact.data)

    def read(self, offset: int, data: bytes) -> None:
        """writeback is read."""
        session = self.session
        if self._written or not session.has(BlkFeature.CONFIG_WCE) or not session.lacks(BlkFeature.FLUSH):
            return
        if offset <= _WRITEBACK < offset + len(data):
            self.judge(data[_WRITEBACK - offset] == 0, "writeback is 1, and FLUSH was not negotiated")


class PaddingIsZero(_Config):
    """Padding bytes of the configuration are 0 (5.2.5.2)."""

    clause = "DEV-BLK-004"

    def read(self, offset: int, data: bytes) -> None:
        """Padding is read."""
        for index in _PADDING:
            if offset <= index < offset + len(data):
                self.judge(
                    data[index - offset] == 0, f"padding at {index:#x} reads {data[index - offset]:#x}"
                )


class StaysWithinCapacity(RequestRule):
    """The driver reads and writes nothing beyond the capacity that it read last (5.2.6.1)."""

    clause = "DRV-BLK-012"
    kinds = (BlkRequest.IN, BlkRequest.OUT)

    def request(self, request: Request) -> None:
        """The last sector exists."""
        capacity = self.config("capacity")
        if capacity is not None:
            end = request.sector + request.sectors
            self.judge(end <= capacity, f"a request ends at sector {end}, the capacity is {capacity}")


class FlushHasSectorZero(RequestRule):
    """A FLUSH request has sector 0 (5.2.6.1)."""

    clause = "DRV-BLK-014"
    kinds = (BlkRequest.FLUSH,)

    def request(self, request: Request) -> None:
        """sector is 0."""
        self.judge(request.sector == 0, f"a FLUSH request names sector {request.sector}")


class FlushHasNoData(RequestRule):
    """A FLUSH request carries no data (5.2.6.1)."""

    clause = "DRV-BLK-015"
    kinds = (BlkRequest.FLUSH,)

    def request(self, request: Request) -> None:
        """There is header and status only."""
        extra = request.length + request.chain.writable - 1
        self.judge(extra == 0, f"a FLUSH request carries {extra} bytes of data")


class DataIsWholeSectors(RequestRule):
    """Data of IN and OUT is a multiple of 512 bytes (5.2.6.1)."""

    clause = "DRV-BLK-016"
    kinds = (BlkRequest.IN, BlkRequest.OUT)

    def request(self, request: Request) -> None:
        """The length fits."""
        self.judge(request.length % BLK_SECTOR == 0, f"a request carries {request.length} bytes of data")


class SegmentsAreWhole(RequestRule):
    """Data of DISCARD, SECURE_ERASE and WRITE_ZEROES is a multiple of 16 bytes (5.2.6.1)."""

    clause = "DRV-BLK-017"
    kinds = SEGMENTED

    def request(self, request: Request) -> None:
        """The length fits."""
        self.judge(
            request.length % SEGMENT == 0, f"a segmented request carries {request.length} bytes of data"
        )


class IdHasItsLength(RequestRule):
    """A GET_ID request has room for 20 bytes (5.2.6.1)."""

    clause = "DRV-BLK-018"
    kinds = (BlkRequest.GET_ID,)

    def request(self, request: Request) -> None:
        """The length fits."""
        self.judge(request.length == BLK_ID_LENGTH, f"a GET_ID request has room for {request.length} bytes")


class _Segments(RequestRule):
    field = ""

    def request(self, request: Request) -> None:
        """There are no more segments than the configuration allows."""
        limit = self.config(self.field)
        if limit is not None:
            count = request.length // SEGMENT
            self.judge(count <= limit, f"a request holds {count} segments, {self.field} is {limit}")


class DiscardSegmentsAreLimited(_Segments):
    """A DISCARD request has at most max_discard_seg segments (5.2.6.1)."""

    clause = "DRV-BLK-019"
    kinds = (BlkRequest.DISCARD,)
    field = "max_discard_seg"


class EraseSegmentsAreLimited(_Segments):
    """A SECURE_ERASE request has at most max_secure_erase_seg segments (5.2.6.1)."""

    clause = "DRV-BLK-020"
    kinds = (BlkRequest.SECURE_ERASE,)
    field = "max_secure_erase_seg"


class ZeroSegmentsAreLimited(_Segments):
    """A WRITE_ZEROES request has at most max_write_zeroes_seg segments (5.2.6.1)."""

    clause = "DRV-BLK-021"
    kinds = (BlkRequest.WRITE_ZEROES,)
    field = "max_write_zeroes_seg"


class DiscardDoesNotUnmap(RequestRule):
    """The unmap bit is 0 in DISCARD requests (5.2.6.1); sees 32 segments."""

    clause = "DRV-BLK-024"
    kinds = (BlkRequest.DISCARD,)

    def request(self, request: Request) -> None:
        """No segment has the bit."""
        self.judge(not any(flags & 1 for flags in request.segment_flags), "a DISCARD request has unmap set")


class ReadOnlyRefusesWrites(RequestRule):
    """Where RO is offered an OUT request ends with IOERR (5.2.6.2)."""

    clause = "DEV-BLK-023"
    kinds = (BlkRequest.OUT,)

    def request(self, request: Request) -> None:
        """The status says so."""
        if self.session.offered.get(0, 0) >> BlkFeature.RO & 1:
            self.judge(request.status == BlkStatus.IOERR, f"an OUT request ended with {request.status}")


class UnknownFlagsAreRefused(RequestRule):
    """Unknown flags in a segment end with UNSUPP (5.2.6.2); sees 32 segments."""

    clause = "DEV-BLK-025"
    kinds = SEGMENTED

    def request(self, request: Request) -> None:
        """The status says so."""
        if any(flags & ~1 for flags in request.segment_flags):
            self.judge(request.status == BlkStatus.UNSUPP, f"unknown flags ended with {request.status}")


class UnmapInDiscardIsRefused(RequestRule):
    """The unmap flag in a DISCARD request ends with UNSUPP (5.2.6.2); sees 32 segments."""

    clause = "DEV-BLK-026"
    kinds = (BlkRequest.DISCARD,)

    def request(self, request: Request) -> None:
        """The status says so."""
        if any(flags & 1 for flags in request.segment_flags):
            self.judge(request.status == BlkStatus.UNSUPP, f"unmap in DISCARD ended with {request.status}")


class LifetimeIsNotReserved(RequestRule):
    """GET_LIFETIME returns no reserved values (5.2.6.2)."""

    clause = "DEV-BLK-037"
    kinds = (BlkRequest.GET_LIFETIME,)

    def request(self, request: Request) -> None:
        """pre_eol_info is at most 3, both estimates at most 11."""
        if request.status == BlkStatus.OK and request.length >= 6:
            words = [int.from_bytes(request.chain.reply[at : at + 2], "little") for at in (0, 2, 4)]
            self.judge(words[0] <= 3 and max(words[1:]) <= 11, f"lifetime information is {words}")


class ZoneRequestsAreRefused(RequestRule):
    """Without ZONED all zone requests end with UNSUPP (5.2.6.2)."""

    clause = "DEV-BLK-038"
    kinds = tuple(BlkZoneRequest)

    def request(self, request: Request) -> None:
        """The status says so."""
        if self.session.lacks(BlkFeature.ZONED):
            self.judge(request.status == BlkStatus.UNSUPP, f"a zone request ended with {request.status}")


class FramingMeansNothing(RequestRule):
    """The device assumes nothing about how a message is cut into descriptors (2.7.4.1).

    A request that it calls done was done whole: all data of an IN is written, all of an OUT was read.
    Does not see what it refuses for its framing; an access that the host refused is no evidence.
    """

    clause = "DEV-SPLIT-001"
    kinds = (BlkRequest.IN, BlkRequest.OUT)

    def request(self, request: Request) -> None:
        """The whole chain was worked on."""
        chain = request.chain
        if chain.packed or chain.refused or request.status != BlkStatus.OK:
            return
        done, whole = chain.written.prefix, chain.writable
        if request.kind == BlkRequest.OUT:
            done, whole = chain.fetched.prefix, chain.readable
        if done is not None:
            self.judge(
                done == whole, f"{done} of {whole} bytes of a request in {chain.count} pieces were moved"
            )
