"""The DMA core in front of a descriptor-bypass port, as `kind = "python"` wants it."""

from tb.ports.custom import CustomDma


class Engine(CustomDma):
    """Takes commands one at a time: a read is answered with data, a write with a status."""

    async def run(self) -> None:
        """Serve commands for ever."""
        while True:
            write, addr, length = await self.take("cmd", "write", "addr", "length")
            self.busy = True
            await (self.store(addr, length) if write else self.load(addr, length))
            self.busy = False

    async def store(self, addr: int, length: int) -> None:
        """Card to host."""
        data = b""
        while len(data) < length:
            (word,) = await self.take("c2h", "data")
            data += word.to_bytes(8, "little")
        await self.latency(write=True)
        await self.give("sts", error=not self.write_memory(addr, data[:length]))

    async def load(self, addr: int, length: int) -> None:
        """Host to card."""
        await self.latency()
        data = self.read_memory(addr, length)
        for at in range(0, length, 8):
            word = int.from_bytes((data or b"")[at : at + 8], "little")
            await self.give("h2c", data=word, last=at + 8 >= length, error=data is None)
