"""The notification structure: place, size and multiplier (virtio 1.4, 4.1.4.4)."""

from __future__ import annotations

from pymodel.checker.facts import FeaturesOk, FieldRead
from pymodel.checker.rule import Rule, on
from pymodel.spec import Feature


class _Notify(Rule):
    """A rule on the notification structures, once it is known whether NOTIFICATION_DATA is offered."""

    with_data = False

    @on(FeaturesOk)
    def settled(self, fact: FeaturesOk) -> None:
        """The offer is known."""
        if fact.offered is None or bool(fact.offered >> Feature.NOTIFICATION_DATA & 1) != self.with_data:
            return
        for place in self.state.config.places:
            if place.kind == "notify":
                self.place(place.offset, place.length, place.multiplier)

    def place(self, offset: int, length: int, multiplier: int) -> None:
        """Judge one structure."""
        raise NotImplementedError


def _power_of_two(value: int) -> bool:
    return value > 0 and value & (value - 1) == 0


class NotifyOffset(_Notify):
    """The notification structure's offset is a multiple of 2 (4.1.4.4.1)."""

    clause = "DEV-PCI-030"

    def place(self, offset: int, length: int, multiplier: int) -> None:
        """Judge one structure."""
        self.judge(offset % 2 == 0, f"the notification structure is at offset {offset:#x}")


class NotifyMultiplier(_Notify):
    """notify_off_multiplier is 0 or an even power of 2, read as: 2 or more (4.1.4.4.1)."""

    clause = "DEV-PCI-031"

    def place(self, offset: int, length: int, multiplier: int) -> None:
        """Judge one structure."""
        good = multiplier == 0 or (multiplier >= 2 and _power_of_two(multiplier))
        self.judge(good, f"notify_off_multiplier is {multiplier}")


class NotifyLength(_Notify):
    """The notification structure is at least 2 bytes long (4.1.4.4.1)."""

    clause = "DEV-PCI-032"

    def place(self, offset: int, length: int, multiplier: int) -> None:
        """Judge one structure."""
        self.judge(length >= 2, f"the notification structure is {length} bytes long")


class NotifyMultiplierWithData(_Notify):
    """With NOTIFICATION_DATA notify_off_multiplier is 0 or a power of 2 of at least 4 (4.1.4.4.1)."""

    clause = "DEV-PCI-035"
    with_data = True

    def place(self, offset: int, length: int, multiplier: int) -> None:
        """Judge one structure."""
        good = multiplier == 0 or (multiplier >= 4 and _power_of_two(multiplier))
        self.judge(good, f"notify_off_multiplier is {multiplier}")


class NotifyOffsetWithData(_Notify):
    """With NOTIFICATION_DATA the notification structure's offset is a multiple of 4 (4.1.4.4.1)."""

    clause = "DEV-PCI-036"
    with_data = True

    def place(self, offset: int, length: int, multiplier: int) -> None:
        """Judge one structure."""
        self.judge(offset % 4 == 0, f"the notification structure is at offset {offset:#x}")


class NotifyLengthWithData(_Notify):
    """With NOTIFICATION_DATA the notification structure is at least 4 bytes long (4.1.4.4.1)."""

    clause = "DEV-PCI-037"
    with_data = True

    def place(self, offset: int, length: int, multiplier: int) -> None:
        """Judge one structure."""
        self.judge(length >= 4, f"the notification structure is {length} bytes long")


class _NotifyOff(Rule):
    """A rule on queue_notify_off, once it is known whether NOTIFICATION_DATA is offered."""

    width = 2

    @on(FieldRead)
    def check(self, fact: FieldRead) -> None:
        """queue_notify_off is read."""
        word = self.session.offered.get(1)
        if fact.name != "queue_notify_off" or word is None:
            return
        queue_size = fact.queue.size if fact.queue is not None else None
        data = bool(word >> (Feature.NOTIFICATION_DATA - 32) & 1)
        if data != (self.width == 4) or queue_size == 0:
            return
        for place in self.state.config.places:
            if place.kind == "notify":
                end = fact.value * place.multiplier + self.width
                message = f"the doorbell of {fact.queue} ends at {end:#x} of {place.length:#x} bytes"
                self.judge(end <= place.length, message)


class NotifyOffFits(_NotifyOff):
    """The notification structure holds every queue's doorbell of 2 bytes (4.1.4.4.1)."""

    clause = "DEV-PCI-034"


class NotifyFitsAllQueues(_NotifyOff):
    """The notification structure is large enough for all queues (4.1.4.4.1), as far as they were read."""

    clause = "DEV-PCI-033"


class NotifyFitsAllQueuesWithData(_NotifyOff):
    """With NOTIFICATION_DATA the structure is large enough for all queues (4.1.4.4.1), as far as read."""

    clause = "DEV-PCI-038"
    width = 4


class NotifyOffFitsWithData(_NotifyOff):
    """With NOTIFICATION_DATA the structure holds every queue's doorbell of 4 bytes (4.1.4.4.1)."""

    clause = "DEV-PCI-039"
    width = 4
