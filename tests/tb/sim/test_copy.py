"""What the ports do, seen on a device that is no virtio device; run by tests/tb/test_bench.py."""

from __future__ import annotations

import pytest

from pymodel.events import DmaRead, DmaWrite, Intx, Msix
from pymodel.memory import Allocation
from pymodel.spec import MSI_ADDRESS_BASE
from pymodel.transport import Line, Message, TransportTimeout
from tb.env import Env
from tb.sim_test import sim_test

MISBEHAVE = 7


async def start_copy(env: Env, source: int, target: int, beats: int) -> None:
    words = (source & 0xFFFFFFFF, source >> 32, target & 0xFFFFFFFF, target >> 32, beats)
    for number, word in enumerate(words):
        await env.transport.bar_write(0, 4 * number, 4, word)


async def copied(env: Env) -> None:
    assert await env.transport.wait_interrupt(20_000) == Line()
    await env.transport.bar_read(0, 20, 4)


def fill(env: Env, length: int) -> tuple[Allocation, Allocation, bytes]:
    source, target = env.memory.alloc(length, 8), env.memory.alloc(length, 8, high=True)
    data = env.rng.randbytes(length)
    env.memory.write(source.addr, data)
    return source, target, data


@sim_test(device=None, taps=True)
async def test_bursts_arrive(env: Env) -> None:
    for beats in (1, 2, 5, 15):
        source, target, data = fill(env, 8 * beats)
        await start_copy(env, source.addr, target.addr, beats)
        await copied(env)
        assert env.memory.read(target.addr, 8 * beats) == data
        reads = [event for event in env.log if isinstance(event, DmaRead)]
        writes = [event for event in env.log if isinstance(event, DmaWrite)]
        assert (reads[-1].addr, reads[-1].data) == (source.addr, data)
        assert (writes[-1].addr, writes[-1].data) == (target.addr, data)


@sim_test(device=None, taps=True)
async def test_narrow_accesses_touch_their_bytes_alone(env: Env) -> None:
    assert await env.transport.config_read(0, 2) == 0x1AF4
    assert await env.transport.config_read(2, 2) == 0x1042
    await env.transport.config_write(5, 1, 0x77)
    assert await env.transport.config_read(4, 4) == 0x1042_77F4
    await env.transport.bar_write(0, 0x20, 8, 0x1122_3344_5566_7788)
    assert await env.transport.bar_read(0, 0x22, 4) == 0x3344_5566


@sim_test(device=None, taps=True)
async def test_write_into_the_interrupt_window_is_a_message(env: Env) -> None:
    source, _, _ = fill(env, 8)
    await start_copy(env, source.addr, MSI_ADDRESS_BASE, 1)
    await copied(env)
    # A 64-bit write is no message: the host refuses it.
    assert not any(isinstance(event, Msix) for event in env.log)
    assert [event.err for event in env.log if isinstance(event, DmaWrite)] == [True]


@sim_test(device=None, taps=True)
async def test_stray_access_is_answered_with_an_error(env: Env) -> None:
    source, _, _ = fill(env, 8)
    await start_copy(env, source.addr, 0x6666_0000_0000, 1)
    await copied(env)
    assert await env.transport.bar_read(0, 24, 4) == 3


@sim_test(device=None, taps=True)
async def test_refused_range_leaves_memory_alone(env: Env) -> None:
    source, target, _ = fill(env, 64)
    env.dma.refuse(target.addr + 32, target.addr + 39)
    await start_copy(env, source.addr, target.addr, 8)
    await copied(env)
    assert env.memory.read(target.addr, 64) == bytes(64)
    assert [event.err for event in env.log if isinstance(event, DmaWrite)] == [True]


@sim_test(device=None)
async def test_intx_level_is_an_event(env: Env) -> None:
    source, target, _ = fill(env, 8)
    await start_copy(env, source.addr, target.addr, 1)
    await copied(env)
    await env.delay(100)
    assert [event.level for event in env.log if isinstance(event, Intx)] == [1, 0]
    assert Message(0, 0) != await env.transport.wait_interrupt(100) is None


@sim_test(device=None)
async def test_mute_device_ends_in_a_timeout_that_names_the_access(env: Env) -> None:
    await env.transport.bar_write(0, 4 * MISBEHAVE, 4, 8)
    with pytest.raises(TransportTimeout, match=r"read of 2 at BAR 0 \+ 0x10"):
        await env.transport.bar_read(0, 0x10, 2)


@sim_test(device=None, stress="harsh", taps=True)
async def test_fails_as_awvalid_falls(env: Env) -> None:
    await env.transport.bar_write(0, 4 * MISBEHAVE, 4, 1)
    for _ in range(8):
        source, target, _ = fill(env, 8)
        await start_copy(env, source.addr, target.addr, 1)
        await copied(env)


@sim_test(device=None)
async def test_fails_as_wlast_is_early(env: Env) -> None:
    await env.transport.bar_write(0, 4 * MISBEHAVE, 4, 2)
    source, target, _ = fill(env, 32)
    await start_copy(env, source.addr, target.addr, 4)
    await copied(env)


@sim_test(device=None, timeout_us=5)
async def test_fails_as_nothing_happens(env: Env) -> None:
    await env.delay(100_000)


@sim_test(device=None)
async def test_fails_as_dma_is_left_in_flight(env: Env) -> None:
    source, target, _ = fill(env, 8)
    env.note("the bench's drain must see the copy through")
    await start_copy(env, source.addr, target.addr, 1)
    raise AssertionError("a plain failure")


@sim_test(device=None)
async def test_ends_the_simulator(env: Env) -> None:
    await env.transport.bar_write(0, 4 * MISBEHAVE, 4, 4)
    await env.delay(1_000)


@sim_test(device=None)
async def test_runs_behind_a_dead_simulator(env: Env) -> None:
    assert await env.transport.config_read(0, 2) == 0x1AF4
