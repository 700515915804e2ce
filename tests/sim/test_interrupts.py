"""MSI-X masks and pending bits, INTx and ISR status, configuration change."""

from __future__ import annotations

from pymodel.driver.interrupts import InterruptMode
from pymodel.events import Intx, Msix
from pymodel.spec import MSIX_CONTROL, PciCommand
from tb.env import Env
from tb.guest import EVERYTHING
from tb.sim_test import Skip, sim_test


async def used_silently(env: Env) -> None:
    """Wait until queue 0 has a used buffer, without taking an interrupt."""
    queue = env.driver.device.queues[0]
    for _ in range(200):
        if queue.used_pending():
            return
        await env.delay(200)
    raise AssertionError("the buffer was not used within 40 us")


async def start_on_line(env: Env, features: int = EVERYTHING) -> None:
    """Bring the device up on INTx; raises Skip where the function has no interrupt pin."""
    await env.driver.discover()
    if not await env.driver.pci.function.register("interrupt_pin"):
        raise Skip("the function has no interrupt pin")
    await env.driver.start(features, mode=InterruptMode.INTX)


@sim_test(device=None)
async def test_masked_vector_is_held_and_sent_upon_unmasking(env: Env) -> None:
    """A masked vector sets its pending bit and sends nothing; unmasking sends it once."""
    await env.driver.start()
    interrupts = env.driver.pci.interrupts
    msix = interrupts.msix
    if msix is None or interrupts.active is not InterruptMode.PER_QUEUE:
        raise Skip("the device has no vector for each queue")
    vector = interrupts.queue_vectors[0]
    await msix.mask(vector, masked=True)
    unit = await env.begin()
    await used_silently(env)
    assert await env.transport.wait_interrupt(5_000) is None
    was_pending = await msix.pending(vector)
    await msix.mask(vector, masked=False)
    await unit.settle()
    assert was_pending
    assert not await msix.pending(vector)


@sim_test(device=None)
async def test_function_mask_holds_every_vector(env: Env) -> None:
    """The function mask in MSI-X control holds messages back, and lets them go when it falls."""
    await env.driver.start()
    msix = env.driver.pci.interrupts.msix
    if msix is None or not msix.enabled:
        raise Skip("the device has no MSI-X")
    await msix.control(enable=True, masked=True)
    unit = await env.begin()
    await used_silently(env)
    assert await env.transport.wait_interrupt(5_000) is None
    await msix.control(enable=True, masked=False)
    await unit.settle()


@sim_test(device=None)
async def test_intx_falls_when_isr_is_read(env: Env) -> None:
    """Without MSI-X the line rises for a used buffer, and reading ISR status clears it and the line."""
    await start_on_line(env)
    await (await env.begin()).settle()
    levels = [event.level for event in env.log if isinstance(event, Intx)]
    assert levels[:2] == [1, 0]
    assert not any(isinstance(event, Msix) for event in env.log)
    assert await env.driver.pci.read_isr() == 0


@sim_test(device=None)
async def test_reset_takes_intx_back(env: Env) -> None:
    """An INTx that nobody served is gone after a reset, and works in the next session."""
    await start_on_line(env)
    await env.begin()
    await used_silently(env)
    await env.delay(2_000)
    await env.driver.reset()
    levels = [event.level for event in env.log if isinstance(event, Intx)]
    await env.driver.start(mode=InterruptMode.INTX)
    await env.units()
    assert levels == [1, 0]


@sim_test(device=None)
async def test_reset_leaves_msix_alone(env: Env) -> None:
    """A reset of the virtio device changes neither the MSI-X capability nor the table: they are PCI's."""
    await env.driver.start()
    msix, function = env.driver.pci.interrupts.msix, env.driver.pci.function
    if msix is None or not msix.enabled:
        raise Skip("the device has no MSI-X")
    bar, base = msix.table

    async def look() -> list[int]:
        words = [await function.bar_read(bar, base + 4 * n, 4) for n in range(8)]
        return [await function.config_read(msix.position + MSIX_CONTROL, 2), *words]

    before = await look()
    await env.driver.pci.reset()
    assert await look() == before


@sim_test(device=None)
async def test_one_vector_serves_all(env: Env) -> None:
    """All queues and the configuration on one vector: traffic loses no interrupt."""
    await env.driver.start(mode=InterruptMode.SINGLE)
    await env.traffic(requests=20)


@sim_test(device=None)
async def test_polling_driver_gets_no_interrupt(env: Env) -> None:
    """With no vector mapped and INTx off the device stays silent, and the used ring tells all."""
    await env.driver.start(mode=InterruptMode.POLL)
    await env.traffic(requests=20)
    assert not any(isinstance(event, Intx | Msix) for event in env.log)


@sim_test()
async def test_capacity_change_is_announced(env: Env) -> None:
    """A grown medium raises the configuration interrupt, and the new sectors can be read."""
    await env.driver.start()
    blk = env.blk
    before = await env.driver.pci.generation()
    env.resize(env.image.sectors + 64)
    await blk.requests.wait_until(lambda: blk.capacity == env.image.sectors, "no configuration change")
    assert await env.driver.pci.generation() != before
    assert await blk.read(env.image.sectors - 1) == bytes(512)


@sim_test()
async def test_capacity_change_waits_for_bus_mastering(env: Env) -> None:
    """With Bus Master Enable off a configuration change sends no message; once on, it is announced."""
    await env.driver.start()
    blk = env.blk
    function = env.driver.pci.function
    await function.command(clear=PciCommand.BUS_MASTER)
    start = len(env.log)
    env.resize(env.image.sectors + 8)
    await env.delay(5_000)
    assert not any(isinstance(event, Msix) for event in env.log[start:])
    await function.command(enable=PciCommand.BUS_MASTER)
    await blk.requests.wait_until(lambda: blk.capacity == env.image.sectors, "no configuration change")


@sim_test()
async def test_isr_shows_both_causes_at_once(env: Env) -> None:
    """A used buffer and a configuration change behind one INTx: both are served."""
    await env.driver.start(mode=InterruptMode.INTX)
    blk = env.blk
    request = await blk.submit_read(5)
    await used_silently(env)
    env.resize(env.image.sectors + 8)
    await env.delay(2_000)
    assert await blk.wait(request) == env.image.sector(5)
    await blk.requests.wait_until(lambda: blk.capacity == env.image.sectors, "no configuration change")
