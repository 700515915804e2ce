import pytest

from pymodel import layout
from pymodel.layout import PackedDesc, PackedRing, SplitDesc, SplitRing, VirtioCap, need_event


def test_descriptors_have_the_bytes_of_the_standard() -> None:
    split = SplitDesc(0x1122334455667788, 0x99AABBCC, 0x0003, 0xDDEE)
    assert split.pack().hex() == "8877665544332211ccbbaa990300eedd"
    assert SplitDesc.unpack(split.pack()) == split
    packed = PackedDesc(0x1122334455667788, 0x99AABBCC, 0xDDEE, 0x8081)
    assert packed.pack().hex() == "8877665544332211ccbbaa99eedd8180"
    assert PackedDesc.unpack(packed.pack()) == packed


def test_split_ring_parts_lie_where_the_standard_puts_them() -> None:
    ring = SplitRing(8, 0x1000, 0x2000, 0x3000)
    assert (ring.desc_length, ring.avail_length, ring.used_length) == (128, 22, 70)
    assert (ring.avail_flags, ring.avail_idx, ring.avail_entry(9), ring.used_event) == (
        0x2000,
        0x2002,
        0x2006,
        0x2014,
    )
    assert (ring.used_flags, ring.used_idx, ring.used_entry(9), ring.avail_event) == (
        0x3000,
        0x3002,
        0x300C,
        0x3044,
    )
    assert ring.desc_entry(3) == 0x1030


def test_packed_ring_and_its_event_structure() -> None:
    assert PackedRing(5, 0x1000, 0, 0).desc_entry(4) == 0x1040
    assert PackedRing(5, 0x1000, 0, 0).desc_length == 80
    assert layout.pack_packed_event(0x1234, 1, 2).hex() == "34920200"
    assert layout.unpack_packed_event(bytes.fromhex("34920200")) == (0x1234, 1, 2)
    assert layout.PACKED_DESC_ID == 12
    assert layout.PACKED_DESC_FLAGS == 14


def test_used_elements_and_block_headers() -> None:
    assert layout.pack_used_element(0x0102, 0x03040506).hex() == "0201000006050403"
    assert layout.unpack_used_element(bytes.fromhex("0201000006050403")) == (0x0102, 0x03040506)
    assert layout.pack_blk_header(1, 0x0102030405060708).hex() == "01000000000000000807060504030201"
    assert layout.unpack_blk_header(layout.pack_blk_header(4, 9)) == (4, 9)


@pytest.mark.parametrize(
    ("event", "new", "old", "wanted"),
    [(0, 1, 0, True), (1, 1, 0, False), (0, 2, 1, False), (0xFFFF, 0, 0xFFFF, True), (5, 9, 3, True)],
)
def test_an_event_index_is_passed_exactly_once(event: int, new: int, old: int, wanted: bool) -> None:
    assert need_event(event, new, old) is wanted


def test_a_capability_is_read_with_its_multiplier() -> None:
    data = bytes.fromhex("0900140204000000003000000010000004000000")
    cap = VirtioCap.unpack(0x50, data)
    assert (cap.length, cap.cfg_type, cap.bar, cap.offset, cap.size) == (20, 2, 4, 0x3000, 0x1000)
    assert (cap.position, cap.multiplier) == (0x50, 4)


def test_common_fields_are_found_by_offset() -> None:
    found = [layout.common_field(offset) for offset in (0x14, 0x24, 0x3F)]
    assert [field.name for field in found if field] == ["device_status", "queue_desc", "admin_queue_num"]
    assert layout.common_field(64) is None
