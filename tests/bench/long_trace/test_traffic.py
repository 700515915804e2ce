"""What a typical trace holds: block traffic on both ring formats, on several queues, with interrupts."""

from __future__ import annotations

from pymodel.spec import Feature, feature_mask
from tb.env import Env
from tb.sim_test import sim_test


@sim_test(timeout_us=100_000, stress="calm", targets=("rtl",))
async def test_reads_and_writes_on_both_rings(env: Env) -> None:
    """2500 random reads and writes of 1 to 8 sectors in each of three sessions, two queues each."""
    for names in ((), ("INDIRECT_DESC", "EVENT_IDX"), ("RING_PACKED", "EVENT_IDX")):
        features = sum(feature_mask(Feature[name]) for name in names)
        await env.driver.start(features=features, queues=2)
        await env.traffic(2500, depth=24)
        await env.driver.reset()
