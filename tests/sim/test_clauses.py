"""What ordinary traffic never does, but a judged clause speaks of: each test names the clauses it is for."""

from __future__ import annotations

from pymodel.layout import SplitDesc
from pymodel.ring.split import SplitQueue
from pymodel.spec import (
    AVAIL_F_NO_INTERRUPT,
    BLK_CFG,
    CAP_FIELDS,
    CAP_PCI_CFG_DATA,
    COMMON_CFG,
    NO_VECTOR,
    PCI_CFG,
    Feature,
    IsrBit,
    PciStatus,
    Status,
    feature_mask,
)
from tb.env import Env
from tb.sim_test import Skip, sim_test
from tests.sim.hostile import INDIRECT, WAIT_NS, WRITE, needs_reset, start_hostile, window_of
from tests.sim.malformed_rings import LOOP, loop_of_one, split_request
from tests.sim.test_interrupts import start_on_line, used_silently

CAPACITY = BLK_CFG["capacity"]


async def grown(env: Env) -> int:
    """Grow the medium, wait until the device shows it, and return the capacity that it shows."""
    env.resize(env.image.sectors + 8)
    await env.delay(2_000)
    return await env.driver.pci.get_config(CAPACITY.offset, 4)


@sim_test()
async def test_configuration_reads_before_features_ok(env: Env) -> None:
    """DEV-CFG-001: device configuration reads as ever while the driver still chooses features."""
    await env.driver.discover()
    device, pci = env.driver.device, env.driver.pci
    await device.register()
    await device.add_status(Status.DRIVER)
    assert await pci.get_config(CAPACITY.offset, 4) == env.image.sectors
    await env.driver.start()
    assert await pci.get_config(CAPACITY.offset, 4) == env.image.sectors


@sim_test()
async def test_configuration_message_comes_with_its_isr_bit(env: Env) -> None:
    """DEV-PCI-041: behind the message of a configuration change ISR has bit 1."""
    await env.driver.start()
    env.resize(env.image.sectors + 8)
    causes = await env.driver.pci.wait_interrupt(WAIT_NS)
    assert causes is not None
    assert causes.config
    assert await env.driver.pci.read_isr() & IsrBit.CONFIG


@sim_test(device=None)
async def test_unmapped_vectors_read_back(env: Env) -> None:
    """DEV-PCI-062: NO_VECTOR takes the place of a vector, for the configuration and for a queue."""
    await env.driver.start(features=0)
    pci = env.driver.pci
    if pci.interrupts.msix is None:
        raise Skip("the device has no MSI-X")
    await pci.write_common("queue_select", 0)
    for register in ("config_msix_vector", "queue_msix_vector"):
        await pci.write_common(register, NO_VECTOR)
        assert await pci.read_common(register) == NO_VECTOR


@sim_test(device=None)
async def test_message_of_a_device_that_gives_up_comes_with_its_isr_bit(env: Env) -> None:
    """DEV-PCI-041: behind the configuration message of DEVICE_NEEDS_RESET ISR has bit 1."""
    with env.expect(*LOOP):
        hostile = await start_hostile(env, 0)
        await loop_of_one(hostile)
        if not await needs_reset(env):
            raise Skip("the device takes a loop without DEVICE_NEEDS_RESET")
        assert env.driver.pci.interrupts.msix is None or await env.driver.pci.read_isr() & IsrBit.CONFIG
    await env.driver.reset()


@sim_test(device=None)
async def test_pci_status_shows_the_pending_line(env: Env) -> None:
    """DEV-PCI-043: without MSI-X the interrupt bit of PCI Status follows ISR."""
    await start_on_line(env)
    unit = await env.begin()
    await used_silently(env)
    assert await env.transport.wait_interrupt(WAIT_NS) is not None
    field = PCI_CFG["status"]
    await env.delay(100)
    assert await env.transport.config_read(field.offset, field.width) & PciStatus.INTERRUPT
    assert await env.driver.pci.read_isr() & IsrBit.QUEUE
    await env.delay(100)
    assert not await env.transport.config_read(field.offset, field.width) & PciStatus.INTERRUPT
    # This test took the interrupt of the first request; that of a second one serves both.
    await (await env.begin()).settle()
    await unit.settle()


@sim_test()
async def test_unmapped_configuration_is_silent(env: Env) -> None:
    """DEV-NOTIF-002, DEV-PCI-062: with NO_VECTOR a configuration change raises nothing."""
    await env.driver.start()
    pci = env.driver.pci
    await pci.write_common("config_msix_vector", NO_VECTOR)
    assert await pci.read_common("config_msix_vector") == NO_VECTOR
    assert await pci.get_config(CAPACITY.offset, 4) == env.image.sectors
    assert await grown(env) == env.image.sectors
    assert await env.transport.wait_interrupt(5_000) is None


