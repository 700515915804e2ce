"""What the device drivers share whose requests lie in request queues: block, entropy and others."""

from __future__ import annotations

from pymodel.driver import errors
from pymodel.driver.config_ops import QueueRequest
from pymodel.driver.core import VirtioDevice, VirtioDriver
from pymodel.driver.requests import RequestQueues


class RequestDriver(VirtioDriver):
    """Keeps requests on queues; a subclass sets queues up in its `probe` and ends that with `bind`.

    `queue_size` limits each queue (0: as offered); `queue_indexes` are the queues in use.
    """

    def __init__(self, *, queue_size: int = 0) -> None:
        self.queue_size = queue_size
        self.queue_indexes: tuple[int, ...] = ()
        self._requests: RequestQueues | None = None

    @property
    def requests(self) -> RequestQueues:
        """The requests of the bound device; raises DriverBug while no device is bound."""
        if self._requests is None:
            raise errors.DriverBug(f"{type(self).__name__} is bound to no device")
        return self._requests

    async def bind(self, device: VirtioDevice, queues: list[QueueRequest]) -> None:
        """Set the queues up and keep requests on them."""
        await device.find_vqs(queues)
        self.queue_indexes = tuple(request.index for request in queues)
        self._requests = RequestQueues(device)

    async def remove(self, device: VirtioDevice) -> None:
        """Give up what is in flight: the device was reset."""
        if self._requests:
            self._requests.abandon()
        self._requests = None

    async def ready(self, device: VirtioDevice) -> None:
        """Ring for what waited for DRIVER_OK or for the end of a suspension."""
        await self.requests.kick_all()

    async def restart_queue(self, queue: int = 0, size: int = 0) -> None:
        """Reset one queue and enable it again with `size` descriptors (0: all); its requests are lost."""
        device = self.requests.device
        await device.reset_queue(queue)
        self.requests.abandon(queue)
        await device.enable_queue(QueueRequest(queue, size or self.queue_size))
