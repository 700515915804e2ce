"""What a guest session is to boot, handed from the command to the simulator process."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tb.results import write_whole

MEDIUM = "medium.img"
"""The medium as the guest left it, in the test's folder."""


@dataclass(frozen=True, slots=True)
class Order:
    """QEMU's command line and environment, the private folder of its sockets, and its time limit."""

    words: list[str]
    module_folder: str
    sockets: str
    limit_s: float

    def save(self, path: Path) -> None:
        """Write the order to a file, whole or not at all."""
        write_whole(path, json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> Order:
        """Read an order that `save` wrote."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))
