"""Interrupts of a device that names a vector on pins: as a pulse, or as a request to be acknowledged.

Pins are looked at, and driven, at the falling edge of the port's clock. `fire` hands a vector to the
shell's MSI-X table, which masks it, keeps it pending or sends its message. Vectors that reset cuts off are
lost with what the table had pending.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge

from tb.manifest import IrqPort

Fire = Callable[[int], None]


async def watch_pulses(dut: HierarchyObject, port: IrqPort, clock: Any, fire: Fire) -> None:
    """Fire `vector` once for each clock cycle in which `valid` is high, for ever.

    A pulse of three cycles is three interrupts: the device lowers `valid` behind each, or changes `vector`.
    `ready`, where the manifest names it, is driven high and stays so: the host is never busy.
    """
    valid, vector = (getattr(dut, port.signals[name]) for name in ("valid", "vector"))
    if "ready" in port.signals:
        getattr(dut, port.signals["ready"]).value = 1
    while True:
        await RisingEdge(valid)
        await FallingEdge(clock)
        while valid.value == 1:
            fire(int(vector.value))
            await FallingEdge(clock)


async def watch_requests(dut: HierarchyObject, port: IrqPort, clock: Any, fire: Fire) -> None:
    """Fire `vector` for each `request`, and acknowledge it, for ever.

    `vector` counts in the cycle in which `request` is seen high. `acknowledge` is high for the one clock
    cycle behind it; a `request` that is still high in the cycle behind that is the next interrupt.
    """
    names = ("request", "vector", "acknowledge")
    request, vector, acknowledge = (getattr(dut, port.signals[name]) for name in names)
    acknowledge.value = 0
    while True:
        await FallingEdge(clock)
        if request.value != 1:
            await RisingEdge(request)
            await FallingEdge(clock)
        fire(int(vector.value))
        acknowledge.value = 1
        await FallingEdge(clock)
        acknowledge.value = 0


WATCHERS = {"msix-pulse": watch_pulses, "reqack": watch_requests}
