"""What a device behind PCIe packets owes to PCI Express, packet by packet."""

from __future__ import annotations

from typing import Any

import pytest
from cocotbext.pcie.core.tlp import CplStatus, Tlp, TlpType
from cocotbext.pcie.core.utils import PcieId

from pymodel.driver.errors import DeviceNeedsReset
from pymodel.driver.interrupts import InterruptMode
from pymodel.events import DmaWrite
from pymodel.spec import Feature, PciCommand, Status, feature_mask
from tb.env import Env
from tb.ports.pins import PinPath
from tb.ports.tlp import TlpLink
from tb.ports.tlp_packets import FUNCTION, ROOT, completions, config_request, memory_request, wanted_bytes
from tb.ports.tlp_stream import TlpStreams
from tb.sim_test import sim_test
from tb.transport import PortTransport

ENTRY = 16
DATA = 8
"""Offset of the message data in an entry of the MSI-X table."""
GIVEN_UP_NS = 200_000
"""When the device gives a read up: TimeoutCycles of the manifest."""
ALIGNED = 0xFC
"""The low two bits of a message address are zero."""


def link_of(env: Env) -> TlpLink:
    assert isinstance(env.transport, PortTransport)
    assert isinstance(env.transport.path, PinPath)
    assert env.transport.path.link is not None
    return env.transport.path.link


def bar_of(env: Env) -> int:
    """Where the BAR of the structures lies."""
    return link_of(env).bars[env.driver.pci.layout.common.bar]


def table_of(env: Env) -> int:
    """Where the MSI-X table lies: plain memory, as far as the host is concerned."""
    msix = env.driver.pci.interrupts.msix
    assert msix is not None
    bar, offset = msix.table
    return link_of(env).bars[bar] + offset


async def write(env: Env, addr: int, data: bytes, **fields: Any) -> None:
    tlp = memory_request(addr, len(data), data)
    for name, value in fields.items():
        setattr(tlp, name, value)
    await link_of(env).post(tlp, "write", lambda: None)


async def read(env: Env, addr: int, length: int) -> bytes:
    answers = await link_of(env).ask(memory_request(addr, length, None), "read")
    assert all(cpl.status == CplStatus.SC for cpl in answers)
    return b"".join(bytes(cpl.data) for cpl in answers)[addr % 4 :][:length]


@sim_test(stress="calm", timeout_us=400)
async def test_long_reads_are_cut_at_the_read_completion_boundary(env: Env) -> None:
    """Many dwords come back in parts that end at multiples of 128 bytes, and are what single reads say."""
    await env.driver.discover()
    start = table_of(env) + DATA
    for number in range(9):
        await write(env, start + ENTRY * number, bytes([number] * 4))
    answers = await link_of(env).ask(memory_request(start + 1, 290, None), "long read")
    assert start % 128 == DATA
    parts = [(cpl.byte_count, cpl.lower_address, 4 * cpl.length) for cpl in answers]
    assert parts == [(290, DATA + 1, 120), (171, 0, 128), (43, 0, 44)]
    whole = b"".join(bytes(cpl.data) for cpl in answers)
    single = [await read(env, start + offset, 4) for offset in range(0, 144, 4)]
    assert whole[:144] == b"".join(single)
    assert whole[ENTRY : ENTRY + 4] == b"\1\1\1\1"


@sim_test(stress="any", timeout_us=2000)
async def test_byte_enables_of_every_kind(env: Env) -> None:
    """All 16 enables of one dword and all of two change the bytes that they name, and no others."""
    await env.driver.discover()
    place = table_of(env)
    pairs = [(first, 0) for first in range(16)]
    pairs += [(first, last) for first in range(1, 16) for last in range(1, 16)]
    for first, last in pairs:
        await write(env, place, bytes(8))
        await write(env, place, b"\xff" * (8 if last else 4), first_be=first, last_be=last)
        wanted = [0xFF if (first | last << 4) >> index & 1 else 0 for index in range(8)]
        wanted[0] &= ALIGNED
        assert list(await read(env, place, 8)) == wanted, (first, last)


@sim_test(stress="any", timeout_us=400)
async def test_long_writes_arrive_in_order(env: Env) -> None:
    """One write over several entries of the MSI-X table is performed whole, from any first byte."""
    await env.driver.discover()
    place = table_of(env)
    data = bytes(range(1, 129))
    await write(env, place, bytes(128))
    await write(env, place + 9, data[:103])
    got = await read(env, place, 128)
    sent = bytes(9) + data[:103] + bytes(16)
    for entry in range(0, 128, ENTRY):
        address, rest = got[entry], got[entry + 1 : entry + ENTRY - 4]
        assert (address, rest) == (sent[entry] & ALIGNED, sent[entry + 1 : entry + ENTRY - 4]), entry


