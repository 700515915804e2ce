"""The native host in Python: one object per test that owns the C host, its ports and its event stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from native.binding import binding
from native.records import decode, encode
from pymodel.events import Event
from pymodel.memory import GuestMemory, Region
from pymodel.recorded import RecordedMemory

DRAIN = 1 << 20


class NativeError(Exception):
    """The library refused a call; the message says which."""


class NativeMemory:
    """Guest memory or a medium as C sees it; maps memory that Python owns, without a copy."""

    def __init__(self) -> None:
        self.ffi, self.lib = binding()
        self.handle = self.ffi.gc(self.lib.vio_memory_new(), self.lib.vio_memory_free)
        self._kept: dict[int, memoryview | bytearray] = {}

    @classmethod
    def of_regions(cls, regions: Sequence[Region]) -> NativeMemory:
        """The same memory as these regions'."""
        memory = cls()
        for region in regions:
            memory.map(region.base, region.view)
        return memory

    @classmethod
    def of_guest(cls, guest: GuestMemory) -> NativeMemory:
        """The same memory as the guest's, also when regions come and go."""
        memory = cls.of_regions(guest.regions)
        guest.watcher = memory.follow
        if isinstance(guest, RecordedMemory):
            for addr, data in guest.reads:
                memory.record(addr, data)
        return memory

    def record(self, addr: int, data: bytes) -> None:
        """Let the device's next read of this piece find `data`; raises NativeError."""
        content = self.ffi.from_buffer("uint8_t[]", data)
        if self.lib.vio_memory_record(self.handle, addr, len(data), content):
            raise NativeError("out of memory for a recorded session")

    def follow(self, base: int, content: memoryview | None) -> None:
        """Map a region that has come, or forget one that has gone; raises NativeError."""
        if content is not None:
            self.map(base, content)
        elif self.lib.vio_memory_unmap(self.handle, base):
            raise NativeError(f"no memory begins at {base:#x}")
        else:
            del self._kept[base]

    def map(self, base: int, content: memoryview | bytearray) -> None:
        """Let C see `content` at address `base`; its length must not change. Raises NativeError."""
        # The buffer is given back at once: garbage collection chokes on a memoryview that is lent out.
        # The bytes stay where they are while `content` lives and nobody resizes it.
        with self.ffi.from_buffer("uint8_t[]", content, require_writable=True) as lent:
            data = self.ffi.cast("uint8_t *", lent)
        if self.lib.vio_memory_map(self.handle, base, len(content), data):
            raise NativeError(f"{len(content)} bytes of memory do not fit at {base:#x}")
        self._kept[base] = content

    def show(self, base: int, content: bytearray) -> None:
        """Let C see only `content`, at `base`; call again whenever its length has changed."""
        self.lib.vio_memory_clear(self.handle)
        self._kept.clear()
        if content:
            self.map(base, content)

    def add(self, base: int, length: int) -> Region:
        """Add zeroed memory that C owns; the region's view must not outlive this object."""
        data = self.lib.vio_memory_add(self.handle, base, length)
        if data == self.ffi.NULL:
            raise NativeError(f"{length} bytes of memory do not fit at {base:#x}")
        return Region(base, memoryview(self.ffi.buffer(data, length)))

    def protect(self, addr: int, length: int, *, deny: int = 0, allow: int = 0) -> None:
        """Refuse and grant the device sums of VIO_READ (1) and VIO_WRITE (2) in a range."""
        if self.lib.vio_memory_protect(self.handle, addr, length, deny, allow):
            raise NativeError(f"cannot protect {length} bytes at {addr:#x}")


_active: NativeHost | None = None


