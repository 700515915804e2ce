"""The guest of a test: the reference driver bound to the test's transport, with short verbs."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from pymodel.driver.blk import VirtioBlk
from pymodel.driver.config_ops import ConfigOps, Style
from pymodel.driver.core import VirtioDevice
from pymodel.driver.entropy import VirtioEntropy
from pymodel.driver.errors import DriverBug
from pymodel.driver.interrupts import InterruptMode
from pymodel.driver.pci import VirtioPci
from pymodel.driver.request_driver import RequestDriver
from pymodel.driver.requests import RequestQueues
from pymodel.spec import BlkFeature, DeviceType, Feature, PciCapId, Status, feature_mask
from pymodel.transport import Transport
from tb.image import Image
from tb.sessions import shapes
from tb.sim_test import Skip
from tb.work import Work, work_for

EVERYTHING = -1
TYPE_BITS = 24
"""Feature bits below this one mean something else for every device type (virtio 1.4, 2.2)."""


class Guest:
    """Starts, resets and starts again the driver that fits the device.

    `pci` and `device` are the driver's own objects, `bound` is the driver of the last session and `work`
    what it can be asked to do. `shapes` are what its sessions were like, see `tb.sessions`.
    """

    def __init__(self, transport: Transport, rng: random.Random, image: Image, *, plain: bool) -> None:
        self.transport = transport
        self.style = Style(rng=None if plain else rng)
        self._rng = rng
        self._image = image
        self._enumerated = False
        self._offered: int | None = None
        self._buffers = 0
        self.shapes: set[tuple[str, str, str]] = set()
        self.pci = VirtioPci(transport, style=self.style)
        self.device = VirtioDevice(self.pci)
        self._work: Work[Any] | None = None

    @property
    def work(self) -> Work[Any]:
        """What the driver can be asked to do; raises DriverBug before the device is known."""
        if self._work is None:
            raise DriverBug("there is no driver before discover or start")
        return self._work

    @property
    def bound(self) -> RequestDriver:
        """The driver of this session, or of the next one where none was started."""
        driver: RequestDriver = self.work.driver
        return driver

    @property
    def blk(self) -> VirtioBlk:
        """The driver of a block device; raises DriverBug for another one."""
        if not isinstance(self.bound, VirtioBlk):
            raise DriverBug(f"the driver is {type(self.bound).__name__}: the test is not for every device")
        return self.bound

    @property
    def entropy(self) -> VirtioEntropy:
        """The driver of an entropy device; raises DriverBug for another one."""
        if not isinstance(self.bound, VirtioEntropy):
            raise DriverBug(f"the driver is {type(self.bound).__name__}: the test is not for every device")
        return self.bound

    async def discover(self, mode: InterruptMode = InterruptMode.PER_QUEUE) -> None:
        """Find the function and its structures; `mode` says which interrupts to use later.

        Raises Skip where the bench has no driver for the device.
        """
        self.pci.interrupts.mode = mode
        if not self._enumerated:
            await self.pci.enumerate()
            self._enumerated = True
        if self._work is None:
            self.fresh()

    def fresh(self, *, queues: int | Mapping[int, int] = 0, queue_size: int = 0) -> RequestDriver:
        """Take a fresh driver for the device; `queues` and `queue_size` as `start` has them."""
        self._buffers = self.buffers
        kind = work_for(self.device.device_type)
        self._work = kind(kind.make_driver(queues, queue_size), self._image, self._rng)
        return self.bound

    async def start(
        self,
        features: int = EVERYTHING,
        *,
        queues: int | Mapping[int, int] = 0,
        queue_size: int = 0,
        mode: InterruptMode = InterruptMode.PER_QUEUE,
    ) -> RequestDriver:
        """Bring the device up to DRIVER_OK with a fresh driver of its type, and return that.

        `features` is the set to accept beside VERSION_1 (default: all that is offered and known);
        raises Skip where the device does not offer one of them. `queues` and `queue_size` limit what
        is used (0: all), or `queues` is a table of index to size: raises Skip where it has no such queue.
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
    ) -> RequestDriver:
        """As `start`, through any bus that was scanned already; it is `device` from now on."""
        if ops is not self.device.ops:
            self._buffers = self.buffers
            self.device = VirtioDevice(ops)
        driver = self.fresh(queues=queues, queue_size=queue_size)
        await self.bring_up(driver, features)
        absent = sorted(set(queues) - set(driver.queue_indexes)) if isinstance(queues, Mapping) else []
        if absent:
            raise Skip(f"the device has no queue {absent[0]}")
        return driver

    async def bring_up(self, driver: RequestDriver, features: int = EVERYTHING) -> None:
        """Bind the driver that `fresh` made."""
        await self.device.probe(driver, wanted=features)
        if features != EVERYTHING:
            self._demand(features, self.device.offered)
        self.shapes |= shapes(self.device.features, self.device.queues)

    async def offered(self) -> int:
        """The features that the device offers and the driver knows; ends a session that is under way."""
        if self._offered is None:
            await self.discover()
            await self.device.register()
            await self.device.add_status(Status.DRIVER)
            self._offered = await self.pci.get_features()
        return self._offered & self.known_features

    async def forms(self, *sets: int) -> list[int]:
        """Those of the feature sets that the device offers whole; raises Skip where it offers none."""
        offered = await self.offered()
        fitting = [features for features in sets if not features & ~offered]
        if not fitting:
            self._demand(sets[0], offered)
        return fitting

    async def demand(self, features: int) -> None:
        """Raise Skip, before anything is done to the device, where it does not offer all of these."""
        self._demand(features, await self.offered())

    def _demand(self, features: int, offered: int) -> None:
        missing = features & ~offered
        if missing:
            raise Skip(f"the device does not offer {feature_names(missing, self.device.device_type)}")

    async def several(self, queues: int) -> int:
        """The features that so many queues take; raises Skip where the device has fewer."""
        await self.discover()
        feature = self.work.several
        await self.demand(0 if feature is None else feature_mask(feature))
        found = await self.pci.read_common("num_queues")
        if found < queues or self.work.several is None:
            raise Skip(f"the device has {found} of the {queues} queues that this takes")
        return feature_mask(self.work.several)

    async def all_queues(self) -> int:
        """The feature that lets a driver use all request queues; 0 where the device does not offer it."""
        await self.discover()
        feature = self.work.several
        offered = await self.offered()
        wanted = 0 if feature is None else feature_mask(feature)
        return wanted & offered

    def can_function_reset(self) -> bool:
        """Whether the function has the capability through which it can be reset (FLR)."""
        return self.pci.function.find_capability(PciCapId.PCI_EXPRESS) is not None

    @property
    def known_features(self) -> int:
        """All features that bus and driver know."""
        return self.pci.known_features | self.bound.features

    async def unoffered(self) -> int:
        """A feature bit of the device's type that the device does not offer."""
        await self.offered()
        bits = (int(BlkFeature.ZONED), *range(TYPE_BITS))
        free: int = next(bit for bit in bits if not (self._offered or 0) >> bit & 1)
        return free

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
        if self.device.driver is None or self._work is None:
            return None
        try:
            return self.bound.requests
        except DriverBug:
            return None


def feature_names(features: int, device_type: int) -> str:
    """Features as people call them, "RING_PACKED, RING_RESET"; bits without a name as numbers."""
    names = {bit.value: bit.name for bit in Feature}
    if device_type == DeviceType.BLK:
        names |= {bit.value: f"blk {bit.name}" for bit in BlkFeature}
    return ", ".join(names.get(bit, f"feature {bit}") for bit in range(64) if features >> bit & 1)
