"""Feature bits (virtio 1.4, 2.2) and the reserved ones (6)."""

from __future__ import annotations

from pymodel.checker.facts import FeaturesOk, FieldRead, FieldWrite, Negotiated, ResetStarted
from pymodel.checker.rule import Rule, on
from pymodel.checker.rules.featuresets import RESERVED_RANGE, missing_requirement, undescribed
from pymodel.spec import Feature

_TYPE_RANGE = sum(1 << bit for bit in (*range(24), *range(50, 128)))
_WORDS_MAX = 64


def selected_word(rule: Rule, name: str) -> int | None:
    """Return the feature word that a select register names; None if unknown, or beyond every feature."""
    select = rule.state.common.values.get(name)
    return select if select is not None and select < _WORDS_MAX else None


class OnlyOfferedIsAccepted(Rule):
    """The driver accepts no feature that the device did not offer (2.2.1).

    Judged for words whose offer was read in the session.
    """

    clause = "DRV-FEAT-001"

    @on(FieldWrite)
    def write(self, fact: FieldWrite) -> None:
        """driver_feature is written."""
        select = selected_word(self, "driver_feature_select")
        if fact.name == "driver_feature" and select in self.session.offered:
            extra = fact.value & ~self.session.offered[select]
            self.judge(not extra, f"bits {extra:#x} of word {select} are accepted but were not offered")


class AcceptedRule(Rule):
    """A rule on the set that stands when FEATURES_OK is set."""

    @on(FeaturesOk)
    def settle(self, fact: FeaturesOk) -> None:
        """The set is final."""
        if fact.accepted is not None:
            self.accepted(fact.accepted, fact.offered)

    def accepted(self, bits: int, offered: int | None) -> None:
        """Judge it."""
        raise NotImplementedError


class RequirementsAreAccepted(AcceptedRule):
    """The driver accepts no feature without those that it requires (2.2.1); tabled for network devices."""

    clause = "DRV-FEAT-002"

    def accepted(self, bits: int, offered: int | None) -> None:
        """No requirement is missing."""
        lack = missing_requirement(bits, self.state.device_type)
        self.judge(not lack, f"accepted: {lack}")


class OnlyDescribedIsAccepted(AcceptedRule):
    """The driver accepts no feature bit that the standard does not describe (2.2.1)."""

    clause = "DRV-FEAT-005"

    def accepted(self, bits: int, offered: int | None) -> None:
        """All bits are described for the device type."""
        bad = undescribed(bits, self.state.device_type)
        self.judge(not bad, f"bits {bad:#x} are accepted, which the standard does not describe")


class UnknownFeaturesAreIgnored(AcceptedRule):
    """The driver ignores offered bits that the standard does not describe: it leaves them clear (2.2.1)."""

    clause = "DRV-FEAT-004"

    def accepted(self, bits: int, offered: int | None) -> None:
        """Such bits are offered."""
        unknown = undescribed(offered or 0, self.state.device_type)
        if unknown:
            self.judge(not bits & unknown, f"unknown bits {bits & unknown:#x} are accepted")


class NoReservedIsAccepted(AcceptedRule):
    """The driver accepts no reserved feature bit: 44 to 49, and 128 and up (2.2.1, 2.2)."""

    clause = "DRV-FEAT-006"

    def accepted(self, bits: int, offered: int | None) -> None:
        """None of them is set."""
        bad = bits & RESERVED_RANGE | bits >> 128 << 128
        self.judge(not bad, f"reserved bits {bad:#x} are accepted")


class OnlyOwnTypeIsAccepted(AcceptedRule):
    """The driver accepts no bit of the device type range that its type does not define (2.2.1)."""

    clause = "DRV-FEAT-008"

    def accepted(self, bits: int, offered: int | None) -> None:
        """All type bits are defined."""
        bad = undescribed(bits & _TYPE_RANGE, self.state.device_type)
        self.judge(not bad, f"bits {bad:#x} are accepted, which this device type does not define")


class RequirementsAreOffered(Rule):
    """The device offers no feature without those that it requires (2.2.2); tabled for network devices."""

    clause = "DEV-FEAT-001"

    @on(FeaturesOk)
    def check(self, fact: FeaturesOk) -> None:
        """No requirement is missing in what was read."""
        if fact.offered is not None:
            lack = missing_requirement(fact.offered, self.state.device_type)
            self.judge(not lack, f"offered: {lack}")


def _is_valid(accepted: int, offered: int, device_type: int | None) -> bool:
    """Whether a device has no leave to refuse this set."""
    demanded = Feature.VERSION_1, Feature.ACCESS_PLATFORM, Feature.ORDER_PLATFORM
    missing = any(offered >> bit & 1 and not accepted >> bit & 1 for bit in demanded)
    return not accepted & ~offered and not missing and not missing_requirement(accepted, device_type)


class ValidSetIsAccepted(Rule):
    """The device accepts any valid subset of its features (2.2.2)."""

    clause = "DEV-FEAT-002"

    @on(Negotiated)
    def check(self, fact: Negotiated) -> None:
        """FEATURES_OK stands for a valid set."""
        session = self.session
        if 0 in session.offered and 1 in session.offered and session.known:
            accepted = session.accepted_bits
            if _is_valid(accepted, session.offered_bits, self.state.device_type):
                self.judge(fact.kept, f"FEATURES_OK did not stand for the valid set {accepted:#x}")


