from itertools import product

import pytest

from pymodel.device.config import DeviceConfig
from pymodel.driver.interrupts import InterruptMode
from pymodel.spec import Feature, feature_mask
from pymodel.transport import run_now
from tests.unit.model import Bench, image

RINGS = (
    Feature.INDIRECT_DESC,
    Feature.EVENT_IDX,
    Feature.RING_PACKED,
    Feature.IN_ORDER,
    Feature.NOTIFICATION_DATA,
    Feature.NOTIF_CONFIG_DATA,
)
BLK = (1 << 24) - 1


@pytest.mark.parametrize("mode", list(InterruptMode))
def test_sectors_travel_in_every_interrupt_mode(mode: InterruptMode) -> None:
    async def run() -> None:
        bench = Bench(mode=mode)
        blk = await bench.guest.start(BLK)
        assert bench.guest.pci.interrupts.active is mode
        assert await blk.read(7) == image()[7 * 512 : 8 * 512]
        await blk.write(3, b"\x5a" * 1024)
        assert await blk.read(2, 4) == image()[1024:1536] + b"\x5a" * 1024 + image()[2560:3072]
        await blk.flush()
        assert bench.backend.flushes == 1
        assert await blk.get_id() == "virtio-cosim"

    run_now(run())


async def traffic(bench: Bench, requests: int) -> None:
    """Reads and writes in flight together, on all queues; the medium is the judge."""
    blk, reads = bench.blk, []
    for number in range(requests):
        queue = number % blk.queue_count
        if number % 32 == 0:
            await blk.requests.drain()
        reads.append((number % 32, await blk.submit_read(number % 32, queue=queue)))
        await blk.submit_write(32 + number % 32, bytes([number & 255]) * 512, queue=queue)
    for sector, request in reads:
        assert await blk.wait(request) == image()[sector * 512 : sector * 512 + 512]
    await blk.requests.drain()
    for number in range(max(0, requests - 32), requests):
        assert await blk.read(32 + number % 32) == bytes([number & 255]) * 512


@pytest.mark.parametrize("choice", list(product((0, 1), repeat=len(RINGS))))
def test_traffic_with_every_ring_feature_set(choice: tuple[int, ...]) -> None:
    features = feature_mask(*(bit for bit, on in zip(RINGS, choice, strict=True) if on))
    bench = Bench(DeviceConfig(max_queue_size=8))
    run_now(bench.guest.start(BLK | features))
    assert bench.guest.device.features >> 28 == (features | 1 << 32) >> 28
    run_now(traffic(bench, 12))


@pytest.mark.parametrize("seed", range(0, 24, 2))
def test_traffic_with_random_framing_and_a_lagging_device(seed: int) -> None:
    chosen = feature_mask(*(bit for n, bit in enumerate(RINGS) if (seed * 5 + 1) >> n & 1))
    config = DeviceConfig(max_queue_size=16, lag=seed % 5, seed=seed)
    bench = Bench(config, seed=seed, queues=1 + seed % 3, judged=True)
    run_now(bench.guest.start(BLK | chosen))
    run_now(traffic(bench, 40))
    assert bench.verdict() == []
