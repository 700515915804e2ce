"""lguest's bus: the descriptor page in both its layouts, the notify hypercall, reset by notification."""

from __future__ import annotations

import pytest

from pymodel import lguest
from pymodel.device.lguest import TOP
from pymodel.driver import errors
from pymodel.driver.lguest import LguestOps
from pymodel.events import BarWrite, DmaRead, DmaWrite, Msix
from pymodel.lguest import LguestLayout
from pymodel.spec import BlkFeature, Feature, Status, feature_mask
from tb.env import Env
from tb.sim_test import sim_test
from tests.sim.launcher import Machine, boot

QUIET_NS = 5_000
POISON = b"\xa5"


def statuses(env: Env, machine: Machine, since: int = 0) -> list[int]:
    """What the guest stored into the status byte."""
    stores = [event for event in env.log[since:] if isinstance(event, BarWrite) and event.bar == 0]
    return [event.data[0] for event in stores if event.addr == machine.at.status]


async def both(env: Env) -> list[Machine]:
    """A machine of each layout, one after the other on the same device."""
    return [Machine(env, layout) for layout in LguestLayout]


@sim_test(interface="lguest")
async def test_the_page_is_scanned_up_to_type_zero(env: Env) -> None:
    """One block device with its queue, ring pages above the page, and a list that ends."""
    for layout in LguestLayout:
        machine = await boot(env, layout)
        assert [device.type for device in machine.devices] == [2]
        (queue,) = machine.at.queues
        assert queue.size & (queue.size - 1) == 0
        assert queue.page > TOP // lguest.LGUEST_PAGE
        assert await machine.bus.read(machine.at.end, 1) == b"\0"
        assert machine.at.feature_length == 4
        assert await machine.bus.read(machine.at.status, 1) == b"\0"


@sim_test(interface="lguest")
async def test_headers_have_the_layouts_bytes(env: Env) -> None:
    """First: type, config length, status. Later: type, queues, feature length, config length, status."""
    first = await boot(env, LguestLayout.FIRST)
    header = await first.bus.read(0, 5)
    assert header[0] == 2
    assert header[1] == first.at.end - lguest.LGUEST_FIRST_HEADER
    assert header[3:5] == bytes([lguest.LGUEST_FIELD_VIRTQUEUE, lguest.LGUEST_QUEUE_LENGTH])
    later = await boot(env, LguestLayout.LATER)
    header = await later.bus.read(0, 5)
    assert header == bytes([2, 1, 4, later.at.config_length, 0])
    assert later.at.queues == [lguest.LguestQueue(5, *_place(first))]


def _place(machine: Machine) -> tuple[int, int, int]:
    (queue,) = machine.at.queues
    return queue.size, queue.interrupt, queue.page


@sim_test(interface="lguest", timeout_us=5000)
async def test_traffic_goes_through_the_page(env: Env) -> None:
    """Random requests in both layouts; ACKNOWLEDGE, DRIVER, DRIVER_OK; one interrupt number a queue."""
    for machine in await both(env):
        await machine.boot()
        start = len(env.log)
        await machine.start()
        assert statuses(env, machine, start) == [0x01, 0x03, 0x07]
        await env.traffic(requests=15)
        numbers = {event.data for event in env.log[start:] if isinstance(event, Msix)}
        assert numbers == {machine.at.queues[0].interrupt}
        assert (await env.driver.device.ops.get_config(0, 8)) == env.image.sectors
        await env.driver.reset()


