from random import Random

import pytest

from pymodel.layout import PackedDesc, pack_packed_event, unpack_packed_event
from pymodel.memory import GuestMemory
from pymodel.ring.base import Element, RingFull, UsedRingError
from pymodel.ring.packed import PackedQueue
from pymodel.spec import DescFlag, Feature, RingEvent, feature_mask

MODERN = feature_mask(Feature.VERSION_1, Feature.RING_PACKED)
INDIRECT = MODERN | feature_mask(Feature.INDIRECT_DESC)
EVENT = MODERN | feature_mask(Feature.EVENT_IDX)
ORDERED = MODERN | feature_mask(Feature.IN_ORDER)
A, B, C = Element(0x100000, 16), Element(0x100100, 512), Element(0x100300, 1)
AVAIL, USED = DescFlag.AVAIL, DescFlag.USED
NEXT, WRITE = DescFlag.NEXT, DescFlag.WRITE


def queue(features: int = MODERN, size: int = 5, seed: int | None = None) -> PackedQueue:
    return PackedQueue(1, size, GuestMemory(), features, None if seed is None else Random(seed))


def desc(q: PackedQueue, slot: int) -> PackedDesc:
    return PackedDesc.unpack(q.memory.read(q.ring.desc_entry(slot), 16))


def use(q: PackedQueue, slot: int, wrap: int, chain: int, length: int) -> None:
    """Play the device: write a used descriptor."""
    flags = (AVAIL | USED if wrap else 0) | (WRITE if length else 0)
    q.memory.dma_write(q.ring.desc_entry(slot), PackedDesc(0, length, chain, flags).pack())


def test_the_flags_of_the_head_are_stored_last() -> None:
    q = queue()
    stores: list[tuple[int, int]] = []
    q.memory.observer = lambda addr, data: stores.append((addr, len(data)))
    q.add_chain([A], [B, C])
    entry = q.ring.desc_entry
    assert stores == [(entry(0), 14), (entry(1), 16), (entry(2), 16)]
    assert desc(q, 0).flags == 0
    q.publish()
    assert stores[-1] == (entry(0) + 14, 2)


def test_a_list_carries_wrap_bits_and_the_id_in_its_last_descriptor() -> None:
    q = queue()
    q.add_chain([A], [B, C])
    q.publish()
    assert [desc(q, slot).flags for slot in range(3)] == [NEXT | AVAIL, NEXT | WRITE | AVAIL, WRITE | AVAIL]
    assert desc(q, 2).id == 0
    use(q, 0, 1, 0, 513)
    assert q.get_used() is not None
    q.add_chain([A], [B, C])
    q.publish()
    assert [desc(q, slot).flags for slot in (3, 4, 0)] == [NEXT | AVAIL, NEXT | WRITE | AVAIL, WRITE | USED]
    assert q.position() == (1, 0)


def test_an_indirect_table_takes_one_slot() -> None:
    q = queue(INDIRECT)
    q.add_chain([A], [B, C], indirect=0)
    q.publish()
    head = desc(q, 0)
    assert (head.len, head.flags) == (48, DescFlag.INDIRECT | AVAIL)
    rows = [PackedDesc.unpack(q.memory.read(head.addr + 16 * i, 16)) for i in range(3)]
    assert [(row.addr, row.flags) for row in rows] == [(A.addr, 0), (B.addr, WRITE), (C.addr, WRITE)]
    assert q.free_count == 4


def test_a_mixed_list_is_refused() -> None:
    with pytest.raises(ValueError, match=r"2\.8\.19"):
        queue(INDIRECT).add_chain([A], [B], indirect=1)


def test_a_full_ring_says_so() -> None:
    q = queue(size=3)
    q.add_chain([A], [C])
    with pytest.raises(RingFull):
        q.add_chain([A], [C])


