"""The legacy register block of a modelled transitional function (virtio 1.4, 4.1.4.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymodel.layout import legacy_ring
from pymodel.spec import (
    LEGACY_CFG,
    LEGACY_CFG_LENGTH,
    LEGACY_CFG_LENGTH_MSIX,
    LEGACY_PAGE_SIZE,
    Feature,
    Field,
    feature_mask,
)

if TYPE_CHECKING:
    from pymodel.device.core import VirtioModel

_WORD = 0xFFFF_FFFF


class LegacyBlock:
    """BAR0 of a transitional function: registers, then the device configuration at once behind them."""

    def __init__(self, model: VirtioModel) -> None:
        self.model = model

    def _length(self) -> int:
        """Bytes of registers: the vectors are there only while MSI-X is on, and push the rest away."""
        return LEGACY_CFG_LENGTH_MSIX if self.model.msix_enabled() else LEGACY_CFG_LENGTH

    def read(self, offset: int, length: int) -> bytes:
        """Read bytes, whatever fields they cut."""
        end = self._length()
        if offset >= end:
            return self.model.read_config(offset - end, length)
        image = bytearray(max(end, offset + length))
        for field in LEGACY_CFG.values():
            if field.end <= end and field.offset < offset + length and offset < field.end:
                image[field.offset : field.end] = self._value(field.name).to_bytes(field.width, "little")
        return bytes(image[offset : offset + length])

    def write(self, offset: int, data: bytes) -> None:
        """Write a register as a whole, or device configuration at any width."""
        end = self._length()
        if offset >= end:
            self.model.write_config(offset - end, data)
        for field in LEGACY_CFG.values():
            if field.offset == offset and field.end <= end and field.access == "RW":
                self._set(field, int.from_bytes(data[: field.width], "little"))

    def _value(self, name: str) -> int:
        common, bank = self.model.common, self.model.common.bank
        if name == "isr_status":
            return self.model.read_isr()
        values = {
            "device_features": (self.model.offered | feature_mask(Feature.ANY_LAYOUT)) & _WORD,
            "driver_features": self.model.features & _WORD,
            "queue_address": bank.desc // LEGACY_PAGE_SIZE if bank else 0,
            "queue_size": bank.size if bank else 0,
            "queue_select": common.queue_select,
            "device_status": self.model.status,
            "config_msix_vector": common.config_vector,
            "queue_msix_vector": bank.vector if bank else 0,
        }
        return values.get(name, 0)

    def _set(self, field: Field, value: int) -> None:
        model, common = self.model, self.model.common
        if field.name == "device_status":
            model.write_legacy_status(value)
        elif field.name == "driver_features":
            model.accept_legacy_features(value)
        elif field.name == "queue_address":
            self._place(value * LEGACY_PAGE_SIZE)
        elif field.name == "queue_notify":
            model.legacy = True
            model.doorbell(value)
        else:
            common.set_register(field.name, value)

    def _place(self, start: int) -> None:
        """Enable the selected queue with its block at `start`; 0 disables it."""
        bank = self.model.common.bank
        if bank is None:
            return
        ring = legacy_ring(bank.size, start, LEGACY_PAGE_SIZE)
        bank.desc, bank.driver, bank.device = ring.desc, ring.avail, ring.used
        if start:
            self.model.enable_queue(self.model.common.queue_select)
        else:
            self.model.disable_queue(self.model.common.queue_select)
