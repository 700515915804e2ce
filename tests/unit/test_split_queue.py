from random import Random

import pytest

from pymodel.layout import SplitDesc, pack_used_element
from pymodel.memory import GuestMemory
from pymodel.ring.base import Element, RingFull, UsedRingError
from pymodel.ring.split import SplitQueue
from pymodel.spec import DescFlag, Feature, feature_mask

MODERN = feature_mask(Feature.VERSION_1)
INDIRECT = MODERN | feature_mask(Feature.INDIRECT_DESC)
EVENT = MODERN | feature_mask(Feature.EVENT_IDX)
ORDERED = INDIRECT | feature_mask(Feature.IN_ORDER)
A, B, C = Element(0x100000, 16), Element(0x100100, 512), Element(0x100300, 1)


def queue(features: int = MODERN, size: int = 8, seed: int | None = None) -> SplitQueue:
    return SplitQueue(3, size, GuestMemory(), features, None if seed is None else Random(seed))


def use(q: SplitQueue, index: int, head: int, length: int, step: int = 1) -> None:
    """Play the device: one used element, then used.idx."""
    q.memory.dma_write(q.ring.used_entry(index), pack_used_element(head, length))
    q.memory.dma_write(q.ring.used_idx, (index + step & 0xFFFF).to_bytes(2, "little"))


def desc(q: SplitQueue, slot: int) -> SplitDesc:
    return SplitDesc.unpack(q.memory.read(q.ring.desc_entry(slot), 16))


def test_parts_are_aligned_and_zeroed_by_the_driver() -> None:
    for seed in range(20):
        q = queue(seed=seed)
        places = q.addresses
        assert [place % align for place, align in zip(places, (16, 2, 4), strict=True)] == [0, 0, 0]
        assert q.memory.read(q.ring.used_flags, q.ring.used_length) == bytes(q.ring.used_length)


def test_stores_go_out_as_descriptors_ring_entry_then_index() -> None:
    q = queue()
    stores: list[int] = []
    q.memory.observer = lambda addr, data: stores.append(addr)
    q.add_chain([A], [B, C])
    assert stores == [*(q.ring.desc_entry(slot) for slot in range(3)), q.ring.avail_entry(0)]
    q.publish()
    assert stores[-1] == q.ring.avail_idx
    assert q.memory.read_int(q.ring.avail_idx, 2) == 1


def test_a_chain_is_linked_readable_before_writable() -> None:
    q = queue()
    q.add_chain([A], [B, C])
    assert desc(q, 0) == SplitDesc(A.addr, 16, DescFlag.NEXT, 1)
    assert desc(q, 1) == SplitDesc(B.addr, 512, DescFlag.NEXT | DescFlag.WRITE, 2)
    assert desc(q, 2) == SplitDesc(C.addr, 1, DescFlag.WRITE, 0)


def test_an_indirect_table_may_follow_direct_descriptors() -> None:
    q = queue(INDIRECT)
    q.add_chain([A], [B, C], indirect=1)
    assert desc(q, 0) == SplitDesc(A.addr, 16, DescFlag.NEXT, 1)
    table = desc(q, 1)
    assert (table.len, table.flags) == (32, DescFlag.INDIRECT)
    entry = SplitDesc.unpack(q.memory.read(table.addr, 16))
    assert entry == SplitDesc(B.addr, 512, DescFlag.NEXT | DescFlag.WRITE, 1)
    assert q.free_count == 6


@pytest.mark.parametrize(
    ("features", "elements", "indirect"),
    [(MODERN, 2, 0), (INDIRECT, 2, 2), (MODERN, 9, None), (INDIRECT, 9, 0), (MODERN, 0, None)],
)
def test_chains_that_the_standard_forbids_are_refused(
    features: int, elements: int, indirect: int | None
) -> None:
    with pytest.raises(ValueError, match=r"chain|negotiated|element"):
        queue(features).add_chain([A] * elements, [], indirect=indirect)


def test_more_than_4_gib_in_a_chain_is_refused() -> None:
    with pytest.raises(ValueError, match="2\\^32"):
        queue().add_chain([Element(0, 1 << 32)], [C])


def test_a_full_queue_says_so_and_takes_more_after_reaping() -> None:
    q = queue(size=4)
    q.add_chain([A, A], [C])
    with pytest.raises(RingFull, match="2 descriptors wanted, 1 free"):
        q.add_chain([A], [C])
    q.publish()
    use(q, 0, 0, 1)
    assert q.get_used() is not None
    assert q.free_count == 4


