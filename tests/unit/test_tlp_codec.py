"""PCIe packets: our reading of the bytes against cocotbext-pcie's writing of them, and against literals."""

from __future__ import annotations

import random
from typing import Any

import pytest
from cocotbext.pcie.core.tlp import CplStatus, Tlp, TlpType
from cocotbext.pcie.core.utils import PcieId

from tb.ports.tlp_packets import memory_request, written_runs
from tb.ports.tlp_stream import packet_length
from tb.tlp_codec import COMPLETION, CONFIG, MEMORY, OTHER, decode

REQUESTS = (
    TlpType.MEM_READ,
    TlpType.MEM_READ_64,
    TlpType.MEM_WRITE,
    TlpType.MEM_WRITE_64,
    TlpType.CFG_READ_0,
    TlpType.CFG_WRITE_0,
)
LITERALS = {
    "00000001 0100050f 12345678": (MEMORY, False, 1, 5, 0x12345678, 0xF, 0, b""),
    "20000000 000000ff 00000001 00001000": (MEMORY, False, 1024, 0, 0x1_0000_1000, 0xF, 0xF, b""),
    "40000001 0100000c fee00000 aabbccdd": (MEMORY, True, 1, 0, 0xFEE00000, 0xC, 0, b"\xaa\xbb\xcc\xdd"),
    "04000001 00000703 01000104": (CONFIG, False, 1, 7, 0x104, 3, 0, b""),
}


@pytest.mark.parametrize("text", LITERALS)
def test_literal_packets_are_read_as_the_standard_writes_them(text: str) -> None:
    got = decode(bytes.fromhex(text))
    seen = (got.kind, got.write, got.length, got.tag, got.addr, got.first_be, got.last_be, got.data)
    assert seen == LITERALS[text]


def drawn_request(kind: TlpType, rng: random.Random) -> Any:
    tlp = Tlp()
    tlp.fmt_type = kind
    tlp.requester_id = PcieId(rng.randrange(256), rng.randrange(32), rng.randrange(8))
    tlp.tag = rng.randrange(256)
    tlp.first_be, tlp.last_be = rng.randrange(16), rng.randrange(16)
    tlp.length = rng.randint(1, 1024)
    bits = 10 if "CFG" in kind.name else 64 if tlp.fmt & 1 else 32
    tlp.address = rng.getrandbits(bits) << 2 & (1 << min(bits + 2, 64)) - 1
    if bits == 32:
        tlp.address &= 0xFFFF_FFFC
    if tlp.has_data():
        tlp.data = rng.randbytes(4 * tlp.length)
    return tlp


@pytest.mark.parametrize("kind", REQUESTS)
def test_requests_of_the_library_are_read_back(kind: TlpType) -> None:
    rng = random.Random(kind.name)
    for _ in range(200):
        tlp = drawn_request(kind, rng)
        packet = bytes(tlp.pack())
        got = decode(packet)
        assert packet_length(packet) == len(packet)
        assert (got.kind, got.write) == (CONFIG if "CFG" in kind.name else MEMORY, tlp.has_data())
        assert (got.length, got.tag, got.requester) == (tlp.length, tlp.tag, int(tlp.requester_id))
        assert (got.addr, got.first_be, got.last_be) == (tlp.address, tlp.first_be, tlp.last_be)
        assert got.data == bytes(tlp.data)


def test_completions_of_the_library_are_read_back() -> None:
    rng = random.Random(1)
    for _ in range(200):
        tlp = Tlp()
        tlp.fmt_type = rng.choice((TlpType.CPL, TlpType.CPL_DATA))
        tlp.status = rng.choice(list(CplStatus))
        tlp.tag, tlp.requester_id = rng.randrange(256), PcieId.from_int(rng.getrandbits(16))
        tlp.byte_count, tlp.lower_address = rng.randint(1, 4096), rng.randrange(128)
        if tlp.has_data():
            tlp.set_data(rng.randbytes(4 * rng.randint(1, 1024)))
        got = decode(bytes(tlp.pack()))
        assert (got.kind, got.write, got.length) == (COMPLETION, tlp.has_data(), tlp.length)
        assert (got.status, got.tag, got.requester) == (tlp.status, tlp.tag, int(tlp.requester_id))
        assert (got.count, got.lower, got.data) == (tlp.byte_count, tlp.lower_address, bytes(tlp.data))


@pytest.mark.parametrize("base", [0x1000, 0x1_0000_1000])
def test_byte_enables_of_every_alignment(base: int) -> None:
    for start in range(8):
        for length in range(1, 18):
            data = bytes(range(length))
            tlp = memory_request(base + start, length, data)
            got = decode(bytes(tlp.pack()))
            runs = [(got.addr + at, got.data[at : at + count]) for at, count in got.enabled()]
            assert runs == written_runs(tlp) == [(base + start, data)]
            read = decode(bytes(memory_request(base + start, length, None).pack()))
            assert [(read.addr + at, count) for at, count in read.enabled()] == [(base + start, length)]


@pytest.mark.parametrize(("addr", "first"), [(0xFFFF_FFFC, 0x00), (0x1_0000_0000, 0x20)])
def test_addresses_from_4_gib_on_take_a_header_of_four_dwords(addr: int, first: int) -> None:
    read, write = (bytes(memory_request(addr, 4, data).pack()) for data in (None, bytes(4)))
    assert (read[0], write[0]) == (first, first | 0x40)
    assert (len(read), len(write)) == (12 + (first >> 3), 16 + (first >> 3))


def test_what_is_no_packet_of_ours_is_told() -> None:
    assert decode(bytes.fromhex("34000000 01000020") + bytes(8)).kind == OTHER
    with pytest.raises(ValueError, match="shorter"):
        decode(bytes.fromhex("40000002 0100000f fee00000 aabbccdd"))
    assert packet_length(bytes.fromhex("40008002")) == 12 + 8 + 4
    assert packet_length(bytes.fromhex("60000000")) == 16 + 4096
