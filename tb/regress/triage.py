"""Failures by what they have in common: the signature of a failed run, and groups over the nights."""

from __future__ import annotations

import hashlib
import re

from tb.regress.store import Judged
from tb.results import ERROR, FAIL, Result

_NUMBER = re.compile(r"\b(?:0x[0-9a-f]+|[0-9a-f]{8,}|\d+(?:\.\d+)?)\b", re.IGNORECASE)
_BYTES = re.compile(r"b(['\"]).*?(?<!\\)\1")
_PATH = re.compile(r"\(see [^)]*\)|(?<!\w)/[^\s:)]+")
_FRAME = re.compile(r'File "[^"]*?([^/"]+)", line \d+, in (\w+)')
SHAPE_CHARS = 160


def shape(message: str) -> str:
    """A message without what differs from run to run: numbers, bytes, paths."""
    text = _NUMBER.sub("#", _BYTES.sub("b#", _PATH.sub("", message)))
    return " ".join(text.split())[:SHAPE_CHARS]


def place_of(result: Result) -> str:
    """Where it broke: the event that a clause broke at, else the innermost frame of the test."""
    if result.violations:
        words = str(result.violations[0].get("event", "")).partition(" ns ")[2].split()
        return " ".join(word for word in words if not word.startswith(("data=", "("))) if words else ""
    frames = _FRAME.findall(result.details)
    tests = [frame for frame in frames if frame[0].startswith("test_")]
    file, function = (tests or frames or [("", "")])[-1]
    return f"{file}:{function}" if file else ""


def judged(run: int, result: Result) -> Judged:
    """A result with its signature; one that did not fail has none."""
    if result.status not in (FAIL, ERROR):
        return Judged(run, result)
    place = place_of(result)
    what = result.violations[0]["clause"] if result.violations else shape(result.message)
    place = _NUMBER.sub("#", place) if not result.violations else _memory_is_anywhere(place)
    text = "\0".join((result.status, str(what), place, result.state))
    return Judged(run, result, place, result.state, hashlib.sha256(text.encode()).hexdigest()[:12])


def _memory_is_anywhere(place: str) -> str:
    """An access to guest memory happens at an address that was drawn; one to a BAR at a register."""
    if place.startswith(("Dma", "Mem", "Msix")):
        return _NUMBER.sub("#", place)
    return place
