import pytest

from pymodel.device.config import DeviceConfig
from pymodel.driver import errors
from pymodel.driver.config_ops import Causes
from pymodel.driver.interrupts import InterruptMode
from pymodel.driver.msix import Msix
from pymodel.events import Intx, MemWrite
from pymodel.events import Msix as MsixEvent
from pymodel.spec import NO_VECTOR, Feature, IsrBit, feature_mask
from pymodel.transport import run_now
from tests.unit.model import Bench, image


def msix_of(bench: Bench) -> Msix:
    msix = bench.guest.pci.interrupts.msix
    assert msix is not None
    return msix


@pytest.mark.parametrize(
    ("vectors", "mode"),
    [
        (9, InterruptMode.PER_QUEUE),
        (3, InterruptMode.SHARED),
        (2, InterruptMode.SHARED),
        (1, InterruptMode.SINGLE),
        (0, InterruptMode.INTX),
    ],
)
def test_the_mode_follows_the_size_of_the_vector_table(vectors: int, mode: InterruptMode) -> None:
    bench = Bench(DeviceConfig(vectors=vectors), queues=3)
    blk = run_now(bench.guest.start())
    assert bench.guest.pci.interrupts.active is mode
    assert run_now(blk.read(0, queue=2)) == image()[:512]


def test_each_queue_has_its_vector_and_all_are_read_back() -> None:
    bench = Bench(queues=3)
    run_now(bench.guest.start())
    accesses = bench.common("config_msix_vector", "queue_msix_vector")
    assert [(verb, value) for verb, _, value in accesses] == [
        (verb, value) for value in range(4) for verb in "wr"
    ]


def test_a_refused_vector_is_reported() -> None:
    bench = Bench()
    bench.model.common._vector = lambda value: NO_VECTOR  # type: ignore[method-assign]
    with pytest.raises(errors.VectorRefused, match="config_msix_vector reads 0xffff"):
        run_now(bench.guest.start())


@pytest.mark.parametrize("mode", [InterruptMode.PER_QUEUE, InterruptMode.SINGLE, InterruptMode.INTX])
def test_a_new_capacity_is_read_after_the_notice(mode: InterruptMode) -> None:
    bench = Bench(mode=mode)
    blk = run_now(bench.guest.start())
    bench.backend.resize(100)
    bench.model.update_lines()
    causes = run_now(bench.guest.pci.wait_interrupt(1000))
    assert causes is not None
    assert causes.config
    run_now(blk.requests.handle(causes))
    assert blk.capacity == 100


def test_a_masked_vector_waits_with_its_pending_bit() -> None:
    bench = Bench()
    blk = run_now(bench.guest.start())
    msix = msix_of(bench)
    run_now(msix.mask(1, masked=True))
    request = run_now(blk.submit_read(0))
    assert run_now(msix.pending(1))
    assert run_now(bench.guest.pci.wait_interrupt(1000)) is None
    run_now(msix.mask(1, masked=False))
    assert not run_now(msix.pending(1))
    assert run_now(blk.wait(request)) == image()[:512]


def test_the_function_mask_holds_all_vectors_back() -> None:
    bench = Bench()
    blk = run_now(bench.guest.start())
    run_now(msix_of(bench).control(enable=True, masked=True))
    request = run_now(blk.submit_read(0))
    assert not bench.of(MsixEvent)
    run_now(msix_of(bench).control(enable=True, masked=False))
    assert run_now(blk.wait(request)) == image()[:512]


def test_a_used_buffer_without_its_interrupt_is_reported() -> None:
    bench = Bench()
    blk = run_now(bench.guest.start())
    bench.model.common.banks[0].vector = NO_VECTOR
    with pytest.raises(errors.InterruptMissing, match="1 were used silently"):
        run_now(blk.read(0))


def test_a_request_that_is_never_done_is_reported_with_the_last_accesses() -> None:
    bench = Bench()
    blk = run_now(bench.guest.start(0))
    bench.model.doorbell = lambda value: None  # type: ignore[method-assign]
    with pytest.raises(errors.RequestTimeout, match=r"operation: a request on queue 0 .*bar_wr 2:0x4000/2"):
        run_now(blk.read(0))


def test_a_foreign_message_is_reported() -> None:
    bench = Bench()
    run_now(bench.guest.start())
    bench.transport.host.send(0xFEE0_0000, 0x999)
    with pytest.raises(errors.ProtocolError, match="nobody programmed"):
        run_now(bench.guest.pci.wait_interrupt(0))


def test_reading_isr_takes_intx_back() -> None:
    bench = Bench(mode=InterruptMode.INTX)
    blk = run_now(bench.guest.start())
    request = run_now(blk.submit_read(0))
    assert bench.transport.host.intx == 1
    assert bench.model.isr == IsrBit.QUEUE
    assert run_now(bench.guest.pci.wait_interrupt(0)) == Causes(frozenset({0}))
    assert [event.level for event in bench.events if isinstance(event, Intx)] == [1, 0]
    assert not request.done


def test_stale_messages_of_an_earlier_session_are_dropped() -> None:
    bench = Bench()
    blk = run_now(bench.guest.start())
    run_now(blk.submit_read(0))
    assert len(bench.transport.host.messages) == 1
    run_now(bench.guest.start())
    assert not bench.transport.host.messages


@pytest.mark.parametrize("ring", [0, feature_mask(Feature.RING_PACKED)])
def test_a_drain_needs_one_interrupt_with_event_idx(ring: int) -> None:
    bench = Bench(DeviceConfig(lag=3, seed=5), seed=0)
    blk = run_now(bench.guest.start(ring | feature_mask(Feature.EVENT_IDX)))
    blk.requests.coalesce = True
    requests = [run_now(blk.submit_read(n, kick=False)) for n in range(8)]
    run_now(blk.requests.kick_all())
    run_now(blk.requests.reap(frozenset({0})))
    bench.transport.host.messages.clear()
    run_now(bench.transport.delay(1))
    assert len(bench.transport.host.messages) == 1
    run_now(blk.wait_all(requests))


def test_stores_of_the_driver_are_events() -> None:
    bench = Bench()
    run_now(bench.guest.start())
    assert bench.of(MemWrite)
