"""Reset as the only way back: one driver after another on a device that keeps nothing of the last one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from pymodel.driver.errors import DriverBug
from pymodel.events import BarWrite, Intx
from pymodel.spec import COMMON_CFG, NO_VECTOR, Feature, feature_mask
from tb.env import Env
from tb.sim_test import Skip, sim_test
from tests.sim.test_interrupts import start_on_line
from tests.sim.test_negotiation import awkward

UPGRADES = 100
PACKED = feature_mask(Feature.RING_PACKED)
RICH = feature_mask(Feature.INDIRECT_DESC, Feature.EVENT_IDX)
SETS = (0, PACKED, RICH, RICH | PACKED, RICH | feature_mask(Feature.IN_ORDER), PACKED)
"""Each set beside the next: from split to packed and back, from few features to many."""

FIXED = {
    "device_status": 0,
    "config_msix_vector": NO_VECTOR,
    "queue_msix_vector": NO_VECTOR,
    "queue_enable": 0,
}
"""What the standard says that registers hold after a reset (virtio 1.4, 4.1.4.3 and 4.1.5.1.2)."""
OPTIONAL = ("queue_notif_config_data", "queue_reset", "admin_queue_index", "admin_queue_num")
SELECTORS = ("device_feature_select", "driver_feature_select", "queue_select")
RUNNING = ("config_generation",)

Registers = dict[tuple[str, int], int]


async def registers(env: Env, queues: Iterable[int]) -> Registers:
    """The registers of the common structure: both feature words, and the banks of some queues."""
    pci = env.driver.pci
    found: Registers = {}
    single = [name for name in COMMON_CFG if not name.startswith("queue_") and not name.endswith("feature")]
    for name in single:
        if name not in (*OPTIONAL, *SELECTORS, *RUNNING):
            found[name, 0] = await pci.read_common(name)
    for side in ("device", "driver"):
        for word in (0, 1):
            await pci.write_common(f"{side}_feature_select", word)
            found[f"{side}_feature", word] = await pci.read_common(f"{side}_feature")
    banked = [name for name in COMMON_CFG if name.startswith("queue_") and name != "queue_select"]
    for queue in queues:
        await pci.write_common("queue_select", queue)
        for name in banked:
            if name not in OPTIONAL:
                found[name, queue] = await pci.read_common(name)
    return found


async def fresh(env: Env, power_on: Registers) -> None:
    """Hold every register against its value after power-on, and against the standard's."""
    last = power_on["num_queues", 0] - 1
    found = await registers(env, {0, min(1, last), env.rng.randint(0, last)})
    changed = {key: (value, power_on[key]) for key, value in found.items() if value != power_on[key]}
    assert not changed, f"after the reset (found, at power-on): {changed}"
    wrong = {key: value for key, value in found.items() if value != FIXED.get(key[0], value)}
    assert not wrong, f"registers have no reset value: {wrong}"


async def one_after_another(env: Env, sets: Sequence[int], sessions: int) -> None:
    """Run sessions with one feature set after another; each leaves requests in flight and no trace."""
    await env.driver.discover()
    await env.driver.device.reset()
    power_on = await registers(env, range(await env.driver.pci.read_common("num_queues")))
    for session in range(sessions):
        features = sets[session % len(sets)]
        await env.driver.start(features, queues=2, queue_size=env.rng.choice((2, 4, 16)))
        assert env.driver.device.features == features | feature_mask(Feature.VERSION_1)
        await env.units()
        await env.traffic(requests=env.rng.randint(2, 6), most=2, then=env.driver.device.reset)
        await fresh(env, power_on)
        await env.driver.reset()
    env.report(f"{sessions} drivers one after another")


@sim_test(timeout_us=50_000, device=None)
async def test_a_hundred_upgrades(env: Env) -> None:
    """A hundred drivers replace each other without a reboot; registers are back at reset values each time."""
    several, offered = await env.driver.all_queues(), await env.driver.offered()
    sets = [wanted | several if wanted & RICH else wanted for wanted in SETS if not wanted & ~offered]
    await one_after_another(env, sets, UPGRADES)


