"""Reserved feature bits (virtio 1.4, 6)."""

from __future__ import annotations

from pymodel.checker.facts import FeaturesOk, FieldRead, Negotiated
from pymodel.checker.rule import Rule, on
from pymodel.checker.rules.features import AcceptedRule, selected_word
from pymodel.events import ConfigWrite
from pymodel.spec import Feature


class Version1IsAccepted(AcceptedRule):
    """VERSION_1 is accepted where it is offered (6.1)."""

    clause = "DRV-RSVD-001"

    def accepted(self, bits: int, offered: int | None) -> None:
        """Bit 32 is set."""
        if offered is not None and offered >> Feature.VERSION_1 & 1:
            self.judge(bool(bits >> Feature.VERSION_1 & 1), "VERSION_1 is offered but not accepted")


class _AcceptedIfOffered(AcceptedRule):
    bit: Feature

    def accepted(self, bits: int, offered: int | None) -> None:
        """The bit is accepted if it is offered."""
        if offered is not None and offered >> self.bit & 1:
            self.judge(bool(bits >> self.bit & 1), f"{self.bit.name} is offered but not accepted")


class AccessPlatformIsAccepted(_AcceptedIfOffered):
    """ACCESS_PLATFORM is accepted where it is offered (6.1)."""

    clause = "DRV-RSVD-003"
    bit = Feature.ACCESS_PLATFORM


class RingPackedIsAccepted(_AcceptedIfOffered):
    """RING_PACKED is accepted where it is offered (6.1)."""

    clause = "DRV-RSVD-006"
    bit = Feature.RING_PACKED


class OrderPlatformIsAccepted(_AcceptedIfOffered):
    """ORDER_PLATFORM is accepted where it is offered (6.1)."""

    clause = "DRV-RSVD-007"
    bit = Feature.ORDER_PLATFORM


class NotifConfigDataIsAccepted(_AcceptedIfOffered):
    """NOTIF_CONFIG_DATA is accepted where it is offered (6.1)."""

    clause = "DRV-RSVD-013"
    bit = Feature.NOTIF_CONFIG_DATA


class SrIovIsAcceptedWithCapability(AcceptedRule):
    """SR_IOV is accepted only if the device has the SR-IOV capability (6.1)."""

    clause = "DRV-RSVD-010"

    def accepted(self, bits: int, offered: int | None) -> None:
        """The capability is there."""
        position = self.state.config.sr_iov()
        if bits >> Feature.SR_IOV & 1 and position is not None:
            self.judge(position > 0, "SR_IOV is accepted, but the device has no SR-IOV capability")


class VirtualFunctionsComeAfterFeaturesOk(Rule):
    """VF Enable is set only after SR_IOV was negotiated once (6.1)."""

    clause = "DRV-RSVD-011"
    _CONTROL = 8
    _negotiated = False

    @on(Negotiated)
    def settled(self, fact: Negotiated) -> None:
        """SR_IOV is in force."""
        self._negotiated = self._negotiated or (fact.kept and self.session.has(Feature.SR_IOV))

    @on(ConfigWrite)
    def write(self, event: ConfigWrite) -> None:
        """SR-IOV Control is written."""
        position = self.state.config.sr_iov()
        if position and event.addr == position + self._CONTROL and event.data[0] & 1:
            self.judge(self._negotiated, "VF Enable is set, but SR_IOV was not negotiated")


class Version1IsOffered(Rule):
    """The device offers VERSION_1 (6.2)."""

    clause = "DEV-RSVD-001"

    @on(FieldRead)
    def check(self, fact: FieldRead) -> None:
        """Word 1 is read."""
        if fact.name == "device_feature" and selected_word(self, "device_feature_select") == 1:
            self.judge(bool(fact.value & 1), "VERSION_1 is not offered")


class AddInCardOffersPlatformBits(Rule):
    """A hardware PCI device offers ACCESS_PLATFORM and ORDER_PLATFORM (6.2); judged in RTL simulation."""

    clause = "DEV-RSVD-008"

    @on(FeaturesOk)
    def check(self, fact: FeaturesOk) -> None:
        """Both are offered."""
        if fact.offered is not None and self.state.header.source == "verilator":
            wanted = 1 << Feature.ACCESS_PLATFORM | 1 << Feature.ORDER_PLATFORM
            self.judge(
                fact.offered & wanted == wanted, "ACCESS_PLATFORM and ORDER_PLATFORM are not both offered"
            )


class SrIovIsOfferedWithCapability(Rule):
    """A device with the SR-IOV capability offers SR_IOV (6.2)."""

    clause = "DEV-RSVD-009"

    @on(FeaturesOk)
    def check(self, fact: FeaturesOk) -> None:
        """The bit is there."""
        if fact.offered is not None and self.state.config.sr_iov():
            self.judge(bool(fact.offered >> Feature.SR_IOV & 1), "there is SR-IOV, but SR_IOV is not offered")


class NoSrIovWithoutCapability(Rule):
    """A device without the SR-IOV capability does not offer SR_IOV (6.2)."""

    clause = "DEV-RSVD-010"

    @on(FeaturesOk)
    def check(self, fact: FeaturesOk) -> None:
        """The bit is not there."""
        if fact.offered is not None and self.state.config.sr_iov() == 0:
            self.judge(not fact.offered >> Feature.SR_IOV & 1, "SR_IOV is offered, but there is no SR-IOV")
