"""The host's AXI4-Lite initiator: byte-exact accesses of 1 to 8 bytes, bounded in time."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from cocotb.triggers import SimTimeoutError, with_timeout
from cocotbext.axi.axil_channels import (
    AxiLiteARSource,
    AxiLiteARTransaction,
    AxiLiteAWSource,
    AxiLiteAWTransaction,
    AxiLiteBSink,
    AxiLiteRSink,
    AxiLiteWSource,
    AxiLiteWTransaction,
)

from pymodel.transport import TransportTimeout
from tb.knobs import HostKnobs
from tb.ports.channels import Pins, stall
from tb.ports.dice import Dice
from tb.ports.initiator import pieces
from tb.ports.levels import UnknownLevel, resolved

ACCESS_TIMEOUT_NS = 20_000


class AxiLiteInitiator:
    """One access at a time; an access that crosses the bus width becomes several transfers.

    The read address carries the lowest byte wanted; a write's strobes say which bytes it writes. An
    error response reads as all ones, as on PCIe.
    """

    KINDS: tuple[Any, ...] = (
        AxiLiteAWSource,
        AxiLiteWSource,
        AxiLiteBSink,
        AxiLiteARSource,
        AxiLiteRSink,
    )

    def __init__(self, pins: Pins, knobs: HostKnobs, seed: int) -> None:
        self._lanes = pins.width("wdata") // 8
        self._aw, self._w, self._b, self._ar, self._r = (pins.channel(kind) for kind in self.KINDS)
        dice = Dice(seed)
        for channel in (self._aw, self._w, self._b, self._ar, self._r):
            stall(channel, knobs.stall, dice.roll(), pins.period_ps)

    async def read(self, addr: int, length: int, what: str) -> int:
        """Read `length` bytes; `what` names the access in the TransportTimeout it may raise."""
        value = 0
        for offset, size in pieces(addr, length, self._lanes):
            value |= await _bounded(self._read_piece(addr + offset, size), what) << 8 * offset
        return value

    async def write(self, addr: int, length: int, value: int, what: str, taken: Callable[[], None]) -> None:
        """Write `length` bytes; `taken` is called at the clock edge at which the device has the last one."""
        cut = pieces(addr, length, self._lanes)
        for offset, size in cut:
            part = value >> 8 * offset & (1 << 8 * size) - 1
            last = (offset, size) == cut[-1]
            await _bounded(self._write_piece(addr + offset, size, part, taken if last else None), what)

    async def _read_piece(self, addr: int, size: int) -> int:
        self._ar.send_nowait(AxiLiteARTransaction(araddr=addr, arprot=0))
        return self._wanted(await self._r.recv(), addr, size)

    def _wanted(self, answer: Any, addr: int, size: int) -> int:
        ones = (1 << 8 * size) - 1
        if resolved(answer.rresp, "rresp"):
            return ones
        return resolved(answer.rdata, "rdata") >> 8 * (addr % self._lanes) & ones

    async def _write_piece(self, addr: int, size: int, value: int, taken: Callable[[], None] | None) -> None:
        lane = addr % self._lanes
        self._aw.send_nowait(AxiLiteAWTransaction(awaddr=addr, awprot=0))
        self._w.send_nowait(AxiLiteWTransaction(wdata=value << 8 * lane, wstrb=(1 << size) - 1 << lane))
        await self._taken(taken)

    async def _taken(self, taken: Callable[[], None] | None) -> None:
        await self._aw.wait()
        await self._w.wait()
        if taken is not None:
            taken()
        await self._b.recv()


async def _bounded(access: Coroutine[Any, Any, Any], what: str) -> Any:
    try:
        return await with_timeout(access, ACCESS_TIMEOUT_NS, "ns")
    except SimTimeoutError:
        raise TransportTimeout(f"no answer within {ACCESS_TIMEOUT_NS} ns to a {what}") from None
    except UnknownLevel as unknown:
        raise UnknownLevel(f"{unknown} during a {what}") from None
