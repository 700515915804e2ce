"""What the traces of a run show together, and what of them could not be read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pymodel.vtrace import VtraceError
from tb.session import TRACE
from waves.conformance.profile import Negotiation, Profile
from waves.conformance.run_folder import RunFolder, TestRun, text
from waves.conformance.survey import survey

MOST_BYTES = 1 << 30
MOST_PROFILES = 12


@dataclass(slots=True)
class Evidence:
    """A profile for each device that the traces' headers name, and what is missing.

    `missing` counts tests that left no trace, `broken` names traces that end in something unreadable,
    with why; what stands before that counts. `left_out` counts those beyond MOST_BYTES in all.
    """

    profiles: list[Profile] = field(default_factory=list)
    missing: int = 0
    left_out: int = 0
    broken: list[str] = field(default_factory=list)

    @property
    def sessions(self) -> Counter[Negotiation]:
        """The driver sessions of all profiles."""
        total: Counter[Negotiation] = Counter()
        for profile in self.profiles:
            total.update(profile.sessions)
        return total

    @property
    def types(self) -> set[int]:
        """The virtio device types seen."""
        return {kind for profile in self.profiles for kind in profile.types}


def gather(run: RunFolder) -> Evidence:
    """Read the traces of a run's tests."""
    found = Evidence()
    profiles: dict[str, Profile] = {}
    size = 0
    for test in run.tests:
        trace = test.file(TRACE)
        if trace is None:
            found.missing += 1
            continue
        size += trace.lstat().st_size
        if size > MOST_BYTES:
            found.left_out += 1
            continue
        try:
            profile, broken = survey(trace)
        except VtraceError as error:
            found.broken.append(_told(test, error))
            continue
        if broken is not None:
            found.broken.append(_told(test, broken))
        profile.name = text(profile.name, 80) or "unnamed"
        if profile.name not in profiles and len(profiles) >= MOST_PROFILES:
            profile.name = "others"
        if profile.name in profiles:
            profiles[profile.name].add(profile)
        else:
            profiles[profile.name] = profile
    found.profiles = list(profiles.values())
    return found


def _told(test: TestRun, error: VtraceError) -> str:
    where = f"line {error.line}: " if error.line else ""
    return text(f"{test.name} seed {test.seed}: {where}{error.reason}")
