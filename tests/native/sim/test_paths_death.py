"""What a simulator leaves behind that is killed in mid-run; run by tests/native/test_paths.py."""

from __future__ import annotations

import os
import signal

from tb.env import Env
from tb.sim_test import sim_test


@sim_test(timeout_us=50_000, targets=("rtl",))
async def test_killed_in_mid_run(env: Env) -> None:
    """Enough traffic for several flushes of the trace, then the process kills itself."""
    await env.driver.start(queues=1)
    await env.traffic(requests=60, most=4)
    os.kill(os.getpid(), signal.SIGKILL)


@sim_test(targets=("rtl",))
async def test_behind_it(env: Env) -> None:
    """The test behind the dead one still runs."""
    await env.driver.start(queues=1)
    await env.traffic(requests=1)
