"""What makes a virtio device a device of its type: the model calls this, the rest is common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from pymodel.device.host import Host
from pymodel.device.ring import DeviceChain


class Backend(ABC):
    """A device type: its number, features, configuration space, queues and request handling."""

    device_type: int
    features: int = 0
    queue_count: int = 1
    class_code: int = 0xFF0000

    def __init__(self) -> None:
        self.changed: Callable[[], None] = lambda: None
        """Set by the model; to be called after the configuration changed on the device's own account."""

    def config(self) -> bytes:
        """Return the device-specific configuration; empty where the type has none."""
        return b""

    def write_config(self, offset: int, data: bytes) -> None:  # noqa: B027 - most fields are read-only
        """The driver wrote configuration bytes."""

    def accepts(self, features: int) -> bool:
        """Whether the device can run with this set of accepted features."""
        return True

    def start(self, features: int) -> None:  # noqa: B027 - optional
        """FEATURES_OK was accepted with these features."""

    def start_legacy(self, features: int) -> None:  # noqa: B027 - optional
        """A legacy driver set DRIVER_OK with these features."""

    @abstractmethod
    def handle(self, chain: DeviceChain, host: Host) -> int:
        """Execute a request and return the bytes written; raises RingError for a buffer it cannot use."""