@sim_test(stress="calm", timeout_us=400)
async def test_a_read_of_no_bytes_is_answered_and_does_nothing(env: Env) -> None:
    """The flush read of PCI Express: one dword, byte count 1, and ISR keeps its bits."""
    await env.driver.start(mode=InterruptMode.INTX)
    isr = env.driver.pci.layout.isr
    request = await env.blk.submit_read(0)
    await env.delay(3_000)
    tlp = memory_request(bar_of(env) + isr.offset, 4, None)
    tlp.first_be = 0
    (answer,) = await link_of(env).ask(tlp, "flush")
    assert (answer.status, answer.length, answer.byte_count) == (CplStatus.SC, 1, 1)
    assert await env.blk.wait(request) == env.image.sector(0), "ISR told of the buffer"


def strange_requests(env: Env) -> dict[str, Any]:
    """Requests of which the function has nothing."""
    outside = memory_request(bar_of(env) + (1 << 20), 8, None)
    other_function = config_request(0, 4, None)
    other_function.completer_id = FUNCTION._replace(function=1)
    requests = {"outside the BAR": outside, "function 1": other_function}
    for kind in (TlpType.IO_READ, TlpType.CFG_READ_1, TlpType.MEM_READ_LOCKED, TlpType.FETCH_ADD):
        tlp = Tlp()
        tlp.fmt_type, tlp.requester_id, tlp.length, tlp.first_be = kind, ROOT, 1, 0xF
        tlp.address = bar_of(env) & 0xFFFF_FFFC
        if tlp.has_data():
            tlp.set_data(bytes(4))
        requests[kind.name] = tlp
    return requests


@sim_test(stress="any", timeout_us=400)
async def test_what_the_function_has_not_is_an_unsupported_request(env: Env) -> None:
    """Each is completed at once, without data, and the device works on."""
    await env.driver.start()
    for name, tlp in strange_requests(env).items():
        (answer,) = await link_of(env).ask(tlp, name)
        assert (answer.status, answer.length) == (CplStatus.UR, 0), name
    await env.traffic(requests=4)


@sim_test(stress="calm", timeout_us=400)
async def test_without_memory_space_nothing_is_decoded(env: Env) -> None:
    """Memory Space Enable gates reads (unsupported) and writes (dropped)."""
    await env.driver.discover()
    place = table_of(env) + DATA
    await write(env, place, b"kept")
    await env.driver.pci.function.command(clear=PciCommand.MEMORY)
    (answer,) = await link_of(env).ask(memory_request(place, 4, None), "read")
    assert (answer.status, answer.byte_count, answer.lower_address) == (CplStatus.UR, 4, place & 0x7F)
    await write(env, place, b"lost")
    await env.driver.pci.function.command(enable=PciCommand.MEMORY)
    assert await read(env, place, 4) == b"kept"


@sim_test(stress="any", timeout_us=400)
async def test_what_is_not_for_the_function_is_dropped(env: Env) -> None:
    """Poisoned writes, writes beside the BAR, messages, and completions of nothing change nothing."""
    await env.driver.start()
    place = table_of(env) + DATA
    before = await read(env, place, 4)
    await write(env, place, b"bad!", ep=True)
    await write(env, place + (1 << 20), b"bad!")
    streams = link_of(env).streams
    assert isinstance(streams, TlpStreams)
    streams.send_bytes(bytes.fromhex("34000000 00000019") + bytes(8))
    streams.send_bytes(bytes.fromhex("74000002 00000050") + bytes(16))
    for tag in (31, 32, 200):
        nobody = Tlp.create_completion_data_for_tlp(Tlp(), ROOT)
        nobody.requester_id, nobody.tag, nobody.byte_count = FUNCTION, tag, 64
        nobody.set_data(b"\xdd" * 64)
        streams.send(nobody)
    assert await read(env, place, 4) == before
    await env.traffic(requests=8)