def test_used_descriptors_are_found_out_of_order_and_across_the_wrap() -> None:
    q = queue(size=5)
    first, second = q.add_chain([A], [B]), q.add_chain([A], [B])
    q.publish()
    use(q, 0, 1, 1, 512)
    assert (used := q.get_used()) is not None
    assert (used.token, used.length) == (second, 512)
    use(q, 2, 1, 0, 0)
    assert (used := q.get_used()) is not None
    assert (used.token, used.length) == (first, 0)
    third = q.add_chain([A], [B])
    q.publish()
    assert q.get_used() is None
    use(q, 4, 1, desc(q, 0).id, 5)
    assert (used := q.get_used()) is not None
    assert used.token == third
    q.add_chain([A], [])
    q.publish()
    assert q.get_used() is None
    use(q, 1, 0, desc(q, 1).id, 0)
    assert q.get_used() is not None


def test_a_lying_device_is_found_out() -> None:
    for chain, length, complaint in ((4, 0, "id 4 is not with"), (0, 600, "600 bytes written of 512")):
        q = queue()
        q.add_chain([A], [B])
        q.publish()
        use(q, 0, 1, chain, length)
        with pytest.raises(UsedRingError, match=complaint):
            q.get_used()


def test_in_order_batches_skip_all_their_slots() -> None:
    q = queue(ORDERED, size=8)
    tokens = [q.add_chain([A], [B]) for _ in range(3)]
    q.publish()
    use(q, 0, 1, desc(q, 5).id, 3)
    got = [(used.token, used.length) for used in iter(q.get_used, None)]
    assert got == [(tokens[0], 512), (tokens[1], 512), (tokens[2], 3)]
    last = q.add_chain([A], [])
    q.publish()
    use(q, 6, 1, desc(q, 6).id, 0)
    assert [used.token for used in iter(q.get_used, None)] == [last]


@pytest.mark.parametrize(
    ("flags", "slot", "wrap", "wanted"),
    [
        (RingEvent.ENABLE, 0, 0, [True] * 6),
        (RingEvent.DISABLE, 0, 0, [False] * 6),
        (RingEvent.DESC, 2, 1, [False, True, False, False, False, False]),
        (RingEvent.DESC, 0, 0, [False, False, True, False, False, False]),
        (RingEvent.DESC, 4, 1, [False, False, True, False, False, False]),
        (RingEvent.DESC, 2, 0, [False, False, False, True, False, False]),
    ],
)
def test_the_device_event_structure_decides_about_doorbells(
    flags: int, slot: int, wrap: int, wanted: list[bool]
) -> None:
    q = queue(EVENT, size=5)
    q.memory.dma_write(q.ring.device_event, pack_packed_event(slot, wrap, flags))
    verdicts, used_slot, used_wrap = [], 0, 1
    for _ in wanted:
        q.add_chain([A], [C])
        q.publish()
        verdicts.append(q.kick_needed())
        use(q, used_slot, used_wrap, desc(q, (used_slot + 1) % 5).id, 0)
        assert q.get_used() is not None
        used_slot, used_wrap = (used_slot + 2) % 5, used_wrap ^ (used_slot + 2 >= 5)
    assert verdicts == wanted


def test_interrupts_are_asked_for_by_the_driver_event_structure() -> None:
    for features, flags in ((MODERN, RingEvent.ENABLE), (EVENT, RingEvent.DESC)):
        q = queue(features)
        q.disable_interrupts()
        assert unpack_packed_event(q.memory.read(q.ring.driver_event, 4))[2] == RingEvent.DISABLE
        assert q.enable_interrupts()
        assert unpack_packed_event(q.memory.read(q.ring.driver_event, 4)) == (0, 1, flags)
    q.add_chain([A], [B])
    q.add_chain([A], [B])
    q.publish()
    assert q.enable_interrupts_delayed()
    assert unpack_packed_event(q.memory.read(q.ring.driver_event, 4)) == (3, 1, RingEvent.DESC)
    use(q, 0, 1, 0, 0)
    assert not q.enable_interrupts()


def test_random_ids_and_places_keep_the_alignment() -> None:
    for seed in range(20):
        q = queue(seed=seed)
        aligns = (16, 4, 4)
        assert [place % align for place, align in zip(q.addresses, aligns, strict=True)] == [0, 0, 0]
