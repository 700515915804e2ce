"""The common configuration structure: every field at its own width, and nothing else changes."""

from __future__ import annotations

from pymodel.spec import BLK_CFG, COMMON_CFG, Feature, Field
from tb.env import Env
from tb.sim_test import Skip, sim_test
from tests.sim.test_negotiation import negotiate

VECTORS = ("config_msix_vector", "queue_msix_vector")
ADDRESSES = {
    "queue_desc": 0x1_2345_6780,
    "queue_driver": 0x2_3456_7890,
    "queue_device": 0x3_4567_89A0,
}
EXISTS_WITH = {
    "queue_notif_config_data": Feature.NOTIF_CONFIG_DATA,
    "queue_reset": Feature.RING_RESET,
    "admin_queue_index": Feature.ADMIN_VQ,
    "admin_queue_num": Feature.ADMIN_VQ,
}


def fields(env: Env) -> list[Field]:
    """The fields that exist with what was negotiated."""
    features = env.driver.device.features
    return [
        f for f in COMMON_CFG.values() if f.name not in EXISTS_WITH or features >> EXISTS_WITH[f.name] & 1
    ]


async def values(env: Env, queue: int) -> dict[str, int]:
    """Values that the device must take for the registers of a queue, each unlike what it holds now."""
    pci = env.driver.pci
    await pci.write_common("queue_select", queue)
    offered = await pci.read_common("queue_size")
    found = {"queue_size": 8 if offered > 8 else max(1, offered // 2)}
    msix = pci.interrupts.msix
    if msix is not None:
        found |= {name: min(n, msix.size - 1) for n, name in enumerate(VECTORS, 1)}
    return found | ADDRESSES


async def snapshot(env: Env) -> dict[str, int]:
    """Read every field at its own width."""
    return {field.name: await env.driver.pci.read_common(field.name) for field in fields(env)}


@sim_test(device=None)
async def test_fields_hold_what_is_written_and_nothing_else_changes(env: Env) -> None:
    """Each writable queue field keeps its value; its neighbours in the dword keep theirs."""
    await negotiate(env)
    last = await env.driver.pci.read_common("num_queues") - 1
    for name, value in (await values(env, min(last, 1))).items():
        before = await snapshot(env)
        await env.driver.pci.write_common(name, value)
        assert await snapshot(env) == before | {name: value}, name


@sim_test(device=None)
async def test_queue_fields_are_banked(env: Env) -> None:
    """What is written for one queue does not show in another."""
    await negotiate(env)
    pci = env.driver.pci
    if await pci.read_common("num_queues") < 2:
        raise Skip("the device has one queue")
    news = {name: value for name, value in (await values(env, 1)).items() if name.startswith("queue_")}
    await pci.write_common("queue_select", 0)
    untouched = await snapshot(env)
    await pci.write_common("queue_select", 1)
    for name, value in news.items():
        await pci.write_common(name, value)
        assert await pci.read_common(name) == value
    await pci.write_common("queue_select", 0)
    assert await snapshot(env) == untouched


@sim_test(device=None)
async def test_selected_queue_that_is_absent_has_size_zero(env: Env) -> None:
    """queue_size reads 0 for every index behind the last queue, also where it shares low bits with one."""
    await negotiate(env)
    pci = env.driver.pci
    count = await pci.read_common("num_queues")
    if env.driver.has(Feature.ADMIN_VQ):
        count = await pci.read_common("admin_queue_index") + await pci.read_common("admin_queue_num")
    for index in (count, 0x100, 0x101, 0x8000, 0xFFFF):
        await pci.write_common("queue_select", index)
        assert await pci.read_common("queue_size") == 0


@sim_test(device=None)
async def test_accepted_features_read_back(env: Env) -> None:
    """driver_feature shows in words 0 and 1 what was written there, whatever was written to later words."""
    await negotiate(env)
    pci = env.driver.pci
    for word in (0, 1):
        await pci.write_common("driver_feature_select", word)
        wanted = env.driver.device.features >> 32 * word & 0xFFFF_FFFF
        assert await pci.read_common("driver_feature") == wanted


@sim_test()
async def test_read_only_configuration_stays(env: Env) -> None:
    """Patterns written over the configuration that the driver may only read change none of it."""
    await env.driver.start(features=0)
    pci = env.driver.pci
    fields = [BLK_CFG[name] for name in ("capacity", "seg_max", "blk_size", "num_queues")]
    before = await env.driver.device.read_config(*fields)
    for pattern in (0, 0x5555_5555, 0xFFFF_FFFF):
        for field in fields:
            for offset in range(field.offset, field.end, 4):
                await pci.set_config(offset, min(field.width, 4), pattern & (1 << 8 * field.width) - 1)
        assert await env.driver.device.read_config(*fields) == before


@sim_test(device=None)
async def test_bytes_of_every_field_read_alike(env: Env) -> None:
    """Reading a field byte by byte gives the same value, though a driver should not do so."""
    await negotiate(env)
    cap = env.driver.pci.layout.common
    whole = await snapshot(env)
    with env.expect("DRV-PCI-005"):
        for field in fields(env):
            parts = [
                await env.transport.bar_read(cap.bar, cap.offset + field.offset + n, 1)
                for n in range(field.width)
            ]
            assert int.from_bytes(bytes(parts), "little") == whole[field.name], field.name


@sim_test(device=None)
async def test_feature_words_above_the_last_read_zero(env: Env) -> None:
    """device_feature reads 0 for selectors that hold no feature of this device."""
    await env.driver.discover()
    pci = env.driver.pci
    await env.driver.device.register()
    for word in (2, 3, 4, 0x8000_0000):
        await pci.write_common("device_feature_select", word)
        assert await pci.read_common("device_feature") == 0
