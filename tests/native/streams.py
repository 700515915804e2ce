"""Streams of events for both twins: recorded sessions, mutated ones, and ones made of their fragments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from random import Random

from pymodel.device.config import DeviceConfig
from pymodel.driver.interrupts import InterruptMode
from pymodel.events import (
    BarRead,
    BarWrite,
    ConfigRead,
    ConfigWrite,
    DmaRead,
    DmaWrite,
    Event,
    Intx,
    Mark,
    MemWrite,
    Msix,
    Reset,
)
from pymodel.spec import COMMON_CFG, CapType
from pymodel.vtrace import Header, Layout, Region
from tests.unit import (
    test_checker_below,
    test_checker_blk,
    test_checker_bring_up,
    test_checker_entropy,
    test_checker_legacy,
    test_checker_pci,
    test_checker_rings,
    test_checker_suspend_config,
)
from tests.unit.checker_cases import Case, Stream
from tests.unit.checker_streams import FEATURES, SILENCE, model_stream

TABLES = (
    test_checker_below,
    test_checker_blk,
    test_checker_bring_up,
    test_checker_entropy,
    test_checker_legacy,
    test_checker_pci,
    test_checker_rings,
    test_checker_suspend_config,
)
QUEUE_FIELDS = ("queue_select", "queue_size", "queue_desc", "queue_driver", "queue_device", "queue_enable")
VALUES = (0, 1, 2, 3, 4, 7, 8, 0x0F, 0x40, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 1 << 31, (1 << 64) - 1)
_MODEL = DeviceConfig()


def _region(kind: CapType, multiplier: int = 0) -> Region:
    place = _MODEL.places[kind]
    return Region(place.bar, place.offset, place.length, multiplier)


LAYOUT = Layout(
    common=_region(CapType.COMMON),
    notify=_region(CapType.NOTIFY, _MODEL.notify_multiplier),
    isr=_region(CapType.ISR),
    device=_region(CapType.DEVICE),
    msix_entries=_MODEL.vectors,
)
UNSEEN = Header("lab", type=2, layout=LAYOUT)
"""For traces of the model without its configuration space."""


def cases() -> Iterator[tuple[str, Stream]]:
    """The streams of the rules' unit tests, each with its clause."""
    for module in TABLES:
        for table in vars(module).values():
            for clause, case in table.items() if isinstance(table, dict) else ():
                if isinstance(case, Case):
                    yield clause, case.holds
                    yield from ((clause, stream) for stream in case.breaks)


@cache
def case_list() -> list[Stream]:
    """The same as a list."""
    return [stream for _, stream in cases()]


