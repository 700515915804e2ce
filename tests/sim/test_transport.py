"""The PCI transport: queue reset, suspension, FLR, PCI_CFG window, vectors, bus mastering, generation."""

from __future__ import annotations

from pymodel import spec
from pymodel.driver.interrupts import InterruptMode
from pymodel.events import DmaRead, DmaWrite, Msix
from pymodel.memory import Allocation, GuestMemory
from pymodel.spec import (
    BLK_CFG,
    CAP_FIELDS,
    COMMON_CFG,
    NO_VECTOR,
    Feature,
    PciCommand,
    Status,
    feature_mask,
)
from tb.env import Env
from tb.sim_test import Skip, sim_test
from tb.traffic import Traffic
from tests.sim.hostile import window_of
from tests.sim.resets import NO_FLR
from tests.sim.test_interrupts import start_on_line

RING_RESET = feature_mask(Feature.RING_RESET)
PACKED = feature_mask(Feature.RING_PACKED)
QUIET_NS = 5_000
FOUR_GIB = 1 << 32
VECTORS = {InterruptMode.PER_QUEUE: 2, InterruptMode.SHARED: 2, InterruptMode.SINGLE: 1}
"""What each mode takes for one queue."""


def express_of(env: Env) -> int:
    """The position of the PCI Express capability; raises Skip where the function has none."""
    place = env.driver.pci.function.find_capability(spec.PciCapId.PCI_EXPRESS)
    if place is None:
        raise Skip("the function has no PCI Express capability")
    return place


async def reset_one_queue_under_traffic(env: Env, features: int, sizes: tuple[int, ...]) -> None:
    """Give queue 1 other sizes and other memory again and again while queues 0 and 2 run on."""
    features |= await env.driver.several(3)
    await env.driver.demand(features)
    bound = await env.driver.start(features=features, queues={0: 16, 1: 8, 2: 32})
    before = env.driver.device.queues[1].addresses
    others = {index: env.driver.device.queues[index].addresses for index in (0, 2)}
    traffic = Traffic(env.work, depth=12, most=4)
    for size in sizes:
        await traffic.run(6, finish=False)
        await bound.restart_queue(1, size)
        assert env.driver.device.queues[1].size == size
    assert env.driver.device.queues[1].addresses != before
    assert {index: env.driver.device.queues[index].addresses for index in (0, 2)} == others
    await traffic.run(8, finish=True)
    await env.units(queue=1)


@sim_test(timeout_us=5000, device=None)
async def test_queue_reset_under_traffic_split(env: Env) -> None:
    """A split queue is reset and enabled with other parameters; the others never notice."""
    await reset_one_queue_under_traffic(env, RING_RESET, (4, 64, 2))


@sim_test(timeout_us=5000, device=None)
async def test_queue_reset_under_traffic_packed(env: Env) -> None:
    """The same with packed rings of odd sizes."""
    await reset_one_queue_under_traffic(env, RING_RESET | PACKED, (3, 61, 7))


@sim_test(timeout_us=5000, device=None)
async def test_queue_that_was_reset_is_silent(env: Env) -> None:
    """Between queue_reset and queue_enable the device touches nothing of that queue."""
    features = RING_RESET | await env.driver.several(6)
    await env.driver.demand(features)
    bound = await env.driver.start(features=features, queues={0: 8, 5: 8})
    device, pci = env.driver.device, env.driver.pci
    places = device.queues[5].memory_in_use()
    for _ in range(4):
        await env.begin(queue=5)
    # Framed before the reset gives the ring's memory back, so that none of it is handed out again.
    others = [await env.begin(queue=0, kick=False) for _ in range(4)]
    await device.reset_queue(5)
    bound.requests.abandon(5)
    start = len(env.log)
    await bound.requests.kick_all()
    for unit in others:
        await unit.settle()
    for event in env.log[start:]:
        if isinstance(event, DmaRead | DmaWrite):
            assert not any(p.addr <= event.addr < p.addr + p.length for p in places)
    await pci.write_common("queue_select", 5)
    assert await pci.read_common("queue_reset") == await pci.read_common("queue_enable") == 0


async def suspend_in_traffic(env: Env, features: int) -> None:
    """Suspend with requests in flight: they are finished first, then nothing moves until resumed."""
    await env.driver.demand(features)
    await env.driver.start(features=features | await env.driver.all_queues())
    traffic = Traffic(env.work, depth=16, most=4)
    for _ in range(3):
        await traffic.run(10, finish=False)
        await env.driver.device.suspend()
        status = Status(await env.driver.pci.get_status())
        assert status & Status.SUSPEND
        assert not status & Status.DRIVER_OK
        start = len(env.log)
        await env.delay(QUIET_NS)
        assert not any(isinstance(event, DmaRead | DmaWrite | Msix) for event in env.log[start:])
        await env.driver.device.resume()
    await traffic.run(6, finish=True)


@sim_test(timeout_us=5000, device=None)
async def test_suspension_split(env: Env) -> None:
    """A suspended device is silent, and goes on where it stopped."""
    await suspend_in_traffic(env, feature_mask(Feature.SUSPEND))


