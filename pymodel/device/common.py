"""The common configuration structure as registers: read and write by name (virtio 1.4, 4.1.4.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pymodel.device.ring import DeviceRing
from pymodel.spec import COMMON_CFG, COMMON_CFG_LENGTH, NO_VECTOR, Feature, Field

if TYPE_CHECKING:
    from pymodel.device.core import VirtioModel


@dataclass
class QueueBank:
    """What the driver programmed for one queue, at `most` that many descriptors, and the queue's state."""

    most: int
    size: int
    vector: int = NO_VECTOR
    enabled: bool = False
    resetting: bool = False
    desc: int = 0
    driver: int = 0
    device: int = 0
    ring: DeviceRing | None = None
    kicked: bool = False


class CommonConfig:
    """The registers of one device; what a write sets off is the model's business."""

    def __init__(self, model: VirtioModel) -> None:
        self.model = model
        self.device_feature_select = 0
        self.driver_feature_select = 0
        self.queue_select = 0
        self.config_vector = NO_VECTOR
        self.banks: list[QueueBank] = []
        self.reset()

    def reset(self) -> None:
        """Return every register to its value after reset."""
        self.device_feature_select = self.driver_feature_select = self.queue_select = 0
        self.config_vector = NO_VECTOR
        size = self.model.config.max_queue_size
        count = self.model.backend.queue_count + int(self.model.offers(Feature.ADMIN_VQ))
        self.banks = [QueueBank(size, size) for _ in range(count)]

    @property
    def bank(self) -> QueueBank | None:
        """The selected queue; None where there is no such queue, or none without ADMIN_VQ."""
        count = self.model.backend.queue_count + int(self.model.has(Feature.ADMIN_VQ))
        return self.banks[self.queue_select] if self.queue_select < count else None

    def read(self, offset: int, length: int) -> bytes:
        """Read bytes, whatever fields they cut."""
        image = bytearray(max(COMMON_CFG_LENGTH, offset + length))
        for field in COMMON_CFG.values():
            if field.offset < offset + length and offset < field.end:
                image[field.offset : field.end] = self._value(field.name).to_bytes(field.width, "little")
        return bytes(image[offset : offset + length])

    def write(self, offset: int, data: bytes) -> None:
        """Write bytes; a field that is cut keeps its other bytes."""
        for field in COMMON_CFG.values():
            if field.access == "RW" and field.offset < offset + len(data) and offset < field.end:
                self.set_register(field.name, self._merge(field, offset, data))

    def _merge(self, field: Field, offset: int, data: bytes) -> int:
        whole = bytearray(self._value(field.name).to_bytes(field.width, "little"))
        for position, byte in enumerate(data, offset - field.offset):
            if 0 <= position < field.width:
                whole[position] = byte
        return int.from_bytes(whole, "little")

    def _value(self, name: str) -> int:
        model, bank = self.model, self.bank
        if name.startswith("queue_") and name != "queue_select":
            return self._queue_value(name, bank) if bank else 0
        values = {
            "device_feature_select": self.device_feature_select,
            "device_feature": _word(model.offered, self.device_feature_select),
            "driver_feature_select": self.driver_feature_select,
            "driver_feature": _word(model.driver_features, self.driver_feature_select),
            "config_msix_vector": self.config_vector,
            "num_queues": self.model.backend.queue_count,
            "device_status": model.status,
            "config_generation": model.generation,
            "queue_select": self.queue_select,
        }
        if model.has(Feature.ADMIN_VQ):
            values |= {"admin_queue_index": model.backend.queue_count, "admin_queue_num": 1}
        return values.get(name, 0)

    def _queue_value(self, name: str, bank: QueueBank) -> int:
        has = self.model.has
        values = {
            "queue_size": bank.size,
            "queue_msix_vector": bank.vector,
            "queue_enable": int(bank.enabled),
            "queue_notify_off": self.queue_select,
            "queue_desc": bank.desc,
            "queue_driver": bank.driver,
            "queue_device": bank.device,
            "queue_notif_config_data": self.model.notify_value(self.queue_select),
            "queue_reset": int(bank.resetting),
        }
        if name == "queue_notif_config_data" and not has(Feature.NOTIF_CONFIG_DATA):
            return 0
        return values[name]

    def set_register(self, name: str, value: int) -> None:
        """Write a register by name, with all that it sets off."""
        if name in ("device_feature_select", "driver_feature_select", "queue_select"):
            setattr(self, name, value)
        elif name == "driver_feature":
            self.model.accept_features(self.driver_feature_select, value)
        elif name == "config_msix_vector":
            self.config_vector = self._vector(value)
        elif name == "device_status":
            self.model.write_status(value)
        elif self.bank:
            self._set_queue(name, self.bank, value)

    def _set_queue(self, name: str, bank: QueueBank, value: int) -> None:
        if name == "queue_msix_vector":
            bank.vector = self._vector(value)
        elif name == "queue_reset":
            if value == 1 and self.model.has(Feature.RING_RESET):
                self.model.begin_queue_reset(self.queue_select)
        elif bank.enabled:
            return
        elif name == "queue_enable":
            if value == 1:
                self.model.enable_queue(self.queue_select)
        else:
            setattr(bank, name.removeprefix("queue_"), value)

    def _vector(self, value: int) -> int:
        return value if value < self.model.config.vectors else NO_VECTOR


def _word(features: int, select: int) -> int:
    return features >> 32 * select & 0xFFFF_FFFF if select < 4 else 0
