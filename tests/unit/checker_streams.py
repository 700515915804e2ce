"""Clean streams for the checker: what guest driver and device model say to each other, and scripted ones."""

from __future__ import annotations

from functools import cache

from pymodel.checker import Checker, Results
from pymodel.device.config import DeviceConfig
from pymodel.driver.interrupts import InterruptMode
from pymodel.events import Event, Mark
from pymodel.spec import Feature, feature_mask
from pymodel.transport import run_now
from pymodel.vtrace import Header
from tests.unit.model import Bench

BLK = (1 << 24) - 1
SILENCE = 1_000_000_000


def judge(events: list[Event]) -> Results:
    """Run the checker over a whole stream of the model."""
    checker = Checker(Header(source="model"))
    for event in events:
        checker.observe(event)
    checker.observe(Mark(t=events[-1].t + SILENCE, text="end"))
    return checker.finish()


async def _traffic(bench: Bench) -> None:
    for number in range(12):
        await bench.blk.write(number, bytes([number]) * 512)
        await bench.blk.read(number, 2)
    requests = [await bench.blk.submit_read(sector) for sector in range(6)]
    await bench.blk.wait_all(requests)
    await bench.blk.flush()


async def _sessions(bench: Bench, features: int) -> None:
    await bench.guest.start(BLK | features)
    await _traffic(bench)
    if features >> Feature.RING_RESET & 1:
        await bench.blk.restart_queue(0, 4)
        await _traffic(bench)
    if features >> Feature.SUSPEND & 1:
        await bench.guest.device.suspend()
        await bench.guest.device.resume()
        await _traffic(bench)
    await bench.guest.reset()
    await bench.guest.start(BLK | features)
    await _traffic(bench)


FEATURES = {
    "split": 0,
    "split-all": feature_mask(28, 29, 38, 40, 43),
    "split-order": feature_mask(28, 35, 39),
    "packed": feature_mask(34),
    "packed-all": feature_mask(28, 29, 34, 38, 39, 40, 43),
    "packed-order": feature_mask(28, 34, 35, 38),
}
LAGGING = ("split-all", "packed-all", "packed-order")


@cache
def model_stream(
    name: str, mode: InterruptMode = InterruptMode.PER_QUEUE, seed: int | None = None
) -> list[Event]:
    """Return two sessions of traffic with a feature set of the table."""
    config = DeviceConfig(max_queue_size=16, lag=0 if seed is None else 3, seed=seed or 0)
    bench = Bench(config, mode=mode, seed=seed, window=seed == 7)
    run_now(_sessions(bench, FEATURES[name]))
    return bench.events
