import pytest

from pymodel.device.blk import BlkBackend
from pymodel.device.config import DeviceConfig
from pymodel.device.entropy import EntropyBackend
from pymodel.device.transport import ModelTransport
from pymodel.driver import errors
from pymodel.driver.blk import BlkError
from pymodel.driver.core import VirtioDevice
from pymodel.driver.entropy import VirtioEntropy
from pymodel.driver.guest import Guest
from pymodel.events import BarWrite, DmaRead, DmaWrite, MemWrite, Msix
from pymodel.ring.base import Element
from pymodel.spec import BLK_CFG, BlkRequest, BlkStatus, Feature, Status, feature_mask
from pymodel.transport import run_now
from tests.unit.model import Bench, image

PACKED = feature_mask(Feature.RING_PACKED)
INDIRECT = feature_mask(Feature.INDIRECT_DESC)
RESET = feature_mask(Feature.RING_RESET)
SUSPEND = feature_mask(Feature.SUSPEND)
NOWHERE = 0x7000_0000_0000


@pytest.mark.parametrize("ring", [0, PACKED])
def test_a_broken_ring_needs_a_reset_which_mends_it(ring: int) -> None:
    bench = Bench()
    blk = run_now(bench.guest.start(ring))
    queue = bench.guest.device.queues[0]
    queue.add_chain([], [Element(NOWHERE, 512), Element(0x100000, 1)])
    run_now(bench.guest.device.kick(queue))
    assert bench.model.status & Status.DEVICE_NEEDS_RESET
    request = run_now(blk.submit_read(0))
    with pytest.raises(errors.DeviceNeedsReset, match="device_status 0x4f"):
        run_now(blk.wait(request))
    blk = run_now(bench.guest.start(ring))
    assert run_now(blk.read(0)) == image()[:512]


def test_a_dma_error_is_an_event_and_needs_a_reset() -> None:
    bench = Bench()
    run_now(bench.guest.start(0))
    queue = bench.guest.device.queues[0]
    queue.add_chain([Element(NOWHERE, 16)], [Element(0x100000, 1)])
    run_now(bench.guest.device.kick(queue))
    failed = [event for event in bench.events if isinstance(event, DmaRead) and event.err]
    assert [event.addr for event in failed] == [NOWHERE]
    assert bench.model.status & Status.DEVICE_NEEDS_RESET


def test_a_host_that_refuses_a_write_stops_the_device() -> None:
    bench = Bench()
    blk = run_now(bench.guest.start(0))
    used = bench.guest.device.queues[0].addresses[2]
    bench.transport.host.refuse(used, used + 7, reads=False)
    run_now(blk.submit_read(0))
    refused = [event for event in bench.events if isinstance(event, DmaWrite) and event.err]
    assert [event.addr for event in refused] == [used + 4]
    assert bench.model.status & Status.DEVICE_NEEDS_RESET
    bench.transport.host.allow()
    assert run_now(run_now(bench.guest.start(0)).read(0)) == image()[:512]


def corrupt(bench: Bench, addr: int, data: bytes) -> str:
    """Damage a split ring of one chain behind the driver's back, ring, and return the device's complaint."""
    run_now(bench.guest.start(INDIRECT))
    queue = bench.guest.device.queues[0]
    queue.add_chain([Element(0x100000, 16)], [Element(0x100100, 1)])
    bench.transport.memory.write(sum(queue.addresses[:1]) + addr, data)
    run_now(bench.guest.device.kick(queue))
    return bench.model.last_error


@pytest.mark.parametrize(
    ("addr", "data", "complaint"),
    [
        (14, b"\x00\x00", "longer than the queue size"),
        (14, b"\x00\x01", "descriptor 256 of 256"),
        (12, b"\x05\x00", "together with NEXT"),
        (12, b"\x03\x00", "0 readable and 17 writable"),
        (28, b"\x04\x00", "indirect table of 1 bytes"),
    ],
)
def test_malformed_split_chains_are_refused(addr: int, data: bytes, complaint: str) -> None:
    bench = Bench(DeviceConfig(max_queue_size=256))
    error = corrupt(bench, addr, data)
    assert bench.model.status & Status.DEVICE_NEEDS_RESET
    assert complaint in error


def test_an_available_index_too_far_ahead_is_refused() -> None:
    bench = Bench()
    run_now(bench.guest.start(0))
    queue = bench.guest.device.queues[0]
    queue.add_chain([Element(0x100000, 16)], [Element(0x100100, 1)])
    queue.publish()
    bench.transport.memory.write_int(queue.addresses[1] + 2, 2, 300)
    run_now(bench.guest.device.notify(queue))
    assert "too far ahead" in bench.model.last_error


def test_errors_of_requests_reach_the_caller() -> None:
    bench = Bench()
    blk = run_now(bench.guest.start())
    request = run_now(blk.submit(BlkRequest.IN, 1 << 40, length=512))
    with pytest.raises(BlkError, match=f"status {BlkStatus.IOERR}"):
        run_now(blk.wait(request))
    request = run_now(blk.submit(BlkRequest.DISCARD, data=bytes(16)))
    with pytest.raises(BlkError, match=f"status {BlkStatus.UNSUPP}"):
        run_now(blk.wait(request))
    with pytest.raises(errors.DriverBug, match="of 64"):
        run_now(blk.read(64))


