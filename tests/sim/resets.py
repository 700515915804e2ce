"""The ways to reset a device, and what must hold once a reset is complete."""

from __future__ import annotations

from collections.abc import Iterable

from pymodel import spec
from pymodel.driver.config_ops import QueueRequest
from pymodel.events import BarWrite, ConfigWrite, DmaRead, DmaWrite, Event, Intx, Msix
from pymodel.memory import Allocation
from pymodel.spec import Feature, PciCapId, PciCommand, feature_mask
from tb.env import Env
from tb.sim_test import Skip

PATTERN = 0xA5
POLL_STEPS = 4
NO_FLR = "the function has no PCI Express capability, so no function-level reset"


def given_away(env: Env, queue: int | None = None) -> list[Allocation]:
    """Memory that the driver has given to the device for a queue, or for all: rings, tables, buffers."""
    queues = env.driver.device.queues
    rings = [place for index in queues for place in queues[index].memory_in_use() if queue in (None, index)]
    return rings + env.driver.bound.requests.memory_in_use(queue)


def device_acts(event: Event) -> bool:
    """Whether the device touches memory or interrupts."""
    return isinstance(event, DmaRead | DmaWrite | Msix) or (isinstance(event, Intx) and event.level == 1)


def untouched(env: Env, places: Iterable[Allocation]) -> bool:
    """Whether memory that was poisoned still holds the pattern."""
    return all(
        env.memory.read(place.addr, place.length) == bytes([PATTERN]) * place.length for place in places
    )


async def silent(env: Env, places: Iterable[Allocation], steps: int) -> None:
    """Poison memory as its next owner would, and see nothing move for that many steps."""
    for place in places:
        env.memory.poison(place, PATTERN)
    # What is still under way may come to its end first: the checker is to see it as well.
    idle, start = env.dma.idle, len(env.log)
    await env.steps(steps)
    assert idle, "the reset is complete, but DMA is under way"
    moved = [event for event in env.log[start:] if device_acts(event)]
    assert not moved, f"the device acts after its reset: {moved[0]}"
    assert untouched(env, places), "memory changed after the reset"


class Way:
    """A way to reset: `begin` writes it, `finish` waits until it is complete and does nothing more."""

    name = ""
    features = 0

    def __init__(self, env: Env) -> None:
        self.env = env

    async def prepare(self) -> None:
        """Do what must be done before the clock counts."""

    async def begin(self) -> None:
        """Write the reset."""
        raise NotImplementedError

    async def finish(self) -> None:
        """Wait for the reset's end."""
        raise NotImplementedError

    async def leave(self) -> None:
        """Take the driver off what was reset; its memory is free."""
        await self.env.driver.reset()

    def is_write(self, event: Event) -> bool:
        """Whether this is the write that begins the reset."""
        raise NotImplementedError

    async def _reads_zero(self, register: str) -> None:
        pci = self.env.driver.pci
        deadline = self.env.now_ns + pci.style.timing.reset_ns
        while await pci.read_common(register):
            assert self.env.now_ns < deadline, f"{register} does not come back to 0"
            await self.env.steps(POLL_STEPS)

    def _common(self, event: Event, register: str) -> bool:
        cap = self.env.driver.pci.layout.common
        place = cap.bar, cap.offset + spec.COMMON_CFG[register].offset
        return isinstance(event, BarWrite) and (event.bar, event.addr) == place


class ByStatus(Way):
    """0 is written to device_status."""

    name = "status"

    async def begin(self) -> None:
        await self.env.driver.pci.write_common("device_status", 0)

    async def finish(self) -> None:
        await self._reads_zero("device_status")

    def is_write(self, event: Event) -> bool:
        return self._common(event, "device_status") and isinstance(event, BarWrite) and event.data == b"\0"


class ByQueue(Way):
    """1 is written to queue_reset of one queue."""

    name = "queue reset"
    features = feature_mask(Feature.RING_RESET)

    def __init__(self, env: Env, queue: int = 0) -> None:
        super().__init__(env)
        self.queue = queue

    async def prepare(self) -> None:
        await self.env.driver.pci.write_common("queue_select", self.queue)

    async def begin(self) -> None:
        await self.env.driver.pci.write_common("queue_reset", 1)

    async def finish(self) -> None:
        await self._reads_zero("queue_reset")
        assert await self.env.driver.pci.read_common("queue_enable") == 0

    async def leave(self) -> None:
        """Give its memory back and set the queue up again in the same session."""
        device, pci, bound = self.env.driver.device, self.env.driver.pci, self.env.driver.bound
        bound.requests.abandon(self.queue)
        device.queues.pop(self.queue).destroy()
        pci.queues.pop(self.queue)
        await device.enable_queue(QueueRequest(self.queue, bound.queue_size))

    def is_write(self, event: Event) -> bool:
        return self._common(event, "queue_reset")


class ByFunction(Way):
    """Initiate Function Level Reset is written, whatever is under way."""

    name = "FLR"

    async def prepare(self) -> None:
        function = self.env.driver.pci.function
        position = function.find_capability(PciCapId.PCI_EXPRESS)
        if position is None:
            raise Skip(NO_FLR)
        self._register = position + spec.PCIE_DEVICE_CONTROL
        self._control = await function.config_read(self._register, 2) | spec.PCIE_DEVICE_CONTROL_FLR

    async def begin(self) -> None:
        await self.env.driver.pci.function.config_write(self._register, 2, self._control)

    async def finish(self) -> None:
        """Make the function reachable again, wait until it is quiet, and let it master the bus."""
        pci = self.env.driver.pci
        if pci.interrupts.msix:
            pci.interrupts.msix.enabled = False
        await pci.function.place_bars()
        await self._reads_zero("device_status")
        await pci.function.command(enable=PciCommand.BUS_MASTER)

    def is_write(self, event: Event) -> bool:
        return isinstance(event, ConfigWrite) and event.addr == self._register


WAYS: tuple[type[Way], ...] = (ByStatus, ByQueue, ByFunction)


async def ways_of(env: Env) -> list[type[Way]]:
    """The ways in which this device can be reset."""
    offered = await env.driver.offered()
    fitting = [way for way in WAYS if not way.features & ~offered]
    return [way for way in fitting if way is not ByFunction or env.driver.can_function_reset()]