class InvalidSetIsRefused(Rule):
    """FEATURES_OK does not stand for bits that were never offered (2.2.2).

    A device may ignore such bits and show 0 for them (4.1.4.3.1): a breach is seen only where
    driver_feature, read back, shows that it took them.
    """

    clause = "DEV-FEAT-003"

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._taken: dict[int, int] = {}

    @on(FieldWrite)
    def write(self, fact: FieldWrite) -> None:
        """A word is written anew."""
        select = selected_word(self, "driver_feature_select")
        if fact.name == "driver_feature" and select is not None:
            self._taken.pop(select, None)

    @on(FieldRead)
    def read(self, fact: FieldRead) -> None:
        """A word is read back."""
        select = selected_word(self, "driver_feature_select")
        if fact.name == "driver_feature" and select is not None:
            self._taken[select] = fact.value
            if self.session.features_ok:
                self._judge()

    @on(ResetStarted)
    def reset(self, _: ResetStarted) -> None:
        """Nothing is taken any more."""
        self._taken.clear()

    @on(Negotiated)
    def settled(self, fact: Negotiated) -> None:
        """FEATURES_OK was read back."""
        if fact.kept:
            self._judge()
        elif any(
            bits & ~self.session.offered.get(word, bits) for word, bits in self.session.accepted.items()
        ):
            self.held()

    def _judge(self) -> None:
        for word, taken in self._taken.items():
            offered = self.session.offered.get(word)
            if offered is not None and self.session.accepted.get(word, 0) & ~offered:
                extra = taken & ~offered
                self.judge(not extra, f"FEATURES_OK stands with bits {extra:#x} of word {word} never offered")


class OnlyDescribedIsOffered(Rule):
    """The device offers no bit that is reserved or not described for its type and transport (2.2.2).

    The legacy bits 24, 27 and 30 pass; the bits of a type that is not tabled pass.
    """

    clause = "DEV-FEAT-004"

    @on(FieldRead)
    def check(self, fact: FieldRead) -> None:
        """device_feature is read."""
        select = selected_word(self, "device_feature_select")
        if fact.name == "device_feature" and select is not None:
            bad = undescribed(fact.value << 32 * select, self.state.device_type)
            self.judge(not bad, f"word {select} offers bits {bad >> 32 * select:#x} that mean nothing here")


class SameSetIsAcceptedAgain(Rule):
    """A set that FEATURES_OK stood for once is accepted again after a reset (2.2.2)."""

    clause = "DEV-FEAT-005"
    _LIMIT = 64

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._accepted: set[int] = set()

    @on(Negotiated)
    def check(self, fact: Negotiated) -> None:
        """FEATURES_OK was read back."""
        if not self.session.known:
            return
        bits = self.session.accepted_bits
        if bits in self._accepted:
            self.judge(fact.kept, f"FEATURES_OK stood for the set {bits:#x} before, and now does not")
        elif fact.kept and len(self._accepted) < self._LIMIT:
            self._accepted.add(bits)


class OfferIsPresentedBySelect(Rule):
    """device_feature shows the offered bits of the selected word, whatever the select (4.1.4.3.1).

    The offer stays the same within a session and over resets of the device; a word in which the
    standard has no bit of the device does not repeat another word.
    """

    clause = "DEV-PCI-014"

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._words: dict[int, int] = {}

    @on(ResetStarted)
    def reset(self, fact: ResetStarted) -> None:
        """After power-up the device may be another one."""
        if fact.kind in ("power", "hot"):
            self._words.clear()

    @on(FieldRead)
    def check(self, fact: FieldRead) -> None:
        """device_feature is read."""
        select = self.state.common.values.get("device_feature_select")
        if fact.name != "device_feature" or select is None:
            return
        if select >= 4:
            self.judge(fact.value == 0, f"word {select} shows {fact.value:#x}, but holds reserved bits only")
            return
        first = self._words.setdefault(select, fact.value)
        bits = fact.value << 32 * select
        alias = select >= 2 and fact.value in (self._words.get(0), self._words.get(1))
        if first != fact.value:
            self.breached(f"word {select} shows {fact.value:#x}, it was {first:#x} before")
        elif alias and fact.value and undescribed(bits, self.state.device_type):
            self.breached(f"word {select} repeats another word: {fact.value:#x}")
        else:
            self.held()


class AcceptedIsPresentedBySelect(Rule):
    """driver_feature shows the valid bits that the driver wrote (4.1.4.3.1)."""

    clause = "DEV-PCI-015"

    @on(FieldRead)
    def check(self, fact: FieldRead) -> None:
        """driver_feature is read."""
        select = selected_word(self, "driver_feature_select")
        if fact.name == "driver_feature" and select in self.session.accepted:
            wanted = self.session.accepted[select] & self.session.offered.get(select, 0)
            message = f"word {select} of driver_feature shows {fact.value:#x}, written was {wanted:#x}"
            self.judge(fact.value & wanted == wanted, message)
