"""A guest over the device model, for the unit tests."""

from __future__ import annotations

from random import Random

from pymodel.checker.engine import Checker
from pymodel.device.blk import BlkBackend
from pymodel.device.config import DeviceConfig
from pymodel.device.transport import ModelTransport
from pymodel.driver.blk import VirtioBlk
from pymodel.driver.config_ops import Style
from pymodel.driver.guest import Guest
from pymodel.driver.interrupts import InterruptMode
from pymodel.events import BarRead, BarWrite, Event, Mark
from pymodel.layout import common_field
from pymodel.spec import CapType

SECTORS = 64


def image() -> bytearray:
    """A medium whose every sector is different."""
    return bytearray(b"".join(bytes([n]) * 256 + bytes([255 - n]) * 256 for n in range(SECTORS)))


class Bench:
    """The model, its recorded events, and a guest with a block driver."""

    def __init__(
        self,
        config: DeviceConfig | None = None,
        *,
        mode: InterruptMode = InterruptMode.PER_QUEUE,
        seed: int | None = None,
        queues: int = 1,
        window: bool = False,
        queue_size: int = 0,
        judged: bool = False,
    ) -> None:
        self.backend = BlkBackend(image(), queues=queues)
        self.transport = ModelTransport(self.backend, config)
        self.events: list[Event] = []
        self.transport.events.subscribe(self.events.append)
        self.checker = Checker()
        if judged:
            self.transport.events.subscribe(self.checker.observe)
        style = Style() if seed is None else Style(rng=Random(seed))
        driver = VirtioBlk(queue_size=queue_size)
        self.guest = Guest(self.transport, driver, mode=mode, style=style, window=window)
        self.blk = driver
        self.model = self.transport.device

    def of(self, kind: type[Event]) -> list[Event]:
        """The recorded events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def verdict(self) -> list[str]:
        """End a judged observation and return what the checker holds against driver or model."""
        self.transport.events.emit(Mark(t=self.transport.now(), text="end"))
        return [f"{finding.clause}: {finding.message}" for finding in self.checker.finish().violations]

    def common(self, *names: str) -> list[tuple[str, str, int]]:
        """The accesses to the common configuration structure: (r or w, field, value); of `names` only."""
        place = self.model.config.places[CapType.COMMON]
        found: list[tuple[str, str, int]] = []
        for event in self.events:
            if isinstance(event, BarRead | BarWrite) and event.bar == place.bar:
                field = common_field(event.addr - place.offset)
                if field and (not names or field.name in names):
                    verb = "w" if isinstance(event, BarWrite) else "r"
                    found.append((verb, field.name, int.from_bytes(event.data, "little")))
        return found

    def written(self, name: str) -> list[int]:
        """The values written to one field of the common configuration structure."""
        return [value for verb, _, value in self.common(name) if verb == "w"]