@sim_test(interface="lguest", timeout_us=5000)
async def test_notifying_the_descriptor_resets_the_device(env: Env) -> None:
    """Status 0, accepted half cleared, rings zeroed; the next session begins at index 0."""
    for machine in await both(env):
        await machine.boot()
        await machine.start()
        await env.traffic(requests=5)
        at, (ring, length) = machine.at, machine.ring()
        assert any(env.memory.read(ring, length))
        assert any(await machine.bus.read(at.accepted, at.feature_length))
        await env.driver.device.ops.reset()
        assert await machine.bus.read(at.status, 1) == b"\0"
        assert not any(await machine.bus.read(at.accepted, at.feature_length))
        assert not any(env.memory.read(ring, length))
        if machine.layout is LguestLayout.FIRST:
            marks = await machine.bus.read(at.position, at.end - at.position)
            places = [place for place, _ in at.fields.values()] + [at.features, at.queues[0].position]
            assert not any(marks[place - 2] & lguest.LGUEST_FIELD_USED for place in places)
        await env.driver.reset()
        await machine.start()
        assert await env.blk.read(3) == env.image.sector(3)
        await env.driver.reset()


@sim_test(interface="lguest", timeout_us=5000)
async def test_reset_in_mid_traffic_leaves_buffers_alone(env: Env) -> None:
    """After the hypercall nothing is read or written, and no interrupt comes, whatever was in flight."""
    machine = await boot(env, LguestLayout.LATER)
    for _ in range(4):
        await machine.start()
        await env.traffic(requests=env.rng.randint(1, 12), then=env.driver.device.ops.reset)
        start = len(env.log)
        ring, length = machine.ring()
        env.memory.write(ring, POISON * length)
        await env.delay(QUIET_NS)
        assert not [e for e in env.log[start:] if isinstance(e, DmaRead | DmaWrite | Msix)]
        assert env.memory.read(ring, length) == POISON * length
        await env.driver.reset()


@sim_test(interface="lguest", timeout_us=5000)
async def test_upgrades_carry_nothing_over(env: Env) -> None:
    """Feature set A, reset, set B, ten times: only what this session accepted is in force."""
    machine = await boot(env, env.rng.choice(tuple(LguestLayout)))
    for session in range(10):
        features = feature_mask(Feature.EVENT_IDX if session % 2 else Feature.INDIRECT_DESC)
        await machine.start(features)
        accepted = await machine.bus.read(machine.at.accepted, 4)
        assert int.from_bytes(accepted, "little") == features
        await env.traffic(requests=3)
        await env.driver.reset()


@sim_test(interface="lguest")
async def test_a_kick_with_status_zero_is_early_output(env: Env) -> None:
    """The Launcher is warned, the ring is not touched, and a kick after bring-up is served."""
    for machine in await both(env):
        await machine.boot()
        await machine.start()
        await env.driver.reset()
        before, _ = await machine.warnings()
        start = len(env.log)
        ring, _ = machine.ring()
        await machine.bus.notify(ring)
        await machine.bus.notify(ring + 0x123)
        await env.delay(QUIET_NS)
        assert await machine.warnings() == (before + 2, 0)
        assert not [event for event in env.log[start:] if isinstance(event, DmaRead | DmaWrite)]
        await machine.start()
        assert await env.blk.read(2) == env.image.sector(2)
        await env.driver.reset()


@sim_test(interface="lguest")
async def test_other_addresses_are_very_early_console_output(env: Env) -> None:
    """Any address below the top of memory is a string; one above it that is nobody's is a warning."""
    machine = await boot(env, env.rng.choice(tuple(LguestLayout)))
    await machine.bus.early_output("Hello, ")
    await machine.bus.early_output("host")
    await env.delay(QUIET_NS)
    assert await machine.console() == "Hello, host"
    env.memory.write(TOP - 3, b"end")
    await machine.bus.notify(TOP - 3)
    await env.delay(QUIET_NS)
    assert await machine.console() == "end"
    await machine.bus.notify(0xFFFF_F000)
    assert await machine.warnings() == (0, 1)


@sim_test(interface="lguest", timeout_us=5000)
async def test_console_output_beside_traffic(env: Env) -> None:
    """The string arrives whole while the ring is at work."""
    machine = await boot(env, LguestLayout.LATER)
    await machine.start()
    await env.traffic(requests=4, then=lambda: machine.bus.early_output("in between"))
    requests = [await env.blk.submit_read(sector) for sector in range(4)]
    assert await env.blk.wait_all(requests) == [env.image.sector(sector) for sector in range(4)]
    await env.blk.requests.drain()
    await env.delay(QUIET_NS)
    assert await machine.console() == "in between"


