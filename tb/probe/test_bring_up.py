"""The first test of a DUT of another make: can it be brought up at all?"""

from __future__ import annotations

from tb.env import Env
from tb.probe.bring_up import BringUp
from tb.sim_test import sim_test


@sim_test(timeout_us=20_000, stress="calm", device=None, targets=("rtl",))
async def test_device_comes_up(env: Env) -> None:
    """Find the function, negotiate, set a queue up, and see one buffer through to its interrupt."""
    await BringUp(env, int(env.argument) if env.argument else None).run()
