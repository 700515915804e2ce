"""One measurement's work order, handed from `python -m tests.bench` to the simulator process."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

ORDER = "VIRTIO_COSIM_BENCH"


@dataclass(frozen=True, slots=True)
class Order:
    """What to run: `total` requests of `sectors` sectors, `depth` in flight, an interrupt per `batch`."""

    manifest: str
    result: str
    total: int = 2000
    ring: int = 256
    depth: int = 64
    sectors: int = 1
    batch: int = 32
    latency: int = 4
    image_sectors: int = 4096
    features: tuple[str, ...] = ("EVENT_IDX",)
    checker: bool = False
    script: bool = False

    def save(self, path: Path) -> None:
        """Write the order to a file."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> Order:
        """Read what `save` wrote."""
        content = json.loads(path.read_text())
        content["features"] = tuple(content["features"])
        return cls(**content)
