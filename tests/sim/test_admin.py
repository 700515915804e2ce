"""Administration queue: LIST_QUERY, LIST_USE and clean refusals (virtio 1.4, 2.12 and 2.13)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pymodel.driver.admin import KNOWN, LIST_LENGTH, AdminRefused, VirtioAdmin
from pymodel.driver.config_ops import QueueRequest
from pymodel.ring.base import Element
from pymodel.spec import (
    ADMIN_HEADER_LENGTH,
    ADMIN_STATUS_LENGTH,
    AdminCommand,
    AdminGroup,
    AdminQualifier,
    AdminStatus,
    Feature,
    feature_mask,
)
from tb.env import Env
from tb.sim_test import Skip, sim_test
from tests.sim.hostile import needs_reset

ADMIN = feature_mask(Feature.ADMIN_VQ)
PACKED = feature_mask(Feature.RING_PACKED)
INDIRECT = feature_mask(Feature.INDIRECT_DESC)
FORMS = (0, PACKED, INDIRECT, PACKED | INDIRECT, feature_mask(Feature.EVENT_IDX, Feature.IN_ORDER))
ONLY_USE = feature_mask(AdminCommand.LIST_USE)
OTHER_OPCODES = (2, 18, 63, 64, 65, 0x100, 0x7FFF, 0x8000, 0xFFFF)
OTHER_GROUPS = (AdminGroup.SR_IOV, 2, 0x100, 0xFFFF)


async def start(env: Env, features: int = 0) -> VirtioAdmin:
    """Bring the block device up with an administration queue of a drawn size; raises Skip without one."""
    env.driver.pci.admin_size = env.rng.choice((2, 4, 16))
    bound = await env.driver.start(features | ADMIN, queues=2)
    if env.driver.pci.admin_queue is None:
        raise Skip("the device has no administration queue")
    return VirtioAdmin(bound.requests, env.driver.pci.admin_queue)


async def forms(env: Env) -> AsyncIterator[VirtioAdmin]:
    """Start a session in each form of ring that the device offers, and reset it afterwards."""
    await start(env)
    offered = env.driver.device.offered
    await env.driver.reset()
    for features in FORMS:
        if not features & ~offered:
            yield await start(env, features)
            await env.driver.reset()


async def refusal(admin: VirtioAdmin, opcode: int, *, group: int = 0, data: bytes = b"") -> int:
    """Send a command that must be refused with EINVAL and without a result; return the qualifier."""
    command = await admin.submit(opcode, group=group, data=data, result=LIST_LENGTH)
    with pytest.raises(AdminRefused) as refused:
        await admin.wait(command)
    assert refused.value.status == AdminStatus.EINVAL
    assert not any(command.result)
    return refused.value.qualifier


async def selected_size(env: Env, index: int) -> int:
    """queue_size of a queue, at most what a driver may choose."""
    await env.driver.pci.write_common("queue_select", index)
    return await env.driver.pci.read_common("queue_size")


@sim_test(interface="admin")
async def test_admin_queues_lie_behind_the_others(env: Env) -> None:
    """num_queues leaves them out; behind them no queue exists."""
    await start(env)
    pci = env.driver.pci
    count = await pci.read_common("num_queues")
    first, number = await pci.read_common("admin_queue_index"), await pci.read_common("admin_queue_num")
    assert count <= first
    assert 1 <= number <= 0x10000 - first
    for index in range(first, first + number):
        assert await selected_size(env, index)
    assert await selected_size(env, (first + number) & 0xFFFF) == 0


@sim_test(interface="admin")
async def test_without_the_feature_there_is_no_admin_queue(env: Env) -> None:
    """The queue is unavailable; requests work as ever."""
    admin = await start(env)
    await env.driver.reset()
    await env.driver.start(0, queues=1)
    assert await selected_size(env, admin.queue) == 0
    assert await env.blk.read(3) == env.image.sector(3)


@sim_test(interface="admin", timeout_us=5000)
async def test_commands_are_listed_and_agreed(env: Env) -> None:
    """The self group has LIST_QUERY and LIST_USE, and still has them when they are in use."""
    async for admin in forms(env):
        listed = await admin.list_query()
        assert listed & KNOWN == KNOWN
        assert await admin.agree() == KNOWN
        assert await admin.list_query() == listed


@sim_test(interface="admin", timeout_us=5000)
async def test_member_identifier_is_not_looked_at(env: Env) -> None:
    """Neither command uses group_member_id: any value does."""
    async for admin in forms(env):
        member = env.rng.getrandbits(64) | 1
        command = await admin.submit(AdminCommand.LIST_QUERY, member=member, result=LIST_LENGTH)
        assert int.from_bytes(await admin.wait(command), "little") & KNOWN == KNOWN


@sim_test(interface="admin", timeout_us=5000)
async def test_opcodes_that_are_not_in_use_are_refused(env: Env) -> None:
    """EINVAL, INVALID_OPCODE, before LIST_USE and behind it."""
    async for admin in forms(env):
        for opcode in OTHER_OPCODES[:4]:
            assert await refusal(admin, opcode) == AdminQualifier.INVALID_OPCODE
        await admin.agree()
        for opcode in OTHER_OPCODES:
            assert await refusal(admin, opcode) == AdminQualifier.INVALID_OPCODE
        assert await admin.list_query() & KNOWN == KNOWN


@sim_test(interface="admin", timeout_us=5000)
async def test_other_groups_are_refused(env: Env) -> None:
    """EINVAL, INVALID_GROUP, which goes before whatever else is wrong; SR-IOV without VFs is no group."""
    async for admin in forms(env):
        for group in OTHER_GROUPS:
            for opcode in (*AdminCommand, env.rng.choice(OTHER_OPCODES)):
                data = env.rng.randbytes(LIST_LENGTH)
                assert await refusal(admin, opcode, group=group, data=data) == AdminQualifier.INVALID_GROUP
        assert await admin.list_query() & KNOWN == KNOWN


@sim_test(interface="admin", timeout_us=5000)
async def test_list_with_an_unsupported_command_is_refused(env: Env) -> None:
    """EINVAL, INVALID_FIELD; the list that was in use stays."""
    async for admin in forms(env):
        foreign = [bit for bit in range(64) if not await admin.list_query() >> bit & 1]
        for bit in env.rng.sample(foreign, 4):
            data = (ONLY_USE | 1 << bit).to_bytes(LIST_LENGTH, "little")
            assert await refusal(admin, AdminCommand.LIST_USE, data=data) == AdminQualifier.INVALID_FIELD
        assert await admin.list_query() & KNOWN == KNOWN


@sim_test(interface="admin", timeout_us=5000)
async def test_driver_may_block_either_command(env: Env) -> None:
    """What is left out of LIST_USE's list is refused from then on, LIST_QUERY and LIST_USE too."""
    async for admin in forms(env):
        await admin.list_use(ONLY_USE)
        assert await refusal(admin, AdminCommand.LIST_QUERY) == AdminQualifier.INVALID_OPCODE
        await admin.list_use(KNOWN)
        assert await admin.list_query() & KNOWN == KNOWN
        await admin.list_use(0)
        for opcode in AdminCommand:
            assert await refusal(admin, opcode) == AdminQualifier.INVALID_OPCODE


