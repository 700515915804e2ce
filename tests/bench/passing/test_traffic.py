"""A test that passes, for what it costs to be ready for its failure."""

from __future__ import annotations

from tb.env import Env
from tb.sim_test import sim_test


@sim_test(timeout_us=100_000, stress="calm", targets=("rtl",))
async def test_traffic(env: Env) -> None:
    """1000 random reads and writes."""
    await env.driver.start(queues=2)
    await env.traffic(1000, depth=24)
