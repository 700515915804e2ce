"""Linux's own ring code drives the device under test, in every ring shape that both know."""

from __future__ import annotations

from pymodel.driver.core import VirtioDevice
from pymodel.driver.interrupts import InterruptMode
from pymodel.spec import Feature, feature_mask
from tb.env import Env
from tb.sim_test import Skip, sim_test
from tests.peers.linux_ring.kernel import KernelMissing, library
from tests.peers.linux_ring.queue import LinuxPci, LinuxQueue


async def work(env: Env, *features: Feature, mode: InterruptMode = InterruptMode.PER_QUEUE) -> None:
    """Two sessions of random traffic over Linux's rings."""
    try:
        library()
    except KernelMissing as missing:
        raise Skip(str(missing)) from missing
    guest = env.driver
    guest.pci = LinuxPci(env.transport, style=guest.pci.style)
    guest.device = VirtioDevice(guest.pci)
    for _ in range(2):
        await guest.start(feature_mask(*features), mode=mode, queue_size=64)
        assert isinstance(guest.device.queues[0], LinuxQueue)
        await env.traffic(60)
        await guest.reset()


@sim_test(timeout_us=4000)
async def test_linux_split(env: Env) -> None:
    """A split ring, direct chains."""
    await work(env)


@sim_test(timeout_us=4000)
async def test_linux_split_with_everything(env: Env) -> None:
    """Indirect tables and event indexes."""
    await work(env, Feature.INDIRECT_DESC, Feature.EVENT_IDX)


@sim_test(timeout_us=4000)
async def test_linux_split_on_intx(env: Env) -> None:
    """Event indexes with a level interrupt."""
    await work(env, Feature.EVENT_IDX, mode=InterruptMode.INTX)


@sim_test(timeout_us=4000)
async def test_linux_packed(env: Env) -> None:
    """A packed ring, direct lists."""
    await work(env, Feature.RING_PACKED)


@sim_test(timeout_us=4000)
async def test_linux_packed_with_everything(env: Env) -> None:
    """Indirect tables and event suppression in a packed ring."""
    await work(env, Feature.RING_PACKED, Feature.INDIRECT_DESC, Feature.EVENT_IDX)