def recorded(rng: Random) -> tuple[list[Event], Header]:
    """Draw a session of driver and model, or a rule's scripted stream."""
    if rng.random() < 0.4:
        script = rng.choice(case_list())()
        return list(script.events), script.header
    stream = model_stream(
        rng.choice(list(FEATURES)), rng.choice(list(InterruptMode)), rng.choice((None, 1, 7))
    )
    first = rng.randrange(len(stream) // 2) if rng.random() < 0.3 else 0
    events = stream[first : first + rng.randint(200, 1200)]
    if rng.random() < 0.2:
        return [
            event for event in events if not isinstance(event, ConfigRead | ConfigWrite)
        ] or events, UNSEEN
    return events, Header(rng.choice(("model", "verilator", "lab")))


def ended(rng: Random, events: list[Event]) -> list[Event]:
    """Most streams end orderly, after a silence."""
    if events and rng.random() < 0.7:
        events.append(Mark(t=events[-1].t + SILENCE, text="end"))
    return events


def altered(rng: Random, event: Event) -> Event:
    """Return the event with another byte, address, length or time."""
    data, addr = getattr(event, "data", None), getattr(event, "addr", None)
    match rng.randrange(4):
        case 0 if isinstance(data, bytes) and data:
            at = rng.randrange(len(data))
            return replace(event, data=data[:at] + bytes([rng.choice((0, 1, 2, 255))]) + data[at + 1 :])  # type: ignore[call-arg]
        case 1 if isinstance(addr, int):
            moved = max(0, addr + rng.choice((-16, -4, -1, 1, 2, 8, 16, 4096)))
            limit = 4096 - len(data) if isinstance(event, ConfigRead | ConfigWrite) and data else 1 << 63
            return replace(event, addr=min(moved, limit))  # type: ignore[call-arg]
        case 2 if isinstance(data, bytes) and len(data) > 1:
            return replace(event, data=data[: rng.randrange(1, len(data))])  # type: ignore[call-arg]
    return replace(event, t=max(0, event.t + rng.randint(-(10**6), 10**7)))


def mutated(rng: Random, stream: list[Event]) -> list[Event]:
    """Drop, repeat, swap and alter some events."""
    events = list(stream)
    for _ in range(rng.randint(1, 8)):
        at, to = rng.randrange(len(events)), rng.randrange(len(events))
        match rng.randrange(5):
            case 0 if len(events) > 1:
                del events[at]
            case 1:
                events.insert(to, events[at])
            case 2:
                events[at], events[at - 1] = events[at - 1], events[at]
            case _:
                events[at] = altered(rng, events[at])
    return events


def forged(rng: Random, events: list[Event], count: int) -> list[Event]:
    """Insert events whose addresses lie at or beside those of the stream, with telling values."""
    places = [event.addr for event in events if isinstance(event, DmaRead | DmaWrite | MemWrite)] or [0]
    bars = [event for event in events if isinstance(event, BarRead | BarWrite)]
    fields = list(COMMON_CFG.values())
    common = min((event.addr for event in bars), default=0)
    for _ in range(count):
        at = rng.randrange(len(events) + 1)
        t = events[at - 1].t if at else 0
        when = {"t": t, "t_req": rng.choice((None, t, max(0, t - 5000)))}
        value = rng.choice((*VALUES, rng.getrandbits(16), rng.getrandbits(64)))
        addr = rng.choice(places) + rng.choice((0, 0, 0, 2, 4, 8, 12, 14, -1, 16))
        addr = min(max(addr, 0), (1 << 64) - 1)
        data = value.to_bytes(8, "little")[: rng.choice((1, 2, 4, 8))] * rng.choice((1, 1, 1, 2, 8))
        kind = rng.choice((BarRead, BarWrite))
        field = rng.choice(fields)
        made: Event
        match rng.randrange(8):
            case 0 | 1:
                own = value.to_bytes(8, "little")[: field.width]
                made = kind(**when, bar=rng.choice((0, 2, 2)), addr=common + field.offset, data=own)
            case 2 if bars:
                made = kind(**when, bar=rng.choice(bars).bar, addr=rng.choice(bars).addr, data=data[:8])
            case 3:
                made = rng.choice((DmaRead, DmaWrite))(**when, addr=addr, data=data, err=rng.random() < 0.1)
            case 4 | 5:
                made = MemWrite(**when, addr=addr, data=data)
            case 6:
                made = Msix(**when, vector=value & 3)
            case _:
                config = rng.choice((ConfigRead, ConfigWrite))(**when, addr=value & 0xFF, data=data[:4])
                reset = Reset(**when, kind=rng.choice(("flr", "hot", "power")))
                made = rng.choice((config, Intx(**when, level=value & 1), config, reset))
        events.insert(at, made)
    return events


def possible(event: Event) -> bool:
    """Whether there can be such an event: configuration space ends at 4096."""
    return not isinstance(event, ConfigRead | ConfigWrite) or event.addr + len(event.data) <= 4096


def any_stream(rng: Random, hostile: list[Event]) -> tuple[list[Event], Header]:
    """Draw a stream of any kind; `hostile` events are strewn into some."""
    events, header = recorded(rng)
    choice = rng.random()
    if choice < 0.75:
        events = mutated(rng, events)
    if choice > 0.4:
        events = forged(rng, events, rng.randint(1, 40))
    if rng.random() < 0.3:
        for event in hostile:
            events.insert(rng.randrange(len(events)), event)
    return ended(rng, events), header


def endless(rng: Random) -> Iterator[Event]:
    """Session after session, mutated and forged; between them memory and queues at random places."""
    now = 0
    while True:
        base = now
        session = model_stream(rng.choice(list(FEATURES)))
        for event in forged(rng, mutated(rng, session), 400):
            yield replace(event, t=base + event.t, t_req=None)
            now = max(now, base + event.t)
        for _ in range(100):
            yield MemWrite(t=now, addr=rng.getrandbits(63), data=bytes(rng.randrange(1, 200)))
            yield DmaWrite(t=now, addr=rng.getrandbits(40), data=bytes(rng.randrange(1, 200)))
            yield from (_write(now, name, rng.getrandbits(64)) for name in QUEUE_FIELDS)


def _write(t: int, name: str, value: int) -> Event:
    field = COMMON_CFG[name]
    return BarWrite(t=t, bar=2, addr=field.offset, data=value.to_bytes(8, "little")[: field.width])
