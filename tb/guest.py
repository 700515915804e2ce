"""The guest of a test: the reference driver bound to the test's transport, with short verbs."""

from __future__ import annotations

import random
from collections.abc import Mapping

from pymodel.driver.blk import VirtioBlk
from pymodel.driver.config_ops import ConfigOps, Style
from pymodel.driver.core import VirtioDevice
from pymodel.driver.entropy import VirtioEntropy
from pymodel.driver.errors import DriverBug
from pymodel.driver.interrupts import InterruptMode
from pymodel.driver.pci import VirtioPci
from pymodel.driver.requests import RequestQueues
from pymodel.spec import Feature, feature_mask
from pymodel.transport import Transport
from tb.sessions import shapes
from tb.sim_test import Skip

EVERYTHING = -1


class Guest:
    """Starts, resets and starts again; `pci`, `device` and `blk` are the driver's own objects.

    `shapes` are what its sessions were like, see `tb.sessions`.
    """

    def __init__(self, transport: Transport, rng: random.Random, *, plain: bool) -> None:
        self.transport = transport
        self.style = Style(rng=None if plain else rng)
        self._enumerated = False
        self._buffers = 0
        self.shapes: set[tuple[str, str, str]] = set()
        self.pci = VirtioPci(transport, style=self.style)
        self.device = VirtioDevice(self.pci)
        self.blk = VirtioBlk()
        self._bound: VirtioBlk | VirtioEntropy = self.blk

    async def discover(self, mode: InterruptMode = InterruptMode.PER_QUEUE) -> None:
        """Find the function and its structures; `mode` says which interrupts to use later."""
        self.pci.interrupts.mode = mode
        if not self._enumerated:
            await self.pci.enumerate()
            self._enumerated = True

    async def start(
        self,
        features: int = EVERYTHING,
        *,
        queues: int | Mapping[int, int] = 0,
        queue_size: int = 0,
        mode: InterruptMode = InterruptMode.PER_QUEUE,
    ) -> VirtioBlk:
        """Bring the device up to DRIVER_OK with a fresh block driver, and return that.

        `features` is the set to accept beside VERSION_1 (default: all that is offered and known);
        raises Skip where the device does not offer one of them. `queues` and `queue_size` limit what
        is used (0: all; see VirtioBlk for a table of queues).
        """
        await self.discover(mode)
        return await self.probe(self.pci, features, queues=queues, queue_size=queue_size)

    async def probe(
        self,
        ops: ConfigOps,
        features: int = EVERYTHING,
        *,
        queues: int | Mapping[int, int] = 0,
        queue_size: int = 0,
    ) -> VirtioBlk:
        """As `start`, through any bus that was scanned already; it is `device` from now on."""
        if ops is not self.device.ops:
            self._buffers = self.buffers
            self.device = VirtioDevice(ops)
        blk = VirtioBlk(queue_size=queue_size, queues=queues)
        await self._bind(blk, features)
        return blk

    async def start_entropy(
        self,
        features: int = EVERYTHING,
        *,
        queue_size: int = 0,
        mode: InterruptMode = InterruptMode.PER_QUEUE,
    ) -> VirtioEntropy:
        """Bring an entropy device up with a fresh driver, as `start` does for a block device."""
        await self.discover(mode)
        entropy = VirtioEntropy(queue_size=queue_size)
        await self._bind(entropy, features)
        return entropy

    async def _bind(self, driver: VirtioBlk | VirtioEntropy, features: int) -> None:
        self._buffers = self.buffers
        self._bound = driver
        if isinstance(driver, VirtioBlk):
            self.blk = driver
        await self.device.probe(driver, wanted=features)
        missing = features & ~self.device.offered if features != EVERYTHING else 0
        if missing:
            raise Skip(f"the device does not offer the features {missing:#x}")
        self.shapes |= shapes(self.device.features, self.device.queues)

    async def reset(self) -> None:
        """Reset the device and take the driver off it; requests in flight are lost."""
        self._buffers = self.buffers
        await self.device.remove()

    def has(self, feature: Feature) -> bool:
        """Whether a feature was negotiated."""
        return bool(self.device.features & feature_mask(feature))

    @property
    def buffers(self) -> int:
        """Requests that the device has finished, over all sessions."""
        requests = self._requests
        return self._buffers + (requests.completed if requests else 0)

    @property
    def in_flight(self) -> int:
        """Requests that the device has not finished."""
        requests = self._requests
        return len(requests.in_flight) if requests else 0

    @property
    def _requests(self) -> RequestQueues | None:
        """The requests of the driver that is bound; None of one that is frozen, or failed to come back."""
        if self.device.driver is None:
            return None
        try:
            return self._bound.requests
        except DriverBug:
            return None
