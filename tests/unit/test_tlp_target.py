"""Guest memory behind PCIe requests: order, latency, split and refused completions."""

from __future__ import annotations

import random
from typing import Any

import pytest
from cocotbext.pcie.core.tlp import CplStatus, Tlp, TlpType

from pymodel.events import DmaRead, DmaWrite, EventStream
from pymodel.memory import GuestMemory
from pymodel.transport import Message
from tb.knobs import TargetKnobs
from tb.ports.stores import GuestStore
from tb.ports.tlp_packets import (
    FUNCTION,
    RCB,
    completions,
    config_value,
    memory_request,
    places_to_cut,
    read_value,
    request_faults,
)
from tb.ports.tlp_target import TlpTarget

PERIOD = 4000
CALM = TargetKnobs()
HARSH = TargetKnobs((5, 60), (20, 40), reorder=True, interleave=True)


class Host:
    """A target over real guest memory, on a clock of its own."""

    def __init__(self, knobs: TargetKnobs = CALM, seed: int = 1) -> None:
        self.time = 0
        self.memory = GuestMemory()
        self.place = self.memory.alloc(4096, 4096).addr
        self.events: list[Any] = []
        stream = EventStream()
        stream.subscribe(self.events.append)
        self.messages: list[Message] = []
        store = GuestStore(self.memory, stream, self.messages.append, lambda: self.time)
        self.sent: list[Any] = []
        self.target = TlpTarget(store, knobs, seed, PERIOD, lambda: self.time, self._send)

    def _send(self, tlp: Any) -> None:
        self.sent.append(Tlp.unpack(bytes(tlp.pack())))

    def read(self, addr: int, length: int, tag: int) -> None:
        self.target.read(device_request(addr, length, None, tag), self.time)

    def write(self, addr: int, data: bytes) -> None:
        self.target.write(device_request(addr, len(data), data), self.time)

    def run(self, cycles: int = 200) -> list[Any]:
        for _ in range(cycles):
            self.target.step(2)
            self.time += PERIOD
        assert self.target.idle
        assert not self.target.faults
        return self.sent


def device_request(addr: int, length: int, data: bytes | None, tag: int = 0) -> Any:
    tlp = memory_request(addr, length, data)
    tlp.requester_id, tlp.tag = FUNCTION, tag
    return tlp


def test_a_read_sees_every_write_posted_before_it() -> None:
    for seed in range(30):
        host = Host(HARSH, seed)
        for value in range(4):
            host.write(host.place, bytes([value]) * 8)
            host.read(host.place, 8, value)
        host.run()
        values = {event.data[0] for event in host.events if isinstance(event, DmaRead)}
        writes = [event.data[0] for event in host.events if isinstance(event, DmaWrite)]
        seen = {cpl.tag: cpl.data[0] for cpl in host.sent}
        assert writes == [0, 1, 2, 3]
        assert all(seen[tag] >= tag for tag in range(4)), (seen, values)


def test_a_completion_stays_behind_writes_with_latency() -> None:
    host = Host(HARSH)
    host.write(host.place, bytes(4))
    host.target.in_order(lambda: host.events.append("completion"))
    host.write(host.place + 4, bytes(4))
    host.run()
    assert [type(event).__name__ for event in host.events] == ["DmaWrite", "str", "DmaWrite"]


def test_completions_of_several_tags_come_mixed_and_whole() -> None:
    orders = set()
    for seed in range(20):
        host = Host(HARSH, seed)
        data = random.Random(seed).randbytes(2048)
        host.memory.write(host.place, data)
        for tag in range(4):
            host.read(host.place + 512 * tag + tag, 480, tag)
        host.run()
        orders.add(tuple(cpl.tag for cpl in host.sent))
        for tag in range(4):
            parts = [cpl for cpl in host.sent if cpl.tag == tag]
            addr = host.place + 512 * tag + tag
            value, faults = read_value(parts, addr, 480)
            assert not faults
            assert value.to_bytes(480, "little") == data[512 * tag + tag :][:480]
    assert len(orders) > 10
    assert any(list(order) != sorted(order) for order in orders)


