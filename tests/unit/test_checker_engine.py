"""The checker as a whole: real streams, mutated ones, partial ones, hostile ones, and its reports."""

import dataclasses
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from pymodel import events as ev
from pymodel import spec
from pymodel.checker import Checker, Finding, Verdict, check_file, check_files, clauses
from pymodel.checker.report import merge_verdicts, to_json, to_text
from pymodel.driver.interrupts import InterruptMode
from pymodel.spec import Feature, feature_mask
from pymodel.vtrace import Header, Layout, Region, VtraceError, write_vtrace
from tests.unit.checker_script import (
    BUFFER,
    COMMON,
    DEVICE,
    ENTRIES,
    ISR,
    MSIX,
    MULTIPLIER,
    NOTIFY,
    RINGS,
    VERSION_1,
    Script,
    config_image,
    intx,
    packed,
    split,
)
from tests.unit.checker_streams import FEATURES, LAGGING, judge, model_stream

Events = list[ev.Event]


def violated(events: Events) -> list[str]:
    return [finding.clause for finding in judge(events).violations]


def without(events: Events, kind: type[ev.Event]) -> Events:
    return [event for event in events if not isinstance(event, kind)]


# Every mode with every feature set, with and without the driver's stores, is judged by both twins in
# tests/native/test_checker_twin.py, as are more seeds, mutations and beginnings than below.
@pytest.mark.parametrize(
    ("name", "mode"),
    [
        *((name, InterruptMode.PER_QUEUE) for name in FEATURES),
        *((name, mode) for name in LAGGING for mode in (InterruptMode.INTX, InterruptMode.POLL)),
    ],
)
def test_driver_and_model_are_clean(name: str, mode: InterruptMode) -> None:
    assert violated(model_stream(name, mode)) == []


@pytest.mark.parametrize("seed", [7])
@pytest.mark.parametrize("name", LAGGING)
def test_a_lagging_model_with_any_framing_is_clean(name: str, seed: int) -> None:
    events = model_stream(name, InterruptMode.PER_QUEUE, seed)
    assert violated(events) == []
    assert violated(without(events, ev.MemWrite)) == []


def test_a_peer_that_hides_its_dma_is_not_accused() -> None:
    events = model_stream("split-all")
    hidden = without(without(events, ev.DmaRead), ev.DmaWrite)
    results = judge(hidden)
    assert results.violations == []
    assert results.verdicts["DEV-SPLIT-015"] is Verdict.NOT_EXERCISED
    assert results.verdicts["DEV-STATUS-001"] is Verdict.NOT_EXERCISED


@pytest.mark.parametrize("start", range(0, 600, 149))
def test_a_trace_that_begins_in_mid_session_raises_no_nonsense(start: int) -> None:
    assert violated(model_stream("split-all")[start:]) == []
    assert violated(without(model_stream("packed-all"), ev.MemWrite)[start:]) == []


def test_a_trace_that_begins_in_mid_session_says_so() -> None:
    said = ["the trace begins within a session: what hangs on its beginning is not judged"]
    assert judge(model_stream("split")[200:260]).notes == said
    assert split().give().use().message().judge().notes == []


def test_a_bring_up_without_its_reset_in_the_trace_is_noted() -> None:
    script = Script().status(1)
    assert script.judge().notes == ["the driver's bring-up begins without an observed reset"]


# Mutations of real traffic.


def offset_of(name: str) -> int:
    return spec.COMMON_CFG[name].offset


def is_status_write(event: ev.Event, value: int) -> bool:
    return (
        isinstance(event, ev.BarWrite)
        and event.addr == offset_of("device_status")
        and event.data == bytes([value])
    )


def drop(events: Events, which: Callable[[ev.Event], bool], number: int) -> Events:
    """Return the events without the `number`-th of those that match."""
    found = [index for index, event in enumerate(events) if which(event)]
    return events[: found[number]] + events[found[number] + 1 :]


def used_parts(events: Events) -> tuple[int, int]:
    """Return the indices of a used element and of the used index behind it."""
    at, ring = -1, split_ring(events)
    for index, event in enumerate(events):
        if isinstance(event, ev.DmaWrite) and ring <= event.addr < ring + 64:
            if event.addr == ring + 2:
                if at >= 0 and index > 400:
                    return at, index
            elif len(event.data) == 8:
                at = index
    raise AssertionError("no used element and index")


