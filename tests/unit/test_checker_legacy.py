"""Sessions through the legacy interface: their own rules, and the rules of rings, on recorded streams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from pymodel.checker import Checker, Results
from pymodel.checker.clauses import clauses, older
from pymodel.device.blk import BlkBackend
from pymodel.device.lguest import TOP, LguestTransport
from pymodel.driver.blk import VirtioBlk
from pymodel.driver.core import VirtioDevice
from pymodel.driver.interrupts import InterruptMode
from pymodel.driver.lguest import LguestBus, LguestOps
from pymodel.events import BarRead, ConfigRead, DmaWrite, Event, Mark, Reset
from pymodel.lguest import (
    LGUEST_BAR_LAUNCHER,
    LGUEST_BAR_NOTIFY,
    LGUEST_LAUNCHER_LAYOUT,
    LGUEST_LAUNCHER_WARNINGS,
    LguestLayout,
)
from pymodel.spec import LEGACY_CFG, LEGACY_PAGE_SIZE, PCI_CFG
from pymodel.transport import run_now
from pymodel.vtrace import Header
from tests.unit.checker_cases import Case, Stream, case, check_breach, check_holds, each_breach, each_holding
from tests.unit.checker_script import Script
from tests.unit.model import image
from tests.unit.test_legacy import Old
from tests.unit.test_lguest import Guest as LguestGuest

MODES = (InterruptMode.PER_QUEUE, InterruptMode.SHARED, InterruptMode.INTX)


@cache
def session(mode: InterruptMode = InterruptMode.PER_QUEUE) -> tuple[Event, ...]:
    """Two sessions of a legacy driver with some traffic."""
    old = Old(mode=mode, queues=2)
    for _ in range(2):
        blk = old.start()
        for sector in range(6):
            run_now(blk.write(sector, bytes([sector]) * 512, queue=sector % 2))
            run_now(blk.read(sector))
        run_now(old.device.remove())
    return tuple(old.events)


class Recorded(Script):
    """A recorded stream, where each event passes through `change`."""

    def __init__(self, change: Callable[[Event], Event] = lambda event: event) -> None:
        self.header = Header(source="model")
        self.events = [change(event) for event in session()]
        self.t = self.events[-1].t


def changed(kind: type[Event], addr: int, data: bytes) -> Stream:
    """The stream in which reads at an address, of BAR0 if of a BAR, return something else."""

    def change(event: Event) -> Event:
        here = isinstance(event, ConfigRead | BarRead) and isinstance(event, kind) and event.addr == addr
        if here and getattr(event, "bar", 0) == 0:
            return replace(event, data=data.ljust(len(event.data), b"\0")[: len(event.data)])
        return event

    return lambda: Recorded(change)


VECTORS = [LEGACY_CFG[name].offset for name in ("config_msix_vector", "queue_msix_vector")]
CASES: dict[str, Case] = {
    "DEV-LEGACY-001": case(Recorded, changed(ConfigRead, PCI_CFG["revision_id"].offset, b"\1")),
    "DEV-LEGACY-002": case(Recorded, changed(ConfigRead, PCI_CFG["subsystem_id"].offset, b"\x42")),
    "DEV-LEGACY-003": case(Recorded, changed(ConfigRead, PCI_CFG["bar0"].offset, bytes(4))),
    "DEV-LEGACY-004": case(Recorded, changed(BarRead, 0, b"\0\0\0\x30")),
    "DEV-LEGACY-005": case(Recorded, *(changed(BarRead, addr, b"\x40") for addr in VECTORS)),
}


@pytest.mark.parametrize(("clause", "entry"), each_holding(CASES))
def test_rule_holds(clause: str, entry: Case) -> None:
    check_holds(clause, entry)


@pytest.mark.parametrize(("clause", "stream"), list(each_breach(CASES)))
def test_rule_is_breached(clause: str, stream: Stream) -> None:
    check_breach(clause, stream)


def judged(events: list[Event]) -> Results:
    checker = Checker(Header(source="model"))
    for event in [*events, Mark(t=events[-1].t + 1_000_000_000, text="end")]:
        checker.observe(event)
    return checker.finish()


@pytest.mark.parametrize("mode", MODES)
def test_a_legacy_driver_is_not_convicted_by_modern_rules(mode: InterruptMode) -> None:
    results = judged(list(session(mode)))
    assert results.violations == results.warnings == []
    assert results.verdicts["DEV-SPLIT-015"] == "held"
    assert results.verdicts.keys() == clauses().keys()
    assert results.older.keys() == older().keys()


def test_rings_of_legacy_sessions_are_judged() -> None:
    events = list(session())
    places = [i for i, event in enumerate(events) if isinstance(event, DmaWrite) and len(event.data) == 2]
    last = events[places[-1]]
    assert isinstance(last, DmaWrite)
    events[places[-1]] = replace(last, data=(int.from_bytes(last.data, "little") + 5).to_bytes(2, "little"))
    assert any(finding.clause.startswith("DEV-SPLIT") for finding in judged(events).violations)


def lguest_session(layout: LguestLayout) -> list[Event]:
    """Early output, a session with traffic, a reset by notification, and another session."""
    machine = LguestMachine(layout)
    ring = machine.found[1].queues[0].page * LEGACY_PAGE_SIZE
    run_now(machine.transport.bar_write(LGUEST_BAR_NOTIFY, 0, 4, ring))
    run_now(machine.transport.bar_read(LGUEST_BAR_LAUNCHER, LGUEST_LAUNCHER_WARNINGS, 4))
    for _ in range(2):
        blk = machine.start()
        run_now(blk.write(1, bytes(512)))
        run_now(machine.bus.early_output("text"))
        run_now(machine.device.remove())
        run_now(machine.bus.read(machine.found[1].accepted, 4))
    return machine.events


class LguestMachine(LguestGuest):
    """A guest with a disk alone in its page: the checker follows one device."""

    def __init__(self, layout: LguestLayout) -> None:
        self.transport = LguestTransport([BlkBackend(image())], layout)
        self.events: list[Event] = [Reset(t=0, kind="power")]
        self.transport.events.subscribe(self.events.append)
        run_now(
            self.transport.bar_write(LGUEST_BAR_LAUNCHER, LGUEST_LAUNCHER_LAYOUT, 4, int(layout is FIRST))
        )
        self.bus = LguestBus(self.transport, layout, TOP)
        self.found = [None, *run_now(self.bus.scan())]  # type: ignore[list-item]
        self.device = VirtioDevice(LguestOps(self.bus, self.found[1]))
        self.blk = VirtioBlk()


class LguestRecorded(Recorded):
    """A recorded stream of lguest's bus, where each event passes through `change`."""

    def __init__(
        self, layout: LguestLayout, change: Callable[[int, Event], Event] = lambda number, event: event
    ) -> None:
        self.header = Header(source="model", lguest_top=TOP)
        self.events = [change(number, event) for number, event in enumerate(lguest_session(layout))]
        self.t = self.events[-1].t


