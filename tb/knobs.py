"""How unfriendly the host is to the device: latency, back-pressure and reordering, drawn from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

LEVELS = ("calm", "any", "harsh", "distant", "remote")


@dataclass(frozen=True, slots=True)
class TargetKnobs:
    """How a memory behind AXI behaves; latencies are (least, most) clock cycles.

    `stall` is the share of cycles in which a channel is not ready (or holds its answer back);
    `reorder` lets bursts of different ids overtake each other, `interleave` mixes their read beats.
    """

    read_latency: tuple[int, int] = (4, 4)
    write_latency: tuple[int, int] = (4, 4)
    stall: float = 0.0
    reorder: bool = False
    interleave: bool = False


@dataclass(frozen=True, slots=True)
class HostKnobs:
    """How the host drives its accesses: share of cycles in which a channel of its bus pauses."""

    stall: float = 0.0


@dataclass(frozen=True, slots=True)
class Knobs:
    """The whole unfriendliness of one test run."""

    dma: TargetKnobs = field(default_factory=TargetKnobs)
    medium: TargetKnobs = field(default_factory=TargetKnobs)
    host: HostKnobs = field(default_factory=HostKnobs)


def draw_knobs(level: str, seed: int, test: str) -> Knobs:
    """Return the knobs of this test under this seed.

    Level "calm" is always the same friendly host, "harsh" always the same hostile one, "distant" one
    that is never in the way, but whose memory answers reads after 250 cycles, "remote" one whose
    memory answers after thousands.
    """
    if level == "remote":
        return Knobs(dma=TargetKnobs((1500, 4000), (1000, 3000), reorder=True))
    if level == "distant":
        return Knobs(dma=TargetKnobs(read_latency=(250, 250)))
    if level == "calm":
        return Knobs()
    if level == "harsh":
        target = TargetKnobs((50, 250), (20, 60), stall=0.5, reorder=True, interleave=True)
        return Knobs(target, target, HostKnobs(stall=0.5))
    rng = random.Random(f"knobs/{seed}/{test}")
    return Knobs(_target(rng), _target(rng), HostKnobs(rng.choice((0.0, 0.0, 0.2, 0.5))))


def _target(rng: random.Random) -> TargetKnobs:
    slowest = rng.choice((2, 20, 60, 250))
    return TargetKnobs(
        read_latency=_range(rng, slowest),
        write_latency=_range(rng, min(slowest, 60)),
        stall=rng.choice((0.0, 0.0, 0.1, 0.3, 0.6)),
        reorder=rng.random() < 0.5,
        interleave=rng.random() < 0.25,
    )


def _range(rng: random.Random, most: int) -> tuple[int, int]:
    return rng.randrange(0, most), most
