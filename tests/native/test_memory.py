from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from native.binding import binding
from native.host import NativeError, NativeMemory
from pymodel.memory import GuestMemory, Region
from tests.native.conftest import BASE, LENGTH

READ, WRITE, BOTH = 1, 2, 3


def test_python_and_c_see_the_same_bytes(memory: Any, lib: Any, ffi: Any) -> None:
    memory.region.view[5:9] = b"abcd"
    assert bytes(ffi.buffer(lib.vio_memory_at(memory.handle, BASE + 5, 4), 4)) == b"abcd"
    assert lib.vio_memory_dma_write(memory.handle, BASE + 6, 2, b"XY") == 0
    assert bytes(memory.region.view[5:9]) == b"aXYd"


def test_guest_memory_works_unchanged_on_native_regions(memory: Any) -> None:
    guest = GuestMemory([memory.region])
    piece = guest.alloc(64)
    guest.write_int(piece.addr, 8, 0x1122334455667788)
    assert memory.lib.vio_memory_at(memory.handle, piece.addr, 1)[0] == 0x88


def test_pythons_memory_is_mapped_without_a_copy(lib: Any) -> None:
    region = Region.anonymous(0x1_0000_0000, 4096)
    memory = NativeMemory.of_regions([region])
    lib.vio_memory_dma_write(memory.handle, 0x1_0000_0010, 3, b"abc")
    assert bytes(region.view[16:19]) == b"abc"


@pytest.mark.parametrize(
    ("base", "length"),
    [(0, 0), (BASE, 1), (BASE + LENGTH - 1, 1), (BASE - 1, 2), (2**64 - 4096, 8192), (0, BASE + 1)],
)
def test_regions_neither_overlap_nor_wrap(memory: Any, base: int, length: int) -> None:
    with pytest.raises(NativeError):
        memory.add(base, length)


def test_the_last_byte_of_the_address_space_is_memory(memory: Any, lib: Any) -> None:
    memory.add(2**64 - 4096, 4096)
    assert lib.vio_memory_dma_write(memory.handle, 2**64 - 1, 1, b"z") == 0
    assert lib.vio_memory_dma_write(memory.handle, 2**64 - 1, 2, b"zz") == -1


@pytest.mark.parametrize("addr", [0, BASE - 1, BASE + LENGTH - 3, BASE + LENGTH, 2**64 - 1])
def test_an_access_outside_is_refused_and_changes_nothing(memory: Any, lib: Any, addr: int) -> None:
    before = bytes(memory.region.view)
    assert lib.vio_memory_dma_write(memory.handle, addr, 4, b"evil") == -1
    assert not lib.vio_memory_allows(memory.handle, addr, 4, READ)
    assert bytes(memory.region.view) == before


def test_touched_pages_alone_cost_memory(lib: Any, memory: Any) -> None:
    region = memory.add(1 << 40, 1 << 40)
    region.view[1 << 39] = 7
    assert lib.vio_memory_at(memory.handle, (1 << 40) + (1 << 39), 1)[0] == 7


SIZE = 64
RANGES = st.tuples(st.integers(0, SIZE - 1), st.integers(1, SIZE), st.integers(0, 3), st.integers(0, 3))


@given(st.lists(RANGES, max_size=12))
def test_permissions_are_what_a_byte_map_says(steps: list[tuple[int, int, int, int]]) -> None:
    memory = NativeMemory()
    memory.add(0, SIZE)
    expected = [BOTH] * SIZE
    for start, length, deny, allow in steps:
        length = min(length, SIZE - start)
        memory.protect(start, length, deny=deny, allow=allow)
        for byte in range(start, start + length):
            expected[byte] = (expected[byte] & ~deny) | allow
    allows = memory.lib.vio_memory_allows
    assert [[bool(allows(memory.handle, b, 1, a)) for a in (READ, WRITE)] for b in range(SIZE)] == [
        [bool(e & READ), bool(e & WRITE)] for e in expected
    ]
    assert allows(memory.handle, 0, SIZE, READ) == all(e & READ for e in expected)


def test_the_end_of_the_space_can_be_protected(memory: Any, lib: Any) -> None:
    memory.protect(2**64 - 16, 16, deny=BOTH)
    assert not lib.vio_memory_permits(memory.handle, 2**64 - 1, 1, READ)
    assert lib.vio_memory_permits(memory.handle, 2**64 - 17, 1, READ)
    with pytest.raises(NativeError):
        memory.protect(2**64 - 16, 17, deny=BOTH)


def test_a_read_only_range_can_be_read() -> None:
    ffi, lib = binding()
    memory = NativeMemory()
    memory.add(0, 4096)
    memory.protect(100, 10, deny=WRITE)
    data = ffi.new("uint8_t[8]")
    assert lib.vio_memory_dma_read(memory.handle, 101, 8, data) == 0
    assert lib.vio_memory_dma_write(memory.handle, 99, 8, data) == -1
    assert lib.vio_memory_dma_write(memory.handle, 92, 8, data) == 0
