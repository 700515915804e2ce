"""What a correct device answers to the accesses of a trace: the device model, given the same ones.

Only registers whose answer follows from what the driver did are compared: status, selectors, what was
written to a queue. What a device is free to choose (features, sizes, offsets) it may choose otherwise.
"""

from __future__ import annotations

from pymodel import events as ev
from pymodel.device.config import DeviceConfig
from pymodel.device.core import VirtioModel
from pymodel.device.entropy import EntropyBackend
from pymodel.device.host import Host
from pymodel.events import EventStream
from pymodel.layout import common_field
from pymodel.memory import GuestMemory
from pymodel.spec import MAX_QUEUE_SIZE, NO_VECTOR, Feature, feature_mask
from waves.decode import Decoder, Step
from waves.registers import common_text

COMPARED = (
    *("device_feature_select", "driver_feature_select", "queue_select", "device_status", "driver_feature"),
    *(
        "config_msix_vector",
        "queue_msix_vector",
        "queue_enable",
        "queue_desc",
        "queue_driver",
        "queue_device",
    ),
)
QUEUES = 64
EVERY_FEATURE = (1 << 64) - 1 & ~feature_mask(Feature.ADMIN_VQ)
"""All that a driver may accept; an administration queue would change the count of queues."""


class _Registers(VirtioModel):
    """The model without a bus: it answers accesses to its common structure, and does nothing else."""

    def fire(self, vector: int) -> None:
        """There is nobody to hear it."""

    def may_master(self) -> bool:
        """It has no memory."""
        return False

    def msix_enabled(self) -> bool:
        """Vectors can be mapped."""
        return True


class CorrectDevice:
    """Follows the accesses to the common structure, and says where the device answered otherwise."""

    def __init__(self) -> None:
        backend = EntropyBackend()
        backend.queue_count = QUEUES
        config = DeviceConfig(EVERY_FEATURE, max_queue_size=MAX_QUEUE_SIZE, vectors=NO_VECTOR)
        self._model = _Registers(Host(GuestMemory(), EventStream()), config, backend)

    def answer(self, step: Step, decoder: Decoder) -> str:
        """The correct answer in words to a read of the common structure answered otherwise, or ""."""
        event = step.event
        if not isinstance(event, ev.BarRead | ev.BarWrite):
            return ""
        place = decoder.state.config.locate(event.bar, event.addr)
        if place is None or place.kind != "common":
            return ""
        offset = event.addr - place.offset
        if isinstance(event, ev.BarWrite):
            self._model.common.write(offset, event.data)
            self._model.accessed()
            return ""
        answered = self._model.common.read(offset, len(event.data))
        self._model.accessed()
        field = common_field(offset)
        if field is None or field.name not in COMPARED or answered == event.data:
            return ""
        return common_text(decoder.state, offset, answered, write=False)