@sim_test(interface="admin", timeout_us=5000)
async def test_reset_takes_list_use_back(env: Env) -> None:
    """After a reset by status or FLR both commands are legal again."""
    for features in (0, PACKED & (await start(env)).requests.device.offered):
        for reset in (env.driver.device.reset, env.driver.pci.function_level_reset):
            admin = await start(env, features)
            await admin.list_use(0)
            assert await refusal(admin, AdminCommand.LIST_USE) == AdminQualifier.INVALID_OPCODE
            await reset()
            admin = await start(env, features)
            assert await admin.agree() == KNOWN


@sim_test(interface="admin", timeout_us=5000)
async def test_queue_reset_keeps_the_list(env: Env) -> None:
    """A reset of the queue forgets its ring, not the list of commands, which is the device's."""
    for packed in (0, PACKED & (await start(env)).requests.device.offered):
        admin = await start(env, packed | feature_mask(Feature.RING_RESET))
        await admin.list_use(ONLY_USE)
        await env.driver.device.reset_queue(admin.queue)
        await env.driver.device.enable_queue(QueueRequest(admin.queue, 8))
        assert await refusal(admin, AdminCommand.LIST_QUERY) == AdminQualifier.INVALID_OPCODE
        await admin.list_use(KNOWN)
        assert await admin.list_query() & KNOWN == KNOWN