@sim_test(timeout_us=5000, device=None)
async def test_suspension_packed(env: Env) -> None:
    """The same with packed rings."""
    await suspend_in_traffic(env, feature_mask(Feature.SUSPEND) | PACKED)


@sim_test(timeout_us=5000, device=None)
async def test_function_level_reset(env: Env) -> None:
    """An FLR in mid-traffic leaves a device as after power-on; a new session works."""
    await env.driver.start()
    if not env.driver.can_function_reset():
        raise Skip(NO_FLR)
    await env.traffic(requests=20, then=env.driver.pci.function_level_reset)
    pci = env.driver.pci
    assert await pci.get_status() == 0
    assert await pci.read_common("config_msix_vector") == NO_VECTOR
    for index in range(await pci.read_common("num_queues")):
        await pci.write_common("queue_select", index)
        assert await pci.read_common("queue_enable") == 0
    await env.driver.reset()
    await env.driver.start()
    await env.traffic(requests=10)


@sim_test(timeout_us=5000, device=None)
async def test_window_carries_a_whole_session(env: Env) -> None:
    """A session in which every register is reached through the PCI_CFG capability."""
    await env.driver.discover()
    window_of(env)
    env.driver.pci.use_window(True)
    await env.driver.start(queues=2)
    await env.traffic(requests=10)
    await env.driver.reset()
    env.driver.pci.use_window(False)


@sim_test(device=None)
async def test_window_of_each_width(env: Env) -> None:
    """The window reads 1, 2 and 4 bytes of the common structure as the BAR does."""
    await env.driver.start(features=0)
    pci, window = env.driver.pci, window_of(env)
    common = pci.layout.common
    for name in ("device_status", "config_generation", "num_queues", "queue_size", "device_feature"):
        field = COMMON_CFG[name]
        await env.transport.config_write(window + CAP_FIELDS["bar"].offset, 1, common.bar)
        await env.transport.config_write(window + CAP_FIELDS["length"].offset, 4, field.width)
        await env.transport.config_write(
            window + CAP_FIELDS["offset"].offset, 4, common.offset + field.offset
        )
        seen = await env.transport.config_read(window + spec.CAP_PCI_CFG_DATA, field.width)
        assert seen == await pci.read_common(name), name


@sim_test(timeout_us=5000, device=None)
async def test_sparse_queues(env: Env) -> None:
    """Only some queues are enabled, the last among them; the others stay off."""
    several = await env.driver.several(4)
    last = (await env.driver.start(features=several)).queue_indexes[-1]
    await env.driver.reset()
    await env.driver.start(features=several, queues={2: 8, last: 4})
    await env.traffic(requests=20)
    for index in range(last + 1):
        await env.driver.pci.write_common("queue_select", index)
        assert await env.driver.pci.read_common("queue_enable") == (index in (2, last))


@sim_test(device=None)
async def test_window_writes_no_more_than_its_length(env: Env) -> None:
    """A byte written through the window leaves its neighbours as they are."""
    await env.driver.start()
    pci = env.driver.pci
    window_of(env)
    pci.use_window(True)
    status = await pci.get_status()
    await pci.write_common("queue_select", 1)
    # Whatever else the window's data register holds now is not what lies beside the status.
    await pci.read_common("num_queues")
    await pci.write_common("device_status", status)
    assert await pci.read_common("queue_select") == 1
    pci.use_window(False)


@sim_test(device=None)
async def test_enabled_queue_stands_still(env: Env) -> None:
    """What a driver must not write over an enabled queue, an address and queue_enable 0, changes nothing."""
    await env.driver.start(features=0, queues=1)
    pci = env.driver.pci
    await env.units()
    decoy = env.memory.alloc(0x4000, 0x1000)
    await pci.write_common("queue_select", 0)
    with env.expect("DRV-PCI-018", "DRV-INIT-010"):
        await pci.write_common("queue_device", decoy.addr)
    await env.units()
    with env.expect("DRV-PCI-020", "DRV-INIT-010"):
        await pci.write_common("queue_enable", 0)
        enabled = await pci.read_common("queue_enable")
        await pci.write_common("queue_enable", 1)
    await env.units()
    assert enabled == 1


@sim_test(device=None)
async def test_vector_behind_the_table_is_refused(env: Env) -> None:
    """A vector that the table does not hold reads back as NO_VECTOR, for queues and configuration."""
    await env.driver.start(features=0)
    pci = env.driver.pci
    if pci.interrupts.msix is None:
        raise Skip("the device has no MSI-X")
    await pci.write_common("queue_select", 0)
    for register in ("queue_msix_vector", "config_msix_vector"):
        await pci.write_common(register, 1)
        assert await pci.read_common(register) == 1
        with env.expect("DRV-PCI-034"):
            await pci.write_common(register, pci.interrupts.msix.size)
        assert await pci.read_common(register) == NO_VECTOR


@sim_test(device=None)
async def test_queue_without_a_vector_is_silent(env: Env) -> None:
    """A queue mapped to NO_VECTOR is served without a message."""
    await env.driver.start(features=0)
    pci = env.driver.pci
    await pci.write_common("queue_select", 0)
    await pci.write_common("queue_msix_vector", NO_VECTOR)
    env.driver.bound.requests.polling = True
    start = len(env.log)
    await env.units()
    await env.delay(QUIET_NS)
    assert not any(isinstance(event, Msix) for event in env.log[start:])


