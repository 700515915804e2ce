"""The guest's bring-up: what the kernel's virtio core does, over any bus (virtio 1.4, 3.1)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from pymodel.driver import errors
from pymodel.driver.config_ops import ConfigOps, QueueRequest
from pymodel.ring.base import Virtqueue
from pymodel.spec import Feature, Field, Status, feature_mask

CONFIG_ATTEMPTS = 64


class VirtioDriver(ABC):
    """A driver for one device type; `VirtioDevice` calls it in the order of the standard."""

    device_type: int
    features: int = 0
    requires: dict[int, int] = {}

    def check_features(self, features: int) -> int:
        """Return the subset of `features` this driver can accept together (virtio 1.4, 2.2.1)."""
        for bit, needed in self.requires.items():
            if features >> bit & 1 and needed & ~features:
                features &= ~(1 << bit)
        return features

    @abstractmethod
    async def probe(self, device: VirtioDevice) -> None:
        """Device-specific setup between FEATURES_OK and DRIVER_OK."""

    @abstractmethod
    async def remove(self, device: VirtioDevice) -> None:
        """The device was reset: drop requests in flight."""

    async def freeze(self, device: VirtioDevice) -> None:
        """Quiesce before a system suspend: the device is about to be reset and its queues go away."""
        await self.remove(device)

    async def restore(self, device: VirtioDevice) -> None:
        """Set the queues up again after a system suspend; what it raises fails the restore."""
        await self.probe(device)

    async def config_changed(self, device: VirtioDevice) -> None:  # noqa: B027 - most drivers need neither
        """The device sent a configuration change notification."""

    async def ready(self, device: VirtioDevice) -> None:  # noqa: B027
        """DRIVER_OK is set: doorbells may ring now."""


class VirtioDevice:
    """A virtio device as the guest's core sees it; `ops` is the bus below, `driver` the one bound to it."""

    def __init__(self, ops: ConfigOps) -> None:
        self.ops = ops
        self.driver: VirtioDriver | None = None
        self.features = 0
        self.offered = 0
        self.queues: dict[int, Virtqueue] = {}
        self.live = False
        self.suspended = False
        self._failed = False

    @property
    def device_type(self) -> int:
        """The virtio device type number."""
        return self.ops.device_type

    def has(self, feature: int) -> bool:
        """Whether a feature was negotiated."""
        return bool(self.features >> feature & 1)

    async def reset(self) -> None:
        """Reset the device: status, accepted features and queues are gone, and are negotiated again."""
        self.ops.log.step = "reset"
        self.live = self.suspended = False
        await self.ops.reset()
        self.features = 0

    async def add_status(self, bit: Status) -> None:
        """Set one more status bit; bits are never taken away (virtio 1.4, 2.1.1)."""
        await self.ops.set_status(await self.ops.get_status() | bit)

    async def register(self) -> None:
        """Find the device: reset it, because an earlier driver may have left a mess, and acknowledge it."""
        await self.reset()
        self.ops.log.step = "acknowledge"
        await self.add_status(Status.ACKNOWLEDGE)

    async def probe(self, driver: VirtioDriver, wanted: int = -1) -> None:
        """Bind a driver: reset up to DRIVER_OK; `wanted` limits the features to negotiate.

        On any failure FAILED is set and the error raised (virtio 1.4, 3.1.1).
        """
        await self.register()
        await self._unbind()
        if driver.device_type != self.device_type:
            raise self.ops.log.error(
                errors.NotVirtio, f"type {self.device_type}, driver for {driver.device_type}"
            )
        try:
            self.ops.log.step = "driver"
            await self.add_status(Status.DRIVER)
            await self._choose_features(driver, wanted)
            await self._finalize_features()
            self.ops.log.step = "driver's probe"
            await driver.probe(self)
            self.driver = driver
            await self._make_ready()
        except Exception:
            await self.fail()
            raise

    async def _choose_features(self, driver: VirtioDriver, wanted: int) -> None:
        self.ops.log.step = "negotiate"
        self.offered = await self.ops.get_features()
        must = feature_mask(Feature.VERSION_1) if self.ops.has_features_ok else 0
        if must & ~self.offered:
            raise self.ops.log.error(errors.FeaturesRefused, "VERSION_1 is not offered")
        known = self.ops.known_features | driver.features
        self.features = driver.check_features(self.offered & known & (wanted | must))

    async def _finalize_features(self) -> None:
        self.ops.log.step = "finalize features"
        await self.ops.finalize_features(self.features)
        if not self.ops.has_features_ok:
            return
        await self.add_status(Status.FEATURES_OK)
        if not await self.ops.get_status() & Status.FEATURES_OK:
            raise self.ops.log.error(errors.FeaturesRefused, f"FEATURES_OK dropped for {self.features:#x}")

    async def _make_ready(self) -> None:
        self.ops.log.step = "driver ok"
        await self.add_status(Status.DRIVER_OK)
        self.live = True
        self.ops.log.step = "operation"
        if self.driver:
            await self.driver.ready(self)

    async def fail(self) -> None:
        """Give the device up: set FAILED. Only a reset leads on from here."""
        self.live = False
        await self.add_status(Status.FAILED)

    async def find_vqs(self, requests: Sequence[QueueRequest]) -> list[Virtqueue]:
        """Set up queues, for a driver's probe or restore."""
        queues = await self.ops.find_vqs(requests, self.features)
        self.queues = {queue.index: queue for queue in queues}
        return queues

    async def remove(self) -> None:
        """Unbind the driver: reset, so that no queue is live, then free them (virtio 1.4, 3.3)."""
        await self.reset()
        self.ops.log.step = "remove"
        await self._unbind()

    async def _unbind(self) -> None:
        """Take the last driver and its queues off a device that was reset."""
        if self.driver:
            await self.driver.remove(self)
        await self._drop_queues()
        self.driver = None

    async def reset_queue(self, index: int) -> None:
        """Reset one queue and free it (virtio 1.4, 2.6.1); raises DriverBug without RING_RESET."""
        if not (self.live and self.has(Feature.RING_RESET)):
            raise self.ops.log.error(
                errors.DriverBug, "RING_RESET is not negotiated or the device is not live"
            )
        await self.ops.reset_vq(self.queues[index])
        del self.queues[index]

    async def enable_queue(self, request: QueueRequest) -> Virtqueue:
        """Set a queue up again after `reset_queue`, of any size (virtio 1.4, 2.6.1.2)."""
        queue = await self.ops.enable_vq(request)
        self.queues[request.index] = queue
        return queue

    async def _drop_queues(self) -> None:
        await self.ops.del_vqs()
        self.queues = {}

    async def kick(self, queue: Virtqueue) -> bool:
        """Publish what was added and ring the doorbell if the device wants it; return whether it rang."""
        if self.suspended:
            raise self.ops.log.error(
                errors.DriverBug, f"buffers for queue {queue.index} of a suspended device"
            )
        queue.publish()
        if not self.live:
            return False
        wanted = queue.kick_needed()
        if wanted:
            await self.notify(queue)
        return wanted

    async def notify(self, queue: Virtqueue) -> None:
        """Ring the doorbell; raises DriverBug before DRIVER_OK and while suspended (virtio 1.4, 3.1.1)."""
        if not self.live:
            raise self.ops.log.error(
                errors.DriverBug, f"doorbell for queue {queue.index} of a device not live"
            )
        await self.ops.notify(queue)

    async def read_config(self, *fields: Field) -> tuple[int, ...]:
        """Read configuration fields as one consistent set (virtio 1.4, 2.5.1).

        Without a generation they are read until two readings agree (2.5.4).
        """
        for _ in range(CONFIG_ATTEMPTS):
            before = await self.ops.generation()
            values = await self._read_fields(fields)
            if before is None:
                if values == await self._read_fields(fields):
                    return values
            elif await self.ops.generation() == before:
                return values
        raise self.ops.log.error(errors.ConfigUnstable, f"{CONFIG_ATTEMPTS} attempts at {fields[0].name}")

    async def _read_fields(self, fields: Sequence[Field]) -> tuple[int, ...]:
        return tuple([await self.ops.get_config(field.offset, field.width) for field in fields])

    async def write_config(self, field: Field, value: int) -> None:
        """Write a configuration field; raises DriverBug before FEATURES_OK (virtio 1.4, 3.1.1)."""
        if self.ops.has_features_ok and not await self.ops.get_status() & Status.FEATURES_OK:
            raise self.ops.log.error(errors.DriverBug, f"write of {field.name} before FEATURES_OK")
        await self.ops.set_config(field.offset, field.width, value)

    async def check_alive(self) -> None:
        """Raise DeviceNeedsReset if the device says so (virtio 1.4, 2.1.2)."""
        status = await self.ops.get_status()
        if status & Status.DEVICE_NEEDS_RESET:
            raise self.ops.log.error(errors.DeviceNeedsReset, f"device_status {status:#04x}")

    async def freeze(self) -> None:
        """System suspend: remember FAILED, let the driver quiesce, put the bus away."""
        self.ops.log.step = "freeze"
        self._failed = bool(await self.ops.get_status() & Status.FAILED)
        features = self.features
        await self.reset()
        if self.driver:
            await self.driver.freeze(self)
        await self._drop_queues()
        self.features = features
        await self.ops.freeze()

    async def restore(self) -> None:
        """System resume, in the one right order: reset, ACKNOWLEDGE, FAILED if it was set, DRIVER,
        features, the driver's restore, DRIVER_OK.

        Without a driver it stops after ACKNOWLEDGE. If a step fails, FAILED is set and the error raised.
        """
        features = self.features
        await self.ops.thaw()
        await self.register()
        self.features = features
        if self._failed:
            await self.add_status(Status.FAILED)
        if self.driver is None:
            return
        try:
            self.ops.log.step = "restore"
            await self.add_status(Status.DRIVER)
            await self._finalize_features()
            await self.driver.restore(self)
            await self._make_ready()
        except Exception:
            await self.fail()
            raise

    async def suspend(self) -> None:
        """Suspend the device (virtio 1.4, 3.4): set SUSPEND, wait until DRIVER_OK reads 0."""
        self.ops.log.step = "suspend"
        if not (self.live and self.has(Feature.SUSPEND)):
            raise self.ops.log.error(errors.DriverBug, "SUSPEND is not negotiated or the device is not live")
        self.live, self.suspended = False, True
        await self.add_status(Status.SUSPEND)
        await self._wait_suspend(Status.SUSPEND)

    async def resume(self) -> None:
        """Resume a suspended device (virtio 1.4, 3.4): set DRIVER_OK, wait until SUSPEND reads 0."""
        self.ops.log.step = "resume"
        await self.add_status(Status.DRIVER_OK)
        await self._wait_suspend(Status.DRIVER_OK)
        self.live, self.suspended = True, False
        self.ops.log.step = "operation"
        if self.driver:
            await self.driver.ready(self)

    async def _wait_suspend(self, wanted: Status) -> None:
        timing = self.ops.style.timing
        deadline = self.ops.now() + timing.reset_ns * 1000
        while True:
            status = await self.ops.get_status()
            if status & Status.DEVICE_NEEDS_RESET:
                raise self.ops.log.error(errors.DeviceNeedsReset, f"device_status {status:#04x}")
            if status & (Status.SUSPEND | Status.DRIVER_OK) == wanted:
                return
            if self.ops.now() >= deadline:
                raise self.ops.log.error(errors.SuspendFailed, f"device_status stays {status:#04x}")
            await self.ops.delay(timing.poll_ns)
