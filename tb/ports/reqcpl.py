"""Host accesses on a simple request/completion pair of channels.

The device's pins, by name (a manifest maps others): `req_valid`, `req_ready` (may be left out), `req_write`,
`req_addr`, `req_wdata`, `req_strb` (may be left out where the device takes whole words) go with a
request; `cpl_valid`, `cpl_ready` (may be left out), `cpl_rdata` with its completion. Data and strobes are in
the lanes of the word that the address lies in. A write is complete when it was taken, unless the
device has `cpl_write`: then writes are completed too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge

from pymodel.transport import TransportTimeout
from tb.manifest import Port
from tb.ports.axil import ACCESS_TIMEOUT_NS
from tb.ports.initiator import pieces
from tb.ports.levels import level


class RequestInitiator:
    """One request at a time, driven at the falling clock edge and taken at the rising one."""

    def __init__(self, dut: HierarchyObject, port: Port, clock: Any, period_ps: int) -> None:
        self._dut = dut
        self._port = port
        self._clock = clock
        self._patience = -(-ACCESS_TIMEOUT_NS * 1000 // period_ps)
        self._lanes = len(self._pin("req_wdata")) // 8
        self._pin("req_valid").value = 0
        if self._has("cpl_ready"):
            self._pin("cpl_ready").value = 1

    def _has(self, signal: str) -> bool:
        return hasattr(self._dut, self._port.pin(signal))

    def _pin(self, signal: str) -> Any:
        return getattr(self._dut, self._port.pin(signal))

    def _high(self, signal: str) -> bool:
        return not self._has(signal) or bool(level(self._pin(signal)))

    async def read(self, addr: int, length: int, what: str) -> int:
        """Read, in as many requests as the access crosses words."""
        value = 0
        for offset, size in pieces(addr, length, self._lanes):
            word = await self._request(addr + offset, size, None, what, lambda: None)
            lane = (addr + offset) % self._lanes
            value |= (word >> 8 * lane & (1 << 8 * size) - 1) << 8 * offset
        return value

    async def write(self, addr: int, length: int, value: int, what: str, taken: Callable[[], None]) -> None:
        """Write, in as many requests as the access crosses words."""
        cut = pieces(addr, length, self._lanes)
        for offset, size in cut:
            part = value >> 8 * offset & (1 << 8 * size) - 1
            last = (offset, size) == cut[-1]
            await self._request(addr + offset, size, part, what, taken if last else lambda: None)

    async def _request(
        self, addr: int, size: int, value: int | None, what: str, taken: Callable[[], None]
    ) -> int:
        lane = addr % self._lanes
        await FallingEdge(self._clock)
        self._pin("req_write").value = int(value is not None)
        self._pin("req_addr").value = addr
        self._pin("req_wdata").value = (value or 0) << 8 * lane
        if self._has("req_strb"):
            self._pin("req_strb").value = (1 << size) - 1 << lane
        self._pin("req_valid").value = 1
        answer = cocotb.start_soon(self._completion(what))
        try:
            await self._until("req_ready", what)
            if value is not None:
                taken()
            await FallingEdge(self._clock)
            self._pin("req_valid").value = 0
            if value is None or self._has("cpl_write"):
                word: int = await answer
                return word
        finally:
            answer.cancel()
        return 0

    async def _completion(self, what: str) -> int:
        await self._until("cpl_valid", what)
        return level(self._pin("cpl_rdata"), what)

    async def _until(self, signal: str, what: str) -> None:
        for _ in range(self._patience):
            await RisingEdge(self._clock)
            if self._high(signal):
                return
        raise TransportTimeout(f"no {signal} within {ACCESS_TIMEOUT_NS} ns to a {what}")
