"""The failure page of a broken device shows the event that broke the rule, in words and in the picture."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tb.failure import describe, since
from tb.results import Result
from tests.waves.faults import FAULTS, fail
from waves.failure import write_failure
from waves.names import time_text
from waves.story import rule_of, tell


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Result]]:
    folder = tmp_path_factory.mktemp("faults")
    found = {name: fail(name, folder / name) for name in FAULTS}
    for place, result in found.values():
        write_failure(place, result, None)
    return found


@pytest.mark.parametrize("name", FAULTS)
def test_the_moment_is_the_violating_event(failures: dict[str, tuple[Path, Result]], name: str) -> None:
    folder, result = failures[name]
    first = result.violations[0]
    assert FAULTS[name].clause in [violation["clause"] for violation in result.violations]
    moments = tell(folder / "trace.vtrace", result.violations).moments
    events = [describe(moment.step.event).strip() for moment in moments]
    assert first["event"] in events
    assert any(first["message"] in verdict for moment in moments for verdict in moment.verdicts)


@pytest.mark.parametrize("name", FAULTS)
def test_events_and_picture_hold_it(failures: dict[str, tuple[Path, Result]], name: str) -> None:
    folder, result = failures[name]
    clause = result.violations[0]["clause"]
    moments = tell(folder / "trace.vtrace", result.violations).moments
    page = (folder / "failure.md").read_text()
    for number, moment in enumerate(moments, 1):
        assert f"> {time_text(moment.step.event.t):>12}  {moment.step.who}" in page
        picture = ET.parse(folder / f"failure-{number}.svg").getroot()
        texts = ["".join(text.itertext()) for text in picture.iter("{http://www.w3.org/2000/svg}text")]
        assert any(text.startswith(moment.step.line[:40]) for text in texts)
        assert any(text.startswith(verdict[:60]) for text in texts for verdict in moment.verdicts)
    assert rule_of(clause).demand in page
    assert result.replay in page


def test_used_length_reads_as_an_analyser_would_put_it(failures: dict[str, tuple[Path, Result]]) -> None:
    folder, result = failures["used-len-off-by-one"]
    (moment,) = tell(folder / "trace.vtrace", result.violations).moments
    assert moment.step.text.startswith("writes queue 0: used.idx = 1")
    (buffer,) = moment.step.buffers
    returned = f"returns buffer {buffer.id} (READ sector 2, 512 bytes): len 514, written 513"
    assert moment.step.notes == [returned]
    element = f"writes queue 0: used.ring[0] = {{id {buffer.id}, len 514}}"
    assert element in [step.text for step in moment.events]


def test_ring_table_says_who_owns_what(failures: dict[str, tuple[Path, Result]]) -> None:
    folder, result = failures["used-len-off-by-one"]
    (moment,) = tell(folder / "trace.vtrace", result.violations).moments
    (ring,) = moment.rings
    assert dict(ring.indexes)["used.idx"] == "0"
    device, driver = ring.holdings
    (buffer,) = moment.step.buffers
    assert (device.owner, device.buffer, driver.owner) == ("device", f"buffer {buffer.id}", "driver")
    assert device.progress == "16 of 16 read, 513 of 513 written"


def test_a_missing_interrupt_is_shown_where_it_was_owed(failures: dict[str, tuple[Path, Result]]) -> None:
    folder, result = failures["no-interrupt"]
    cause, end = tell(folder / "trace.vtrace", result.violations).moments
    first = result.violations[0]
    assert cause.step.event.t == since(folder / "trace.vtrace", first["clause"], first["t"]) < first["t"]
    assert "used.idx = 1" in cause.step.text
    assert end.step.event.t == result.violations[0]["t"]


class Markup(HTMLParser):
    """Collects the tags of a page and the addresses that they would load from."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loads += [str(value) for name, value in attrs if name in ("src", "href")]


HOSTILE = '```\n# own heading</title><script>alert(1)</script>"><img src=x onerror=alert(1)>&`|'


def test_foreign_text_stays_text(tmp_path: Path) -> None:
    folder, result = fail("used-len-off-by-one", tmp_path)
    trace = folder / "trace.vtrace"
    lines = trace.read_text().splitlines()
    lines.insert(-2, json.dumps({"ev": "mark", "t": 13720000, "text": HOSTILE}))
    trace.write_text("\n".join(lines) + "\n")
    result.name = result.message = HOSTILE
    result.details = HOSTILE
    result.violations[0]["message"] = HOSTILE
    write_failure(folder, result, None)
    markup = Markup()
    markup.feed((folder / "failure.html").read_text())
    assert markup.loads == []
    assert not markup.tags & {"script", "img"}
    told, stood = (folder / "failure.md").read_text().split("## Where the test stood")
    assert "\n# own heading" not in told
    assert stood.count("```") == 2
    ET.parse(folder / "failure-1.svg")


def test_a_broken_trace_still_gives_a_page(tmp_path: Path) -> None:
    folder, result = fail("used-len-off-by-one", tmp_path)
    (folder / "trace.vtrace").write_text("no trace\n")
    write_failure(folder, result, None)
    page = (folder / "failure.md").read_text()
    assert result.violations[0]["message"] in page
    assert "The trace cannot be shown" in page
    assert not list(folder.glob("failure-*.svg"))
