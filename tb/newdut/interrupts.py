"""How a top level interrupts, by the names and widths of what its buses leave over."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tb.elaborate import TopPort

_ABOUT = re.compile(r"irq|intr|interrupt|msi|int[abx]?(?:$|_)|(?:^|_)vector", re.IGNORECASE)
_VECTOR = re.compile(r"vec|num|idx|index|(?:^|_)id(?:$|_)", re.IGNORECASE)
_LINE = re.compile(r"line|level|int[abx](?:$|_)|intx|legacy", re.IGNORECASE)
_ACKNOWLEDGE = re.compile(r"ack|grant|gnt|done|sent", re.IGNORECASE)
_READY = re.compile(r"ready|rdy", re.IGNORECASE)
VECTOR_BITS = 16


@dataclass(frozen=True, slots=True)
class InterruptPins:
    """The kind as manifests name it, its pins by the manifest's keys, and why it is thought so."""

    kind: str
    pins: dict[str, str] = field(default_factory=dict)
    reason: str = ""


def find_interrupts(ports: Mapping[str, TopPort], left: Sequence[str], *, own_config: bool) -> InterruptPins:
    """How the device interrupts; `left` are the ports that no bus has.

    With `own_config` the device has its own configuration space, and so its own MSI-X table.
    """
    about = [name for name in left if _ABOUT.search(name)]
    outputs = [name for name in about if ports[name].direction == "output"]
    single = [name for name in outputs if ports[name].width == 1]
    vectors = [
        name
        for name in outputs
        if 1 < ports[name].width <= VECTOR_BITS or (name in single and _VECTOR.search(name))
    ]
    vectors.sort(key=lambda name: not _VECTOR.search(name))
    lines = [name for name in single if name not in vectors]
    intx = next((name for name in lines if _LINE.search(name)), "")
    strobes = [name for name in lines if name != intx]
    if vectors and strobes and not own_config:
        return _with_vector(ports, about, strobes[0], vectors[0], intx)
    level = {"intx": intx or next(iter(lines), "")}
    level = {key: name for key, name in level.items() if name}
    if own_config:
        return InterruptPins("msix-write", level, "messages leave as memory writes on the DMA port")
    if level:
        return InterruptPins("level", level, "" if intx else "the one port that is named like an interrupt")
    return InterruptPins("")


def _with_vector(
    ports: Mapping[str, TopPort], about: Sequence[str], strobe: str, vector: str, intx: str
) -> InterruptPins:
    inputs = [name for name in about if ports[name].direction == "input" and ports[name].width == 1]
    acknowledge = next((name for name in inputs if _ACKNOWLEDGE.search(name)), "")
    ready = next((name for name in inputs if _READY.search(name)), "")
    more = {"intx": intx} if intx else {}
    if acknowledge:
        pins = {"request": strobe, "vector": vector, "acknowledge": acknowledge, **more}
        return InterruptPins("reqack", pins, f"{strobe} is held until {acknowledge}")
    if ready:
        more = {"ready": ready, **more}
    reason = f"one message for each cycle of {strobe}"
    return InterruptPins("msix-pulse", {"valid": strobe, "vector": vector, **more}, reason)
