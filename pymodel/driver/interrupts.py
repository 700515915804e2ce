"""How a virtio-pci device interrupts its driver: MSI-X, INTx, or not at all (virtio 1.4, 4.1.5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING

from pymodel.driver import errors
from pymodel.driver.config_ops import Causes
from pymodel.driver.msix import Msix
from pymodel.spec import NO_VECTOR, IsrBit, PciCommand
from pymodel.transport import Message

if TYPE_CHECKING:
    from pymodel.driver.pci_ops import PciOps


class InterruptMode(Enum):
    """Which interrupts to use; a mode that the vector table cannot hold falls to the next in line."""

    PER_QUEUE = "one vector for the configuration and one for each queue"
    SHARED = "one vector for the configuration, one for all queues"
    SINGLE = "one vector for everything"
    INTX = "the INTx line and ISR status"
    POLL = "none: MSI-X and INTx are off"


class Interrupts:
    """Vectors and their meaning for one function; `mode` is what was asked, `active` what runs."""

    def __init__(self, pci: PciOps, mode: InterruptMode) -> None:
        self.pci = pci
        self.mode = mode
        self.active = InterruptMode.POLL
        self.msix: Msix | None = None
        self.queue_vectors: dict[int, int] = {}
        self.config_vector = NO_VECTOR

    async def discover(self) -> None:
        """Look for the MSI-X capability."""
        self.msix = await Msix.find(self.pci.function)

    def _choose(self, queues: int) -> tuple[InterruptMode, int]:
        """Return the mode to run and the vectors it takes."""
        size = self.msix.size if self.msix else 0
        ladder = [(InterruptMode.PER_QUEUE, queues + 1), (InterruptMode.SHARED, 2), (InterruptMode.SINGLE, 1)]
        for position, (mode, _) in enumerate(ladder):
            if mode is self.mode:
                fitting = [rung for rung in ladder[position:] if rung[1] <= size]
                return fitting[0] if fitting else (InterruptMode.INTX, 0)
        return self.mode, 0

    async def setup(self, queues: Sequence[int]) -> None:
        """Switch the interrupts on and map the configuration vector; queues are mapped one by one.

        Messages of an earlier session are dropped first.
        """
        while isinstance(await self.pci.transport.wait_interrupt(0), Message):
            continue
        self.active, vectors = self._choose(len(queues))
        await self.pci.function.command(
            enable=0 if self.active is InterruptMode.INTX else PciCommand.INTX_DISABLE,
            clear=PciCommand.INTX_DISABLE,
        )
        self.queue_vectors = {index: self._vector(rank) for rank, index in enumerate(queues)}
        self.config_vector = 0 if vectors else NO_VECTOR
        if self.msix and vectors:
            await self.msix.enable(vectors)
            await self._map("config_msix_vector", self.config_vector)
        elif self.msix:
            await self.msix.disable()

    def _vector(self, rank: int) -> int:
        per_mode = {InterruptMode.PER_QUEUE: rank + 1, InterruptMode.SHARED: 1, InterruptMode.SINGLE: 0}
        return per_mode.get(self.active, NO_VECTOR)

    async def map_queue(self, index: int) -> None:
        """Map the selected queue to its vector; without MSI-X the registers are left alone."""
        vector = self.queue_vectors.get(index, NO_VECTOR)
        if vector != NO_VECTOR:
            await self._map("queue_msix_vector", vector)

    async def _map(self, register: str, vector: int) -> None:
        await self.pci.write_common(register, vector)
        found = await self.pci.read_common(register)
        if found != vector:
            raise self.pci.log.error(
                errors.VectorRefused, f"{register} reads {found:#x} after {vector:#x} was written"
            )

    async def teardown(self) -> None:
        """Switch MSI-X off and forget the mapping."""
        if self.msix and self.queue_vectors:
            await self.msix.disable()
        self.queue_vectors = {}
        self.config_vector = NO_VECTOR
        self.active = InterruptMode.POLL

    async def wait(self, timeout_ns: int) -> Causes | None:
        """Return what the next interrupt may be about; None on timeout, Causes() for a spurious one."""
        interrupt = await self.pci.transport.wait_interrupt(timeout_ns)
        if interrupt is None:
            return None
        if isinstance(interrupt, Message):
            return self._causes_of(interrupt)
        isr = await self.pci.read_isr()
        queues = frozenset(self.queue_vectors) if isr & IsrBit.QUEUE else frozenset[int]()
        return Causes(queues, bool(isr & IsrBit.CONFIG))

    def _causes_of(self, message: Message) -> Causes:
        vector = self.msix.vector_of(message) if self.msix else None
        if vector is None:
            raise self.pci.log.error(
                errors.ProtocolError, f"an interrupt message that nobody programmed: {message}"
            )
        queues = frozenset(index for index, mapped in self.queue_vectors.items() if mapped == vector)
        return Causes(queues, vector == self.config_vector)
