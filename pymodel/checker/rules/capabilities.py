"""The capability list and the IDs (virtio 1.4, 4.1.2 and 4.1.4)."""

from __future__ import annotations

from collections.abc import Iterator

from pymodel import spec
from pymodel.checker.facts import LayoutSettled
from pymodel.checker.rule import Rule, on
from pymodel.checker.state.config import Capability
from pymodel.spec import CapType

FIXED_LENGTHS = {
    CapType.COMMON: spec.CAP_LENGTH,
    CapType.NOTIFY: spec.CAP_LENGTH_NOTIFY,
    CapType.ISR: spec.CAP_LENGTH,
    CapType.DEVICE: spec.CAP_LENGTH,
    CapType.PCI_CFG: spec.CAP_LENGTH_PCI_CFG,
    CapType.SHARED_MEMORY: 24,
}
_TRANSITIONAL = frozenset(spec.TRANSITIONAL_DEVICE_ID.values())
_SHARED_MINOR = 0x40


class _List(Rule):
    """A rule on the capability list, judged once per trace."""

    @on(LayoutSettled)
    def settled(self, fact: LayoutSettled) -> None:
        """The list is as known as it will be."""
        self.check(fact)

    def check(self, fact: LayoutSettled) -> None:
        """Judge the list."""
        raise NotImplementedError

    @staticmethod
    def of(fact: LayoutSettled, kind: CapType) -> Iterator[Capability]:
        """Yield the virtio capabilities of one type."""
        return (c for c in fact.capabilities if c.virtio and c.cfg_type == kind)

    def word(self, name: str) -> int | None:
        """Return a field of the PCI header, None if it was never read."""
        field = spec.PCI_CFG[name]
        return self.state.config.value(field.offset, field.width)


class VendorId(_List):
    """The PCI vendor ID is 0x1AF4 (4.1.2.1)."""

    clause = "DEV-PCI-002"

    def check(self, fact: LayoutSettled) -> None:
        """Judge the list."""
        value = self.word("vendor_id")
        if value is not None:
            self.judge(value == spec.VENDOR_ID, f"the PCI vendor ID is {value:#06x}")


class DeviceId(_List):
    """The PCI device ID is 0x1040 plus the device type, or the type's transitional ID (4.1.2.1)."""

    clause = "DEV-PCI-003"

    def check(self, fact: LayoutSettled) -> None:
        """Judge the list."""
        value, kind = self.word("device_id"), self.state.header.type
        if value is None:
            return
        base = spec.MODERN_DEVICE_ID_BASE
        if kind is not None:
            good = value in (base + kind, spec.TRANSITIONAL_DEVICE_ID.get(kind))
        else:
            good = base < value < base + 0x40 or value in _TRANSITIONAL
        self.judge(good, f"the PCI device ID is {value:#06x}")


class _NonTransitional(_List):
    def check(self, fact: LayoutSettled) -> None:
        """Judge the list of a device that is not transitional."""
        value = self.word("device_id")
        if value is not None and value not in _TRANSITIONAL:
            self.identity(value)

    def identity(self, device_id: int) -> None:
        """Judge the header."""
        raise NotImplementedError


class ModernDeviceIdRange(_NonTransitional):
    """A non-transitional device has a device ID in 0x1040 to 0x107f (4.1.2.1)."""

    clause = "DEV-PCI-005"

    def identity(self, device_id: int) -> None:
        """Judge the header."""
        self.judge(0x1040 <= device_id <= 0x107F, f"the PCI device ID is {device_id:#06x}")


class ModernRevision(_NonTransitional):
    """A non-transitional device has revision 1 or higher (4.1.2.1)."""

    clause = "DEV-PCI-006"

    def identity(self, device_id: int) -> None:
        """Judge the header."""
        value = self.word("revision_id")
        if value is not None:
            self.judge(value >= 1, "the PCI revision ID is 0")


class ModernSubsystem(_NonTransitional):
    """A non-transitional device has a subsystem ID of 0x40 or higher (4.1.2.1)."""

    clause = "DEV-PCI-007"

    def identity(self, device_id: int) -> None:
        """Judge the header."""
        value = self.word("subsystem_id")
        if value is not None:
            self.judge(value >= _SHARED_MINOR, f"the PCI subsystem ID is {value:#06x}")


class CapabilityLengths(_List):
    """cap_len covers the structure and its extra data; the next capability lies behind it (4.1.4.2)."""

    clause = "DEV-PCI-009"

    def check(self, fact: LayoutSettled) -> None:
        """Judge the list."""
        starts = {capability.position for capability in fact.capabilities}
        for capability in fact.capabilities:
            length = capability.length
            fixed = (
                FIXED_LENGTHS.get(CapType(capability.cfg_type))
                if capability.cfg_type in FIXED_LENGTHS
                else None
            )
            if not capability.virtio or length is None or fixed is None:
                continue
            at = capability.position
            inside = [start for start in starts if at < start < at + length]
            message = f"the capability at {at:#x} has length {length}, needs {fixed}, holds {inside}"
            self.judge(length >= fixed and not inside, message)


