"""Where a function's BARs lie, as the host wrote it into configuration space."""

from __future__ import annotations

from pymodel import spec


class TlpBars(dict[int, int]):
    """Where the BARs lie, by number: as the host wrote it into configuration space.

    `first` is where they are before that.
    """

    def __init__(self, first: dict[int, int]) -> None:
        super().__init__(first)
        self._first = dict(first)
        self._space = bytearray(spec.PCI_CFG["bar0"].offset + 24)

    def restart(self) -> None:
        """The function was reset: the host has yet to write where they are."""
        self.update(self._first)
        self._space = bytearray(len(self._space))

    def written(self, addr: int, data: bytes) -> None:
        """The host wrote these bytes of configuration space."""
        end = min(addr + len(data), len(self._space))
        if end <= addr:
            return
        self._space[addr:end] = data[: end - addr]
        for bar in self:
            place = spec.PCI_CFG["bar0"].offset + 4 * bar
            self[bar] = int.from_bytes(self._space[place : place + 8], "little") & ~0xF
