"""What can go wrong between driver and device; messages name the bring-up step and last accesses."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TypeVar


class DriverError(Exception):
    """The driver cannot go on with this device."""


class DriverBug(Exception):
    """The caller asked the driver for something that no driver may do."""


class NotVirtio(DriverError):
    """The function is absent, not a virtio device, or of another device type."""


class CapabilityError(DriverError):
    """The PCI capability list is broken, or a structure that the driver needs is missing or unusable."""


class ResetTimeout(DriverError):
    """device_status or queue_reset did not return to 0."""


class FeaturesRefused(DriverError):
    """The device did not keep FEATURES_OK, or offers too little."""


class QueueUnavailable(DriverError):
    """A queue does not exist, is enabled already, or has an impossible size."""


class VectorRefused(DriverError):
    """A vector read back differently from what was written (virtio 1.4, 4.1.5.1.2.2)."""


class ConfigUnstable(DriverError):
    """config_generation never stayed the same over a read of the device configuration."""


class DeviceNeedsReset(DriverError):
    """The device set DEVICE_NEEDS_RESET."""


class SuspendFailed(DriverError):
    """The device did not reach the suspended state, or did not leave it."""


class RequestTimeout(DriverError):
    """The device did not use a buffer in time."""


class InterruptMissing(DriverError):
    """The device used a buffer, and owed an interrupt that did not come."""


class ProtocolError(DriverError):
    """The device returned what it may not return."""


E = TypeVar("E", bound=Exception)


@dataclass
class AccessLog:
    """The step the driver is in and its last accesses: (verb, place, length, value)."""

    step: str = "idle"
    accesses: deque[tuple[str, str, int, int]] = field(default_factory=lambda: deque(maxlen=12))

    def note(self, verb: str, place: str, length: int, value: int) -> None:
        """Remember one access."""
        self.accesses.append((verb, place, length, value))

    def error(self, kind: type[E], message: str) -> E:
        """Return an exception that says where the driver was and what it did last."""
        last = "; ".join(f"{v} {p}/{n}={x:#x}" for v, p, n, x in self.accesses) or "none"
        return kind(f"{self.step}: {message} [last accesses: {last}]")
