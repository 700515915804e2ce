"""The host's AXI4 initiator: single-beat bursts, else as on AXI4-Lite."""

from __future__ import annotations

from collections.abc import Callable

from cocotbext.axi.axi_channels import (
    AxiARSource,
    AxiARTransaction,
    AxiAWSource,
    AxiAWTransaction,
    AxiBSink,
    AxiRSink,
    AxiWSource,
    AxiWTransaction,
)

from tb.knobs import HostKnobs
from tb.ports.axil import AxiLiteInitiator
from tb.ports.channels import Pins

INCREMENTING = 1


class AxiInitiator(AxiLiteInitiator):
    """One access at a time with id 0; an access that crosses the bus width becomes several bursts."""

    KINDS = (AxiAWSource, AxiWSource, AxiBSink, AxiARSource, AxiRSink)

    def __init__(self, pins: Pins, knobs: HostKnobs, seed: int) -> None:
        super().__init__(pins, knobs, seed)
        self._size = (self._lanes - 1).bit_length()

    async def _read_piece(self, addr: int, size: int) -> int:
        burst = {"arid": 0, "arlen": 0, "arsize": self._size, "arburst": INCREMENTING, "arprot": 0}
        self._ar.send_nowait(AxiARTransaction(araddr=addr, **burst))
        return self._wanted(await self._r.recv(), addr, size)

    async def _write_piece(self, addr: int, size: int, value: int, taken: Callable[[], None] | None) -> None:
        lane = addr % self._lanes
        burst = {"awid": 0, "awlen": 0, "awsize": self._size, "awburst": INCREMENTING, "awprot": 0}
        self._aw.send_nowait(AxiAWTransaction(awaddr=addr, **burst))
        beat = AxiWTransaction(wdata=value << 8 * lane, wstrb=(1 << size) - 1 << lane, wlast=1)
        self._w.send_nowait(beat)
        await self._taken(taken)
