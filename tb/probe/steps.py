"""The steps of bringing a virtio-pci device up, in the standard's order (virtio 1.4, 3.1.1 and 4.1.5)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, the section that it is of, and what a correct device does there."""

    name: str
    section: str
    correct: str


FIND = Step("find the function", "4.1.2", "vendor_id reads 0x1af4, device_id 0x1040 + the virtio device type")
BARS = Step("BARs", "4.1.4", "at least one base address register keeps the address bits above its size")
CAPABILITIES = Step(
    "capabilities",
    "4.1.4",
    "the capability list holds vendor capabilities (id 0x09) of cfg_type 1 (common), 2 (notify) and 3 (ISR), "
    "each in a BAR that is there",
)
RESET = Step("reset", "2.4.1", "device_status reads 0 once a reset (writing 0 to it) is done")
ACKNOWLEDGE = Step("ACKNOWLEDGE", "2.1", "device_status reads back what was written: 1")
DRIVER = Step("DRIVER", "2.1", "device_status reads back what was written: 3")
FEATURES = Step("features", "6.2", "bit 0 of device_feature word 1 reads 1: every device offers VERSION_1")
FEATURES_OK = Step("FEATURES_OK", "2.2.2", "device_status keeps FEATURES_OK (8) and reads 11 (0xb)")
QUEUES = Step("queues", "4.1.5.1.3", "the queue's registers read back what was written, queue_enable reads 1")
DRIVER_OK = Step("DRIVER_OK", "3.1.1", "device_status reads 15 (0xf), without DEVICE_NEEDS_RESET (0x40)")
KICK = Step("first kick", "4.1.5.2", "after the doorbell the device reads the available ring by DMA")
USED = Step(
    "first used buffer", "2.7.8", "the device writes a used element, then the used ring's index, by DMA"
)
INTERRUPT = Step(
    "first interrupt",
    "4.1.5.3",
    "behind the used index an interrupt leaves, unless the driver asked for none",
)
STEPS = (
    *(FIND, BARS, CAPABILITIES, RESET, ACKNOWLEDGE, DRIVER, FEATURES, FEATURES_OK),
    *(QUEUES, DRIVER_OK, KICK, USED, INTERRUPT),
)


class StepFailed(Exception):
    """The device did not do what a step asks: `found` is what it did, `correct` what it should have done."""

    def __init__(self, found: str, correct: str = "", hint: str = "") -> None:
        super().__init__(found)
        self.found = found
        self.correct = correct
        self.hint = hint