@sim_test(stress="harsh", timeout_us=4000)
async def test_completions_come_split_and_out_of_order(env: Env) -> None:
    """What the harsh host really does to reads: cut, mixed, overtaken; and every byte arrives."""
    link, sent, asked = link_of(env), list[int](), list[int]()
    take, send = link.target.read, link.target.send

    def noted(tlp: Any, at: int) -> None:
        asked.append(tlp.tag)
        take(tlp, at)

    def noted_part(tlp: Any) -> None:
        sent.append(tlp.tag)
        send(tlp)

    link.target.read, link.target.send = noted, noted_part  # type: ignore[method-assign]
    await env.driver.start(queues=3, features=feature_mask(Feature.INDIRECT_DESC))
    await env.traffic(requests=24, depth=12)
    assert len(sent) > len(asked), "no completion was split"
    firsts = [tag for tag, before in zip(sent, [-1, *sent], strict=False) if tag != before]
    assert firsts[: len(asked)] != asked, "no completion overtook another"
    assert any(a != b and a == c for a, b, c in zip(sent, sent[1:], sent[2:], strict=False)), (
        "none were mixed"
    )


@sim_test(stress="calm", timeout_us=2000)
async def test_a_completion_that_never_comes_ends_in_needs_reset(env: Env) -> None:
    """The read is given up, the driver resets; what comes late after all is nobody's."""
    link, lost = link_of(env), list[Any]()
    await env.driver.start(features=0)
    take = link.target.read
    link.target.read = lambda tlp, at: lost.append(tlp)  # type: ignore[method-assign]
    await env.blk.submit_read(0)
    await env.delay(GIVEN_UP_NS // 2)
    assert lost
    assert not await env.driver.pci.get_status() & Status.DEVICE_NEEDS_RESET
    await env.delay(GIVEN_UP_NS)
    assert await env.driver.pci.get_status() & Status.DEVICE_NEEDS_RESET
    link.target.read = take  # type: ignore[method-assign]
    await env.driver.reset()
    await env.driver.start(features=0)
    await env.traffic(requests=6)
    for tlp in lost:
        for late in completions(tlp, b"\xdd" * wanted_bytes(tlp)[1], []):
            link.streams.send(late)
    await env.traffic(requests=40)


@sim_test(stress="calm", timeout_us=1000)
async def test_bad_completions_end_in_needs_reset(env: Env) -> None:
    """A poisoned completion, one with a wrong byte count, and one without data are errors, not data."""
    link = link_of(env)
    take = link.target.read

    def spoilt(**fields: Any) -> Any:
        def answer(tlp: Any, _: int) -> None:
            cpl = completions(tlp, bytes(wanted_bytes(tlp)[1]), [])[0]
            for name, value in fields.items():
                setattr(cpl, name, value)
            link.streams.send(cpl)

        return answer

    bare = {"fmt_type": TlpType.CPL, "data": b"", "length": 0}
    for fields in ({"ep": True}, {"byte_count": 4000}, bare, bare | {"status": CplStatus.CA}):
        await env.driver.start(features=0)
        link.target.read = spoilt(**fields)  # type: ignore[method-assign]
        request = await env.blk.submit_read(0)
        with pytest.raises(DeviceNeedsReset):
            await env.blk.wait(request)
        link.target.read = take  # type: ignore[method-assign]
        await env.driver.reset()
    await env.driver.start(features=0)
    assert await env.blk.read(0) == env.image.sector(0)


@sim_test(stress="calm", timeout_us=400)
async def test_a_refused_write_is_never_told(env: Env) -> None:
    """Posted: what the host drops is lost, and the device goes on as if it were not."""
    await env.driver.start(features=0)
    link, queue = link_of(env), env.driver.device.queues[0]
    assert link.target.posted
    used = queue.addresses[2]
    link.target.refuse(used, used + 3 + 8 * queue.size)
    await env.blk.submit_read(0)
    await env.delay(10_000)
    assert not queue.used_pending()
    assert any(isinstance(event, DmaWrite) and event.err and event.addr >= used for event in env.log)
    assert not await env.driver.pci.get_status() & Status.DEVICE_NEEDS_RESET
    link.target.allow()
    await env.driver.reset()
    await env.driver.start(features=0)
    assert await env.blk.read(0) == env.image.sector(0)


@sim_test(stress="calm", timeout_us=400)
async def test_the_function_answers_with_the_number_it_was_asked_by(env: Env) -> None:
    """Bus and device number are those of the last configuration write (PCI Express, 2.2.6.2)."""
    await env.driver.discover()
    link = link_of(env)
    elsewhere = config_request(0x3C, 1, b"\5")
    elsewhere.completer_id = PcieId(7, 3, 0)
    assert [cpl.completer_id for cpl in await link.ask(elsewhere, "write")] == [PcieId(7, 3, 0)]
    again = config_request(0x3C, 1, None)
    assert [cpl.completer_id for cpl in await link.ask(again, "read")] == [PcieId(7, 3, 0)]
    await env.transport.config_write(0x3C, 1, 6)
    assert [cpl.completer_id for cpl in await link.ask(again, "read")] == [FUNCTION]
