"""Host accesses of the line device as classes: whole words go over a request/completion pair of pins."""

from cocotb.triggers import FallingEdge

from tb.ports.custom import CustomBar, CustomConfig, CustomHost
from tb.ports.initiator import pieces


class Words(CustomHost):
    """Cuts an access at words and requests one after the other."""

    async def read(self, addr: int, length: int) -> int:
        """Read the bytes out of their words."""
        value, lanes = 0, self.lanes
        for offset, size in pieces(addr, length, lanes):
            at = addr + offset
            await self.give("req", write=0, addr=at, wdata=0, strb=0)
            while not int(self.pin("cpl_valid").value):
                await FallingEdge(self.clock)
            word = int(self.pin("cpl_rdata").value) >> 8 * (at % lanes)
            value |= (word & (1 << 8 * size) - 1) << 8 * offset
        return value

    async def write(self, addr: int, length: int, value: int) -> None:
        """Write with a strobe for each byte."""
        for offset, size in pieces(addr, length, self.lanes):
            lane = (addr + offset) % self.lanes
            part = value >> 8 * offset & (1 << 8 * size) - 1
            strobes = (1 << size) - 1 << lane
            await self.give("req", write=1, addr=addr + offset, wdata=part << 8 * lane, strb=strobes)

    @property
    def lanes(self) -> int:
        """Bytes of a word."""
        return len(self.pin("req_wdata")) // 8


class Config(Words, CustomConfig):
    """Configuration space."""


class Bar(Words, CustomBar):
    """BAR space."""
