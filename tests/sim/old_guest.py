"""What the tests of the legacy interface share: a legacy driver on the device, and who touches what."""

from __future__ import annotations

from dataclasses import dataclass

from pymodel.driver.blk import VirtioBlk
from pymodel.driver.interrupts import InterruptMode
from pymodel.driver.legacy import VirtioPciLegacy
from pymodel.events import DmaRead, DmaWrite
from pymodel.layout import legacy_ring_length
from pymodel.ring.base import Virtqueue
from pymodel.spec import LEGACY_PAGE_SIZE
from tb.env import Env
from tb.guest import EVERYTHING


async def legacy_ops(env: Env, mode: InterruptMode = InterruptMode.PER_QUEUE) -> VirtioPciLegacy:
    """Find the device as a legacy driver does."""
    ops = VirtioPciLegacy(env.transport, mode=mode, style=env.driver.style)
    await ops.enumerate()
    return ops


async def start_legacy(
    env: Env, features: int = EVERYTHING, *, mode: InterruptMode = InterruptMode.PER_QUEUE, queues: int = 0
) -> VirtioBlk:
    """Bring the device up to DRIVER_OK as a legacy driver does; `queues` limits them (0: all)."""
    await env.driver.probe(await legacy_ops(env, mode), features, queues=queues)
    return env.blk


def legacy_bus(env: Env) -> VirtioPciLegacy:
    """The registers that `start_legacy` went through."""
    assert isinstance(env.driver.device.ops, VirtioPciLegacy)
    return env.driver.device.ops


@dataclass(frozen=True, slots=True)
class Block:
    """The memory of one legacy ring."""

    addr: int
    length: int

    def touched_by(self, event: object) -> bool:
        """Whether a device's access lies in it."""
        return isinstance(event, DmaRead | DmaWrite) and self.addr <= event.addr < self.addr + self.length


def block_of(queue: Virtqueue) -> Block:
    """Where a legacy queue's ring lies: what the driver computes from the queue's size alone."""
    return Block(queue.addresses[0], legacy_ring_length(queue.size, LEGACY_PAGE_SIZE))