def not_zeroed(layout: LguestLayout) -> Stream:
    """The rings' last bytes are not zeroed at a reset."""

    def change(number: int, event: Event) -> Event:
        whole = isinstance(event, DmaWrite) and len(event.data) > 4096
        return replace(event, data=event.data[:4096]) if whole else event  # type: ignore[attr-defined]

    return lambda: LguestRecorded(layout, change)


def last_read(layout: LguestLayout, bar: int, length: int, value: int, which: int) -> Stream:
    """The stream in which one read of a BAR returns something else."""
    reads = [
        n
        for n, event in enumerate(lguest_session(layout))
        if isinstance(event, BarRead) and event.bar == bar and len(event.data) == length
    ]

    def change(number: int, event: Event) -> Event:
        here = number == reads[which]
        return replace(event, data=value.to_bytes(length, "little")) if here else event  # type: ignore[call-arg]

    return lambda: LguestRecorded(layout, change)


FIRST, LATER = LguestLayout.FIRST, LguestLayout.LATER
CASES |= {
    "DEV-LGUEST-001": case(
        lambda: LguestRecorded(LATER), *(last_read(layout, 0, 1, 0x20, -1) for layout in LguestLayout)
    ),
    "DEV-LGUEST-002": case(lambda: LguestRecorded(FIRST), *(not_zeroed(layout) for layout in LguestLayout)),
    "DEV-LGUEST-003": case(
        lambda: LguestRecorded(LATER),
        *(last_read(layout, LGUEST_BAR_LAUNCHER, 4, value, 0) for layout in LguestLayout for value in (0, 2)),
    ),
}


@pytest.mark.parametrize("clause", [clause for clause in CASES if "LGUEST" in clause])
def test_lguest_rule_holds_and_is_breached(clause: str) -> None:
    check_holds(clause, CASES[clause])
    for stream in CASES[clause].breaks:
        check_breach(clause, stream)


@pytest.mark.parametrize("layout", list(LguestLayout))
def test_rings_of_lguest_are_judged(layout: LguestLayout) -> None:
    results = LguestRecorded(layout).judge()
    assert results.violations == []
    assert results.verdicts["DEV-SPLIT-015"] == "held"
