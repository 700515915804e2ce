"""A block request, decoded from the chain that carried it."""

from __future__ import annotations

from dataclasses import dataclass

from pymodel import spec
from pymodel.checker.facts import BufferUsed
from pymodel.checker.rule import Rule, on
from pymodel.checker.state.chain import Chain
from pymodel.layout import unpack_blk_header
from pymodel.spec import BLK_CFG, BLK_HEADER_LENGTH, BLK_SECTOR, BLK_ZONED_CFG, BlkRequest, DeviceType

SEGMENT = 16
SEGMENTED = (BlkRequest.DISCARD, BlkRequest.WRITE_ZEROES, BlkRequest.SECURE_ERASE)
_INWARD = (BlkRequest.IN, BlkRequest.GET_ID, BlkRequest.GET_LIFETIME)


@dataclass(frozen=True, slots=True)
class Request:
    """Type, first sector, bytes of data, and the status byte (None if the device wrote none)."""

    kind: int
    sector: int
    length: int
    status: int | None
    chain: Chain

    @property
    def sectors(self) -> int:
        """Sectors that the data covers, begun ones included."""
        return -(-self.length // BLK_SECTOR)

    @property
    def segment_flags(self) -> list[int]:
        """The flags of the segments of a discard, write zeroes or erase request, as far as captured."""
        data = self.chain.header[BLK_HEADER_LENGTH:]
        return [
            int.from_bytes(data[at + 12 : at + SEGMENT], "little")
            for at in range(0, len(data) - SEGMENT + 1, SEGMENT)
        ]


def decode(chain: Chain) -> Request | None:
    """Return the request; None if the device did not read its header, or there is no room for a status."""
    if not chain.complete or not chain.writable or len(chain.header) < BLK_HEADER_LENGTH:
        return None
    kind, sector = unpack_blk_header(chain.header[:BLK_HEADER_LENGTH])
    inward = kind in _INWARD
    length = chain.writable - 1 if inward else chain.readable - BLK_HEADER_LENGTH
    return Request(kind, sector, length, chain.status, chain)


class BlkRule(Rule):
    """A rule that looks at configuration fields of a block device."""

    def config(self, name: str) -> int | None:
        """Return a configuration field as the driver last read it, None if it never did."""
        field: spec.Field = (BLK_CFG | BLK_ZONED_CFG)[name]
        values = self.state.devconfig.values
        found = [values.get(index) for index in range(field.offset, field.end)]
        known = [byte for byte in found if byte is not None]
        return int.from_bytes(bytes(known), "little") if len(known) == field.width else None


class RequestRule(BlkRule):
    """A rule on block requests, judged when they come back; it needs the device's DMA."""

    kinds: tuple[int, ...] = ()
    _decoded: tuple[BufferUsed | None, Request | None] = (None, None)
    """What was decoded last, for all rules that look at the same fact."""

    @on(BufferUsed)
    def used(self, fact: BufferUsed) -> None:
        """A buffer of a block device comes back."""
        if self.state.device_type != DeviceType.BLK or fact.chain is None or self.session.features is None:
            return
        if self.state.is_admin(fact.queue):
            return
        if RequestRule._decoded[0] is not fact:
            RequestRule._decoded = fact, decode(fact.chain)
        request = RequestRule._decoded[1]
        if request is not None and (not self.kinds or request.kind in self.kinds):
            self.request(request)

    def request(self, request: Request) -> None:
        """Judge it."""
        raise NotImplementedError
