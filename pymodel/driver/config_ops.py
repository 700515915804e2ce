"""What the driver core needs of a bus: the operations that virtio-pci and its siblings provide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from pymodel.driver.errors import AccessLog
from pymodel.memory import GuestMemory
from pymodel.ring.base import Virtqueue


@dataclass(frozen=True)
class QueueRequest:
    """A queue that a driver wants: its index and the most descriptors it can use (0: as many as offered)."""

    index: int
    size: int = 0


@dataclass(frozen=True)
class Causes:
    """What an interrupt may be about: queue indexes, and a configuration change."""

    queues: frozenset[int] = frozenset()
    config: bool = False


@dataclass
class Timing:
    """How long the driver waits, in nanoseconds of the device's time."""

    poll_ns: int = 1_000
    reset_ns: int = 10_000_000
    request_ns: int = 10_000_000
    slice_ns: int = 20_000
    flr_ns: int = 10_000


@dataclass
class Style:
    """How the driver uses the freedom that the standard leaves it.

    Without `rng` it behaves plainly: one element each for header, data and status, indirect tables
    wherever they are negotiated. With `rng` it cuts buffers anywhere (at most `max_elements` pieces)
    and chooses places, orders and indirection at random.

    Three switches are for devices that fall short of the standard: with `mixed_indirect` false no direct
    descriptor stands in front of an indirect table (2.7.5.3.2 wants devices to take that), with
    `length_needs_write` false a packed used length counts without its WRITE flag too (against 2.8.4), with
    `id_in_last_only` false all descriptors of a packed list carry the buffer id (2.8.6 names the last).
    """

    rng: Random | None = None
    max_elements: int = 8
    mixed_indirect: bool = True
    length_needs_write: bool = True
    id_in_last_only: bool = True
    timing: Timing = field(default_factory=Timing)


class ConfigOps(Protocol):
    """A virtio device seen through its bus; the verbs are those of the kernel's virtio_config_ops."""

    memory: GuestMemory
    log: AccessLog
    style: Style
    device_type: int
    has_features_ok: bool
    known_features: int

    @property
    def interrupting(self) -> bool:
        """Whether interrupts were set up, so that `wait_interrupt` can return anything."""
        ...

    async def get_config(self, offset: int, width: int) -> int:
        """Read a device-specific configuration field of `width` bytes (8: as two dwords)."""
        ...

    async def set_config(self, offset: int, width: int, value: int) -> None:
        """Write a device-specific configuration field of `width` bytes."""
        ...

    async def generation(self) -> int | None:
        """Return the configuration generation; None where the bus has none."""
        ...

    async def get_status(self) -> int:
        """Return the device status byte."""
        ...

    async def set_status(self, status: int) -> None:
        """Write the device status byte; raises DriverBug for 0, which only `reset` may write."""
        ...

    async def reset(self) -> None:
        """Reset the device and return once it is reset; raises ResetTimeout."""
        ...

    async def get_features(self) -> int:
        """Return the offered features that this bus can carry."""
        ...

    async def finalize_features(self, features: int) -> None:
        """Tell the device which features the driver accepts."""
        ...

    async def find_vqs(self, requests: Sequence[QueueRequest], features: int) -> list[Virtqueue]:
        """Set up interrupts and queues; raises QueueUnavailable or VectorRefused."""
        ...

    async def del_vqs(self) -> None:
        """Forget queues and interrupts of a device that was reset, and give their memory back."""
        ...

    async def reset_vq(self, queue: Virtqueue) -> None:
        """Reset one queue, verify it and free its memory; raises ResetTimeout."""
        ...

    async def enable_vq(self, request: QueueRequest) -> Virtqueue:
        """Set up and enable a queue that was reset."""
        ...

    async def notify(self, queue: Virtqueue) -> None:
        """Send an available buffer notification."""
        ...

    async def wait_interrupt(self, timeout_ns: int) -> Causes | None:
        """Return what the next interrupt may be about; None on timeout or where none is configured."""
        ...

    async def freeze(self) -> None:
        """Put the bus side away before a system suspend."""
        ...

    async def thaw(self) -> None:
        """Bring the bus side back, also over a function that lost its configuration."""
        ...

    async def delay(self, ns: int) -> None:
        """Let time pass."""
        ...

    def now(self) -> int:
        """Return the device's time in picoseconds."""
        ...
