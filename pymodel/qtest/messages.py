"""MSI-X messages made visible: an interrupt remapper in front of the function's MSI-X table.

The driver programs any address it likes; what reaches the table is the address of a word in low
guest memory, one per table entry, where the arriving message is found by looking. Reads of the table
are translated back, so the driver (and every event) sees only its own addresses.
"""

from __future__ import annotations

from dataclasses import dataclass

from pymodel import spec
from pymodel.transport import Message

SLOT_BASE = 0x1_0000
MAX_ENTRIES = 2048
_WORD = 0xFFFF_FFFF


@dataclass
class _Entry:
    """What the driver last wrote for one table entry, and the word that stands in its slot while idle."""

    low: int = 0
    high: int = 0
    idle: int = _WORD


class MessageSlots:
    """Translates accesses to the MSI-X table at `offset` of BAR `bar` and finds messages that arrived.

    Two messages of one entry between two polls are seen as one.
    """

    def __init__(self, ram: memoryview, bar: int, offset: int, entries: int) -> None:
        self.bar = bar
        self._offset = offset
        self._slots = ram[SLOT_BASE : SLOT_BASE + 4 * entries].cast("I")
        self._entries = [_Entry() for _ in range(entries)]
        self.forget()

    def __len__(self) -> int:
        return len(self._entries)

    def forget(self) -> None:
        """The function was reset below virtio: its table is empty again."""
        for index in range(len(self._entries)):
            self._entries[index] = _Entry()
            self._slots[index] = _WORD

    def to_device(self, bar: int, addr: int, length: int, value: int) -> int:
        """Return what to write to the function where the driver writes `value`."""
        if length == 8:
            low = self.to_device(bar, addr, 4, value & _WORD)
            return low | self.to_device(bar, addr + 4, 4, value >> 32) << 32
        place = self._place(bar, addr, length)
        if place is None:
            return value
        index, field = place
        entry = self._entries[index]
        if field == spec.MSIX_ENTRY_ADDRESS:
            entry.low = value
            return SLOT_BASE + 4 * index
        if field == spec.MSIX_ENTRY_ADDRESS + 4:
            entry.high = value
            return 0
        if field == spec.MSIX_ENTRY_DATA:
            self._rearm(index, value)
        return value

    def to_driver(self, bar: int, addr: int, length: int, value: int) -> int:
        """Return what the driver reads where the function answered `value`."""
        if length == 8:
            low = self.to_driver(bar, addr, 4, value & _WORD)
            return low | self.to_driver(bar, addr + 4, 4, value >> 32) << 32
        place = self._place(bar, addr, length)
        if place is None:
            return value
        index, field = place
        entry = self._entries[index]
        if field == spec.MSIX_ENTRY_ADDRESS and value == SLOT_BASE + 4 * index:
            return entry.low
        if field == spec.MSIX_ENTRY_ADDRESS + 4 and value == 0:
            return entry.high
        return value

    def poll(self) -> list[Message]:
        """Return the messages that arrived since the last poll, in the order of their table entries."""
        messages = []
        for index, entry in enumerate(self._entries):
            data = self._slots[index]
            if data != entry.idle:
                self._slots[index] = entry.idle
                messages.append(Message(entry.high << 32 | entry.low, data))
        return messages

    def _rearm(self, index: int, data: int) -> None:
        self._entries[index].idle = data ^ _WORD
        self._slots[index] = data ^ _WORD

    def _place(self, bar: int, addr: int, length: int) -> tuple[int, int] | None:
        index, field = divmod(addr - self._offset, spec.MSIX_ENTRY_LENGTH)
        inside = bar == self.bar and 0 <= index < len(self._entries)
        return (index, field) if inside and length == 4 and field % 4 == 0 else None
