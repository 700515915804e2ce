import pytest

from pymodel.device.backend import Backend
from pymodel.device.config import DEVICE_FEATURES, DeviceConfig
from pymodel.device.entropy import EntropyBackend
from pymodel.device.transport import ModelTransport
from pymodel.driver import errors
from pymodel.driver.core import VirtioDevice
from pymodel.driver.pci import VirtioPci
from pymodel.spec import BLK_CFG, BlkFeature, Feature, Status, feature_mask
from pymodel.transport import run_now
from tests.unit.model import Bench, image

VERSION_1 = feature_mask(Feature.VERSION_1)


def test_the_sequence_of_the_standard_is_kept() -> None:
    bench = Bench()
    run_now(bench.guest.start())
    assert bench.written("device_status") == [0, 0x01, 0x03, 0x0B, 0x0F]
    names = [name for verb, name, _ in bench.common() if verb == "w"]
    order = ["device_feature_select", "driver_feature", "queue_size", "queue_desc", "queue_enable"]
    positions = [names.index(name) for name in order if name in names]
    assert positions == sorted(positions)
    assert names[-1] == "device_status"


def test_status_zero_is_refused_loudly() -> None:
    bench = Bench()
    run_now(bench.guest.start())
    with pytest.raises(errors.DriverBug, match="call reset"):
        run_now(bench.guest.pci.set_status(0))
    assert bench.written("device_status")[-1] == 0x0F


def test_reset_is_polled_until_the_status_is_zero() -> None:
    for seed in range(10):
        bench = Bench(DeviceConfig(lag=6, seed=seed))
        run_now(bench.guest.start())
        bench.events.clear()
        run_now(bench.guest.device.reset())
        accesses = bench.common()
        assert accesses[0] == ("w", "device_status", 0)
        assert set(accesses[1:-1]) <= {("r", "device_status", 0x0F)}
        assert accesses[-1] == ("r", "device_status", 0)


def test_a_device_that_never_resets_is_given_up_with_its_last_accesses() -> None:
    bench = Bench(DeviceConfig(lag=1))
    run_now(bench.guest.start())
    bench.model._after_lag = lambda action: None  # type: ignore[method-assign]
    with pytest.raises(errors.ResetTimeout, match=r"reset: device_status still reads 0xf .*bar_rd 2:0x14/1"):
        run_now(bench.guest.device.reset())


def test_features_that_nobody_knows_are_left_alone() -> None:
    unknown = feature_mask(44, 49, 22, 42, 127)
    bench = Bench(DeviceConfig(features=DEVICE_FEATURES | unknown))
    run_now(bench.guest.start())
    assert bench.model.driver_features & unknown == 0
    assert bench.model.features & VERSION_1


def test_a_device_without_version_1_is_failed() -> None:
    bench = Bench(DeviceConfig(features=0))
    with pytest.raises(errors.FeaturesRefused, match="negotiate: VERSION_1"):
        run_now(bench.guest.start())
    assert bench.written("device_status") == [0, 0x01, 0x03, 0x83]


def test_refused_features_end_in_failed() -> None:
    bench = Bench()
    bench.backend.accepts = lambda features: False  # type: ignore[method-assign]
    with pytest.raises(errors.FeaturesRefused, match="FEATURES_OK dropped"):
        run_now(bench.guest.start())
    assert bench.written("device_status") == [0, 0x01, 0x03, 0x0B, 0x83]


def test_a_missing_queue_ends_in_failed() -> None:
    bench = Bench()
    for bank in bench.model.common.banks:
        bank.size = 0
    bench.model.common.reset = lambda: None  # type: ignore[method-assign]
    with pytest.raises(errors.QueueUnavailable, match="find_vqs: queue 0 has size 0"):
        run_now(bench.guest.start())
    assert bench.written("device_status")[-1] == 0x8B


def test_feature_dependencies_are_respected() -> None:
    bench = Bench()
    run_now(bench.guest.start(feature_mask(BlkFeature.CONFIG_WCE)))
    assert bench.model.features == VERSION_1


def test_a_torn_configuration_read_is_repeated() -> None:
    bench = Bench()
    run_now(bench.guest.start())
    grown = iter([100])
    plain = bench.model.read_config

    def read_config(offset: int, length: int) -> bytes:
        data = plain(offset, length)
        for sectors in grown:
            bench.backend.resize(sectors)
        return data

    bench.model.read_config = read_config  # type: ignore[method-assign]
    assert run_now(bench.guest.device.read_config(BLK_CFG["capacity"])) == (100,)


def test_an_unsteady_configuration_is_given_up() -> None:
    bench = Bench()
    run_now(bench.guest.start())
    plain = bench.model.read_config

    def read_config(offset: int, length: int) -> bytes:
        bench.model.config_changed()
        return plain(offset, length)

    bench.model.read_config = read_config  # type: ignore[method-assign]
    with pytest.raises(errors.ConfigUnstable, match="capacity"):
        run_now(bench.guest.device.read_config(BLK_CFG["capacity"]))


