"""Random traffic: units of work in flight on all queues, every result held."""

from __future__ import annotations

from typing import Any

from tb.work.base import Unit, Work


class Traffic:
    """Keeps up to `depth` drawn units of work in flight, each of a size up to `most`.

    A unit that was lost in a queue reset is forgotten.
    """

    def __init__(self, work: Work[Any], *, depth: int, most: int) -> None:
        self._work = work
        self._depth = depth
        self._most = most
        self._open: list[Unit] = []
        self.done = 0

    async def run(self, requests: int, *, finish: bool) -> None:
        """Submit `requests` units; with `finish` wait for all of them."""
        for _ in range(requests):
            while len(self._open) >= self._depth:
                await self._settle()
            await self._submit()
        while finish and self._open:
            await self._settle()

    async def _submit(self) -> None:
        while (unit := await self._work.draw(self._most, self._open)) is None:
            await self._settle()
        self._open.append(unit)

    async def _settle(self) -> None:
        """Wait for the oldest unit and hold its result."""
        unit = self._open.pop(0)
        if unit.request.lost:
            return
        await self._work.driver.requests.kick_all()
        await unit.settle()
        self.done += 1