@sim_test(interface="admin", timeout_us=5000)
async def test_short_and_long_buffers_are_served(env: Env) -> None:
    """What is missing reads as zero and is not written; what is too much is left alone (2.13.1)."""
    expected = (int(AdminStatus.OK).to_bytes(ADMIN_STATUS_LENGTH, "little")) + KNOWN.to_bytes(8, "little")
    async for admin in forms(env):
        assert await admin.list_query() == KNOWN, "a device with more commands writes longer lists perhaps"
        for readable in (8, 16, 24, 40, 200):
            for writable in (8, 16, 24, 4096):
                junk = env.rng.randbytes(max(0, readable - ADMIN_HEADER_LENGTH))
                query = bytes(min(readable, ADMIN_HEADER_LENGTH)) + junk
                command = await admin.submit_raw(query, writable)
                await admin.wait(command)
                assert command.answer == expected[:writable]
        use = int(AdminCommand.LIST_USE).to_bytes(2, "little")
        await admin.wait(await admin.submit_raw(use.ljust(ADMIN_HEADER_LENGTH, b"\0"), 8))
        assert await refusal(admin, AdminCommand.LIST_QUERY) == AdminQualifier.INVALID_OPCODE


@sim_test(interface="admin", timeout_us=8000)
async def test_commands_run_beside_requests(env: Env) -> None:
    """Commands and block requests are in flight together; each gets its own answer."""
    async for admin in forms(env):
        for sector in range(0, 24, 4):
            reads = [await env.blk.submit_read(sector + n, queue=n % env.blk.queue_count) for n in range(4)]
            groups = [env.rng.choice((0, 0, 1)) for _ in range(4)]
            commands = [await admin.submit(0, group=group, result=LIST_LENGTH) for group in groups]
            data = env.rng.randbytes(512)
            await env.blk.write(100 + sector, data)
            for read in reads:
                assert await env.blk.wait(read) == env.image.sector(read.sector)
            for group, command in zip(groups, commands, strict=True):
                await admin.requests.wait(command)
                assert command.status == (AdminStatus.EINVAL if group else AdminStatus.OK)
            assert await env.blk.read(100 + sector) == data


@sim_test(interface="admin", timeout_us=5000)
async def test_reset_with_commands_in_flight(env: Env) -> None:
    """A reset forgets commands at any point of their life; the next session finds a device like new."""
    for features in (0, PACKED & (await start(env)).requests.device.offered) * 4:
        admin = await start(env, features)
        for _ in range(2):
            await admin.submit(AdminCommand.LIST_USE, data=bytes(LIST_LENGTH))
            await env.blk.submit_read(1)
        await env.delay(env.rng.randrange(1_500))
        await env.driver.reset()
        admin = await start(env, features)
        assert await admin.agree() == KNOWN
        assert await env.blk.read(1) == env.image.sector(1)


@sim_test(interface="admin", timeout_us=5000, stress="calm")
async def test_refused_memory_needs_a_reset(env: Env) -> None:
    """A command that the host does not let the device read or answer changes nothing and is not used."""
    for reads in (True, False):
        admin = await start(env)
        place = env.memory.alloc(4096, 4096)
        env.dma.refuse(place.addr, place.addr + 4095, reads=reads, writes=not reads)
        queue = admin.requests.device.queues[admin.queue]
        env.memory.write(place.addr, bytes([AdminCommand.LIST_USE]).ljust(32, b"\0"))
        queue.add_chain([Element(place.addr, 32)], [Element(place.addr + 64, 8)])
        await env.driver.device.kick(queue)
        assert await needs_reset(env)
        assert not queue.used_pending()
        env.dma.allow()
        await env.driver.reset()
        assert await (await start(env)).agree() == KNOWN
        await env.driver.reset()