def split_ring(events: Events) -> int:
    """Return the address of the first used ring that the driver programs."""
    for event in events:
        if isinstance(event, ev.BarWrite) and event.addr == offset_of("queue_device"):
            return int.from_bytes(event.data, "little")
    raise AssertionError("no used ring")


def test_a_second_bring_up_without_reset_is_found() -> None:
    events = model_stream("split")
    resets = [n for n, event in enumerate(events) if is_status_write(event, 0)]
    kept = [event for n, event in enumerate(events) if n not in resets[1:]]
    assert "DRV-INIT-001" in violated(kept)


def test_a_used_index_that_skips_or_comes_first_is_found() -> None:
    events = model_stream("split")
    element, index = used_parts(events)
    swapped = list(events)
    swapped[element], swapped[index] = swapped[index], swapped[element]
    assert violated(swapped)[0] == "DEV-SPLIT-015"
    target = events[index]
    assert isinstance(target, ev.DmaWrite)
    skipping = list(events)
    skipping[index] = dataclasses.replace(target, data=bytes([target.data[0] + 1]) + target.data[1:])
    assert violated(skipping)[0] == "DEV-SPLIT-015"


def test_a_wrong_used_length_and_id_are_found() -> None:
    events = model_stream("split")
    element, _ = used_parts(events)
    target = events[element]
    assert isinstance(target, ev.DmaWrite)
    head, length = target.data[:4], int.from_bytes(target.data[4:], "little")
    longer = dataclasses.replace(target, data=head + (length + 1).to_bytes(4, "little"))
    assert violated([*events[:element], longer, *events[element + 1 :]])[0] == "DEV-SPLIT-016"
    other = dataclasses.replace(target, data=b"\xff\0\0\0" + target.data[4:])
    assert violated([*events[:element], other, *events[element + 1 :]])[0] == "DEV-SPLIT-022"


def test_a_used_ring_kept_over_a_reset_is_found() -> None:
    script = (
        split().give().use().message().reset().status(1).status(3).offer().accept().status(0x0B).sees(0x0B)
    )
    script.queue(vector=1).status(0x0F).give()
    script.used = 1
    assert "DEV-SPLIT-015" in [f.clause for f in script.use().judge().violations]


def test_registers_kept_over_a_reset_are_found() -> None:
    for name, value, clause in (("queue_enable", 1, "DEV-PCI-019"), ("queue_msix_vector", 1, "DEV-PCI-064")):
        script = split().reset().status(1).status(3).offer().accept().status(0x0B).sees(0x0B).select()
        assert clause in [f.clause for f in script.r(name, value).judge().violations]


# What the boundary allows.


def test_an_element_and_the_index_in_one_write_are_one_step() -> None:
    script = split().give().fetch().dma_w(BUFFER, bytes(512))
    script.dma_w(RINGS[2], b"\0\0\1\0" + bytes(4) + (512).to_bytes(4, "little"))
    assert script.message().judge().clean


def test_dma_in_flight_when_the_reset_is_written_is_legal_until_status_reads_zero() -> None:
    script = split().give().fetch().status(0).dma_w(BUFFER, bytes(512)).message().sees(0)
    assert script.judge().clean


def test_rings_may_be_fetched_beyond_the_entry_in_need() -> None:
    script = split().give().dma_r(RINGS[1], b"\0\0\1\0" + bytes(60)).dma_r(RINGS[0], bytes(256))
    assert script.judge().clean


def test_a_shorter_used_length_is_allowed() -> None:
    assert split().give().use(length=100, written=512).message().judge().clean


def test_accesses_through_the_window_count_as_bar_accesses() -> None:
    script = split().window(COMMON + offset_of("device_status"), 1, b"\0\0\0\0", write=True)
    assert [f.clause for f in script.status(1).judge().violations] == ["DRV-PCI-019"]


def test_two_queues_keep_their_own_rings() -> None:
    script = Script().msix().entry(0).entry(1).negotiate().queue(0, vector=0)
    script.select(1).r("queue_size", 8).w("queue_size", 4).r("queue_notify_off", 1)
    script.w("queue_msix_vector", 1).r("queue_msix_vector", 1).rings(base=0x800000).w("queue_enable", 1)
    script.status(0x0F).give().use()
    assert script.message(1).judge().verdicts["DEV-SPLIT-011"] is Verdict.VIOLATED
    assert script.message(0).judge().clean


