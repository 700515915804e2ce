"""Rules of the legacy interface, from the standard's "Legacy Interface" sections, and of lguest's bus.

Their ids are no clauses of the table of the standard's conformance statements: they are listed apart.
"""

from __future__ import annotations

from pymodel import spec
from pymodel.checker.facts import (
    LayoutSettled,
    LegacyOffer,
    LegacyVector,
    LguestAccepted,
    LguestWarnings,
    LguestZeroed,
)
from pymodel.checker.rule import Rule, on
from pymodel.events import ConfigRead


class _Identity(Rule):
    """What the configuration space of a transitional device says (virtio 1.4, 4.1.2.3)."""

    field = ""

    @on(LayoutSettled)
    def settled(self, _: LayoutSettled) -> None:
        """Judge what was read of it."""
        field = spec.PCI_CFG[self.field]
        value = self.state.config.value(field.offset, field.width)
        if self.state.transitional and value is not None:
            wanted = self.wanted()
            if wanted is not None:
                self.judge(value == wanted, f"{self.field} is {value:#x}, not {wanted:#x}")

    def wanted(self) -> int | None:
        """What must be there; None if it is not known."""
        raise NotImplementedError


class TransitionalRevision(_Identity):
    """A transitional device has revision 0 (4.1.2.3)."""

    clause = "DEV-LEGACY-001"
    field = "revision_id"

    def wanted(self) -> int | None:
        """Revision 0."""
        return 0


class TransitionalSubsystem(_Identity):
    """A transitional device's subsystem ID is its virtio device type (4.1.2.3)."""

    clause = "DEV-LEGACY-002"
    field = "subsystem_id"

    def wanted(self) -> int | None:
        """The device type, which the PCI device ID tells."""
        return self.state.pci_device_type


class LegacyInterfaceInIoSpace(Rule):
    """A transitional device has its legacy interface in BAR0, in I/O space (4.1.5.1.1.1).

    Judged on every read of BAR0.
    """

    clause = "DEV-LEGACY-003"

    @on(ConfigRead)
    def read(self, event: ConfigRead) -> None:
        """Bit 0 of the register tells I/O space."""
        if self.state.transitional and event.addr == spec.PCI_CFG["bar0"].offset:
            self.judge(bool(event.data[0] & 1), "BAR0 of a transitional device is not in I/O space")


class AnyLayoutOffered(Rule):
    """A transitional device offers ANY_LAYOUT through the legacy interface (6.3)."""

    clause = "DEV-LEGACY-004"

    @on(LegacyOffer)
    def offered(self, fact: LegacyOffer) -> None:
        """The driver read the feature word."""
        offered = bool(fact.features >> spec.Feature.ANY_LAYOUT & 1)
        self.judge(offered, f"the features offered, {fact.features:#x}, lack ANY_LAYOUT")


class LegacyVectorReadsBack(Rule):
    """A vector register reads the vector that was mapped, or NO_VECTOR (4.1.4.10, 4.1.5.1.2.1).

    Both registers are there while MSI-X is enabled, and only then.
    """

    clause = "DEV-LEGACY-005"

    @on(LegacyVector)
    def read(self, fact: LegacyVector) -> None:
        """The driver read back what it wrote."""
        good = fact.value in (fact.written, spec.NO_VECTOR)
        self.judge(good, f"{fact.name} reads {fact.value:#x} after {fact.written:#x} was written")


class LguestResetClearsAccepted(Rule):
    """A reset by notification clears the accepted half of the feature bitmap (lguest's bus)."""

    clause = "DEV-LGUEST-001"

    @on(LguestAccepted)
    def read(self, fact: LguestAccepted) -> None:
        """The guest read of it before it stored anything there."""
        self.judge(fact.value == 0, f"a byte of the accepted features reads {fact.value:#x} after the reset")


class LguestResetZeroesRings(Rule):
    """A reset by notification zeroes the rings before the status reads 0 (lguest's bus).

    Judged where the device's writes are observed; bytes are counted, not told apart.
    """

    clause = "DEV-LGUEST-002"

    @on(LguestZeroed)
    def over(self, fact: LguestZeroed) -> None:
        """The status read 0."""
        self.judge(
            fact.written >= fact.needed, f"{fact.written} of the rings' {fact.needed} bytes were zeroed"
        )


class LguestWarnsOfEarlyOutput(Rule):
    """A kick while the status is 0 is warned of, and nothing else is (lguest's bus)."""

    clause = "DEV-LGUEST-003"

    @on(LguestWarnings)
    def told(self, fact: LguestWarnings) -> None:
        """The Launcher looked at its counter."""
        self.judge(fact.value == fact.early, f"{fact.value} warnings, {fact.early} kicks came too early")
