"""The AXI4-Lite initiator in C against a small register file, without a simulator."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from native.host import NativeHost
from pymodel.events import BarRead, BarWrite, ConfigRead, ConfigWrite
from tests.native.conftest import PERIOD
from tests.native.pins import Clock

AW_VALID, W_VALID, B_READY, AR_VALID, R_READY = 1, 2, 4, 8, 16
AW_READY, W_READY, B_VALID, AR_READY, R_VALID, R_ERROR = 1, 2, 4, 8, 16, 32
SIZE = 64


class Registers:
    """An AXI4-Lite target with 64 bytes, slow and of its own mind about the order of channels."""

    def __init__(self, lanes: int, seed: int = 1, stall: int = 0, error: bool = False) -> None:
        self.host = NativeHost(0, PERIOD)
        self.host.keep(True)
        self.host.open_initiator(0, lanes=lanes, seed=seed, stall=stall)
        self.clock = Clock(self.host, PERIOD)
        self.rng = Random(seed)
        self.lanes = lanes
        self.content = bytearray(self.rng.randbytes(SIZE))
        self.error = error
        self._state = 0
        self._awaddr: int | None = None
        self._wdata: tuple[int, int] | None = None
        self._answers = 0
        self._reads: list[int] = []
        self.clock.lib.vio_dpi_initiator_reset(0)

    def step(self) -> None:
        """One clock cycle."""
        state, rng, lib, ffi = self._state, self.rng, self.clock.lib, self.clock.ffi
        pins = sum(bit for bit in (AW_READY, W_READY, AR_READY) if rng.random() < 0.5)
        if self._awaddr is not None:
            pins &= ~AW_READY
        if self._wdata is not None:
            pins &= ~W_READY
        if self._answers:
            pins |= B_VALID
        if self._reads:
            pins |= R_VALID | (R_ERROR if self.error else 0)
        rdata = self._reads[0] if self._reads else 0
        word = [ffi.new("long long *") for _ in range(3)]
        strobe = ffi.new("int *")
        lib.vio_dpi_initiator_word(0, *word, strobe)
        if state & AW_VALID and pins & AW_READY:
            self._awaddr = word[0][0]
        if state & W_VALID and pins & W_READY:
            self._wdata = word[2][0] % 2**64, strobe[0]
        if state & AR_VALID and pins & AR_READY:
            base = word[1][0] % SIZE // self.lanes * self.lanes
            self._reads.append(int.from_bytes(self.content[base : base + self.lanes], "little"))
        if state & R_READY and pins & R_VALID:
            self._reads.pop(0)
        if state & B_READY and pins & B_VALID:
            self._answers -= 1
        self.clock.rise()
        self._state = lib.vio_dpi_initiator_rise(0, pins, rdata - (1 << 64) if rdata >> 63 else rdata)
        if self._awaddr is not None and self._wdata is not None:
            self._store(self._awaddr, *self._wdata)
            self._awaddr = self._wdata = None
            self._answers += 1
        self.clock.fall()

    def _store(self, addr: int, data: int, strobe: int) -> None:
        base = addr % SIZE // self.lanes * self.lanes
        for lane in range(self.lanes):
            if strobe >> lane & 1:
                self.content[base + lane] = data >> 8 * lane & 0xFF

    def start(self, addr: int, length: int, value: int | None = None, bar: int = 0) -> int:
        """Begin an access."""
        write = value is not None
        lib = self.host.lib
        return int(lib.vio_access_start(self.host.handle, 0, bar, 0, addr, length, write, value or 0, False))

    def finish(self, access: int) -> int:
        """Clock until an access is done and return its value."""
        lib, handle = self.host.lib, self.host.handle
        for _ in range(5000):
            if lib.vio_access_state(handle, 0, access) == lib.VIO_DONE:
                return int(lib.vio_access_finish(handle, 0, access))
            self.step()
        raise AssertionError("the access never ends")


ACCESSES = st.tuples(st.integers(0, SIZE - 8), st.integers(1, 8), st.none() | st.integers(0, 2**64 - 1))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(ACCESSES, max_size=12), st.sampled_from((4, 8)), st.integers(0, 99), st.sampled_from((0, 2**31))
)
def test_accesses_do_what_they_say(
    accesses: list[tuple[int, int, int | None]], lanes: int, seed: int, stall: int
) -> None:
    registers = Registers(lanes, seed, stall)
    shadow = bytearray(registers.content)
    for addr, length, value in accesses:
        mask = (1 << 8 * length) - 1
        got = registers.finish(registers.start(addr, length, None if value is None else value & mask))
        if value is None:
            assert got == int.from_bytes(shadow[addr : addr + length], "little")
        else:
            shadow[addr : addr + length] = (value & mask).to_bytes(length, "little")
    assert registers.content == shadow


def test_an_access_is_one_event_however_many_transfers_it_takes() -> None:
    registers = Registers(4)
    registers.finish(registers.start(6, 8, 0x1122334455667788))
    assert registers.finish(registers.start(6, 8)) == 0x1122334455667788
    data = (0x1122334455667788).to_bytes(8, "little")
    events = list(registers.host.drain())
    assert [(type(e), e.addr, e.data) for e in events if isinstance(e, BarRead | BarWrite)] == [
        (BarWrite, 6, data),
        (BarRead, 6, data),
    ]
    assert all(e.t_req is not None and e.t_req < e.t for e in events)


def test_configuration_space_has_its_own_events() -> None:
    registers = Registers(4)
    registers.finish(registers.start(4, 2, 0xABCD, bar=-1))
    registers.finish(registers.start(4, 1, bar=-1))
    kinds = [(type(e), e.data) for e in registers.host.drain() if isinstance(e, ConfigRead | ConfigWrite)]
    assert kinds == [(ConfigWrite, b"\xcd\xab"), (ConfigRead, b"\xcd")]


def test_an_error_reads_as_all_ones() -> None:
    registers = Registers(4, error=True)
    assert registers.finish(registers.start(0, 8)) == 2**64 - 1


def test_several_accesses_run_in_order() -> None:
    registers = Registers(4)
    writes = [registers.start(0, 1, value) for value in range(1, 40)]
    for write in writes:
        registers.finish(write)
    assert registers.content[0] == 39


def test_a_write_is_recorded_when_the_device_took_it() -> None:
    registers = Registers(4)
    access = registers.start(0, 4, 5)
    lib, handle = registers.host.lib, registers.host.handle
    while lib.vio_access_state(handle, 0, access) == lib.VIO_RUNNING:
        registers.step()
    assert lib.vio_access_state(handle, 0, access) == lib.VIO_TAKEN
    assert len(list(registers.host.drain())) == 1
    registers.finish(access)
    assert list(registers.host.drain()) == []


def test_posted_accesses_free_themselves() -> None:
    registers = Registers(4)
    lib, handle = registers.host.lib, registers.host.handle
    for value in range(200):
        assert lib.vio_access_start(handle, 0, 0, 0, 0, 1, True, value, True) >= 0
        for _ in range(40):
            registers.step()
    assert registers.content[0] == 199


def test_too_many_accesses_are_refused() -> None:
    registers = Registers(4)
    started = [registers.start(0, 1) for _ in range(65)]
    assert started[-1] == -1
    assert -1 not in started[:-1]


@pytest.mark.parametrize(("bar", "length"), [(0, 0), (0, 9), (6, 4), (-2, 4)])
def test_what_is_no_access_is_refused(bar: int, length: int) -> None:
    assert Registers(4).start(0, length, bar=bar) == -1


def test_an_access_given_up_does_not_disturb_the_next() -> None:
    registers = Registers(4)
    first = registers.start(0, 4)
    registers.host.lib.vio_access_finish(registers.host.handle, 0, first)
    value: Any = registers.finish(registers.start(8, 4))
    assert value == int.from_bytes(registers.content[8:12], "little")
