"""What the modelled device does with its queues, one unit at a time: take a buffer, or finish some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymodel.device.host import DmaError
from pymodel.device.ring import DeviceChain, DeviceRing, RingError
from pymodel.spec import Feature

if TYPE_CHECKING:
    from pymodel.device.core import VirtioModel


class Worker:
    """Buffers in flight; in order and at once without lag, else as the model's generator has it."""

    def __init__(self, model: VirtioModel) -> None:
        self.model = model
        self.in_flight: list[DeviceChain] = []

    def _fetchable(self) -> list[int]:
        if self.model.suspending or len(self.in_flight) >= self.model.config.most_in_flight:
            return []
        return [index for index, bank in enumerate(self.model.common.banks) if bank.kicked and bank.ring]

    def busy(self) -> bool:
        """Whether there is a unit of work to do."""
        return self.model.running and bool(self._fetchable() or self.in_flight)

    def step(self) -> bool:
        """Do one unit of work; False if there is none. A malformed ring makes the device need a reset."""
        if not self.model.running:
            return False
        queues = self._fetchable()
        if not queues and not self.in_flight:
            return False
        try:
            if queues and (not self.in_flight or self.model.chance()):
                self._fetch(self.model.pick(queues))
            else:
                self._finish()
        except (RingError, DmaError) as error:
            self.model.need_reset(str(error))
        return True

    def _fetch(self, index: int) -> None:
        bank = self.model.common.banks[index]
        assert bank.ring is not None
        if self.model.lagging and not self.model.rng.randrange(8):
            bank.ring.disarm()
        chain = bank.ring.fetch()
        if chain is None:
            bank.ring.arm()
            chain = bank.ring.fetch()
        if chain is None:
            bank.kicked = False
        else:
            self.in_flight.append(chain)

    def _finish(self) -> None:
        ordered = self.model.has(Feature.IN_ORDER)
        chain = self.in_flight[0] if ordered else self.model.pick(self._finishable())
        ring = self.model.common.banks[chain.queue].ring
        assert ring is not None
        self.in_flight.remove(chain)
        batch = [(chain, self.model.handle(chain))]
        if ordered:
            self._extend(batch)
        ring.use(batch)
        self._signal(chain.queue, ring)

    def _finishable(self) -> list[DeviceChain]:
        """What may be finished next: administration commands keep their order (2.13.1)."""
        commands = [chain for chain in self.in_flight if self.model.is_admin(chain.queue)]
        return [chain for chain in self.in_flight if chain not in commands[1:]]

    def _extend(self, batch: list[tuple[DeviceChain, int]]) -> None:
        """Let a batch grow while its last buffer is full: skipped buffers count as such (2.7.9, 2.8.7)."""
        while self.model.lagging and self.in_flight and self.in_flight[0].queue == batch[0][0].queue:
            last, written = batch[-1]
            if written != last.length(write=True) or not self.model.chance():
                return
            chain = self.in_flight.pop(0)
            batch.append((chain, self.model.handle(chain)))

    def _signal(self, queue: int, ring: DeviceRing) -> None:
        if ring.interrupt_wanted():
            self.model.interrupt_queue(queue)

    def forget(self, queue: int | None = None) -> None:
        """Drop what is in flight, of one queue or of all."""
        self.in_flight = [chain for chain in self.in_flight if queue not in (None, chain.queue)]