@sim_test(interface="lguest")
async def test_the_guest_may_write_only_its_own_bytes(env: Env) -> None:
    """Queue records and offered features are the host's: what stands there counts, not what is stored."""
    machine = await boot(env, LguestLayout.LATER)
    if env.around.target == "rtl":
        at = machine.at
        for place in (at.position, at.queues[0].position, at.features, at.config):
            before = await machine.bus.read(place, 1)
            await machine.bus.write(place, bytes([before[0] ^ 0xFF]))
            assert await machine.bus.read(place, 1) == before
    await machine.start()
    assert await env.blk.read(1) == env.image.sector(1)


@sim_test(interface="lguest")
async def test_status_zero_is_refused_loudly(env: Env) -> None:
    """set_status(0) is a driver's bug; a stored 0 would reset nothing either."""
    machine = await boot(env, LguestLayout.LATER)
    await machine.start()
    with pytest.raises(errors.DriverBug, match="call reset"):
        await env.driver.device.ops.set_status(0)
    await machine.bus.write(machine.at.status, b"\0")
    assert await machine.bus.read(machine.at.status, 1) == b"\x07"
    assert await env.blk.read(1) == env.image.sector(1)


@sim_test(interface="lguest", timeout_us=5000)
async def test_freeze_and_restore_keep_the_order(env: Env) -> None:
    """reset, ACKNOWLEDGE, the saved FAILED, DRIVER, features, queues, DRIVER_OK."""
    for machine in await both(env):
        await machine.boot()
        await machine.start()
        await env.driver.device.fail()
        await env.driver.device.freeze()
        start = len(env.log)
        await env.driver.device.restore()
        assert statuses(env, machine, start) == [0x01, 0x81, 0x83, 0x87]
        assert await env.blk.read(9) == env.image.sector(9)
        await env.driver.reset()


@sim_test(interface="lguest")
async def test_typed_fields_offer_and_are_marked(env: Env) -> None:
    """The first layout offers SEG_MAX by a field, and the guest marks what it used."""
    machine = await boot(env, LguestLayout.FIRST)
    assert lguest.LGUEST_FIELD_BLK_SEG_MAX in machine.at.fields
    await machine.start()
    assert env.driver.device.has(BlkFeature.SEG_MAX)
    place, _ = machine.at.fields[lguest.LGUEST_FIELD_BLK_CAPACITY]
    assert (await machine.bus.read(place - 2, 1))[0] == 0xC1
    assert (await machine.bus.read(machine.at.features - 2, 1))[0] == 0xC0
    assert (await machine.bus.read(machine.at.queues[0].position - 2, 1))[0] == 0x82


@sim_test(interface="lguest")
async def test_a_malformed_ring_stops_the_device_until_reset(env: Env) -> None:
    """An available index out of reach sets DEVICE_NEEDS_RESET in the page; the hypercall clears it."""
    machine = await boot(env, LguestLayout.LATER)
    await machine.start()
    queue = env.driver.device.queues[0]
    with env.expect("DRV-SPLIT-011"):
        env.memory.write_int(queue.addresses[1] + 2, 2, 0x300)
        await env.driver.device.notify(queue)
        await env.delay(QUIET_NS)
    status = (await machine.bus.read(machine.at.status, 1))[0]
    assert status & Status.DEVICE_NEEDS_RESET
    await env.driver.reset()
    await machine.start()
    assert await env.blk.read(1) == env.image.sector(1)


@sim_test(interface="lguest")
async def test_another_bus_has_no_such_hypercall(env: Env) -> None:
    """The operations of a queue alone do not exist here: the driver says so."""
    machine = await boot(env, LguestLayout.LATER)
    await machine.start()
    ops = env.driver.device.ops
    assert isinstance(ops, LguestOps)
    with pytest.raises(errors.DriverBug, match="lguest"):
        await ops.reset_vq(env.driver.device.queues[0])
