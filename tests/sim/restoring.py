"""A restore whose steps can be taken in any order."""

from __future__ import annotations

from pymodel import spec
from pymodel.events import BarWrite
from pymodel.spec import Status
from tb.env import Env

ORDER = ("reset", "acknowledge", "driver", "features", "features ok", "queues", "driver ok")
"""The right order (virtio 1.4, 3.1.1)."""
OLD_ORDER = ("features", "queues", "saved status")
"""What came before the kernel's "fix virtio spec compliance on restore"."""
SAVED = Status.ACKNOWLEDGE | Status.DRIVER | Status.FEATURES_OK | Status.DRIVER_OK


def written(env: Env, start: int) -> list[int]:
    """What was written to device_status since event number `start`."""
    cap = env.driver.pci.layout.common
    place = cap.bar, cap.offset + spec.COMMON_CFG["device_status"].offset
    return [
        event.data[0]
        for event in env.log[start:]
        if isinstance(event, BarWrite) and (event.bar, event.addr) == place
    ]


class Restoring:
    """The steps of a restore; the status is kept in a variable, as the kernel's driver keeps it."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._device = env.driver.device
        self._pci = env.driver.pci
        self._features = self._device.features
        self._status = Status(0)
        self._steps = {
            "reset": self._reset,
            "features": self._set_features,
            "queues": self._queues,
            "saved status": self._saved,
        }

    async def run(self, order: tuple[str, ...]) -> None:
        """Take the steps in this order; raises what the driver raises."""
        for name in order:
            step = self._steps.get(name)
            if step is not None:
                await step()
            else:
                await self._add(Status[name.upper().replace(" ", "_")])

    async def _add(self, bit: Status) -> None:
        self._status |= bit
        await self._pci.write_common("device_status", self._status)
        if bit == Status.FEATURES_OK:
            await self._pci.get_status()

    async def _reset(self) -> None:
        await self._device.reset()
        self._device.features = self._features

    async def _set_features(self) -> None:
        await self._pci.finalize_features(self._features)

    async def _queues(self) -> None:
        assert self._device.driver is not None
        await self._device.driver.restore(self._device)

    async def _saved(self) -> None:
        await self._pci.write_common("device_status", SAVED)