@sim_test(timeout_us=20_000, device=None)
async def test_upgrades_with_drawn_features(env: Env) -> None:
    """The same with feature sets drawn from all that is offered."""
    offered = await env.driver.offered() & ~awkward(env.driver.device.device_type)
    sets = [env.rng.getrandbits(64) & offered for _ in range(12)]
    await one_after_another(env, sets, len(sets))


@sim_test(device=None)
async def test_status_zero_is_refused(env: Env) -> None:
    """set_status(0) is a programming error and writes nothing; reset() clears status and features."""
    await env.driver.start()
    device, pci = env.driver.device, env.driver.pci
    status, start = await pci.get_status(), len(env.log)
    with pytest.raises(DriverBug, match="reset"):
        await pci.set_status(0)
    assert not any(isinstance(event, BarWrite) for event in env.log[start:])
    assert await pci.get_status() == status
    await env.units()
    await device.reset()
    assert (await pci.get_status(), device.features) == (0, 0)


@sim_test(device=None)
async def test_status_bits_go_away_by_reset_alone(env: Env) -> None:
    """Writing fewer bits takes no feature back: the driver is at fault, the session goes on."""
    await env.driver.start()
    pci = env.driver.pci
    features = [await pci.read_common("driver_feature")]
    with env.expect("DRV-STATUS-002"):
        await pci.write_common("device_status", 0x0B)
        await pci.write_common("device_status", 0x0F)
    assert [await pci.read_common("driver_feature")] == features
    await env.driver.reset()
    await env.driver.start(features=0)
    await env.units()


@sim_test(device=None)
async def test_msix_belongs_to_pci(env: Env) -> None:
    """A reset unmaps every vector and leaves MSI-X enabled, unmasked, its table as it was."""
    await env.driver.start()
    msix, function = env.driver.pci.interrupts.msix, env.driver.pci.function
    if msix is None or not msix.enabled:
        raise Skip("the device has no MSI-X")
    bar, table = msix.table

    async def kept() -> list[int]:
        words = [await function.config_read(msix.position, 4)]
        return words + [await function.bar_read(bar, table + 4 * n, 4) for n in range(4 * msix.size)]

    before = await kept()
    await env.traffic(requests=6, then=env.driver.device.reset)
    assert await kept() == before
    assert await env.driver.pci.read_common("config_msix_vector") == NO_VECTOR
    await env.driver.reset()


@sim_test(device=None)
async def test_intx_falls_with_the_reset(env: Env) -> None:
    """A line that nobody served is down once the reset is complete, and the ISR is clear."""
    await start_on_line(env, 0)
    await env.begin()
    await env.transport.wait_interrupt(50_000)
    levels = [event.level for event in env.log if isinstance(event, Intx)]
    assert levels[-1] == 1
    await env.driver.device.reset()
    assert [event.level for event in env.log if isinstance(event, Intx)][-1] == 0
    assert await env.driver.pci.read_isr() == 0
    await env.driver.reset()


@sim_test(device=None)
async def test_live_queue_takes_no_new_configuration(env: Env) -> None:
    """Nothing but a reset stops a queue or moves it: writes to a live queue's registers change nothing."""
    await env.driver.start(features=0, queues=1)
    pci = env.driver.pci
    elsewhere = env.memory.alloc(1 << 16, 4096).addr
    await pci.write_common("queue_select", 0)
    with env.expect("DRV-PCI-018", "DRV-PCI-020", "DRV-INIT-010"):
        await pci.write_common("queue_enable", 0)
        assert await pci.read_common("queue_enable") == 1
        for name in ("queue_desc", "queue_driver", "queue_device"):
            await pci.write_common(name, elsewhere)
    await env.traffic(requests=6)
    assert env.memory.read(elsewhere, 1 << 16) == bytes(1 << 16)
