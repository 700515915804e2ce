"""The entropy device (virtio 1.4, 5.4.6)."""

from __future__ import annotations

from pymodel.checker.facts import BufferUsed, ChainMade, Unserved
from pymodel.checker.rule import Rule, on
from pymodel.checker.state.queue import Queue
from pymodel.spec import DeviceType

REQUESTS = 0
PATIENCE = 50
"""Settling times that an entropy source may take for a byte: true randomness comes slowly."""


class _RequestRule(Rule):
    """A rule on the buffers of an entropy device."""

    def concerns(self, queue: Queue) -> bool:
        """Whether the queue is the one of requests."""
        return self.state.device_type == DeviceType.ENTROPY and queue.index == REQUESTS


class NothingToRead(_RequestRule):
    """The driver places no device-readable buffers into the queue (5.4.6.1)."""

    clause = "DRV-RNG-001"

    @on(ChainMade)
    def made(self, fact: ChainMade) -> None:
        """A buffer is known whole."""
        if self.concerns(fact.queue):
            chain = fact.chain
            self.judge(not chain.readable, f"{fact.queue}, chain at {chain.head}: the device is to read it")


class RandomBytesArePlaced(_RequestRule):
    """The device places one or more random bytes into the buffer (5.4.6.2); needs its DMA.

    The standard names no time limit: a buffer lies too long that was available when the session ends,
    though the driver owed no doorbell, and the device did nothing for fifty settling times. Whether the
    bytes are random does not show.
    """

    clause = "DEV-RNG-001"

    @on(BufferUsed)
    def used(self, fact: BufferUsed) -> None:
        """A buffer comes back."""
        chain = fact.chain
        if chain is None or not self.concerns(fact.queue) or not chain.complete or chain.refused:
            return
        if chain.writable and not chain.readable and not chain.problems:
            self.judge(chain.written.prefix != 0, f"nothing was written to buffer {fact.id} of {fact.queue}")

    @on(Unserved)
    def unserved(self, fact: Unserved) -> None:
        """The session ends, and a buffer was not used."""
        ring = fact.queue.tracker
        if ring is None or not self.concerns(fact.queue) or any(chain.readable for chain in ring.chains()):
            return
        waited = self.state.now - fact.since
        if waited // PATIENCE > self.state.settle:
            self.breached(f"buffer {fact.chain.id} of {fact.queue} was not used in {waited // 1000} ns")
