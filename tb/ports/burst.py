"""AXI4 bursts as byte ranges: which address each beat's lanes carry (INCR bursts only)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

INCR = 1
PAGE = 4096


@dataclass(slots=True, eq=False)
class Burst:
    """One burst as its address channel announced it.

    `asked` is the time of that handshake, `due` of its next stage, `answer` the earliest time of its
    response; `runs` are the bytes that a write burst writes, as (address, data), and `items` what is
    still to be sent in answer.
    """

    ident: int
    addr: int
    beats: int
    size: int
    lanes: int
    asked: int
    answer: int = 0
    due: int = 0
    runs: list[tuple[int, bytes]] = field(default_factory=list)
    items: list[Any] = field(default_factory=list)

    def __str__(self) -> str:
        return f"of {self.beats} x {1 << self.size} bytes at {self.addr:#x}"

    @property
    def length(self) -> int:
        """Bytes from the start address to the end of the last beat."""
        step = 1 << self.size
        return self.beats * step - self.addr % step

    def crosses_page(self) -> bool:
        """Whether the burst touches two 4 KiB pages."""
        return self.addr // PAGE != (self.addr + self.length - 1) // PAGE

    def beat_range(self, beat: int) -> tuple[int, int]:
        """First address and number of bytes of one beat."""
        step = 1 << self.size
        start = self.addr if beat == 0 else self.addr - self.addr % step + beat * step
        return start, step - start % step

    def lane_words(self, data: bytes) -> list[int]:
        """The data bus's value per beat when `data` lies from the start address on."""
        words = []
        offset = 0
        for beat in range(self.beats):
            start, count = self.beat_range(beat)
            word = int.from_bytes(data[offset : offset + count], "little")
            words.append(word << 8 * (start % self.lanes))
            offset += count
        return words


def strobed_runs(burst: Burst, words: list[tuple[int, int]]) -> list[tuple[int, bytes]]:
    """Return the contiguous runs of written bytes, as (address, data), of a burst's (data, strobe) beats."""
    runs: list[tuple[int, bytearray]] = []
    for beat, (word, strobe) in enumerate(words):
        base = burst.beat_range(beat)[0]
        base -= base % burst.lanes
        for first, count in runs_of(strobe):
            part = (word >> 8 * first & (1 << 8 * count) - 1).to_bytes(count, "little")
            if runs and runs[-1][0] + len(runs[-1][1]) == base + first:
                runs[-1][1].extend(part)
            else:
                runs.append((base + first, bytearray(part)))
    return [(addr, bytes(data)) for addr, data in runs]


def runs_of(strobe: int) -> list[tuple[int, int]]:
    """Return first position and length of every run of ones."""
    runs = []
    position = 0
    while strobe:
        skip = (strobe & -strobe).bit_length() - 1
        strobe >>= skip
        count = (~strobe & strobe + 1).bit_length() - 1
        runs.append((position + skip, count))
        strobe >>= count
        position += skip + count
    return runs


def burst_faults(burst: Burst, kind: int) -> list[str]:
    """What AXI4 forbids about this address phase, one line each; `kind` is AxBURST."""
    faults = []
    if kind != INCR:
        faults.append(f"the burst {burst} is not INCR")
    if burst.crosses_page():
        faults.append(f"the burst {burst} crosses a 4 KiB boundary")
    if 1 << burst.size > burst.lanes:
        faults.append(f"the burst {burst} has beats wider than the bus")
    return faults


def write_faults(burst: Burst, words: list[tuple[int, int]]) -> list[str]:
    """What AXI4 forbids about the (data, strobe) beats of a write burst, one line each."""
    for beat, (_, strobe) in enumerate(words):
        start, count = burst.beat_range(beat)
        if strobe & ~((1 << count) - 1 << start % burst.lanes):
            return [f"beat {beat} of the burst {burst} strobes bytes outside it"]
    return []