def test_in_a_calm_host_answers_keep_their_order_and_are_long() -> None:
    host = Host()
    for tag in range(3):
        host.read(host.place, 256, tag)
    assert [(cpl.tag, cpl.length) for cpl in host.run()] == [(t, 32) for t in (0, 0, 1, 1, 2, 2)]


def test_refused_reads_are_aborted_and_absent_memory_unsupported() -> None:
    host = Host()
    host.target.refuse(host.place + 8, host.place + 11)
    host.read(host.place, 8, 0)
    host.read(host.place, 9, 1)
    host.read(0xF000_0000_0000, 8, 2)
    answers = host.run()
    assert [cpl.status for cpl in answers] == [CplStatus.SC, CplStatus.CA, CplStatus.UR]
    assert [event.err for event in host.events] == [False, True, True]
    assert (answers[1].byte_count, answers[1].lower_address, answers[1].data) == (9, 0, b"")


def test_a_refused_write_is_dropped_and_seen() -> None:
    host = Host()
    host.memory.write(host.place, b"before")
    host.target.refuse(host.place, host.place, reads=False)
    host.write(host.place, b"behind")
    host.run()
    assert host.memory.dma_read(host.place, 6) == b"before"
    assert [(type(event), event.err) for event in host.events] == [(DmaWrite, True)]
    host.target.allow()
    host.write(host.place, b"behind")
    host.run()
    assert host.memory.dma_read(host.place, 6) == b"behind"


def test_a_write_into_the_interrupt_window_is_a_message() -> None:
    host = Host()
    host.write(0xFEE0_0000, (0x4021).to_bytes(4, "little"))
    host.run()
    assert host.messages == [Message(0xFEE0_0000, 0x4021)]


def test_cuts_lie_at_the_read_completion_boundary() -> None:
    tlp = device_request(0x1003, 300, None)
    cuts = places_to_cut(tlp)
    assert cuts == list(range(0x1040, 0x112F, RCB))
    parts = completions(tlp, bytes(range(256)) + bytes(44), cuts)
    counts = [(cpl.byte_count, cpl.lower_address) for cpl in parts]
    assert counts == [(300, 3), (239, 0x40), (175, 0), (111, 0x40), (47, 0)]


FAULTY = {
    "names the requester": (0x1000, 8, {"requester_id": 0x0800}),
    "below 4 GiB": (0x1000, 8, {"fmt_type": TlpType.MEM_READ_64}),
    "4 KiB boundary": (0x1FFC, 8, {}),
    "byte enables 0xf and 0xf": (0x1000, 4, {"last_be": 15}),
    "byte enables 0x5 and 0xf": (0x1000, 12, {"first_be": 5}),
    "byte enables 0xf and 0x0": (0x1000, 12, {"last_be": 0}),
}


@pytest.mark.parametrize("wanted", FAULTY)
def test_faulty_requests_are_named(wanted: str) -> None:
    addr, length, changes = FAULTY[wanted]
    tlp = device_request(addr, length, None)
    assert not request_faults(device_request(0x1000, length, None))
    for key, value in changes.items():
        setattr(tlp, key, (value >> 8, 0, 0) if key == "requester_id" else value)
    assert any(wanted in fault for fault in request_faults(tlp)), request_faults(tlp)


def test_a_tag_in_use_is_named() -> None:
    host = Host()
    host.read(host.place, 4, 7)
    host.read(host.place, 4, 7)
    assert host.target.faults == ["a read with tag 7, which is in use"]


def test_completions_that_do_not_add_up_are_named() -> None:
    tlp = device_request(0x1002, 4, None)
    right = completions(tlp, b"abcd", [])
    assert read_value(right, 0x1002, 4) == (int.from_bytes(b"abcd", "little"), [])
    right[0].lower_address = 0
    assert "lower address 0x0" in read_value(right, 0x1002, 4)[1][0]
    assert "4 bytes of 8" in read_value(completions(tlp, b"abcd", []), 0x1002, 8)[1][1]
    right[0].status = CplStatus.UR
    assert read_value(right, 0x1002, 4) == config_value(right, 2, 4) == (0xFFFF_FFFF, [])