class _Present(_List):
    kind: CapType

    def check(self, fact: LayoutSettled) -> None:
        """Judge a list that was read to its end; a legacy device has none of these, and need not."""
        virtio = [c for c in fact.capabilities if c.virtio]
        legacy = self.word("device_id") in _TRANSITIONAL and not virtio
        if fact.complete and not legacy and all(c.cfg_type is not None for c in virtio):
            found = any(True for _ in self.of(fact, self.kind))
            self.judge(found, f"there is no {self.kind.name} capability")


class CommonIsPresent(_Present):
    """There is a common configuration capability (4.1.4.3.1)."""

    clause = "DEV-PCI-013"
    kind = CapType.COMMON


class NotifyIsPresent(_Present):
    """There is a notification capability (4.1.4.4.1)."""

    clause = "DEV-PCI-029"
    kind = CapType.NOTIFY


class IsrIsPresent(_Present):
    """There is an ISR capability (4.1.4.5.1)."""

    clause = "DEV-PCI-040"
    kind = CapType.ISR


class PciCfgIsPresent(_Present):
    """There is a PCI configuration access capability (4.1.4.9.1)."""

    clause = "DEV-PCI-053"
    kind = CapType.PCI_CFG


class _Aligned(_List):
    kind: CapType

    def check(self, fact: LayoutSettled) -> None:
        """Judge the offsets."""
        for capability in self.of(fact, self.kind):
            if capability.offset is not None:
                good = capability.offset % 4 == 0
                self.judge(good, f"the {self.kind.name} structure is at offset {capability.offset:#x}")


class CommonIsAligned(_Aligned):
    """The common structure's offset is a multiple of 4 (4.1.4.3.1)."""

    clause = "DEV-PCI-012"
    kind = CapType.COMMON


class DeviceConfigIsAligned(_Aligned):
    """The device configuration's offset is a multiple of 4 (4.1.4.6.1)."""

    clause = "DEV-PCI-045"
    kind = CapType.DEVICE


class SharedMemoryFits(_List):
    """A shared memory region lies within its BAR (4.1.4.7.1); only for BARs whose sizing was observed."""

    clause = "DEV-PCI-046"

    def check(self, fact: LayoutSettled) -> None:
        """Judge the list."""
        for capability in self.of(fact, CapType.SHARED_MEMORY):
            parts = (capability.offset, capability.offset_hi, capability.size, capability.size_hi)
            size = self.state.bar_sizes.get(-1 if capability.bar is None else capability.bar)
            if None in parts or size is None:
                continue
            offset, offset_hi, length, length_hi = (part or 0 for part in parts)
            end = offset + length + (offset_hi + length_hi << 32)
            self.judge(end <= size, f"shared memory ends at {end:#x} of a BAR of {size:#x} bytes")


class SharedMemoryIdsDiffer(_List):
    """The IDs of shared memory regions are unique (4.1.4.7.1)."""

    clause = "DEV-PCI-047"

    def check(self, fact: LayoutSettled) -> None:
        """Judge the list."""
        ids = [c.region_id for c in self.of(fact, CapType.SHARED_MEMORY) if c.region_id is not None]
        if ids:
            self.judge(len(ids) == len(set(ids)), f"shared memory IDs are {ids}")


class VendorDataHasForeignId(_List):
    """A vendor data capability's vendor ID is not 0x1AF4 (4.1.4.8.1)."""

    clause = "DEV-PCI-050"

    def check(self, fact: LayoutSettled) -> None:
        """Judge the list."""
        for capability in self.of(fact, CapType.VENDOR):
            if capability.vendor_id is not None:
                self.judge(capability.vendor_id != spec.VENDOR_ID, "vendor data names 0x1af4 as its vendor")


class VendorDataIsWhole(_List):
    """A vendor data capability's size is a multiple of 4 (4.1.4.8.1)."""

    clause = "DEV-PCI-051"

    def check(self, fact: LayoutSettled) -> None:
        """Judge the list."""
        for capability in self.of(fact, CapType.VENDOR):
            if capability.length is not None:
                self.judge(capability.length % 4 == 0, f"vendor data is {capability.length} bytes long")


class TableSizeIsSensible(_List):
    """A device with MSI-X has 2 to 0x800 vectors (4.1.5.1.2.1)."""

    clause = "DEV-PCI-058"

    def check(self, fact: LayoutSettled) -> None:
        """Judge the list."""
        entries = self.state.config.msix.entries
        if self.state.config.msix.position is not None and entries is not None:
            self.judge(2 <= entries <= 0x800, f"the MSI-X table has {entries} entries")