@sim_test(device=None)
async def test_without_bus_master_nothing_moves(env: Env) -> None:
    """With Bus Master Enable off a doorbell starts no DMA and no message; once on, the buffer is used."""
    await env.driver.start(features=0)
    function = env.driver.pci.function
    await function.command(clear=PciCommand.BUS_MASTER)
    start = len(env.log)
    unit = await env.begin()
    await env.delay(QUIET_NS)
    assert not any(isinstance(event, DmaRead | DmaWrite | Msix) for event in env.log[start:])
    await function.command(enable=PciCommand.BUS_MASTER)
    await unit.settle()


@sim_test(timeout_us=3000, targets=("rtl",), device=None)
async def test_bursts_keep_to_device_control(env: Env) -> None:
    """No write is longer than Max_Payload_Size, no read than Max_Read_Request_Size, changed at run time."""
    await env.driver.start()
    function = env.driver.pci.function
    place = express_of(env) + spec.PCIE_DEVICE_CONTROL
    others = await function.config_read(place, 2) & ~0x70E0
    for payload, request in ((2, 2), (0, 5), (1, 0), (0, 0)):
        await function.config_write(place, 2, others | payload << 5 | request << 12)
        await env.delay(12_000)
        start = len(env.log)
        await env.traffic(requests=10, most=16)
        for event in env.log[start:]:
            if isinstance(event, DmaWrite):
                assert len(event.data) <= 128 << payload
            elif isinstance(event, DmaRead):
                assert len(event.data) <= 128 << request


@sim_test(timeout_us=3000)
async def test_generation_covers_a_changing_capacity(env: Env) -> None:
    """A capacity read between two equal generations is one that the medium had."""
    await env.driver.start(features=0)
    blk = env.blk
    device, pci = env.driver.device, env.driver.pci
    sizes = [env.image.sectors]
    for step in range(6):
        before = await pci.generation()
        sizes.append(env.image.sectors + 8 + step)
        env.resize(sizes[-1])
        (capacity,) = await device.read_config(BLK_CFG["capacity"])
        assert capacity in sizes[-2:]
        if capacity == sizes[-1]:
            assert await pci.generation() != before
    await blk.requests.wait_until(lambda: blk.capacity == sizes[-1], "no configuration change")


@sim_test(timeout_us=5000, targets=("rtl",), device=None)
async def test_dma_keeps_to_the_limits(env: Env) -> None:
    """No write is longer than Max_Payload_Size, no read than Max_Read_Request_Size, none crosses 4 KiB."""
    for payload, read in ((128, 128), (128, 4096), (512, 256)):
        await env.driver.start(queues=2)
        express_of(env)
        payload, read = await env.driver.pci.function.limit_dma(payload, read)
        start = len(env.log)
        await env.traffic(requests=16, most=16)
        moved = [event for event in env.log[start:] if isinstance(event, DmaRead | DmaWrite)]
        for event in moved:
            last = event.addr + len(event.data) - 1
            assert len(event.data) <= (read if isinstance(event, DmaRead) else payload), event
            assert event.addr >> 12 == last >> 12, event
        longest = max(len(event.data) for event in moved)
        if longest < min(payload, read):
            raise Skip(f"the device never moves more than {longest} bytes at once: no limit can bind it")
        await env.driver.reset()


class HighMemory(GuestMemory):
    """Guest memory in which everything is handed out above 4 GiB."""

    def alloc(self, length: int, align: int = 16, *, high: bool = False) -> Allocation:
        """Hand out zeroed memory above 4 GiB."""
        return super().alloc(length, align, high=True)


def high_memory(_: str) -> GuestMemory:
    """The regions of every test, of which only the upper one is used."""
    return HighMemory()


@sim_test(timeout_us=3000, memory=high_memory, device=None)
async def test_everything_above_4_gib(env: Env) -> None:
    """Rings, indirect tables and data above 4 GiB only: the same traffic in both formats."""
    tables = feature_mask(Feature.INDIRECT_DESC) & await env.driver.offered()
    for features in await env.driver.forms(tables, tables | PACKED):
        await env.driver.start(features=features)
        addresses = [place for queue in env.driver.device.queues.values() for place in queue.addresses]
        assert min(addresses) >= FOUR_GIB
        await env.traffic(requests=12)
        await env.driver.reset()


@sim_test(device=None)
async def test_interrupt_modes_fall_back(env: Env) -> None:
    """Each interrupt mode carries a read, one session behind the other."""
    await env.driver.discover()
    msix = env.driver.pci.interrupts.msix
    for mode in InterruptMode:
        if mode is InterruptMode.INTX:
            await start_on_line(env, 0)
        else:
            await env.driver.start(features=0, mode=mode)
        if (msix.size if msix else 0) >= VECTORS.get(mode, 0):
            assert env.driver.pci.interrupts.active is mode
        await env.units()
        await env.driver.reset()
