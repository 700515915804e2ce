"""Finding the device and bringing it up."""

from __future__ import annotations

from pymodel.spec import CapType
from tb.env import Env
from tb.sim_test import sim_test


@sim_test()
async def test_discovery_finds_every_structure(env: Env) -> None:
    """The capability list holds all five virtio structures inside sized BARs, and MSI-X."""
    await env.driver.discover()
    layout = env.driver.pci.layout
    found = {cap.cfg_type for cap in layout.all}
    wanted = {CapType.COMMON, CapType.NOTIFY, CapType.ISR, CapType.DEVICE, CapType.PCI_CFG}
    assert wanted <= found
    for cap in layout.all:
        if cap.cfg_type != CapType.PCI_CFG:
            assert cap.offset + cap.size <= env.driver.pci.function.bars[cap.bar].size
    assert env.driver.pci.interrupts.msix is not None


@sim_test()
async def test_first_sector_read_arrives(env: Env) -> None:
    """A plain driver reads a sector of the medium, whole."""
    blk = await env.driver.start(features=0)
    assert blk.capacity == env.image.sectors
    assert await env.blk.read(7) == env.image.sector(7)


@sim_test(taps=True)
async def test_traffic_arrives_whole(env: Env) -> None:
    """Random reads and writes on all queues, with everything negotiated that is offered."""
    await env.driver.start()
    await env.traffic(requests=40)
