"""The qtest transport's parts that need no QEMU: its protocol and its interrupt remapper."""

from __future__ import annotations

import socket

import pytest

from pymodel import spec
from pymodel.qtest.messages import SLOT_BASE, MessageSlots
from pymodel.qtest.wire import QtestWire, WireClosed, WireRefused
from pymodel.transport import Message

ENTRIES = 3
TABLE = 0x800


@pytest.fixture
def ram() -> memoryview:
    return memoryview(bytearray(SLOT_BASE + 4096))


@pytest.fixture
def slots(ram: memoryview) -> MessageSlots:
    return MessageSlots(ram, 1, TABLE, ENTRIES)


def program(slots: MessageSlots, entry: int, address: int, data: int) -> None:
    base = TABLE + spec.MSIX_ENTRY_LENGTH * entry
    slots.to_device(1, base, 4, address & 0xFFFF_FFFF)
    slots.to_device(1, base + 4, 4, address >> 32)
    slots.to_device(1, base + 8, 4, data)


def arrive(ram: memoryview, entry: int, data: int) -> None:
    ram[SLOT_BASE + 4 * entry : SLOT_BASE + 4 * entry + 4] = data.to_bytes(4, "little")


def test_message_is_found_under_the_drivers_own_address(ram: memoryview, slots: MessageSlots) -> None:
    program(slots, 1, 0x1_FEE0_0000, 0x41)
    assert slots.poll() == []
    arrive(ram, 1, 0x41)
    assert slots.poll() == [Message(0x1_FEE0_0000, 0x41)]
    assert slots.poll() == []


@pytest.mark.parametrize("data", [0, 0xFFFF_FFFF, 0x41])
def test_any_data_word_can_be_told_from_silence(ram: memoryview, slots: MessageSlots, data: int) -> None:
    program(slots, 0, 0xFEE0_0000, data)
    for _ in range(2):
        assert slots.poll() == []
        arrive(ram, 0, data)
        assert slots.poll() == [Message(0xFEE0_0000, data)]


def test_two_entries_with_one_address_stay_apart(ram: memoryview, slots: MessageSlots) -> None:
    for entry in (0, 2):
        program(slots, entry, 0xFEE0_0000, 0x40 + entry)
        arrive(ram, entry, 0x40 + entry)
    assert slots.poll() == [Message(0xFEE0_0000, 0x40), Message(0xFEE0_0000, 0x42)]


def test_reads_come_back_as_written_and_a_lost_table_shows(slots: MessageSlots) -> None:
    sent = slots.to_device(1, TABLE, 8, 0x1_FEE0_0000)
    assert sent == SLOT_BASE
    assert slots.to_driver(1, TABLE, 8, sent) == 0x1_FEE0_0000
    slots.forget()
    assert slots.to_driver(1, TABLE, 8, 0) == 0


def test_only_the_table_is_translated(slots: MessageSlots) -> None:
    beyond = TABLE + spec.MSIX_ENTRY_LENGTH * ENTRIES
    for bar, addr in ((0, TABLE), (1, TABLE - 4), (1, beyond)):
        assert slots.to_device(bar, addr, 4, 0xFEE0_0000) == 0xFEE0_0000
        assert slots.to_driver(bar, addr, 4, SLOT_BASE) == SLOT_BASE


def wire_answering(text: bytes) -> tuple[QtestWire, socket.socket]:
    """A wire whose other end has said everything already, and that end."""
    near, far = socket.socketpair()
    far.sendall(text)
    far.shutdown(socket.SHUT_WR)
    return QtestWire(near), far


def test_interrupt_lines_between_replies_are_kept_in_order() -> None:
    wire, _far = wire_answering(b"IRQ raise 16\nOK 0x2a\nIRQ lower 16\nIRQ raise 3\nOK\n")
    assert wire.read(0x1000, 4) == 0x2A
    wire.write(0x1000, 4, 1)
    assert list(wire.line_changes) == [(16, True), (16, False), (3, True)]


def test_refusal_and_end_name_the_command() -> None:
    wire, _far = wire_answering(b"FAIL Unknown command 'x'\n")
    with pytest.raises(WireRefused, match="'x'"):
        wire.command("x")
    with pytest.raises(WireClosed, match="readl 0x0"):
        wire.read(0, 4)
