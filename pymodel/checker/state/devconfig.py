"""The device-specific configuration as the driver reads and writes it, and its generation count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymodel import spec
from pymodel.checker import facts

if TYPE_CHECKING:
    from pymodel.checker.state.boundary import State

LIMIT = 4096
LAYOUTS: dict[int, dict[str, spec.Field]] = {
    spec.DeviceType.BLK: spec.BLK_CFG,
    spec.DeviceType.NET: spec.NET_CFG,
    spec.DeviceType.CONSOLE: spec.CONSOLE_CFG,
}


def _shapes(fields: dict[str, spec.Field]) -> set[tuple[int, int]]:
    """Return the (offset, length) accesses that these fields allow: halves of 64 bits, bytes of padding."""
    shapes: set[tuple[int, int]] = set()
    for field in fields.values():
        width = 4 if field.width == 8 else field.width if field.width in (1, 2, 4) else 1
        shapes.update((offset, width) for offset in range(field.offset, field.end, width))
    taken = {offset for field in fields.values() for offset in range(field.offset, field.end)}
    shapes.update((offset, 1) for offset in range(max(taken)) if offset not in taken)
    return shapes


_SHAPES = {kind: _shapes(fields) for kind, fields in LAYOUTS.items()}
_END = {kind: max(field.end for field in fields.values()) for kind, fields in LAYOUTS.items()}


class DeviceConfigState:
    """Last known byte values; the driver's own writes to writable fields make them unknown."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.values: dict[int, int] = {}
        self.early: dict[tuple[int, int], bytes] = {}

    def restart(self) -> None:
        """After a reset the device may show other values."""
        self.values.clear()
        self.early.clear()

    def _judge_shape(self, offset: int, length: int, write: bool) -> None:
        kind = self._state.device_type
        if kind in _SHAPES and offset < _END[kind] and (offset, length) not in _SHAPES[kind]:
            self._state.publish(facts.BadAccess("device", offset, length, write))

    def read(self, offset: int, data: bytes) -> None:
        """The driver read `data` at `offset`."""
        self._judge_shape(offset, len(data), False)
        if offset + len(data) > LIMIT:
            return
        changed = False
        for index, byte in enumerate(data, offset):
            changed = changed or self.values.get(index, byte) != byte
            self.values[index] = byte
        self._state.publish(facts.DeviceConfigRead(offset, data, changed))

    def write(self, offset: int, data: bytes) -> None:
        """The driver wrote `data` at `offset`."""
        self._judge_shape(offset, len(data), True)
        for index in range(offset, offset + len(data)):
            if self._writable(index):
                self.values.pop(index, None)
        self._state.publish(facts.DeviceConfigWrite(offset, data))

    def _writable(self, offset: int) -> bool:
        fields = LAYOUTS.get(self._state.device_type or 0)
        if fields is None:
            return True
        return any(f.access == "RW" for f in fields.values() if f.offset <= offset < f.end)
