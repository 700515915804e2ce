from random import Random

import pytest

from pymodel.device.blk import BlkBackend
from pymodel.device.config import DeviceConfig, transitional
from pymodel.device.transport import ModelTransport
from pymodel.driver import errors
from pymodel.driver.blk import VirtioBlk
from pymodel.driver.config_ops import Style
from pymodel.driver.core import VirtioDevice
from pymodel.driver.guest import Guest
from pymodel.driver.interrupts import InterruptMode
from pymodel.driver.legacy import VirtioPciLegacy
from pymodel.events import BarRead, BarWrite, Event
from pymodel.layout import legacy_ring, legacy_ring_length
from pymodel.spec import BLK_CFG, BlkFeature, Feature, feature_mask
from pymodel.transport import run_now
from tests.unit.model import image


class Old:
    """A legacy driver over a transitional function."""

    def __init__(
        self,
        config: DeviceConfig | None = None,
        *,
        mode: InterruptMode = InterruptMode.PER_QUEUE,
        seed: int | None = None,
        queues: int = 1,
    ) -> None:
        self.backend = BlkBackend(image(), queues=queues)
        self.transport = ModelTransport(self.backend, config or transitional())
        self.events: list[Event] = []
        self.transport.events.subscribe(self.events.append)
        style = Style() if seed is None else Style(rng=Random(seed))
        self.ops = VirtioPciLegacy(self.transport, mode=mode, style=style)
        self.device = VirtioDevice(self.ops)
        self.blk = VirtioBlk()

    def start(self, features: int = -1) -> VirtioBlk:
        run_now(self.ops.enumerate())
        run_now(self.device.probe(self.blk, features))
        return self.blk

    def written(self, addr: int) -> list[int]:
        writes = [event for event in self.events if isinstance(event, BarWrite) and event.bar == 0]
        return [int.from_bytes(event.data, "little") for event in writes if event.addr == addr]


def test_the_ring_is_one_block_with_the_used_ring_on_its_own_page() -> None:
    ring = legacy_ring(256, 0x5000, 4096)
    assert (ring.desc, ring.avail, ring.used) == (0x5000, 0x6000, 0x7000)
    assert legacy_ring_length(256, 4096) == 0x3000
    assert legacy_ring_length(8, 4096) == 0x2000


@pytest.mark.parametrize("mode", list(InterruptMode))
def test_sectors_travel_over_the_legacy_interface(mode: InterruptMode) -> None:
    old = Old(mode=mode, queues=2)
    blk = old.start()
    assert run_now(blk.read(7)) == image()[7 * 512 : 8 * 512]
    run_now(blk.write(3, b"\x5a" * 512, queue=1))
    assert run_now(blk.read(3)) == b"\x5a" * 512
    assert not [e for e in old.events if isinstance(e, BarRead | BarWrite) and e.bar == 2]


def test_the_sequence_has_no_features_ok() -> None:
    old = Old()
    old.start()
    assert old.written(0x12) == [0, 0x01, 0x03, 0x07]
    assert old.device.has(Feature.ANY_LAYOUT)
    assert not old.device.has(Feature.VERSION_1)
    queue = old.device.queues[0]
    assert old.written(0x08) == [queue.addresses[0] // 4096]


def test_the_device_configuration_moves_with_msix() -> None:
    for mode, base in ((InterruptMode.INTX, 0x14), (InterruptMode.PER_QUEUE, 0x18)):
        old = Old(mode=mode)
        old.start()
        old.events.clear()
        assert run_now(old.device.read_config(BLK_CFG["capacity"])) == (64,)
        addresses = [event.addr for event in old.events if isinstance(event, BarRead)]
        assert addresses == [base, base + 4] * 2


@pytest.mark.parametrize("seed", range(8))
def test_legacy_traffic_in_a_random_style(seed: int) -> None:
    old = Old(transitional(lag=seed % 4, seed=seed, max_queue_size=16), seed=seed)
    blk = old.start()
    requests = [run_now(blk.submit_read(n)) for n in range(30)]
    assert run_now(blk.wait_all(requests)) == [image()[n * 512 : n * 512 + 512] for n in range(30)]


def test_without_any_layout_requests_keep_their_natural_seams() -> None:
    old = Old(seed=3)
    blk = old.start(0)
    run_now(blk.submit_write(0, bytes(1024), kick=False))
    (_, framed) = next(iter(blk.requests.in_flight.values()))
    assert [element.length for element in framed.readable + framed.writable] == [16, 1024, 1]


def test_a_transitional_function_serves_the_modern_driver_too() -> None:
    transport = ModelTransport(BlkBackend(image()), transitional())
    guest = Guest(transport, VirtioBlk())
    assert run_now(run_now(guest.start()).read(1)) == image()[512:1024]
    assert not guest.device.has(Feature.ANY_LAYOUT)
    old = VirtioDevice(VirtioPciLegacy(transport))
    assert isinstance(old.ops, VirtioPciLegacy)
    run_now(old.ops.enumerate())
    blk = VirtioBlk()
    run_now(old.probe(blk))
    assert run_now(blk.read(2)) == image()[1024:1536]


def test_a_modern_only_function_refuses_the_legacy_driver() -> None:
    with pytest.raises(errors.NotVirtio, match="no legacy interface"):
        Old(DeviceConfig()).start()


def test_a_device_may_be_used_before_driver_ok() -> None:
    old = Old()
    run_now(old.ops.enumerate())
    run_now(old.device.register())
    queue = run_now(old.ops.find_vqs([], 0)) or [run_now(old.ops._setup(0))]
    assert old.transport.device.status == 1
    run_now(old.ops.notify(queue[0]))
    assert old.transport.device.running


def test_the_cache_mode_survives_a_driver_that_can_set_it() -> None:
    old = Old()
    run_now(old.ops.enumerate())
    run_now(old.ops.set_config(BLK_CFG["writeback"].offset, 1, 0))
    run_now(old.ops.finalize_features(feature_mask(BlkFeature.CONFIG_WCE, BlkFeature.FLUSH)))
    run_now(old.ops.set_status(7))
    assert old.backend.writeback == 0
    run_now(old.ops.reset())
    run_now(old.ops.finalize_features(feature_mask(BlkFeature.FLUSH)))
    run_now(old.ops.set_status(7))
    assert old.backend.writeback == 1


def test_queues_cannot_be_reset_alone() -> None:
    old = Old()
    blk = old.start()
    with pytest.raises(errors.DriverBug, match="RING_RESET"):
        run_now(blk.restart_queue())


def test_freeze_and_restore_work_on_the_legacy_interface() -> None:
    old = Old()
    blk = old.start()
    run_now(old.device.freeze())
    run_now(old.transport.reset("power"))
    run_now(old.device.restore())
    assert run_now(blk.read(9)) == image()[9 * 512 : 10 * 512]