@sim_test(device=None)
async def test_write_flag_of_an_indirect_descriptor_is_ignored(env: Env) -> None:
    """DEV-SPLIT-007: WRITE beside INDIRECT means nothing; the table is only read."""
    await env.driver.demand(feature_mask(Feature.INDIRECT_DESC))
    hostile = await start_hostile(env, feature_mask(Feature.INDIRECT_DESC))
    table, length = hostile.table(*split_request(hostile))
    await hostile.offer_split(SplitDesc(table, length, INDIRECT | WRITE, 0))
    assert await env.driver.pci.wait_interrupt(WAIT_NS) is not None
    assert hostile.was_used
    assert hostile.was_served
    hostile.untouched()


@sim_test(device=None)
async def test_window_writes_one_register_alone(env: Env) -> None:
    """DEV-PCI-054: a write through the window reaches its register and none beside it."""
    await env.driver.start()
    pci, window = env.driver.pci, window_of(env)
    common, field = pci.layout.common, COMMON_CFG["queue_select"]
    names = ("device_feature_select", "driver_feature_select", "num_queues", "config_msix_vector")
    before = [await pci.read_common(name) for name in names]
    place = (("bar", common.bar), ("length", field.width), ("offset", common.offset + field.offset))
    for name, value in place:
        cap = CAP_FIELDS[name]
        await env.transport.config_write(window + cap.offset, cap.width, value)
    await env.transport.config_write(window + CAP_PCI_CFG_DATA, field.width, 1)
    assert await pci.read_common("queue_select") == 1
    assert [await pci.read_common(name) for name in names] == before


@sim_test(device=None)
async def test_queue_reset_reads_zero_once_enabled(env: Env) -> None:
    """DEV-PCI-021: queue_reset of an enabled queue reads 0."""
    await env.driver.demand(feature_mask(Feature.RING_RESET))
    await env.driver.start(features=feature_mask(Feature.RING_RESET))
    await env.driver.pci.write_common("queue_select", 0)
    assert await env.driver.pci.read_common("queue_enable") == 1
    assert await env.driver.pci.read_common("queue_reset") == 0


@sim_test(device=None)
async def test_used_event_means_nothing_without_its_feature(env: Env) -> None:
    """DEV-SPLIT-009: what stands behind the available ring changes no interrupt."""
    await env.driver.start(features=0, queues=1)
    queue = env.driver.device.queues[0]
    assert isinstance(queue, SplitQueue)
    for value in (0x7FFF, 0xFFFF, 1):
        env.memory.write_int(queue.ring.used_event, 2, value)
        await env.traffic(requests=6)


@sim_test(device=None)
async def test_interrupt_flag_means_nothing_with_event_index(env: Env) -> None:
    """DEV-SPLIT-012: with EVENT_IDX a driver that sets avail.flags still gets its interrupts."""
    await env.driver.demand(feature_mask(Feature.EVENT_IDX))
    await env.driver.start(features=feature_mask(Feature.EVENT_IDX), queues=1)
    queue = env.driver.device.queues[0]
    assert isinstance(queue, SplitQueue)
    with env.expect("DRV-SPLIT-014"):
        env.memory.write_int(queue.ring.avail_flags, 2, AVAIL_F_NO_INTERRUPT)
        await env.units(4)
        env.memory.write_int(queue.ring.avail_flags, 2, 0)


@sim_test(device=None)
async def test_suspension_of_an_uninitialized_device_is_ignored(env: Env) -> None:
    """DEV-SUSP-001: SUSPEND before DRIVER_OK does not show, and the bring-up goes on."""
    await env.driver.discover()
    device = env.driver.device
    suspend = feature_mask(Feature.SUSPEND) & await env.driver.offered()
    await device.register()
    with env.expect("DRV-SUSP-001"):
        await env.driver.pci.set_status(Status.ACKNOWLEDGE | Status.SUSPEND)
        assert not await env.driver.pci.get_status() & Status.SUSPEND
    await env.driver.start(features=suspend)
    await env.units()


@sim_test()
async def test_configuration_stands_still_while_suspended(env: Env) -> None:
    """DEV-SUSP-005, DEV-SUSP-002, DRV-INIT-006: reads repeat, a write changes nothing."""
    await env.driver.start(features=feature_mask(Feature.SUSPEND))
    pci = env.driver.pci
    before = await pci.get_config(CAPACITY.offset, 4)
    await env.driver.device.suspend()
    for _ in range(2):
        assert await pci.get_config(CAPACITY.offset, 4) == before
    with env.expect("DRV-SUSP-005"):
        await pci.set_config(CAPACITY.offset, 4, before ^ 0xFF)
    assert await pci.get_config(CAPACITY.offset, 4) == before
    await env.driver.device.resume()
    assert await pci.get_config(CAPACITY.offset, 4) == before


@sim_test(device=None)
async def test_sr_iov_is_not_offered_without_its_capability(env: Env) -> None:
    """DEV-RSVD-010: extended configuration space has no SR-IOV, and the offer lacks the bit."""
    await env.driver.discover()
    assert await env.transport.config_read(0x100, 4) & 0xFFFF != 0x10
    await env.driver.start()
    assert not env.driver.device.offered >> Feature.SR_IOV & 1
