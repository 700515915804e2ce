"""Malformed rings, a function each, and in tables what each of them must lead to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pymodel.layout import PackedDesc, SplitDesc, pack_blk_header
from pymodel.spec import BlkRequest, Feature, feature_mask
from tests.sim.hostile import (
    DATA,
    HEADER,
    INDIRECT,
    NEXT,
    STATUS,
    WRITE,
    Hostile,
)

TABLES = feature_mask(Feature.INDIRECT_DESC)
PACKED = feature_mask(Feature.RING_PACKED)
LAST_ADDRESS = (1 << 64) - 16
NOWHERE = 0x7000_0000_0000
LOOP = ("DRV-SPLIT-004", "DRV-SPLIT-008")


@dataclass(frozen=True, slots=True)
class Case:
    """One malformed ring: how it is built, the clauses that it breaches visibly, whether it must end work.

    Where `fatal` is false the device may use the buffer as well: the standard lets it, or has it ignore
    what is wrong.
    """

    build: Callable[[Hostile], Awaitable[None]]
    clauses: tuple[str, ...] = ()
    features: int = TABLES
    fatal: bool = True


def sector_read(hostile: Hostile) -> list[SplitDesc]:
    """A proper chain from entry 0: header, data, status."""
    return [
        SplitDesc(hostile.header, HEADER, NEXT, 1),
        SplitDesc(hostile.data, DATA, NEXT | WRITE, 2),
        SplitDesc(hostile.status, STATUS, WRITE, 0),
    ]


def packed_read(hostile: Hostile) -> list[PackedDesc]:
    """The same as a list in a packed ring."""
    return [
        PackedDesc(hostile.header, HEADER, 0, NEXT),
        PackedDesc(hostile.data, DATA, 0, NEXT | WRITE),
        PackedDesc(hostile.status, STATUS, 0, WRITE),
    ]


async def loop_of_two(hostile: Hostile) -> None:
    header, data, _ = sector_read(hostile)
    await hostile.offer_split(header, SplitDesc(data.addr, data.len, data.flags, 0))


async def loop_behind_the_head(hostile: Hostile) -> None:
    header, data, status = sector_read(hostile)
    await hostile.offer_split(header, data, SplitDesc(status.addr, status.len, NEXT | WRITE, 1))


async def loop_of_one(hostile: Hostile) -> None:
    await hostile.offer_split(SplitDesc(hostile.header, HEADER, NEXT, 0))


async def loop_in_a_table(hostile: Hostile) -> None:
    header, data, _ = sector_read(hostile)
    address, length = hostile.table(header, SplitDesc(data.addr, data.len, data.flags, 1))
    await hostile.offer_split(SplitDesc(address, length, INDIRECT, 0))


async def head_outside(hostile: Hostile) -> None:
    await hostile.offer_split(*sector_read(hostile), head=hostile.size)


async def head_far_outside(hostile: Hostile) -> None:
    await hostile.offer_split(*sector_read(hostile), head=0xFFFF)


async def next_outside(hostile: Hostile) -> None:
    await hostile.offer_split(SplitDesc(hostile.header, HEADER, NEXT, hostile.size))


async def next_outside_a_table(hostile: Hostile) -> None:
    header, data, _ = sector_read(hostile)
    address, length = hostile.table(header, SplitDesc(data.addr, data.len, data.flags, 2))
    await hostile.offer_split(SplitDesc(address, length, INDIRECT, 0))


async def index_jump(hostile: Hostile) -> None:
    await hostile.offer_split(*sector_read(hostile), ahead=hostile.size + 1)


async def index_jump_backwards(hostile: Hostile) -> None:
    await hostile.offer_split(*sector_read(hostile), ahead=0xFFFF)


async def readable_after_writable(hostile: Hostile) -> None:
    header, data, status = sector_read(hostile)
    swapped = SplitDesc(data.addr, data.len, NEXT | WRITE, 1), SplitDesc(header.addr, header.len, NEXT, 2)
    await hostile.offer_split(*swapped, status)


async def table_of_odd_length(hostile: Hostile) -> None:
    address, length = hostile.table(*sector_read(hostile))
    await hostile.offer_split(SplitDesc(address, length - 8, INDIRECT, 0))


async def table_of_no_length(hostile: Hostile) -> None:
    address, _ = hostile.table(*sector_read(hostile))
    await hostile.offer_split(SplitDesc(address, 0, INDIRECT, 0))


async def table_in_a_table(hostile: Hostile) -> None:
    inner, length = hostile.table(*sector_read(hostile))
    outer, whole = hostile.table(SplitDesc(inner, length, INDIRECT, 0))
    await hostile.offer_split(SplitDesc(outer, whole, INDIRECT, 0))


async def table_with_next(hostile: Hostile) -> None:
    address, length = hostile.table(*sector_read(hostile))
    await hostile.offer_split(
        SplitDesc(address, length, INDIRECT | NEXT, 1), SplitDesc(hostile.status, STATUS, WRITE, 0)
    )


async def table_that_makes_the_chain_too_long(hostile: Hostile) -> None:
    header, _, _ = sector_read(hostile)
    rows = [SplitDesc(hostile.data + n, 1, NEXT | WRITE, n + 1) for n in range(hostile.size - 1)]
    address, length = hostile.table(*rows, SplitDesc(hostile.status, STATUS, WRITE, 0))
    await hostile.offer_split(header, SplitDesc(address, length, INDIRECT, 0))


async def element_of_no_length(hostile: Hostile) -> None:
    header, data, status = sector_read(hostile)
    empty = SplitDesc(hostile.header, 0, NEXT, 2)
    await hostile.offer_split(
        SplitDesc(header.addr, header.len, NEXT, 1), empty, SplitDesc(data.addr, DATA, data.flags, 3), status
    )


async def data_without_memory(hostile: Hostile) -> None:
    hostile.env.memory.write(hostile.header, pack_blk_header(BlkRequest.OUT, 0))
    _, _, status = sector_read(hostile)
    header = SplitDesc(hostile.header, HEADER, NEXT, 1)
    await hostile.offer_split(header, SplitDesc(NOWHERE, DATA, NEXT, 2), status)


async def header_without_memory(hostile: Hostile) -> None:
    _, data, status = sector_read(hostile)
    await hostile.offer_split(SplitDesc(NOWHERE, HEADER, NEXT, 1), data, status)


async def data_past_the_last_address(hostile: Hostile) -> None:
    header, _, status = sector_read(hostile)
    await hostile.offer_split(header, SplitDesc(LAST_ADDRESS, DATA, NEXT | WRITE, 2), status)


async def no_header(hostile: Hostile) -> None:
    await hostile.offer_split(SplitDesc(hostile.status, STATUS, WRITE, 0))


async def no_status(hostile: Hostile) -> None:
    await hostile.offer_split(SplitDesc(hostile.header, HEADER, 0, 0))


async def packed_longer_than_the_queue(hostile: Hostile) -> None:
    header, data, _ = packed_read(hostile)
    await hostile.offer_packed(header, *[data] * (hostile.size - 1))


async def packed_readable_after_writable(hostile: Hostile) -> None:
    header, data, status = packed_read(hostile)
    await hostile.offer_packed(data, header, status)


async def packed_table_of_odd_length(hostile: Hostile) -> None:
    address, length = hostile.table(*packed_read(hostile))
    await hostile.offer_packed(PackedDesc(address, length - 8, 0, INDIRECT))


async def packed_table_of_no_length(hostile: Hostile) -> None:
    address, _ = hostile.table(*packed_read(hostile))
    await hostile.offer_packed(PackedDesc(address, 0, 0, INDIRECT))


async def packed_table_in_a_table(hostile: Hostile) -> None:
    inner, length = hostile.table(*packed_read(hostile))
    outer, whole = hostile.table(PackedDesc(inner, length, 0, INDIRECT))
    await hostile.offer_packed(PackedDesc(outer, whole, 0, INDIRECT))


async def packed_table_with_next(hostile: Hostile) -> None:
    address, length = hostile.table(*packed_read(hostile))
    await hostile.offer_packed(
        PackedDesc(address, length, 0, INDIRECT | NEXT), PackedDesc(hostile.status, STATUS, 0, WRITE)
    )


async def packed_end_not_available(hostile: Hostile) -> None:
    header, data, _ = packed_read(hostile)
    await hostile.offer_packed(header, data)


async def packed_id_outside(hostile: Hostile) -> None:
    rows = [PackedDesc(row.addr, row.len, 0xFFFF, row.flags) for row in packed_read(hostile)]
    await hostile.offer_packed(*rows)


async def packed_no_header(hostile: Hostile) -> None:
    await hostile.offer_packed(PackedDesc(hostile.status, STATUS, 0, WRITE))


SPLIT_CHAINS = (
    Case(loop_of_two, ("DRV-SPLIT-002", *LOOP)),
    Case(loop_behind_the_head, LOOP),
    Case(loop_of_one, LOOP),
    Case(next_outside),
    Case(readable_after_writable, ("DRV-SPLIT-002",)),
    Case(element_of_no_length, fatal=False),
    Case(data_without_memory, fatal=False),
    Case(header_without_memory, fatal=False),
    Case(data_past_the_last_address, fatal=False),
    Case(no_header, fatal=False),
    Case(no_status, fatal=False),
)
SPLIT_INDEXES = (
    Case(head_outside),
    Case(head_far_outside),
    Case(index_jump, ("DRV-SPLIT-011",)),
    Case(index_jump_backwards, ("DRV-SPLIT-011",)),
)
SPLIT_TABLES = (
    Case(loop_in_a_table, LOOP),
    Case(next_outside_a_table),
    Case(table_of_odd_length),
    Case(table_of_no_length),
    Case(table_in_a_table, ("DRV-SPLIT-007",)),
    Case(table_with_next),
    Case(table_that_makes_the_chain_too_long, fatal=False),
    Case(table_of_odd_length, features=0),
)
PACKED_LISTS = (
    Case(packed_longer_than_the_queue, features=PACKED),
    Case(packed_readable_after_writable, ("DRV-PACKED-008",), features=PACKED),
    Case(packed_end_not_available, ("DRV-PACKED-011",), features=PACKED),
    Case(packed_id_outside, features=PACKED, fatal=False),
    Case(packed_no_header, features=PACKED, fatal=False),
)
PACKED_TABLES = (
    Case(packed_table_of_odd_length, features=PACKED | TABLES),
    Case(packed_table_of_no_length, features=PACKED | TABLES),
    Case(packed_table_in_a_table, ("DRV-PACKED-013",), features=PACKED | TABLES, fatal=False),
    Case(packed_table_with_next, features=PACKED | TABLES),
    Case(packed_table_of_odd_length, features=PACKED),
)
