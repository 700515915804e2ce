"""What a pin reads: a number, or the complaint that it has none."""

from __future__ import annotations

from typing import Any


class UnknownLevel(Exception):
    """The DUT drives X or Z where the bench needs 0 or 1; the message names the pin."""


def level(pin: Any, during: str = "") -> int:
    """The pin's value; raises UnknownLevel, which says what access it was `during`."""
    return resolved(pin.value, pin._name, during)


def resolved(value: Any, name: str, during: str = "") -> int:
    """What was sampled from the pin `name`, as a number; raises UnknownLevel."""
    if not getattr(value, "is_resolvable", True):
        raise UnknownLevel(f"{name} reads {value}{f' during a {during}' if during else ''}")
    return int(value)
