"""The simulator's side of the library (native/dpi.c, native/main.cpp), driven from Python clock by clock."""

from __future__ import annotations

import functools
from collections import defaultdict, deque
from dataclasses import dataclass, field
from random import Random
from typing import Any

from cffi import FFI

from native.host import NativeHost
from native.library import build_library

_DECLARATIONS = """
typedef struct vio_host vio_host;
void vio_host_time(vio_host *host, uint64_t time);
void vio_host_rise(vio_host *host);
void vio_host_fall(vio_host *host);
void vio_dpi_line(uint8_t level);
void vio_dpi_target_reset(int port);
void vio_dpi_target_ar(int port, int id, long long addr, int len, int size, int burst);
void vio_dpi_target_aw(int port, int id, long long addr, int len, int size, int burst);
void vio_dpi_target_w(int port, const uint32_t *data, long long strb, uint8_t last);
int vio_dpi_target_rise(int port, int pins);
void vio_dpi_target_r(int port, int lanes, uint32_t *data, int *id, int *resp, uint8_t *last);
void vio_dpi_target_b(int port, int *id, int *resp);
void vio_dpi_initiator_reset(int port);
int vio_dpi_initiator_rise(int port, int pins, long long rdata);
void vio_dpi_initiator_word(int port, long long *awaddr, long long *araddr, long long *wdata, int *wstrb);
"""
AR, AW, W, R, B = 1, 2, 4, 8, 16
R_NEW, B_NEW = 32, 64


@functools.cache
def simulator_side() -> tuple[FFI, Any]:
    """The functions that the simulator calls."""
    ffi = FFI()
    ffi.cdef(_DECLARATIONS)
    return ffi, ffi.dlopen(str(build_library().shared_object))


@dataclass(slots=True)
class Read:
    """A read burst as a device asks for it; `words` are the beats that came, `response` the worst."""

    ident: int
    addr: int
    beats: int
    size: int
    words: list[bytes] = field(default_factory=list)
    response: int = 0


@dataclass(slots=True)
class Write:
    """A write burst: (data, strobe) per beat."""

    ident: int
    addr: int
    size: int
    words: list[tuple[bytes, int]]
    response: int | None = None


class Clock:
    """Time, and the host under test."""

    def __init__(self, host: NativeHost, period: int) -> None:
        self.ffi, self.lib = simulator_side()
        self.host = host
        self._handle = self.ffi.cast("vio_host *", int(host.ffi.cast("uintptr_t", host.handle)))
        self._period = period
        self.cycle = 0
        host.activate()

    def rise(self) -> None:
        """The rising edge of the next cycle."""
        self.cycle += 1
        self.lib.vio_host_time(self._handle, self.cycle * self._period - self._period // 2)
        self.lib.vio_host_rise(self._handle)

    def fall(self) -> None:
        """The falling edge behind it."""
        self.lib.vio_host_time(self._handle, self.cycle * self._period)
        self.lib.vio_host_fall(self._handle)


class Device:
    """A device's AXI4 initiator that plays bursts against a target, with pauses of its own."""

    def __init__(self, clock: Clock, port: int, lanes: int, rng: Random, stall: float = 0.0) -> None:
        self.clock, self.port, self.lanes, self.rng, self.stall = clock, port, lanes, rng, stall
        self.reads: deque[Read] = deque()
        self.writes: deque[Write] = deque()
        self.words: deque[tuple[bytes, int, bool]] = deque()
        self.open_reads: defaultdict[int, deque[Read]] = defaultdict(deque)
        self.open_writes: defaultdict[int, deque[Write]] = defaultdict(deque)
        self.beats: list[int] = []
        self.state = 0
        self._valid = 0
        self._word: tuple[bytes, int, int, bool] | None = None
        self._response: tuple[int, int] | None = None

    def ask(self, read: Read) -> Read:
        """Queue a read."""
        self.reads.append(read)
        return read

    def send(self, write: Write) -> Write:
        """Queue a write."""
        self.writes.append(write)
        for index, (data, strobe) in enumerate(write.words):
            self.words.append((data, strobe, index == len(write.words) - 1))
        return write

    @property
    def busy(self) -> bool:
        """Something is queued or unanswered."""
        waiting = any(self.open_reads.values()) or any(self.open_writes.values())
        return bool(self.reads or self.writes or self.words or waiting)

    def step(self) -> None:
        """One clock cycle."""
        for queue, bit in ((self.reads, AR), (self.writes, AW), (self.words, W)):
            if queue and not self._valid & bit and self.rng.random() >= self.stall:
                self._valid |= bit
        ready = (R if self.rng.random() >= self.stall else 0) | (B if self.rng.random() >= self.stall else 0)
        self.clock.rise()
        self._hand_over()
        if self.state & R and ready & R:
            self._take_beat()
        if self.state & B and ready & B:
            self._take_response()
        before = self.state
        pins = self._valid | ready
        self._valid &= ~(before & self._valid)
        self.state = self.clock.lib.vio_dpi_target_rise(self.port, pins)
        self._look(before, ready)
        self.clock.fall()

    def _hand_over(self) -> None:
        lib, taken = self.clock.lib, self._valid & self.state
        if taken & AR:
            read = self.reads.popleft()
            self.open_reads[read.ident].append(read)
            lib.vio_dpi_target_ar(self.port, read.ident, signed(read.addr), read.beats - 1, read.size, 1)
        if taken & AW:
            write = self.writes.popleft()
            self.open_writes[write.ident].append(write)
            beats = len(write.words)
            lib.vio_dpi_target_aw(self.port, write.ident, signed(write.addr), beats - 1, write.size, 1)
        if taken & W:
            data, strobe, last = self.words.popleft()
            word = self.clock.ffi.from_buffer("uint32_t[]", data.ljust(64, b"\0"))
            lib.vio_dpi_target_w(self.port, word, signed(strobe), last)

    def _look(self, before: int, ready: int) -> None:
        """Fetch what the target shows anew; what it showed and nobody took must stand."""
        for bit, new in ((R, R_NEW), (B, B_NEW)):
            if before & bit and not ready & bit:
                assert self.state & bit, "valid fell before ready"
                assert not self.state & new, "the payload changed before ready"
        ffi, lib = self.clock.ffi, self.clock.lib
        if self.state & R_NEW:
            data, ident, response = ffi.new("uint32_t[16]"), ffi.new("int *"), ffi.new("int *")
            last = ffi.new("uint8_t *")
            lib.vio_dpi_target_r(self.port, self.lanes, data, ident, response, last)
            self._word = bytes(ffi.buffer(data, self.lanes)), ident[0], response[0], bool(last[0])
        if self.state & B_NEW:
            ident, response = ffi.new("int *"), ffi.new("int *")
            lib.vio_dpi_target_b(self.port, ident, response)
            self._response = ident[0], response[0]

    def _take_beat(self) -> None:
        assert self._word is not None
        data, ident, response, last = self._word
        read = self.open_reads[ident][0]
        read.words.append(data)
        read.response = max(read.response, response)
        self.beats.append(ident)
        assert last == (len(read.words) == read.beats), "rlast is wrong"
        if last:
            self.open_reads[ident].popleft()

    def _take_response(self) -> None:
        assert self._response is not None
        ident, response = self._response
        self.open_writes[ident].popleft().response = response


def signed(value: int) -> int:
    """The same 64 bits as C's long long."""
    return value - (1 << 64) if value >> 63 else value
