"""C's driver rings against the device model's rings, over the same memory."""

import random
from typing import Any

import pytest

from native.binding import binding
from native.host import NativeHost, NativeMemory
from pymodel.device.host import Host
from pymodel.device.packed import DevicePackedRing
from pymodel.device.ring import DeviceChain, DeviceRing
from pymodel.device.split import DeviceSplitRing
from pymodel.events import EventStream, MemWrite
from pymodel.layout import PackedRing, SplitRing
from pymodel.memory import GuestMemory
from pymodel.spec import Feature, feature_mask
from tests.native.conftest import BASE

DESC, DRIVER, DEVICE = BASE, BASE + 0x8000, BASE + 0xC000
KINDS = [(packed, event_idx) for packed in (False, True) for event_idx in (False, True)]


class Pair:
    """A ring of C's and the model's view of it."""

    def __init__(self, memory: Any, size: int, *, packed: bool, event_idx: bool, host: Any = None) -> None:
        self.ffi, self.lib = binding()
        setup = self.ffi.new("vio_ring_setup *", (DESC, DRIVER, DEVICE, size, packed, event_idx))
        handle = host.handle if host else self.ffi.NULL
        self.ring = self.ffi.gc(self.lib.vio_ring_new(memory.handle, handle, setup), self.lib.vio_ring_free)
        features = feature_mask(Feature.EVENT_IDX) if event_idx else 0
        guest = Host(GuestMemory([memory.region]), EventStream())
        self.device: DeviceRing = (
            DevicePackedRing(guest, 0, PackedRing(size, DESC, DRIVER, DEVICE), features)
            if packed
            else DeviceSplitRing(guest, 0, SplitRing(size, DESC, DRIVER, DEVICE), features)
        )

    def add(self, elements: list[tuple[int, int, bool]]) -> int:
        return int(self.lib.vio_ring_add(self.ring, elements, len(elements)))

    def reap(self, most: int = 64) -> list[tuple[int, int]] | None:
        ids, lengths = self.ffi.new("uint32_t[]", most), self.ffi.new("uint32_t[]", most)
        count = self.lib.vio_ring_reap(self.ring, ids, lengths, most)
        return None if count < 0 else [(ids[i], lengths[i]) for i in range(count)]


def chain_of(rng: random.Random, most: int) -> list[tuple[int, int, bool]]:
    count = rng.randint(1, most)
    writable = rng.randint(0, count)
    return [(rng.randrange(1 << 40), rng.randint(1, 99999), i >= count - writable) for i in range(count)]


@pytest.mark.parametrize(("packed", "event_idx"), KINDS)
@pytest.mark.parametrize("size", [1, 2, 8, 32])
def test_chains_go_over_and_come_back(memory: Any, size: int, packed: bool, event_idx: bool) -> None:
    rng = random.Random(size)
    pair = Pair(memory, size, packed=packed, event_idx=event_idx)
    out: dict[int, list[tuple[int, int, bool]]] = {}
    taken: list[DeviceChain] = []
    used: list[tuple[int, int]] = []
    for _ in range(3000):
        step = rng.random()
        if step < 0.4:
            chain = chain_of(rng, min(4, size))
            number = pair.add(chain)
            if number >= 0:
                assert number not in out
                out[number] = chain
        elif step < 0.6:
            pair.lib.vio_ring_publish(pair.ring)
        elif step < 0.8 and (got := pair.device.fetch()):
            assert [(s.addr, s.length, s.write) for s in got.segments] == out[got.id]
            taken.append(got)
        elif taken:
            chain_out = taken.pop(rng.randrange(len(taken)))
            length = rng.randrange(1000) if any(s.write for s in chain_out.segments) else 0
            pair.device.use([(chain_out, length)])
            used.append((chain_out.id, length))
        if rng.random() < 0.1:
            reaped = pair.reap()
            assert reaped == used
            for number, _ in used:
                del out[number]
            used.clear()


@pytest.mark.parametrize("packed", [False, True])
def test_nothing_is_seen_before_it_is_published(memory: Any, packed: bool) -> None:
    pair = Pair(memory, 8, packed=packed, event_idx=False)
    for _ in range(3):
        pair.add([(1, 2, False)])
        assert pair.device.fetch() is None
    assert pair.lib.vio_ring_publish(pair.ring)
    assert [pair.device.fetch() is None for _ in range(4)] == [False, False, False, True]


