"""The smallest test there is: the device is reset and read once."""

from __future__ import annotations

from pymodel.spec import VENDOR_ID
from tb.env import Env
from tb.sim_test import sim_test


@sim_test(stress="calm")
async def test_vendor_id_is_virtio(env: Env) -> None:
    """Configuration space begins with the vendor's id."""
    assert await env.transport.config_read(0, 2) == VENDOR_ID
