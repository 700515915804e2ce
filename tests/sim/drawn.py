"""What the random-traffic tests draw: a session's features, queues, interrupts, load and troubles."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from pymodel.driver.interrupts import InterruptMode
from pymodel.spec import Feature, feature_mask

FULL = 0
SPLIT_SIZES = (2, 4, 8, 16, 32, 64, 128, 256, 512, FULL)
PACKED_SIZES = (2, 3, 5, 7, 13, 17, 31, 100, 255, FULL)
LARGEST_DRAWN = 1024
DMA_SIZES = (128, 256, 512, 1024, 4096)
WAYS_TO_END = ("drain", "drain", "reset", "reset", "flr")
TROUBLES = (
    *("none", "vector mask", "function mask", "queue reset", "suspend", "pause"),
    *("bus master", "capacity", "flush"),
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One session; `queues` maps index to size (0: as offered), `steps` are (requests, trouble after).

    `most_elements` is the longest chain, `dma_sizes` are Max_Payload_Size and Max_Read_Request_Size in
    bytes, and with `window` all registers are reached through the PCI_CFG capability.
    """

    features: int
    queues: dict[int, int]
    mode: InterruptMode
    depth: int
    most: int
    most_elements: int
    dma_sizes: tuple[int, int]
    window: bool
    steps: tuple[tuple[int, str], ...]
    end: str

    @property
    def title(self) -> str:
        """What a trace's reader wants to know."""
        troubles = ", ".join(f"{requests}+{trouble}" for requests, trouble in self.steps)
        way = f"{self.mode.name}{' by the window' if self.window else ''}, DMA {self.dma_sizes}"
        return f"features {self.features:#x} queues {self.queues} {way}: {troubles}, end {self.end}"


def draw_session(rng: Random, offered: int, queues: int, several: int | None) -> Drawn:
    """Draw a session for a device with these features and this many queues.

    `several` is the feature that more than one of them takes, None where one is all.
    The ring formats come up equally often; of the rest everything, little or about half is accepted.
    """
    features = draw_features(rng, offered)
    return Drawn(
        features=features,
        queues=draw_queues(rng, features, queues, several),
        mode=rng.choice(tuple(InterruptMode)),
        depth=rng.choice((1, 4, 16, 40)),
        most=rng.choice((1, 3, 8, 16)),
        most_elements=rng.choice((2, 3, 8, 8, 24)),
        dma_sizes=(rng.choice(DMA_SIZES), rng.choice(DMA_SIZES)),
        window=rng.random() < 0.1,
        steps=tuple((draw_load(rng), rng.choice(TROUBLES)) for _ in range(rng.randint(2, 4))),
        end=rng.choice(WAYS_TO_END),
    )


def draw_load(rng: Random) -> int:
    """Draw how many requests to add: mostly few, so that troubles come often, now and then a crowd."""
    return rng.randint(1, 8) if rng.random() < 0.85 else rng.randint(20, 60)


def draw_features(rng: Random, offered: int) -> int:
    """Draw a subset of the offered features; VERSION_1 is always in it."""
    share = rng.choice((0.15, 0.5, 0.5, 0.85, 1.0))
    bits = [bit for bit in range(64) if offered >> bit & 1 and rng.random() < share]
    features = feature_mask(*bits) & ~feature_mask(Feature.RING_PACKED) | feature_mask(Feature.VERSION_1)
    if rng.random() < 0.5:
        features |= feature_mask(Feature.RING_PACKED) & offered
    return features


def draw_queues(rng: Random, features: int, available: int, several: int | None) -> dict[int, int]:
    """Draw which queues to enable, often with gaps, and how large each is."""
    most = available if several is not None and features >> several & 1 else 1
    count = rng.choice((1, 2, most, rng.randint(1, most)))
    chosen = sorted(rng.sample(range(most), min(count, most)))
    return {index: draw_size(rng, features) for index in chosen}


def draw_size(rng: Random, features: int) -> int:
    """Draw a queue size: tiny and full ones, and for the packed ring odd ones."""
    if not features & feature_mask(Feature.RING_PACKED):
        return rng.choice(SPLIT_SIZES)
    return rng.choice((*PACKED_SIZES, rng.randint(2, LARGEST_DRAWN), rng.randint(2, 40)))