def test_used_buffers_come_back_in_any_order() -> None:
    q = queue()
    tokens = [q.add_chain([A], [B]) for _ in range(3)]
    q.publish()
    use(q, 0, 4, 512)
    use(q, 1, 0, 7)
    used = [q.get_used(), q.get_used(), q.get_used()]
    assert [(u.token, u.length) if u else None for u in used] == [(tokens[2], 512), (tokens[0], 7), None]
    assert q.in_flight() == [tokens[1]]


@pytest.mark.parametrize(
    ("index", "head", "length", "step", "complaint"),
    [
        (0, 5, 0, 1, "id 5 is not with the device"),
        (0, 1, 0, 1, "id 1 is not with the device"),
        (0, 0, 513, 1, "513 bytes written of 512"),
        (0, 0, 0, 3, "3 ahead with 2 buffers out"),
        (0, 2, 0, 1, "id 2 is not with the device"),
    ],
)
def test_a_lying_device_is_found_out(index: int, head: int, length: int, step: int, complaint: str) -> None:
    q = queue()
    q.add_chain([A], [B])
    q.publish()
    q.add_chain([A], [B])
    use(q, index, head, length, step)
    with pytest.raises(UsedRingError, match=complaint):
        q.get_used()


def test_in_order_batches_stand_for_the_skipped_buffers() -> None:
    q = queue(ORDERED)
    tokens = [q.add_chain([A], [B]) for _ in range(3)]
    q.publish()
    use(q, 0, 4, 9, step=3)
    used = [q.get_used() for _ in range(4)]
    assert [(u.token, u.length) if u else None for u in used] == [
        (tokens[0], 512),
        (tokens[1], 512),
        (tokens[2], 9),
        None,
    ]


def test_in_order_descriptors_are_taken_in_ring_order() -> None:
    q = queue(ORDERED, size=4, seed=1)
    for round_ in range(5):
        q.add_chain([A], [B, C])
        q.publish()
        head = round_ * 3 % 4
        assert q.memory.read_int(q.ring.avail_entry(round_), 2) == head
        assert desc(q, head).next == (head + 1) % 4
        use(q, round_, head, 0)
        assert q.get_used() is not None


def test_flags_decide_about_doorbells_without_event_idx() -> None:
    q = queue()
    q.add_chain([A], [])
    assert not q.kick_needed()
    q.publish()
    q.memory.dma_write(q.ring.avail_event, b"\x77\x77")
    assert q.kick_needed()
    assert not q.kick_needed()
    q.memory.dma_write(q.ring.used_flags, b"\x01\x00")
    q.add_chain([A], [])
    q.publish()
    assert not q.kick_needed()


def test_avail_event_decides_about_doorbells_with_event_idx() -> None:
    q = queue(EVENT)
    q.memory.dma_write(q.ring.avail_event, b"\x02\x00")
    q.memory.dma_write(q.ring.used_flags, b"\x01\x00")
    verdicts = []
    for _ in range(4):
        q.add_chain([A], [])
        q.publish()
        verdicts.append(q.kick_needed())
    assert verdicts == [False, False, True, False]


def test_interrupts_are_asked_for_by_flags_or_by_event() -> None:
    q = queue()
    q.disable_interrupts()
    assert q.memory.read_int(q.ring.avail_flags, 2) == 1
    assert q.enable_interrupts()
    assert q.memory.read_int(q.ring.avail_flags, 2) == 0
    q = queue(EVENT)
    for _ in range(3):
        q.add_chain([A], [])
    q.publish()
    q.disable_interrupts()
    assert q.memory.read_int(q.ring.used_event, 2) == 0xFFFF
    assert q.enable_interrupts_delayed()
    assert q.memory.read_int(q.ring.used_event, 2) == 2
    use(q, 0, 0, 0)
    assert not q.enable_interrupts()
    assert q.memory.read_int(q.ring.avail_flags, 2) == 0


def test_indexes_run_freely_beyond_65535() -> None:
    q = queue(size=2)
    q._avail_idx = q._published_idx = q._last_used = 65530
    q.memory.dma_write(q.ring.used_idx, (65530).to_bytes(2, "little"))
    for number in range(65530, 65540):
        q.add_chain([A], [])
        q.publish()
        use(q, number & 0xFFFF, q.memory.read_int(q.ring.avail_entry(number), 2), 0)
        assert q.get_used() is not None
    assert q.position() == (4, 0)


def test_memory_returns_when_the_queue_is_destroyed() -> None:
    memory = GuestMemory()
    for _ in range(3):
        q = SplitQueue(0, 256, memory, INDIRECT)
        q.add_chain([A], [C], indirect=0)
        assert len(q.memory_in_use()) == 4
        q.destroy()
    assert q.memory_in_use() == []
    assert memory.regions[0].cursor < 3 * 256 * 26


@pytest.mark.parametrize("size", [0, 3, 65536])
def test_impossible_sizes_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="size"):
        queue(size=size)