class NativeHost:
    """The C host of one test; `origin` is the simulation time of its time 0, `period` the clock's (ps)."""

    def __init__(self, origin: int, period: int) -> None:
        self.ffi, self.lib = binding()
        self.handle = self.ffi.gc(self.lib.vio_host_new(origin, period), self.lib.vio_host_free)
        self.events = self.lib.vio_host_events(self.handle)
        self._memories: list[NativeMemory] = []
        self._buffer = bytearray(DRAIN)

    def activate(self) -> None:
        """Let the simulator's pins reach this host, which lives until another one is activated."""
        global _active
        self.lib.vio_host_activate(self.handle)
        _active = self

    def open_target(
        self,
        port: int,
        memory: NativeMemory,
        *,
        guest: bool,
        seed: int,
        read_latency: tuple[int, int] = (0, 0),
        write_latency: tuple[int, int] = (0, 0),
        stall: int = 0,
        reorder: bool = False,
        interleave: bool = False,
        lanes: int = 0,
    ) -> None:
        """Serve an AXI4 port from memory (`lanes` 0: as wide as the wrapper's); raises NativeError."""
        self._memories.append(memory)
        knobs = self.ffi.new(
            "vio_target_knobs *",
            (*read_latency, *write_latency, stall, reorder, interleave, guest, lanes),
        )
        if self.lib.vio_target_open(self.handle, port, memory.handle, knobs, seed):
            raise NativeError(f"target {port} cannot be opened with {lanes} lanes")

    def open_initiator(self, port: int, *, seed: int, stall: int = 0, lanes: int = 0) -> None:
        """Drive an AXI4-Lite port; raises NativeError."""
        if self.lib.vio_initiator_open(self.handle, port, lanes, stall, seed):
            raise NativeError(f"initiator {port} cannot be opened with {lanes} lanes")

    def target_faults(self, port: int) -> list[str]:
        """What the device did that AXI4 forbids; the first 64, and how many more."""
        count = self.lib.vio_target_faults(self.handle, port)
        texts = (self.lib.vio_target_fault(self.handle, port, index) for index in range(count))
        faults = [self.ffi.string(text).decode() for text in texts if text != self.ffi.NULL]
        return faults + ([f"and {count - len(faults)} more"] if count > len(faults) else [])

    def take_message(self) -> tuple[int, int] | None:
        """Take the oldest interrupt message: address and data."""
        addr, data = self.ffi.new("uint64_t *"), self.ffi.new("uint32_t *")
        if not self.lib.vio_host_message(self.handle, addr, data):
            return None
        return int(addr[0]), int(data[0])

    def emit(self, event: Event) -> None:
        """Add an event of Python's to C's stream."""
        t, asked, addr, kind, number, err, data = encode(event)
        content = self.ffi.from_buffer("uint8_t[]", data)
        fact = self.ffi.new("vio_event *", (t, asked, addr, len(data), kind, number, err, 0, content))
        self.lib.vio_events_emit(self.events, fact)

    def keep(self, keep: bool) -> None:
        """Keep events for `drain` from now on, or drop them."""
        self.lib.vio_events_keep(self.events, keep)

    def drain(self) -> Iterator[Event]:
        """Yield the events kept so far; raises NativeError if some were lost for want of memory."""
        while size := self.lib.vio_events_kept(self.events):
            if size > len(self._buffer):
                self._buffer = bytearray(size)
            used = self.lib.vio_events_drain(
                self.events, self.ffi.from_buffer("uint8_t[]", self._buffer), len(self._buffer)
            )
            yield from decode(bytes(memoryview(self._buffer)[:used]))
        if self.lib.vio_events_lost(self.events):
            raise NativeError("out of memory: events are missing")

    def trace(self, path: Path, header: str) -> None:
        """Write all further events to a vtrace file behind its header line; raises OSError."""
        if self.lib.vio_events_trace(self.events, str(path).encode(), header.encode()):
            raise OSError(self.ffi.errno, "cannot be written", str(path))

    def flush_trace(self) -> None:
        """Bring all events so far to the vtrace file; raises OSError."""
        if self.lib.vio_events_flush(self.events):
            raise OSError("the trace could not be written")

    def close_trace(self) -> None:
        """Finish the vtrace file; raises OSError if something could not be written."""
        if self.lib.vio_events_trace_close(self.events):
            raise OSError("the trace could not be written whole")
