"""What the tests of lguest's bus share: the Launcher's window, and a driver on the page's block device."""

from __future__ import annotations

from pymodel import lguest
from pymodel.device.lguest import TOP
from pymodel.driver.blk import VirtioBlk
from pymodel.driver.lguest import LguestBus, LguestOps
from pymodel.layout import legacy_ring_length
from pymodel.lguest import LguestDevice, LguestLayout
from pymodel.spec import LEGACY_PAGE_SIZE, DeviceType
from tb.env import Env
from tb.guest import EVERYTHING


class Machine:
    """A guest of lguest whose Launcher chose a layout; `at` is the block device's descriptor."""

    def __init__(self, env: Env, layout: LguestLayout) -> None:
        self.env = env
        self.layout = layout
        self.bus = LguestBus(env.transport, layout, TOP)
        self.at: LguestDevice
        self.devices: list[LguestDevice] = []

    async def boot(self) -> Machine:
        """Choose the layout and scan the page."""
        first = int(self.layout is LguestLayout.FIRST)
        place = lguest.LGUEST_LAUNCHER_LAYOUT
        await self.env.transport.bar_write(lguest.LGUEST_BAR_LAUNCHER, place, 4, first)
        self.devices = await self.bus.scan()
        self.at = next(device for device in self.devices if device.type == DeviceType.BLK)
        return self

    async def start(self, features: int = EVERYTHING) -> VirtioBlk:
        """Bring the block device up to DRIVER_OK."""
        await self.env.driver.probe(LguestOps(self.bus, self.at, self.env.driver.style), features)
        return self.env.blk

    async def warnings(self) -> tuple[int, int]:
        """How many kicks came too early, and how many notifications meant nothing."""
        place = lguest.LGUEST_LAUNCHER_WARNINGS
        value = await self.env.transport.bar_read(lguest.LGUEST_BAR_LAUNCHER, place, 4)
        return value & 0xFFFF, value >> 16

    async def console(self) -> str:
        """Take what very early console output has come."""
        text = ""
        place = lguest.LGUEST_LAUNCHER_CONSOLE
        while value := await self.env.transport.bar_read(lguest.LGUEST_BAR_LAUNCHER, place, 4):
            assert value & lguest.LGUEST_CHARACTER
            text += chr(value & 0xFF)
        return text

    @property
    def address(self) -> int:
        """The guest-physical address of the descriptor."""
        return TOP + self.at.position

    def ring(self, index: int = 0) -> tuple[int, int]:
        """Address and length of a queue's ring."""
        record = self.at.queues[index]
        return record.page * LEGACY_PAGE_SIZE, legacy_ring_length(record.size, LEGACY_PAGE_SIZE)


async def boot(env: Env, layout: LguestLayout) -> Machine:
    """Return a booted machine."""
    return await Machine(env, layout).boot()
