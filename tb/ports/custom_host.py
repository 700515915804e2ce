"""Host accesses through a class of the manifest's own, bounded in time as on every port."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from cocotb.triggers import SimTimeoutError, with_timeout

from pymodel.transport import TransportTimeout
from tb.ports.axil import ACCESS_TIMEOUT_NS
from tb.ports.custom import CustomHost


class CustomInitiator:
    """Carries single accesses by a `CustomHost`."""

    def __init__(self, carrier: CustomHost) -> None:
        self._carrier = carrier

    async def read(self, addr: int, length: int, what: str) -> int:
        """Read; raises TransportTimeout, and ClassBroken where the class raises or returns no such value."""
        value = await self._bounded(self._carrier.read(addr, length), what)
        with self._carrier.site.breakage.guard(self._carrier.site.port):
            if not isinstance(value, int) or not 0 <= value < 1 << 8 * length:
                raise ValueError(f"read() returned {value!r} for {length} bytes")
        return int(value)

    async def write(self, addr: int, length: int, value: int, what: str, taken: Callable[[], None]) -> None:
        """Write; `taken` is called when the class says so, or else when it returns."""
        told: list[bool] = []

        def once() -> None:
            if not told:
                told.append(True)
                taken()

        self._carrier.taken = once
        await self._bounded(self._carrier.write(addr, length, value), what)
        once()

    async def _bounded(self, access: Coroutine[Any, Any, Any], what: str) -> Any:
        site = self._carrier.site

        async def guarded() -> Any:
            with site.breakage.guard(site.port):
                return await access

        try:
            return await with_timeout(guarded(), ACCESS_TIMEOUT_NS, "ns")
        except SimTimeoutError:
            raise TransportTimeout(f"no answer within {ACCESS_TIMEOUT_NS} ns to a {what}") from None
