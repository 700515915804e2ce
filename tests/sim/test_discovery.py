"""Finding the device and bringing it up."""

from __future__ import annotations

from pymodel.spec import CapType, DeviceType
from tb.env import Env
from tb.sim_test import Skip, sim_test

WITHOUT_CONFIGURATION = (DeviceType.ENTROPY,)
"""Device types without a device-specific configuration (virtio 1.4, 5.4.4) need no structure for it."""


@sim_test(device=None)
async def test_discovery_finds_every_structure(env: Env) -> None:
    """The capability list holds every virtio structure that the type needs, inside sized BARs."""
    await env.driver.discover()
    pci = env.driver.pci
    found = {cap.cfg_type for cap in pci.layout.all}
    wanted = {CapType.COMMON, CapType.NOTIFY, CapType.ISR, CapType.PCI_CFG}
    if pci.device_type not in WITHOUT_CONFIGURATION:
        wanted.add(CapType.DEVICE)
    assert wanted <= found
    for cap in pci.layout.all:
        if cap.cfg_type != CapType.PCI_CFG:
            assert cap.offset + cap.size <= pci.function.bars[cap.bar].size


@sim_test(device=None)
async def test_discovery_finds_msix(env: Env) -> None:
    """The MSI-X table has vectors enough for the configuration and a queue, inside a sized BAR."""
    await env.driver.discover()
    msix = env.driver.pci.interrupts.msix
    if msix is None:
        raise Skip("the function has no MSI-X")
    assert msix.size >= 2
    bar, offset = msix.table
    assert offset + 16 * msix.size <= env.driver.pci.function.bars[bar].size


@sim_test()
async def test_first_sector_read_arrives(env: Env) -> None:
    """A plain driver reads a sector of the medium, whole."""
    await env.driver.start(features=0)
    assert env.blk.capacity == env.image.sectors
    assert await env.blk.read(7) == env.image.sector(7)


@sim_test(device=None)
async def test_first_unit_of_work_is_done(env: Env) -> None:
    """A plain driver gets done what the device is for."""
    await env.driver.start(features=0)
    await env.units(2)


@sim_test(taps=True, device=None)
async def test_traffic_arrives_whole(env: Env) -> None:
    """Random work on all queues, with everything negotiated that is offered."""
    await env.driver.start()
    await env.traffic(requests=40)
