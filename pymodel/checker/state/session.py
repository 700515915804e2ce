"""One driver session: from reset to reset, its status byte and its features."""

from __future__ import annotations

from enum import IntEnum

from pymodel import spec


class Phase(IntEnum):
    """How far the session is, as the boundary shows it."""

    UNKNOWN = 0
    RESETTING = 1
    RESET = 2
    INIT = 3
    LIVE = 4
    SUSPENDED = 5


class Session:
    """What the driver did since the last reset.

    `known` is false where the trace began later than the session. `status` is the last value known of
    device_status (written or read), `features_ok` what the read-back after FEATURES_OK said; `dirty`
    that the driver's last bring-up was not followed by a reset, though the status went back to 0;
    `draining` that the driver did not wait for the reset, so that the device may still be at it;
    `live_t` when the device was last set to work, `troubled` that a malformed buffer or a refused access
    may have stopped it since.
    """

    def __init__(self, *, known: bool, reset_kind: str | None) -> None:
        self.known = known
        self.reset_kind = reset_kind
        self.phase = Phase.RESETTING if reset_kind else Phase.UNKNOWN
        self.status: int | None = None
        self.begun = False
        self.reset_polled = False
        self.reset_t = 0
        self.offered: dict[int, int] = {}
        self.accepted: dict[int, int] = {}
        self.features_ok_written = False
        self.features_ok: bool | None = None
        self.driver_ok = False
        self.failed = False
        self.needs_reset = False
        self.suspend_written = False
        self.resume_written = False
        self.dirty = False
        self.draining = False
        self.live_t = 0
        self.troubled = False

    @property
    def features(self) -> int | None:
        """Features in force: those accepted, without the ones that were not offered; None if unknown."""
        if not self.known or not self.features_ok_written:
            return None
        value = 0
        for word, bits in self.accepted.items():
            value |= (bits & self.offered.get(word, bits)) << 32 * word
        return value

    def has(self, feature: int) -> bool:
        """Whether a feature is known to be in force."""
        features = self.features
        return features is not None and bool(features >> feature & 1)

    def lacks(self, feature: int) -> bool:
        """Whether a feature is known not to be in force."""
        features = self.features
        return features is not None and not features >> feature & 1

    @property
    def offered_bits(self) -> int:
        """The features that the driver saw offered in this session."""
        value = 0
        for word, bits in self.offered.items():
            value |= bits << 32 * word
        return value

    @property
    def accepted_bits(self) -> int:
        """The features that the driver wrote in this session."""
        value = 0
        for word, bits in self.accepted.items():
            value |= bits << 32 * word
        return value

    @property
    def live(self) -> bool:
        """Whether the device may work on queues."""
        return self.phase == Phase.LIVE

    def set_status(self, value: int) -> None:
        """Take in a status that the driver wrote (not 0)."""
        if value & spec.Status.FEATURES_OK:
            self.features_ok_written = True
        self.begun = True
        self.failed = self.failed or bool(value & spec.Status.FAILED)
        if value & spec.Status.DRIVER_OK:
            if self.phase == Phase.SUSPENDED:
                self.resume_written = True
                self.phase = Phase.LIVE
            elif not self.driver_ok:
                self.phase = Phase.LIVE
            self.driver_ok = True
        elif self.phase in (Phase.RESETTING, Phase.RESET) or (
            self.phase == Phase.UNKNOWN and value == spec.Status.ACKNOWLEDGE
        ):
            self.phase = Phase.INIT
        self.status = value
