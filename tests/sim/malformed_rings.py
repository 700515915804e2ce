"""Malformed rings, a function each, and in tables what each of them must lead to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pymodel.layout import PackedDesc, SplitDesc, pack_blk_header
from pymodel.spec import BlkRequest, DeviceType, Feature, feature_mask
from tests.sim.hostile import INDIRECT, NEXT, WRITE, Hostile

TABLES = feature_mask(Feature.INDIRECT_DESC)
PACKED = feature_mask(Feature.RING_PACKED)
LAST_ADDRESS = (1 << 64) - 16
NOWHERE = 0x7000_0000_0000
UNREAD = ("DRV-RNG-001",)
LOOP = ("DRV-SPLIT-004", "DRV-SPLIT-008")


@dataclass(frozen=True, slots=True)
class Case:
    """One malformed ring: how it is built, the clauses that it breaches visibly, whether it must end work.

    It is about a ring with these `features`; `may` are accepted too where they are offered. `readable` are
    the clauses that it breaches as well where a request begins with a part that the device reads, `unread`
    those where no request has such a part.

    Where `fatal` is false the device may use the buffer as well: the standard lets it, or has it ignore
    what is wrong. A case with a `device` is about requests of that device type.
    """

    build: Callable[[Hostile], Awaitable[None]]
    clauses: tuple[str, ...] = ()
    features: int = 0
    may: int = TABLES
    readable: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    fatal: bool = True
    device: DeviceType | None = None


def split_request(hostile: Hostile) -> list[SplitDesc]:
    """A proper chain from entry 0: the three parts of a plain request."""
    parts = zip(hostile.places, hostile.lengths, hostile.writes, (NEXT, NEXT, 0), (1, 2, 0), strict=True)
    return [SplitDesc(place, length, write | link, next_) for place, length, write, link, next_ in parts]


def packed_request(hostile: Hostile) -> list[PackedDesc]:
    """The same as a list in a packed ring."""
    parts = zip(hostile.places, hostile.lengths, hostile.writes, (NEXT, NEXT, 0), strict=True)
    return [PackedDesc(place, length, 0, write | link) for place, length, write, link in parts]


async def loop_of_two(hostile: Hostile) -> None:
    first, middle, _ = split_request(hostile)
    await hostile.offer_split(first, SplitDesc(middle.addr, middle.len, middle.flags, 0))


async def loop_behind_the_head(hostile: Hostile) -> None:
    first, middle, last = split_request(hostile)
    await hostile.offer_split(first, middle, SplitDesc(last.addr, last.len, NEXT | WRITE, 1))


async def loop_of_one(hostile: Hostile) -> None:
    first = split_request(hostile)[0]
    await hostile.offer_split(SplitDesc(first.addr, first.len, first.flags, 0))


async def loop_in_a_table(hostile: Hostile) -> None:
    first, middle, _ = split_request(hostile)
    address, length = hostile.table(first, SplitDesc(middle.addr, middle.len, middle.flags, 1))
    await hostile.offer_split(SplitDesc(address, length, INDIRECT, 0))


async def head_outside(hostile: Hostile) -> None:
    await hostile.offer_split(*split_request(hostile), head=hostile.size)


async def head_far_outside(hostile: Hostile) -> None:
    await hostile.offer_split(*split_request(hostile), head=0xFFFF)


async def next_outside(hostile: Hostile) -> None:
    first = split_request(hostile)[0]
    await hostile.offer_split(SplitDesc(first.addr, first.len, first.flags, hostile.size))


async def next_outside_a_table(hostile: Hostile) -> None:
    first, middle, _ = split_request(hostile)
    address, length = hostile.table(first, SplitDesc(middle.addr, middle.len, middle.flags, 2))
    await hostile.offer_split(SplitDesc(address, length, INDIRECT, 0))


async def index_jump(hostile: Hostile) -> None:
    await hostile.offer_split(*split_request(hostile), ahead=hostile.size + 1)


async def index_jump_backwards(hostile: Hostile) -> None:
    await hostile.offer_split(*split_request(hostile), ahead=0xFFFF)


async def readable_after_writable(hostile: Hostile) -> None:
    first, middle, last = split_request(hostile)
    swapped = SplitDesc(middle.addr, middle.len, NEXT | WRITE, 1), SplitDesc(first.addr, first.len, NEXT, 2)
    await hostile.offer_split(*swapped, last)


async def table_of_odd_length(hostile: Hostile) -> None:
    address, length = hostile.table(*split_request(hostile))
    await hostile.offer_split(SplitDesc(address, length - 8, INDIRECT, 0))


async def table_of_no_length(hostile: Hostile) -> None:
    address, _ = hostile.table(*split_request(hostile))
    await hostile.offer_split(SplitDesc(address, 0, INDIRECT, 0))


async def table_in_a_table(hostile: Hostile) -> None:
    inner, length = hostile.table(*split_request(hostile))
    outer, whole = hostile.table(SplitDesc(inner, length, INDIRECT, 0))
    await hostile.offer_split(SplitDesc(outer, whole, INDIRECT, 0))


async def table_with_next(hostile: Hostile) -> None:
    address, length = hostile.table(*split_request(hostile))
    last = split_request(hostile)[2]
    await hostile.offer_split(SplitDesc(address, length, INDIRECT | NEXT, 1), last)


async def table_that_makes_the_chain_too_long(hostile: Hostile) -> None:
    first, middle, last = split_request(hostile)
    rows = [SplitDesc(middle.addr + n, 1, NEXT | WRITE, n + 1) for n in range(hostile.size - 1)]
    address, length = hostile.table(*rows, last)
    await hostile.offer_split(first, SplitDesc(address, length, INDIRECT, 0))


async def element_of_no_length(hostile: Hostile) -> None:
    first, middle, last = split_request(hostile)
    empty = SplitDesc(first.addr, 0, first.flags, 2)
    await hostile.offer_split(first, empty, SplitDesc(middle.addr, middle.len, middle.flags, 3), last)


async def write_without_memory(hostile: Hostile) -> None:
    hostile.env.memory.write(hostile.places[0], pack_blk_header(BlkRequest.OUT, 0))
    first, middle, last = split_request(hostile)
    await hostile.offer_split(first, SplitDesc(NOWHERE, middle.len, NEXT, 2), last)


async def middle_without_memory(hostile: Hostile) -> None:
    first, middle, last = split_request(hostile)
    await hostile.offer_split(first, SplitDesc(NOWHERE, middle.len, middle.flags, 2), last)


async def first_without_memory(hostile: Hostile) -> None:
    first, middle, last = split_request(hostile)
    await hostile.offer_split(SplitDesc(NOWHERE, first.len, first.flags, 1), middle, last)


async def data_past_the_last_address(hostile: Hostile) -> None:
    first, middle, last = split_request(hostile)
    await hostile.offer_split(first, SplitDesc(LAST_ADDRESS, middle.len, NEXT | WRITE, 2), last)


async def no_header(hostile: Hostile) -> None:
    await hostile.offer_split(split_request(hostile)[2])


async def no_status(hostile: Hostile) -> None:
    header = split_request(hostile)[0]
    await hostile.offer_split(SplitDesc(header.addr, header.len, 0, 0))


async def packed_longer_than_the_queue(hostile: Hostile) -> None:
    first, middle, _ = packed_request(hostile)
    await hostile.offer_packed(first, *[middle] * (hostile.size - 1))


async def packed_readable_after_writable(hostile: Hostile) -> None:
    first, middle, last = packed_request(hostile)
    await hostile.offer_packed(middle, PackedDesc(first.addr, first.len, 0, NEXT), last)


async def packed_table_of_odd_length(hostile: Hostile) -> None:
    address, length = hostile.table(*packed_request(hostile))
    await hostile.offer_packed(PackedDesc(address, length - 8, 0, INDIRECT))


async def packed_table_of_no_length(hostile: Hostile) -> None:
    address, _ = hostile.table(*packed_request(hostile))
    await hostile.offer_packed(PackedDesc(address, 0, 0, INDIRECT))


async def packed_table_in_a_table(hostile: Hostile) -> None:
    inner, length = hostile.table(*packed_request(hostile))
    outer, whole = hostile.table(PackedDesc(inner, length, 0, INDIRECT))
    await hostile.offer_packed(PackedDesc(outer, whole, 0, INDIRECT))


async def packed_table_with_next(hostile: Hostile) -> None:
    address, length = hostile.table(*packed_request(hostile))
    last = packed_request(hostile)[2]
    await hostile.offer_packed(PackedDesc(address, length, 0, INDIRECT | NEXT), last)


async def packed_end_not_available(hostile: Hostile) -> None:
    first, middle, _ = packed_request(hostile)
    await hostile.offer_packed(first, middle)


async def packed_id_outside(hostile: Hostile) -> None:
    rows = [PackedDesc(row.addr, row.len, 0xFFFF, row.flags) for row in packed_request(hostile)]
    await hostile.offer_packed(*rows)


async def packed_no_header(hostile: Hostile) -> None:
    await hostile.offer_packed(packed_request(hostile)[2])


SPLIT_CHAINS = (
    Case(loop_of_two, LOOP, readable=("DRV-SPLIT-002",)),
    Case(loop_behind_the_head, LOOP),
    Case(loop_of_one, LOOP),
    Case(next_outside),
    Case(readable_after_writable, ("DRV-SPLIT-002",), unread=UNREAD),
    Case(element_of_no_length, fatal=False),
    Case(write_without_memory, fatal=False, device=DeviceType.BLK),
    Case(middle_without_memory, fatal=False),
    Case(first_without_memory, fatal=False),
    Case(data_past_the_last_address, fatal=False),
    Case(no_header, fatal=False, device=DeviceType.BLK),
    Case(no_status, fatal=False, device=DeviceType.BLK),
)
SPLIT_INDEXES = (
    Case(head_outside),
    Case(head_far_outside),
    Case(index_jump, ("DRV-SPLIT-011",)),
    Case(index_jump_backwards, ("DRV-SPLIT-011",)),
)
SPLIT_TABLES = (
    Case(loop_in_a_table, LOOP, features=TABLES),
    Case(next_outside_a_table, features=TABLES),
    Case(table_of_odd_length, features=TABLES),
    Case(table_of_no_length, features=TABLES),
    Case(table_in_a_table, ("DRV-SPLIT-007",), features=TABLES, unread=UNREAD),
    Case(table_with_next, features=TABLES),
    Case(table_that_makes_the_chain_too_long, fatal=False, features=TABLES),
    Case(table_of_odd_length, may=0),
)
PACKED_LISTS = (
    Case(packed_longer_than_the_queue, features=PACKED, may=0),
    Case(packed_readable_after_writable, ("DRV-PACKED-008",), features=PACKED, may=0, unread=UNREAD),
    Case(packed_end_not_available, ("DRV-PACKED-011",), features=PACKED, may=0),
    Case(packed_id_outside, features=PACKED, may=0, fatal=False),
    Case(packed_no_header, features=PACKED, may=0, fatal=False, device=DeviceType.BLK),
)
PACKED_TABLES = (
    Case(packed_table_of_odd_length, features=PACKED | TABLES),
    Case(packed_table_of_no_length, features=PACKED | TABLES),
    Case(packed_table_in_a_table, ("DRV-PACKED-013",), features=PACKED | TABLES, unread=UNREAD, fatal=False),
    Case(packed_table_with_next, features=PACKED | TABLES),
    Case(packed_table_of_odd_length, features=PACKED, may=0),
)