def test_a_read_only_medium_stays_as_it_is() -> None:
    bench = Bench()
    bench.backend.read_only = True
    blk = run_now(bench.guest.start())
    with pytest.raises(BlkError):
        run_now(blk.write(0, b"\xee" * 512))
    assert bench.backend.medium == image()


@pytest.mark.parametrize("ring", [0, PACKED])
def test_a_queue_is_reset_and_comes_back_smaller(ring: int) -> None:
    bench = Bench(DeviceConfig(lag=5, seed=3, max_queue_size=64), queues=2, judged=True)
    blk = run_now(bench.guest.start(ring | RESET | feature_mask(12)))
    lost = [run_now(blk.submit_read(n)) for n in range(6)]
    other = run_now(blk.submit_read(9, queue=1))
    run_now(blk.restart_queue(0, 8))
    assert all(request.lost or request.done for request in lost)
    assert bench.guest.device.queues[0].size == 8
    assert run_now(blk.read(2)) == image()[1024:1536]
    assert run_now(blk.wait(other)) == image()[9 * 512 : 10 * 512]
    assert bench.verdict() == []


def test_queue_reset_needs_its_feature() -> None:
    bench = Bench()
    run_now(bench.guest.start(0))
    with pytest.raises(errors.DriverBug, match="RING_RESET"):
        run_now(bench.guest.device.reset_queue(0))


@pytest.mark.parametrize("lag", [0, 6])
@pytest.mark.parametrize("ring", [0, PACKED])
def test_a_suspended_device_is_still_and_wakes_up(ring: int, lag: int) -> None:
    bench = Bench(DeviceConfig(lag=lag, seed=1), judged=True)
    blk = run_now(bench.guest.start(ring | SUSPEND))
    requests = [run_now(blk.submit_read(n)) for n in range(5)]
    run_now(bench.guest.device.suspend())
    bench.events.clear()
    bench.backend.resize(80)
    run_now(bench.transport.delay(1000))
    assert bench.events == []
    with pytest.raises(errors.DriverBug, match="suspended"):
        run_now(blk.submit_read(0))
    run_now(bench.guest.device.resume())
    assert run_now(blk.wait_all(requests)) == [image()[n * 512 : n * 512 + 512] for n in range(5)]
    run_now(blk.requests.wait_until(lambda: blk.capacity == 80, "the notice of the new capacity"))
    assert run_now(blk.read(70)) == bytes(512)
    assert bench.verdict() == []


def test_suspend_needs_its_feature() -> None:
    bench = Bench()
    run_now(bench.guest.start(0))
    with pytest.raises(errors.DriverBug, match="SUSPEND"):
        run_now(bench.guest.device.suspend())


def test_configuration_writes_reach_the_back_end() -> None:
    bench = Bench()
    run_now(bench.guest.start())
    assert bench.backend.writeback == 1
    run_now(bench.guest.device.write_config(BLK_CFG["writeback"], 0))
    assert bench.backend.writeback == 0


def test_events_tell_cause_before_effect() -> None:
    bench = Bench()
    blk = run_now(bench.guest.start(0))
    bench.events.clear()
    run_now(blk.submit_read(0))
    kinds = [type(event) for event in bench.events]
    order = [kinds.index(kind) for kind in (MemWrite, BarWrite, DmaRead, DmaWrite, Msix)]
    assert order == sorted(order)
    assert [event.t for event in bench.events] == sorted(event.t for event in bench.events)
    queue = bench.guest.device.queues[0]
    writes = [event.addr for event in bench.events if isinstance(event, DmaWrite)]
    assert writes[-2:] == [queue.addresses[2] + 4, queue.addresses[2] + 2]


def test_a_device_that_may_not_master_the_bus_waits() -> None:
    bench = Bench()
    blk = run_now(bench.guest.start(0))
    run_now(bench.guest.pci.function.command(clear=4))
    request = run_now(blk.submit_read(0))
    assert not [event for event in bench.events if isinstance(event, DmaRead)]
    run_now(bench.guest.pci.function.command(enable=4))
    assert run_now(blk.wait(request)) == image()[:512]


@pytest.mark.parametrize("most", [None, 3])
def test_entropy_comes_in_pieces_as_the_device_likes(most: int | None) -> None:
    guest = Guest(ModelTransport(EntropyBackend(7, most)), VirtioEntropy())
    rng = run_now(guest.start())
    data = run_now(rng.read(32))
    assert len(data) == 32
    assert len(set(data)) > 16


def test_lag_lets_requests_overtake() -> None:
    bench = Bench(DeviceConfig(lag=20, seed=1))
    blk = run_now(bench.guest.start(0))
    requests = [run_now(blk.submit_read(n)) for n in range(8)]
    run_now(blk.wait(requests[-1]))
    assert not all(request.done for request in requests)


def test_the_medium_grows_with_zeroes() -> None:
    backend = BlkBackend(bytearray(b"\x01" * 1024))
    backend.resize(3)
    assert backend.medium == b"\x01" * 1024 + bytes(512)
    backend.resize(1)
    assert backend.capacity == 1


def test_the_core_refuses_to_drive_an_unfound_function() -> None:
    bench = Bench()
    with pytest.raises(errors.DriverBug, match="not enumerated"):
        run_now(VirtioDevice(bench.guest.pci).register())
