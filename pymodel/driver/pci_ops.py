"""What the modern and the legacy interface of a virtio-pci function have in common (virtio 1.4, 4.1)."""

from __future__ import annotations

from abc import ABC, abstractmethod

from pymodel import spec
from pymodel.driver import errors
from pymodel.driver.config_ops import Causes, Style
from pymodel.driver.errors import AccessLog
from pymodel.driver.function import PciFunction, Windows
from pymodel.driver.interrupts import InterruptMode, Interrupts
from pymodel.ring.base import Virtqueue
from pymodel.spec import Feature, PciCommand
from pymodel.transport import Transport


class PciOps(ABC):
    """Registers by name, status, reset and interrupts of one function."""

    def __init__(
        self,
        transport: Transport,
        *,
        mode: InterruptMode = InterruptMode.PER_QUEUE,
        style: Style | None = None,
        windows: Windows | None = None,
    ) -> None:
        self.transport = transport
        self.memory = transport.memory
        self.log = AccessLog()
        self.style = style or Style()
        self.function = PciFunction(transport, self.log, windows or Windows())
        self.interrupts = Interrupts(self, mode)
        self.device_type = 0
        self.queues: dict[int, Virtqueue] = {}
        self._features = 0

    @abstractmethod
    async def read_common(self, name: str) -> int:
        """Read a register of the common structure by name."""

    @abstractmethod
    async def write_common(self, name: str, value: int) -> None:
        """Write a register of the common structure by name."""

    @abstractmethod
    async def read_isr(self) -> int:
        """Read ISR status, which clears it and takes INTx back."""

    @property
    def interrupting(self) -> bool:
        """Whether interrupts were set up."""
        return self.interrupts.active is not InterruptMode.POLL

    def identify(self) -> int:
        """Return the virtio device type; raises NotVirtio for another function."""
        device_id = self.function.device_id
        if self.function.vendor_id == spec.VENDOR_ID:
            if spec.MODERN_DEVICE_ID_BASE < device_id < spec.MODERN_DEVICE_ID_BASE + 0x40:
                return device_id - spec.MODERN_DEVICE_ID_BASE
            for device_type, transitional in spec.TRANSITIONAL_DEVICE_ID.items():
                if transitional == device_id:
                    return device_type
        raise self.log.error(errors.NotVirtio, f"{self.function.vendor_id:#06x}:{device_id:#06x}")

    def _has(self, feature: Feature) -> bool:
        return bool(self._features >> feature & 1)

    async def get_status(self) -> int:
        """Return device_status."""
        return await self.read_common("device_status")

    async def set_status(self, status: int) -> None:
        """Write device_status; 0 is refused, because only `reset` may write it."""
        if status == 0:
            raise self.log.error(errors.DriverBug, "set_status(0): call reset()")
        await self.write_common("device_status", status)

    async def reset(self) -> None:
        """Write 0 to device_status and wait until it reads 0 (virtio 1.4, 4.1.4.3.2)."""
        await self.write_common("device_status", 0)
        await self._poll_zero("device_status")

    async def _poll_zero(self, name: str) -> None:
        timing = self.style.timing
        deadline = self.now() + timing.reset_ns * 1000
        while value := await self.read_common(name):
            if self.now() >= deadline:
                raise self.log.error(
                    errors.ResetTimeout, f"{name} still reads {value:#x} after {timing.reset_ns} ns"
                )
            await self.delay(timing.poll_ns)

    async def del_vqs(self) -> None:
        """Free all queues of a device that was reset, and switch MSI-X off."""
        for queue in self.queues.values():
            queue.destroy()
        self.queues.clear()
        await self.interrupts.teardown()

    async def wait_interrupt(self, timeout_ns: int) -> Causes | None:
        """Return what the next interrupt may be about."""
        return await self.interrupts.wait(timeout_ns)

    async def freeze(self) -> None:
        """Stop the function from mastering the bus."""
        await self.function.command(clear=PciCommand.BUS_MASTER)

    async def thaw(self) -> None:
        """Write BARs and command register again: the function may have lost them."""
        self.log.step = "thaw"
        await self.function.place_bars()
        await self.function.command(enable=PciCommand.BUS_MASTER)

    async def function_level_reset(self) -> None:
        """Reset the function below virtio; queues are gone for the device, MSI-X is off."""
        await self.function.function_level_reset(self.style.timing.flr_ns)
        if self.interrupts.msix:
            self.interrupts.msix.enabled = False
        await self.function.command(enable=PciCommand.BUS_MASTER)

    async def delay(self, ns: int) -> None:
        """Let time pass."""
        await self.transport.delay(ns)

    def now(self) -> int:
        """Return the device's time in picoseconds."""
        return self.transport.now()