def test_an_unknown_device_type_is_judged_by_what_all_devices_share() -> None:
    image = config_image()
    image[2] = 0x70
    results = Script(image=bytes(image), features=VERSION_1 | 0xF0).live().give().use().line(1).isr(1).judge()
    assert results.clean
    assert results.verdicts["DEV-BLK-002"] is Verdict.NOT_APPLICABLE


def legacy(script: Script) -> Script:
    """A legacy driver resets the device, sets up a queue and works, all through BAR 0."""
    script.add(ev.BarWrite, bar=0, addr=spec.LEGACY_CFG["device_status"].offset, data=b"\0")
    return script.dma_r(RINGS[1], bytes(4)).dma_w(0x700000, bytes(4)).line(1)


def transitional(*, capabilities: bool) -> Script:
    image = config_image()
    image[2:4], image[8], image[0x10], image[0x2E] = b"\x01\x10", 0, 1, 2
    if not capabilities:
        image[0x34] = MSIX
    for position in (0x40, 0x50, 0x64, 0x74):
        image[position + 4] = 2
    return Script(image=bytes(image))


def test_of_a_legacy_session_rings_and_resets_are_judged() -> None:
    script = transitional(capabilities=True)
    script.events.append(ev.Reset(t=script.t, kind="power"))
    status = spec.LEGACY_CFG["device_status"].offset
    assert legacy(script.command(6)).add(ev.BarWrite, bar=0, addr=status, data=b"\1").judge().notes == []
    results = legacy(script.command(7)).add(ev.BarWrite, bar=0, addr=status, data=b"\1").judge()
    assert results.clean
    assert results.notes == ["the legacy interface is in use: of its sessions rings and resets are judged"]
    assert legacy(transitional(capabilities=False)).judge().clean


LAYOUT = Layout(
    common=Region(0, COMMON, 64),
    notify=Region(0, NOTIFY, 0x100, MULTIPLIER),
    isr=Region(0, ISR, 1),
    device=Region(0, DEVICE, 0x60),
    msix_entries=ENTRIES,
)


def test_a_layout_stands_in_for_configuration_space_and_wins_over_it() -> None:
    header = Header("linux", type=2, layout=LAYOUT)
    script = Script(header=header).live(vector=1).give().use().message()
    assert script.judge().verdicts["DEV-SPLIT-016"] is Verdict.HELD
    image = config_image()
    image[0x48] = 0x80
    shown = Script(header=header).enumerate(bytes(image)).live(vector=1).give().use(length=513, written=512)
    assert "DEV-SPLIT-016" in [f.clause for f in shown.judge().violations]
    beyond = Script(header=header).negotiate().select().w("queue_msix_vector", ENTRIES)
    assert [f.clause for f in beyond.judge().violations] == ["DRV-PCI-034"]


def test_a_masked_message_is_owed_from_its_unmasking_on() -> None:
    masked = split().entry(1, masked=True).give().use().pause()
    assert masked.judge().clean
    assert masked.entry(1).message().judge().clean
    assert [
        f.clause for f in split().entry(1, masked=True).give().use().entry(1).pause().judge().violations
    ] == ["DEV-SPLIT-011"]


# The interface.


def test_a_finding_is_reported_at_once_and_names_its_event() -> None:
    found: list[Finding] = []
    checker = Checker(Header("model"), on_finding=found.append)
    script = split().give().use(length=513, written=512)
    for number, event in enumerate(script.events, 2):
        checker.observe(dataclasses.replace(event, line=number))
    (finding,) = [f for f in found if clauses()[f.clause].mandatory]
    assert (finding.clause, finding.t) == ("DEV-SPLIT-016", script.events[-1].t)
    assert finding.line == len(script.events) + 1
    assert finding.event == dataclasses.replace(script.events[-1], line=finding.line)


