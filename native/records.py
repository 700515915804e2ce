"""Events on their way between C's records (vio_events_drain) and Python's objects."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from pymodel import events as ev

HEAD = struct.Struct("<QQQIBBBx")
NO_TIME = (1 << 64) - 1
(
    CFG_READ,
    CFG_WRITE,
    BAR_READ,
    BAR_WRITE,
    DMA_READ,
    DMA_WRITE,
    MEM_WRITE,
    MSIX,
    MSIX_VECTOR,
    INTX,
    RESET,
    MARK,
) = range(12)
"""enum vio_event_kind; a test holds it against the library."""

_Make = Callable[[int, "int | None", int, int, bool, bytes], ev.Event]
_MAKE: dict[int, _Make] = {
    CFG_READ: lambda t, q, a, n, e, d: ev.ConfigRead(t=t, t_req=q, addr=a, data=d),
    CFG_WRITE: lambda t, q, a, n, e, d: ev.ConfigWrite(t=t, t_req=q, addr=a, data=d),
    BAR_READ: lambda t, q, a, n, e, d: ev.BarRead(t=t, t_req=q, bar=n, addr=a, data=d),
    BAR_WRITE: lambda t, q, a, n, e, d: ev.BarWrite(t=t, t_req=q, bar=n, addr=a, data=d),
    DMA_READ: lambda t, q, a, n, e, d: ev.DmaRead(t=t, t_req=q, addr=a, data=d, err=e),
    DMA_WRITE: lambda t, q, a, n, e, d: ev.DmaWrite(t=t, t_req=q, addr=a, data=d, err=e),
    MEM_WRITE: lambda t, q, a, n, e, d: ev.MemWrite(t=t, t_req=q, addr=a, data=d),
    MSIX: lambda t, q, a, n, e, d: ev.Msix(t=t, t_req=q, addr=a, data=int.from_bytes(d, "little")),
    MSIX_VECTOR: lambda t, q, a, n, e, d: ev.Msix(t=t, t_req=q, vector=a),
    INTX: lambda t, q, a, n, e, d: ev.Intx(t=t, t_req=q, level=n),
    RESET: lambda t, q, a, n, e, d: ev.Reset(t=t, t_req=q, kind=d.decode()),
    MARK: lambda t, q, a, n, e, d: ev.Mark(t=t, t_req=q, text=d.decode(errors="surrogatepass")),
}


def decode(records: bytes | memoryview) -> Iterator[ev.Event]:
    """Yield the events of whole records; raises struct.error or KeyError on anything else."""
    at = 0
    while at < len(records):
        t, asked, addr, length, kind, number, err = HEAD.unpack_from(records, at)
        at += HEAD.size
        data = bytes(records[at : at + length])
        at += length + 7 & ~7
        yield _MAKE[kind](t, None if asked == NO_TIME else asked, addr, number, bool(err), data)


_KINDS: dict[type[ev.Event], int] = {
    ev.ConfigRead: CFG_READ,
    ev.ConfigWrite: CFG_WRITE,
    ev.BarRead: BAR_READ,
    ev.BarWrite: BAR_WRITE,
    ev.DmaRead: DMA_READ,
    ev.DmaWrite: DMA_WRITE,
    ev.MemWrite: MEM_WRITE,
    ev.Intx: INTX,
    ev.Reset: RESET,
    ev.Mark: MARK,
}


def encode(event: ev.Event) -> tuple[int, int, int, int, int, int, bytes]:
    """Return (t, t_req, addr, kind, number, err, data) of an event, as the fields of a vio_event."""
    asked = NO_TIME if event.t_req is None else event.t_req
    addr, number, err, data = 0, 0, 0, b""
    kind = MSIX if isinstance(event, ev.Msix) else _KINDS[type(event)]
    match event:
        case ev.Msix(vector=int(vector)):
            kind, addr = MSIX_VECTOR, vector
        case ev.Msix(addr=int(place), data=int(value)):
            addr, data = place, value.to_bytes(4, "little")
        case ev.Intx():
            number = event.level
        case ev.Reset():
            data = event.kind.encode()
        case ev.Mark():
            data = event.text.encode(errors="surrogatepass")
        case ev.BarRead() | ev.BarWrite():
            addr, number, data = event.addr, event.bar, event.data
        case ev.DmaRead() | ev.DmaWrite():
            addr, err, data = event.addr, int(event.err), event.data
        case ev.ConfigRead() | ev.ConfigWrite() | ev.MemWrite():
            addr, data = event.addr, event.data
    return event.t, asked, addr, kind, number, err, data
