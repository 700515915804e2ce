"""A Linux guest's session with the device under test."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

from pymodel.events import DmaRead, DmaWrite, Event, Msix
from pymodel.memory import GuestMemory
from tb.env import Env
from tb.linux.bridge import Bridge
from tb.linux.order import MEDIUM, Order
from tb.linux.qemu import CONSOLE, DEVICE_SOCKET, Guest
from tb.linux.server import Server
from tb.linux.wire import Connection
from tb.sim_test import sim_test

CONNECT_S = 30.0
STEP_NS = 1_000
QUIET_NS = 8_000
"""A device that was silent for so long does nothing until its host does something."""

IDLE_S = 0.02
HEARTBEAT_NS = 200


def no_memory(argument: str) -> GuestMemory:
    """The guest brings its own."""
    return GuestMemory([])


@sim_test(timeout_us=10_000_000, stress="calm", device=None, memory=no_memory, long=True)
async def test_guest(env: Env) -> None:
    """Linux boots, drives the device with its own drivers, and ends by itself."""
    order = Order.load(Path(env.argument))
    sockets = Path(order.sockets)
    listener = listen(sockets / DEVICE_SOCKET)
    environment = {**os.environ, "QEMU_MODULE_DIR": order.module_folder}
    guest = Guest(order.words, environment, sockets, env.folder / CONSOLE)
    try:
        connection = accept(listener, guest)
        try:
            await Conversation(env, connection, guest, time.monotonic() + order.limit_s).hold()
        finally:
            connection.close()
        fault = guest.finish() or guest.verdict
        assert not fault, fault
    finally:
        guest.kill()
        listener.close()
        env.image.save(env.folder / MEDIUM)


def listen(path: Path) -> socket.socket:
    """Open the socket, for its owner alone."""
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o077)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(1)
    return listener


def accept(listener: socket.socket, guest: Guest) -> Connection:
    """Wait for QEMU; raises AssertionError where it does not come."""
    listener.settimeout(0.1)
    deadline = time.monotonic() + CONNECT_S
    while time.monotonic() < deadline:
        try:
            return Connection(listener.accept()[0])
        except TimeoutError:
            assert not guest.ended, f"QEMU ended before it connected: {guest.last_line}"
    raise AssertionError(f"QEMU did not connect within {CONNECT_S:g} s")


class Conversation:
    """Serves the guest: commands when they come, simulated time while the device has something to do."""

    def __init__(self, env: Env, connection: Connection, guest: Guest, deadline: float) -> None:
        self._env = env
        self._connection = connection
        self._guest = guest
        self._deadline = deadline
        self._bridge = Bridge(env.transport, env.memory)
        self._server = Server(connection, self._bridge)
        self._busy_until = 0
        env.around.events.subscribe(self._watch)

    def _watch(self, event: Event) -> None:
        if isinstance(event, DmaRead | DmaWrite | Msix):
            self._stay_busy()

    def _stay_busy(self) -> None:
        self._busy_until = self._env.now_ns + QUIET_NS

    async def hold(self) -> None:
        """Serve until the client goes; raises ClientError, AssertionError past the time limit."""
        await self._bridge.enumerate()
        try:
            while await self._turn():
                assert time.monotonic() < self._deadline, (
                    f"the guest's time is over; the last it said: {self._guest.last_line}"
                )
        finally:
            self._bridge.close()

    async def _turn(self) -> bool:
        busy = self._env.now_ns < self._busy_until
        if self._connection.waiting(0 if busy else IDLE_S):
            if not await self._server.serve_one():
                return False
            self._stay_busy()
        elif busy:
            await self._env.delay(STEP_NS)
        else:
            self._guest.wake()
            await self._env.delay(HEARTBEAT_NS)
        await self._bridge.deliver()
        return True