def test_an_expected_breach_is_no_violation() -> None:
    script = Script().negotiate()
    checker = Checker(script.header)
    for event in script.events:
        checker.observe(event)
    with checker.expecting("DRV-INIT-014") as caught:
        checker.observe(Script().doorbell().events[-1])
    assert [finding.clause for finding in caught] == ["DRV-INIT-014"]
    assert checker.finish().violations == []
    with pytest.raises(KeyError), checker.expecting("DRV-NONE-000"):
        pass


def test_finishing_twice_gives_the_same_results() -> None:
    checker = Checker()
    assert checker.finish() is checker.finish()
    assert checker.finish().clean


def test_results_are_written_as_json_and_as_text(tmp_path: Path) -> None:
    path = tmp_path / "a.vtrace"
    with write_vtrace(path, Header("model")) as trace:
        for event in split().give().use(length=513, written=512).message().events:
            trace(event)
    results = check_file(path)
    row = json.loads(json.dumps(to_json(results)))
    assert row.keys() == {"violations", "clauses", "warnings", "events", "ignored"}
    assert [(v["clause"], v["line"]) for v in row["violations"]] == [
        ("DEV-SPLIT-016", results.violations[0].line)
    ]
    assert row["clauses"].keys() == clauses().keys()
    assert row["events"] == results.events
    text = to_text("a.vtrace", results)
    assert "a.vtrace: VIOLATED" in text
    assert "DEV-SPLIT-016 (MUST, 2.7.8.2) line" in text


def test_several_traces_are_judged_each_on_its_own(tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    for path, script in ((good, split()), (bad, split().give().use(length=513, written=512))):
        with write_vtrace(path, script.header) as trace:
            for event in script.events:
                trace(event)
    results = check_files([good, bad])
    assert [r.clean for r in results.values()] == [True, False]
    merged = merge_verdicts(results.values())
    assert merged["DEV-SPLIT-016"] is Verdict.VIOLATED
    assert merged["DRV-INIT-001"] is Verdict.HELD
    with pytest.raises(VtraceError):
        check_files([tmp_path / "none"])


def test_a_trace_of_a_header_alone_is_clean() -> None:
    results = Checker(Header("lab")).finish()
    assert results.clean
    assert set(results.verdicts.values()) == {Verdict.NOT_EXERCISED}


# Hostile streams: any order of plausible and implausible events, no exception.


def scramble(events: Events, rng: random.Random) -> Events:
    """Drop, double, swap and damage events."""
    out: Events = []
    for event in events:
        roll = rng.random()
        if roll < 0.02:
            continue
        if roll < 0.06 and hasattr(event, "data") and isinstance(event.data, bytes) and event.data:
            data = bytearray(event.data)
            data[rng.randrange(len(data))] = rng.randrange(256)
            event = dataclasses.replace(event, data=bytes(data))
        elif roll < 0.08 and hasattr(event, "addr") and isinstance(event.addr, int):
            event = dataclasses.replace(event, addr=event.addr ^ 1 << rng.randrange(12))
        out.append(event)
        if roll > 0.99:
            out.append(event)
    for _ in range(len(out) // 50):
        a = rng.randrange(len(out) - 1)
        out[a], out[a + 1] = out[a + 1], out[a]
    return out


@pytest.mark.parametrize("seed", range(len(FEATURES)))
def test_no_stream_makes_the_checker_stumble(seed: int) -> None:
    name = list(FEATURES)[seed % len(FEATURES)]
    events = scramble(model_stream(name), random.Random(seed))
    results = judge(events)
    assert results.verdicts.keys() == clauses().keys()


def test_huge_and_absurd_values_are_survived() -> None:
    top = (1 << 64) - 1
    script = split(feature_mask(Feature.INDIRECT_DESC))
    for index, flags in enumerate((1, 2, 4, 7)):
        script.desc(index, flags, addr=top - index, length=0xFFFFFFFF, following=0xFFFF)
        script.publish(index).fetch()
    script.dma_w(top, b"\1\2\3").dma_r(top, b"").publish(0xFFFF, index=0xFFFF).fetch().used_idx(0x8000)
    script.select(0xFFFF).w("queue_size", 0xFFFF).rings(base=0xFFF00000).w("queue_enable", 1).isr(0xFF)
    assert not script.judge().clean
    assert packed().put(7, length=0xFFFFFFFF).put(0xFFFF & ~0x80).judge().verdicts
    assert intx().isr(0xFF).line(1).line(1).judge().verdicts