@pytest.mark.parametrize(("packed", "event_idx"), KINDS)
def test_the_doorbell_is_rung_where_the_device_asks(memory: Any, packed: bool, event_idx: bool) -> None:
    pair = Pair(memory, 8, packed=packed, event_idx=event_idx)
    rng = random.Random(1)
    for _ in range(500):
        wanted = rng.random() < 0.5
        (pair.device.arm if wanted else pair.device.disarm)()
        armed_now = wanted if not event_idx else True
        pair.add([(0, 1, True)])
        if not event_idx or wanted:
            assert pair.lib.vio_ring_publish(pair.ring) == armed_now
        else:
            pair.lib.vio_ring_publish(pair.ring)
        chain = pair.device.fetch()
        assert chain is not None
        pair.device.use([(chain, 1)])
        assert pair.reap() == [(chain.id, 1)]


@pytest.mark.parametrize("packed", [False, True])
def test_with_event_idx_one_doorbell_covers_a_batch(memory: Any, packed: bool) -> None:
    pair = Pair(memory, 8, packed=packed, event_idx=True)
    for _ in range(200):
        pair.device.arm()
        rings = []
        for _ in range(3):
            pair.add([(0, 1, True)])
            rings.append(bool(pair.lib.vio_ring_publish(pair.ring)))
        assert rings == [True, False, False]
        chains = [pair.device.fetch() for _ in range(3)]
        for chain in chains:
            assert chain is not None
            pair.device.use([(chain, 1)])
        assert len(pair.reap() or []) == 3


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("batch", [1, 3, 4])
def test_with_event_idx_the_interrupt_comes_behind_the_batch(memory: Any, packed: bool, batch: int) -> None:
    pair = Pair(memory, 16, packed=packed, event_idx=True)
    for _ in range(100):
        for _ in range(4):
            pair.add([(0, 1, False), (2, 3, True)])
        pair.lib.vio_ring_arm(pair.ring, batch)
        pair.lib.vio_ring_publish(pair.ring)
        wanted = []
        for _ in range(4):
            chain = pair.device.fetch()
            assert chain is not None
            pair.device.use([(chain, 3)])
            wanted.append(pair.device.interrupt_wanted())
        assert wanted == [i == batch - 1 for i in range(4)]
        assert len(pair.reap() or []) == 4


@pytest.mark.parametrize("packed", [False, True])
def test_without_event_idx_interrupts_are_switched(memory: Any, packed: bool) -> None:
    pair = Pair(memory, 8, packed=packed, event_idx=False)
    pair.lib.vio_ring_arm(pair.ring, 0)
    assert not pair.device.interrupt_wanted()
    pair.lib.vio_ring_arm(pair.ring, 1)
    assert pair.device.interrupt_wanted()


def test_a_full_ring_takes_no_more(memory: Any) -> None:
    for packed in (False, True):
        pair = Pair(memory, 4, packed=packed, event_idx=False)
        assert pair.add([(0, 1, False)] * 3) >= 0
        assert pair.add([(0, 1, False)] * 2) == -1
        assert pair.add([(0, 1, False)]) >= 0
        assert pair.add([]) == -1
        memory.region.view[:0x10000] = bytes(0x10000)


def test_a_chain_used_twice_is_noticed(memory: Any) -> None:
    pair = Pair(memory, 4, packed=False, event_idx=False)
    pair.add([(0, 1, True)])
    pair.lib.vio_ring_publish(pair.ring)
    chain = pair.device.fetch()
    assert chain is not None
    pair.device.use([(chain, 1)])
    pair.device.use([(chain, 1)])
    assert pair.reap() is None


@pytest.mark.parametrize("used_id", [4, 2**32 - 1])
def test_an_id_outside_the_ring_is_noticed(memory: Any, used_id: int) -> None:
    pair = Pair(memory, 4, packed=False, event_idx=False)
    pair.add([(0, 1, True)])
    memory.region.view[DEVICE - BASE + 4 : DEVICE - BASE + 8] = used_id.to_bytes(4, "little")
    memory.region.view[DEVICE - BASE + 2] = 1
    assert pair.reap() is None


def test_stores_become_events(memory: Any, host: NativeHost) -> None:
    pair = Pair(memory, 4, packed=False, event_idx=False, host=host)
    pair.add([(0x1234, 5, True)])
    pair.lib.vio_ring_publish(pair.ring)
    stores = [event for event in host.drain() if isinstance(event, MemWrite)]
    assert [(s.addr, len(s.data)) for s in stores] == [(DESC, 16), (DRIVER + 4, 2), (DRIVER + 2, 2)]
    assert stores[-1].data == b"\1\0"


@pytest.mark.parametrize(
    ("desc", "size", "packed"),
    [(DESC + 8, 4, False), (DESC, 3, False), (DESC, 0, True), (0, 4, False), (DESC, 40000, False)],
)
def test_what_is_no_ring_is_refused(memory: NativeMemory, desc: int, size: int, packed: bool) -> None:
    ffi, lib = binding()
    setup = ffi.new("vio_ring_setup *", (desc, DRIVER, DEVICE, size, packed, False))
    assert lib.vio_ring_new(memory.handle, ffi.NULL, setup) == ffi.NULL
