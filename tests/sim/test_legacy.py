"""The legacy interface of a transitional device, and both kinds of driver on it in turn (4.1.4.10)."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable

import pytest

from pymodel import spec
from pymodel.driver import errors
from pymodel.driver.interrupts import InterruptMode
from pymodel.driver.legacy import LEGACY_FEATURES, VirtioPciLegacy
from pymodel.events import BarRead, BarWrite, DmaRead, DmaWrite
from pymodel.spec import BLK_CFG, LEGACY_CFG, NO_VECTOR, BlkRequest, Feature, PciCommand, Status, feature_mask
from tb.env import Env
from tb.sim_test import sim_test
from tests.sim.old_guest import block_of, legacy_bus, legacy_ops, start_legacy

PACKED = feature_mask(Feature.RING_PACKED)
QUIET_NS = 5_000
POISON = b"\xa5"


def written(env: Env, name: str, since: int = 0) -> list[int]:
    """What was written to a register of the block."""
    writes = [event for event in env.log[since:] if isinstance(event, BarWrite) and event.bar == 0]
    found = [event for event in writes if event.addr == LEGACY_CFG[name].offset]
    return [int.from_bytes(event.data, "little") for event in found]


@sim_test(interface="transitional")
async def test_a_transitional_function_has_its_identity(env: Env) -> None:
    """Transitional device ID, revision 0, the type as subsystem; I/O BAR0, structures behind it."""
    await env.driver.discover()
    pci = env.driver.pci
    assert pci.function.device_id == spec.TRANSITIONAL_DEVICE_ID[spec.DeviceType.BLK]
    assert (pci.function.revision_id, pci.function.subsystem_id) == (0, spec.DeviceType.BLK)
    assert pci.function.bars[0].kind == "io"
    assert pci.function.bars[0].size >= spec.LEGACY_CFG_LENGTH_MSIX + 64
    assert all(cap.bar != 0 for cap in pci.layout.all if cap.cfg_type != spec.CapType.PCI_CFG)


@sim_test(interface="transitional", timeout_us=5000)
async def test_legacy_traffic_under_every_kind_of_interrupt(env: Env) -> None:
    """Random traffic on all queues, with vectors, with one vector, with INTx, and by polling."""
    for mode in InterruptMode:
        await start_legacy(env, mode=mode)
        await env.traffic(requests=12)
        await env.driver.reset()


@sim_test(interface="transitional")
async def test_bring_up_has_no_features_ok(env: Env) -> None:
    """ACKNOWLEDGE, DRIVER, 32 feature bits, DRIVER_OK; the device takes any subset of what it offers."""
    ops = await legacy_ops(env)
    offered = await ops.get_features()
    assert offered >> Feature.ANY_LAYOUT & 1
    assert offered >> Feature.INDIRECT_DESC & 1
    start = len(env.log)
    await env.driver.probe(ops)
    assert written(env, "device_status", start) == [0, 0x01, 0x03, 0x07]
    assert await ops.read_common("driver_features") == env.driver.device.features
    assert not env.driver.device.features >> 32
    assert Status(await ops.get_status()) == Status.ACKNOWLEDGE | Status.DRIVER | Status.DRIVER_OK


@sim_test(interface="transitional")
async def test_features_ok_is_no_bit_of_a_legacy_session(env: Env) -> None:
    """FEATURES_OK cannot be set without VERSION_1, which this interface cannot accept."""
    ops = await legacy_ops(env)
    await ops.reset()
    await ops.finalize_features(LEGACY_FEATURES)
    await ops.set_status(Status.ACKNOWLEDGE | Status.DRIVER)
    if env.around.target == "rtl":
        await ops.set_status(Status.ACKNOWLEDGE | Status.DRIVER | Status.FEATURES_OK)
    assert not Status(await ops.get_status()) & Status.FEATURES_OK
    await ops.reset()


@sim_test(interface="transitional")
async def test_device_configuration_moves_with_msix(env: Env) -> None:
    """It begins at 20 while MSI-X is off and at 24 while it is on, and moves back."""
    for mode in (InterruptMode.INTX, InterruptMode.PER_QUEUE, InterruptMode.INTX):
        await start_legacy(env, mode=mode)
        start = len(env.log)
        assert await env.driver.device.read_config(BLK_CFG["capacity"]) == (env.image.sectors,)
        base = spec.LEGACY_CFG_LENGTH if mode is InterruptMode.INTX else spec.LEGACY_CFG_LENGTH_MSIX
        assert min(event.addr for event in env.log[start:] if isinstance(event, BarRead)) == base
        await env.driver.reset()


@sim_test(interface="transitional")
async def test_device_configuration_reads_alike_at_any_width(env: Env) -> None:
    """Bytes, words and dwords of the configuration agree (4.1.4.10)."""
    ops = await legacy_ops(env)
    whole = await ops.get_config(0, 8)
    for width in (1, 2, 4):
        parts = [await ops.get_config(offset, width) for offset in range(0, 8, width)]
        assert b"".join(part.to_bytes(width, "little") for part in parts) == whole.to_bytes(8, "little")
    assert whole == env.image.sectors


@sim_test(interface="transitional")
async def test_vectors_read_back_what_was_mapped(env: Env) -> None:
    """A vector of the table is kept, one beyond it reads NO_VECTOR; a reset unmaps both."""
    ops = await legacy_ops(env)
    await env.driver.probe(ops)
    assert await ops.read_common("config_msix_vector") != NO_VECTOR
    for name in ("config_msix_vector", "queue_msix_vector"):
        await ops.write_common(name, 0x7FF)
        assert await ops.read_common(name) == NO_VECTOR
        await ops.write_common(name, 1)
        assert await ops.read_common(name) == 1
    await ops.reset()
    assert await ops.read_common("config_msix_vector") == NO_VECTOR
    assert await ops.read_common("queue_msix_vector") == NO_VECTOR


@sim_test(interface="transitional")
async def test_isr_is_cleared_by_its_own_read_alone(env: Env) -> None:
    """INTx follows ISR status: a read of it takes the line back, a read of device_status does not."""
    blk = await start_legacy(env, mode=InterruptMode.INTX)
    ops = legacy_bus(env)
    request = await blk.submit_read(5)
    assert await env.transport.wait_interrupt(50_000) is not None
    assert Status(await ops.get_status()) & Status.DRIVER_OK
    assert await env.transport.wait_interrupt(1_000) is not None
    assert await ops.read_isr() == spec.IsrBit.QUEUE
    assert await ops.read_isr() == 0
    assert await env.transport.wait_interrupt(1_000) is None
    await blk.requests.reap(frozenset((0,)))
    assert await blk.wait(request) == env.image.sector(5)


@sim_test(interface="transitional")
async def test_rings_lie_where_the_page_number_says(env: Env) -> None:
    """One block a queue: the device reads at its start and writes from the next boundary on only."""
    await start_legacy(env, queues=2)
    blocks = [block_of(queue) for queue in env.driver.device.queues.values()]
    for sector in range(8):
        assert await env.blk.read(sector, queue=sector % 2) == env.image.sector(sector)
    for queue, block in zip(env.driver.device.queues.values(), blocks, strict=True):
        used = queue.addresses[2]
        assert used % spec.LEGACY_PAGE_SIZE == 0
        inside = [event for event in env.log if block.touched_by(event)]
        writes = [event.addr for event in inside if isinstance(event, DmaWrite)]
        reads = [event.addr for event in inside if isinstance(event, DmaRead)]
        assert writes
        assert min(writes) >= used
        assert reads
        assert min(reads) < used


@sim_test(interface="transitional")
async def test_size_is_the_devices_to_say(env: Env) -> None:
    """queue_size cannot be written; a queue that does not exist has size 0."""
    ops = await legacy_ops(env)
    await ops.write_common("queue_select", 0)
    size = await ops.read_common("queue_size")
    await ops.write_common("queue_size", 4)
    assert await ops.read_common("queue_size") == size > 4
    await ops.write_common("queue_select", 0x7FFF)
    assert await ops.read_common("queue_size") == await ops.read_common("queue_address") == 0


@sim_test(interface="transitional", timeout_us=5000)
async def test_page_number_zero_stops_one_queue(env: Env) -> None:
    """A queue whose page becomes 0 in mid-traffic never touches memory again; the others go on."""
    await start_legacy(env)
    ops, memory = legacy_bus(env), env.memory
    queue = env.driver.device.queues[1]
    place = block_of(queue)
    for sector in range(6):
        await env.blk.submit_read(sector, queue=1)
    await ops.write_common("queue_select", 1)
    await ops.write_common("queue_address", 0)
    env.blk.requests.abandon(1)
    del env.driver.device.queues[1]
    start = len(env.log)
    memory.write(place.addr, POISON * place.length)
    assert await ops.read_common("queue_address") == 0
    assert await env.blk.read(9, queue=0) == env.image.sector(9)
    await env.delay(QUIET_NS)
    assert not [event for event in env.log[start:] if place.touched_by(event)]
    assert memory.read(place.addr, place.length) == POISON * place.length


@sim_test(interface="transitional", timeout_us=5000)
async def test_memory_is_free_once_a_reset_was_read_back(env: Env) -> None:
    """A legacy driver writes 0 to the status and reads it once: then nothing moves, whatever was open."""
    for _ in range(4):
        await start_legacy(env)
        ops = legacy_bus(env)
        places = [block_of(queue) for queue in env.driver.device.queues.values()]
        await env.traffic(requests=env.rng.randint(1, 12), then=_write_zero(ops))
        assert await ops.get_status() == 0
        start = len(env.log)
        for place in places:
            env.memory.write(place.addr, POISON * place.length)
        await env.delay(QUIET_NS)
        assert not [event for event in env.log[start:] if isinstance(event, DmaRead | DmaWrite)]
        await env.driver.reset()
    await start_legacy(env)
    assert await env.blk.read(1) == env.image.sector(1)


def _write_zero(ops: VirtioPciLegacy) -> Callable[[], Awaitable[None]]:
    return functools.partial(ops.write_common, "device_status", 0)


@sim_test(interface="transitional", timeout_us=5000)
async def test_both_kinds_of_driver_take_turns(env: Env) -> None:
    """Legacy, modern split, legacy, modern packed, ...: nothing of one session is left in the next."""
    for session in range(6):
        if session % 2:
            wanted = PACKED if session % 4 == 3 else 0
            await env.driver.start(features=wanted | feature_mask(Feature.EVENT_IDX))
            assert env.driver.has(Feature.RING_PACKED) == bool(wanted)
            assert env.driver.has(Feature.VERSION_1)
        else:
            await start_legacy(env, feature_mask(Feature.INDIRECT_DESC, Feature.ANY_LAYOUT))
            assert not env.driver.device.features >> 32
        await env.traffic(requests=8)
        await env.driver.reset()


@sim_test(interface="transitional", timeout_us=5000)
async def test_a_driver_is_replaced_in_mid_traffic(env: Env) -> None:
    """The next driver, of the other kind, begins with a reset while requests are in flight."""
    for session in range(6):
        await (env.driver.start() if session % 2 else start_legacy(env))
        await env.traffic(requests=6, then=env.driver.reset)
    await start_legacy(env)
    await env.traffic(requests=6)


@sim_test(interface="transitional")
async def test_the_device_works_before_driver_ok(env: Env) -> None:
    """Legacy drivers used a device before DRIVER_OK, and it must serve them (3.1.2)."""
    ops = await legacy_ops(env, InterruptMode.POLL)
    env.driver.device.ops = ops
    env.driver.fresh()
    device = env.driver.device
    await device.register()
    await device.add_status(Status.DRIVER)
    await ops.finalize_features(feature_mask(Feature.ANY_LAYOUT))
    await env.blk.probe(device)
    device.live = True
    request = await env.blk.submit_read(4)
    await env.blk.requests.kick_all()
    await env.delay(QUIET_NS)
    assert not Status(await ops.get_status()) & Status.DRIVER_OK
    assert await env.blk.wait(request) == env.image.sector(4)
    await env.driver.reset()


@sim_test(interface="transitional")
async def test_without_any_layout_requests_keep_their_seams(env: Env) -> None:
    """Header, data and status in elements of their own: 16 bytes first, 1 byte last."""
    blk = await start_legacy(env, 0)
    assert not env.driver.device.has(Feature.ANY_LAYOUT)
    request = await blk.submit_write(3, bytes(1024), kick=False)
    (_, framed) = next(iter(blk.requests.in_flight.values()))
    assert [element.length for element in framed.readable + framed.writable] == [16, 1024, 1]
    await blk.requests.kick_all()
    await blk.wait(request)
    assert request.kind == BlkRequest.OUT
    assert env.image.sector(3, 2) == bytes(1024)


@sim_test(interface="transitional")
async def test_io_space_enable_opens_the_block(env: Env) -> None:
    """With I/O space disabled the block answers nothing and takes nothing."""
    await start_legacy(env)
    ops = legacy_bus(env)
    await ops.function.command(clear=PciCommand.IO)
    await env.transport.bar_write(0, LEGACY_CFG["device_status"].offset, 1, 0)
    assert await env.transport.bar_read(0, LEGACY_CFG["device_status"].offset, 1) != 0x07
    await ops.function.command(enable=PciCommand.IO)
    assert await ops.get_status() == 0x07
    assert await env.blk.read(2) == env.image.sector(2)


@sim_test(interface="transitional", timeout_us=5000)
async def test_freeze_and_restore_of_a_legacy_driver(env: Env) -> None:
    """reset, ACKNOWLEDGE, DRIVER, features, queues, DRIVER_OK, as for a modern one but FEATURES_OK."""
    await start_legacy(env)
    await env.traffic(requests=5)
    await env.driver.device.freeze()
    start = len(env.log)
    await env.driver.device.restore()
    assert written(env, "device_status", start) == [0, 0x01, 0x03, 0x07]
    await env.traffic(requests=5)


@sim_test()
async def test_a_modern_device_refuses_a_legacy_driver(env: Env) -> None:
    """Device ID, revision and BAR0 all tell a legacy driver that this is none of its devices (4.1.4.11)."""
    with pytest.raises(errors.NotVirtio, match="no legacy interface"):
        await legacy_ops(env)
    await env.driver.discover()
    function = env.driver.pci.function
    assert function.device_id >= spec.MODERN_DEVICE_ID_BASE
    assert function.revision_id >= 1
    assert function.bars[0].kind != "io"
    await env.driver.start()
    assert await env.blk.read(7) == env.image.sector(7)
