"""The AXI4 target in C, cycle by cycle, without a simulator."""

from random import Random
from typing import Any

import pytest

from native.host import NativeError, NativeHost, NativeMemory
from pymodel.events import DmaRead, DmaWrite, Event, Intx, Msix
from tests.native.conftest import BASE, LENGTH, PERIOD
from tests.native.pins import Clock, Device, Read, Write

STALLS = [0.0, 0.4]


class World:
    """A host with one target, and a device on it."""

    def __init__(self, memory: Any, lanes: int = 32, stall: float = 0.0, seed: int = 1, **knobs: Any) -> None:
        self.lanes = lanes
        self.memory: NativeMemory = memory
        self.host = NativeHost(0, PERIOD)
        self.host.keep(True)
        share = int(stall * 2**32)
        knobs = {"guest": True, "seed": seed, **knobs}
        self.host.open_target(0, memory, lanes=lanes, stall=share, **knobs)
        self.rng = Random(seed)
        self.clock = Clock(self.host, PERIOD)
        self.device = Device(self.clock, 0, lanes, self.rng, stall)
        self.clock.lib.vio_dpi_target_reset(0)

    def run(self, limit: int = 200_000) -> list[Event]:
        """Clock until the device has all its answers; return the events."""
        while self.device.busy and self.clock.cycle < limit:
            self.device.step()
        assert not self.device.busy, "the target is stuck"
        for _ in range(3):
            self.device.step()
        assert self.host.lib.vio_target_idle(self.host.handle, 0)
        return list(self.host.drain())

    def read(self, addr: int, length: int, ident: int = 0) -> Read:
        """A full-width read of `length` bytes inside one page."""
        first = addr % self.lanes
        beats = -(-(first + length) // self.lanes)
        return self.device.ask(Read(ident, addr, beats, self.lanes.bit_length() - 1))

    def write(self, addr: int, data: bytes, ident: int = 0) -> Write:
        """A full-width write of `data` inside one page."""
        first = addr % self.lanes
        beats = -(-(first + len(data)) // self.lanes)
        padded = bytes(first) + data + bytes(beats * self.lanes - first - len(data))
        strobes = (1 << len(data)) - 1 << first
        words = []
        for beat in range(beats):
            word = padded[beat * self.lanes : (beat + 1) * self.lanes]
            words.append((word, strobes >> beat * self.lanes & (1 << self.lanes) - 1))
        return self.device.send(Write(ident, addr, self.lanes.bit_length() - 1, words))


def data_of(read: Read, lanes: int) -> bytes:
    return b"".join(read.words)[read.addr % lanes :]


@pytest.mark.parametrize("lanes", [4, 8, 32, 64])
@pytest.mark.parametrize("stall", STALLS)
def test_every_burst_reads_and_writes_its_bytes(memory: Any, lanes: int, stall: float) -> None:
    world = World(memory, lanes, stall, read_latency=(0, 20), write_latency=(0, 20))
    shadow = world.rng.randbytes(LENGTH)
    memory.region.view[:] = shadow
    expected = bytearray(shadow)
    reads = []
    for page in range(60):
        offset = page * 4096 + world.rng.randrange(2048)
        data = world.rng.randbytes(world.rng.randint(1, min(2048, 255 * lanes)))
        world.write(BASE + offset, data, page % 3)
        expected[offset : offset + len(data)] = data
        offset = (100 + page) * 4096 + world.rng.randrange(2048)
        reads.append(world.read(BASE + offset, len(data), page % 4))
    world.run()
    assert bytes(memory.region.view) == bytes(expected)
    for read in reads:
        start = read.addr - BASE
        got = data_of(read, lanes)
        assert got == shadow[start : start + len(got)]
        assert read.response == 0
    assert world.host.target_faults(0) == []


def test_strobes_split_a_burst_into_runs(memory: Any) -> None:
    world = World(memory)
    word = bytes(range(32))
    world.device.send(Write(0, BASE, 5, [(word, 0xF000_0000), (word, 0x0000_000F), (word, 0x5)]))
    events = [e for e in world.run() if isinstance(e, DmaWrite)]
    assert [(e.addr - BASE, e.data) for e in events] == [
        (28, word[28:] + word[:4]),
        (64, word[:1]),
        (66, word[2:3]),
    ]


def test_a_write_without_strobes_is_no_event(memory: Any) -> None:
    world = World(memory)
    write = world.device.send(Write(3, BASE, 5, [(bytes(32), 0)]))
    assert world.run() == []
    assert write.response == 0


def test_data_may_come_before_its_address(memory: Any) -> None:
    world = World(memory)
    for word in (1, 2):
        world.device.words.append((bytes([word]) * 32, 0xFFFFFFFF, word == 2))
    for _ in range(5):
        world.device.step()
    world.device.writes.append(Write(0, BASE + 64, 5, [(b"", 0), (b"", 0)]))
    events = world.run()
    assert [e.data for e in events if isinstance(e, DmaWrite)] == [b"\1" * 32 + b"\2" * 32]


@pytest.mark.parametrize("seed", range(20))
def test_ids_keep_their_order_whatever_the_knobs(memory: Any, seed: int) -> None:
    rng = Random(seed)
    world = World(
        memory,
        stall=rng.choice(STALLS),
        seed=seed,
        read_latency=(0, 60),
        write_latency=(0, 60),
        reorder=True,
        interleave=bool(seed % 2),
    )
    asked = [world.read(BASE + 4096 * i, rng.randint(1, 2000), rng.randrange(4)) for i in range(80)]
    events = [e for e in world.run() if isinstance(e, DmaRead)]
    for ident in range(4):
        mine = [read.addr for read in asked if read.ident == ident]
        assert [e.addr for e in events if e.addr in mine] == mine
    order = [read.addr for read in asked]
    assert [e.addr for e in events] != order, "nothing was reordered"
    runs = 1 + sum(a != b for a, b in zip(world.device.beats, world.device.beats[1:], strict=False))
    assert (runs > len(asked)) == bool(seed % 2), "beats are mixed exactly with interleave"


def test_without_reordering_bursts_stay_in_order(memory: Any) -> None:
    world = World(memory, read_latency=(0, 50))
    asked = [world.read(BASE + 4096 * i, 64, i % 4) for i in range(50)]
    assert [e.addr for e in world.run() if isinstance(e, DmaRead)] == [read.addr for read in asked]


def test_latency_lies_within_its_bounds(memory: Any) -> None:
    world = World(memory, read_latency=(10, 20))
    seen = []
    for i in range(50):
        begun = world.clock.cycle
        world.read(BASE + i * 64, 8)
        world.run()
        seen.append(world.clock.cycle - begun)
    assert max(seen) - min(seen) == 10


@pytest.mark.parametrize("addr", [0, BASE - 32, BASE + LENGTH, 2**64 - 32])
def test_outside_memory_is_an_error_and_an_event(memory: Any, addr: int) -> None:
    world = World(memory)
    read, write = world.read(addr, 32), world.write(addr, b"x" * 32)
    events = world.run()
    assert (read.response, write.response) == (3, 3)
    assert [(type(e), e.err) for e in events if isinstance(e, DmaRead | DmaWrite)] == [
        (DmaRead, True),
        (DmaWrite, True),
    ]


def test_what_is_refused_is_an_error_and_changes_nothing(memory: Any) -> None:
    world = World(memory)
    memory.protect(BASE + 100, 1, deny=2)
    one, other = world.write(BASE + 64, b"y" * 64), world.write(BASE + 128, b"z" * 64)
    read = world.read(BASE + 64, 64)
    world.run()
    assert (one.response, other.response, read.response) == (3, 0, 0)
    assert bytes(memory.region.view[64:192]) == bytes(64) + b"z" * 64


def test_a_message_is_no_memory_write(memory: Any) -> None:
    world = World(memory)
    write = world.write(0xFEE0_1004, (0x4021).to_bytes(4, "little"))
    events = world.run()
    assert [(e.addr, e.data) for e in events if isinstance(e, Msix)] == [(0xFEE0_1004, 0x4021)]
    assert len(events) == 1
    assert write.response == 0
    assert world.host.take_message() == (0xFEE0_1004, 0x4021)
    assert world.host.take_message() is None


@pytest.mark.parametrize("data", [b"ab", bytes(8)])
def test_other_writes_to_the_window_hit_nothing(memory: Any, data: bytes) -> None:
    world = World(memory)
    write = world.write(0xFEE0_0000, data)
    assert [type(e) for e in world.run()] == [DmaWrite]
    assert write.response == 3


def test_many_messages_wait_in_order(memory: Any) -> None:
    world = World(memory)
    for number in range(200):
        world.write(0xFEE0_0000, number.to_bytes(4, "little"))
    world.run()
    assert [world.host.take_message() for _ in range(200)] == [(0xFEE0_0000, n) for n in range(200)]


def test_a_medium_is_silent(memory: Any) -> None:
    world = World(memory, guest=False)
    world.write(BASE, b"sector")
    assert world.run() == []
    assert bytes(memory.region.view[:6]) == b"sector"


def test_axi_faults_are_named(memory: Any) -> None:
    world = World(memory)
    world.device.ask(Read(0, BASE + 4064, 2, 5))
    world.device.send(Write(0, BASE + 1, 0, [(bytes(32), 0b1000)]))
    world.device.send(Write(0, BASE, 5, [(bytes(32), 1)] * 2))
    world.device.words[-1] = (bytes(32), 1, False)
    world.run()
    assert world.host.target_faults(0) == [
        f"the burst of 2 x 32 bytes at {BASE + 4064:#x} crosses a 4 KiB boundary",
        f"beat 0 of the burst of 1 x 1 bytes at {BASE + 1:#x} strobes bytes outside it",
        f"wlast is wrong at beat 1 of the burst of 2 x 32 bytes at {BASE:#x}",
    ]


def test_faults_are_counted_without_end(memory: Any) -> None:
    world = World(memory)
    for _ in range(100):
        world.device.ask(Read(0, BASE + 4064, 2, 5))
    world.run()
    assert world.host.target_faults(0)[-1] == "and 36 more"


@pytest.mark.parametrize("cycles", range(0, 60, 7))
def test_a_restart_forgets_what_is_in_flight(memory: Any, cycles: int) -> None:
    world = World(memory, read_latency=(0, 30), write_latency=(0, 30), reorder=True, interleave=True)
    for i in range(20):
        world.read(BASE + 4096 * i, 500, i % 4)
        world.write(BASE + 4096 * i, bytes(100), i % 4)
    for _ in range(cycles):
        world.device.step()
    world.host.lib.vio_host_restart(world.host.handle)
    world.clock.lib.vio_dpi_target_reset(0)
    assert world.host.lib.vio_target_idle(world.host.handle, 0)
    world.device = Device(world.clock, 0, 32, world.rng)
    memory.region.view[:4] = b"anew"
    read = world.read(BASE, 4)
    world.run()
    assert data_of(read, 32)[:4] == b"anew"


def test_the_line_is_looked_at_when_the_clock_falls(memory: Any) -> None:
    world = World(memory)
    for level in (1, 1, 0, 0, 1):
        world.clock.lib.vio_dpi_line(level)
        world.device.step()
    world.clock.lib.vio_dpi_line(0)
    world.device.step()
    levels = [(e.t // PERIOD, e.level) for e in world.host.drain() if isinstance(e, Intx)]
    assert levels == [(1, 1), (3, 0), (5, 1), (6, 0)]


@pytest.mark.parametrize("lanes", [0, 3, 128])
def test_a_bus_of_no_axi_width_is_refused(memory: Any, host: NativeHost, lanes: int) -> None:
    host.lib.vio_host_activate(host.handle)
    with pytest.raises(NativeError):
        host.open_target(3, memory, lanes=lanes, guest=True, seed=0)