def test_doorbells_and_configuration_writes_come_only_when_allowed() -> None:
    bench = Bench()
    run_now(bench.guest.start())
    queue = bench.guest.device.queues[0]
    run_now(bench.guest.device.register())
    with pytest.raises(errors.DriverBug, match="not live"):
        run_now(bench.guest.device.notify(queue))
    with pytest.raises(errors.DriverBug, match="before FEATURES_OK"):
        run_now(bench.guest.device.write_config(BLK_CFG["writeback"], 0))


def test_a_driver_of_another_type_is_refused() -> None:
    backend: Backend = EntropyBackend()
    pci = VirtioPci(ModelTransport(backend))
    run_now(pci.enumerate())
    with pytest.raises(errors.NotVirtio, match="type 4"):
        run_now(VirtioDevice(pci).probe(Bench().blk))


def test_a_hundred_upgrades_carry_nothing_over() -> None:
    bench = Bench(DeviceConfig(max_queue_size=16))
    sets = [0, feature_mask(Feature.RING_PACKED), feature_mask(Feature.EVENT_IDX, Feature.INDIRECT_DESC)]
    for session in range(100):
        blk = run_now(bench.guest.start(sets[session % 3]))
        assert bench.model.features == VERSION_1 | sets[session % 3]
        run_now(blk.write(1, bytes([session]) * 512))
        assert run_now(blk.read(1)) == bytes([session]) * 512
    assert bench.transport.memory.regions[0].cursor < 1 << 20


def test_after_reset_requests_in_flight_are_lost_and_never_touched() -> None:
    bench = Bench(DeviceConfig(lag=8, seed=2))
    blk = run_now(bench.guest.start(0))
    requests = [run_now(blk.submit_read(n)) for n in range(8)]
    pieces = blk.requests.memory_in_use() + bench.guest.device.queues[0].memory_in_use()
    run_now(bench.guest.reset())
    for piece in pieces:
        bench.transport.memory.poison(piece)
    bench.events.clear()
    run_now(bench.transport.delay(1000))
    assert bench.events == []
    assert all(bench.transport.memory.read(p.addr, p.length) == b"\xa5" * p.length for p in pieces)
    assert any(request.lost for request in requests)
    assert all(request.lost or request.done for request in requests)


def test_freeze_and_restore_keep_the_order() -> None:
    bench = Bench(judged=True)
    blk = run_now(bench.guest.start())
    run_now(blk.write(5, b"kept" * 128))
    run_now(bench.guest.device.freeze())
    run_now(bench.transport.reset("power"))
    bench.events.clear()
    run_now(bench.guest.device.restore())
    steps = bench.common("device_status", "driver_feature", "queue_enable")
    writes = [(name, value) for verb, name, value in steps if verb == "w"]
    status = [value for name, value in writes if name == "device_status"]
    assert status == [0, 0x01, 0x03, 0x0B, 0x0F]
    assert writes.index(("device_status", 0x03)) < writes.index(("driver_feature", 0))
    assert writes.index(("device_status", 0x0B)) < writes.index(("queue_enable", 1))
    assert writes[-1] == ("device_status", 0x0F)
    assert run_now(blk.read(5)) == b"kept" * 128
    assert bench.verdict() == []


def test_restore_puts_the_failed_bit_back() -> None:
    bench = Bench()
    run_now(bench.guest.start())
    run_now(bench.guest.device.fail())
    run_now(bench.guest.device.freeze())
    bench.events.clear()
    run_now(bench.guest.device.restore())
    assert bench.written("device_status") == [0, 0x01, 0x81, 0x83, 0x8B, 0x8F]


def test_restore_without_a_driver_stops_after_acknowledge() -> None:
    bench = Bench()
    run_now(bench.guest.pci.enumerate())
    run_now(bench.guest.device.register())
    run_now(bench.guest.device.freeze())
    bench.events.clear()
    run_now(bench.guest.device.restore())
    assert bench.written("device_status") == [0, 0x01]


def test_a_failing_restore_sets_failed_and_returns_the_error() -> None:
    bench = Bench()
    blk = run_now(bench.guest.start())
    run_now(bench.guest.device.freeze())

    async def broken(device: VirtioDevice) -> None:
        raise OSError("no memory for rings")

    blk.restore = broken  # type: ignore[method-assign]
    bench.events.clear()
    with pytest.raises(OSError, match="no memory"):
        run_now(bench.guest.device.restore())
    assert bench.written("device_status") == [0, 0x01, 0x03, 0x0B, 0x8B]
    assert Status(bench.model.status) & Status.FAILED


def test_buffers_added_before_driver_ok_are_served_after_it() -> None:
    bench = Bench()
    run_now(bench.guest.start(0))
    run_now(bench.guest.device.register())
    assert image()[:512] == run_now(run_session(bench))


async def run_session(bench: Bench) -> bytes:
    device = bench.guest.device
    probe = bench.blk.probe

    async def early(target: VirtioDevice) -> None:
        await probe(target)
        early_requests.append(await bench.blk.submit_read(0))
        assert bench.model.worker.in_flight == []

    early_requests = []
    bench.blk.probe = early  # type: ignore[method-assign]
    await device.probe(bench.blk, 0)
    return await bench.blk.wait(early_requests[0])
