"""Events in words: registers by name, legacy ones too, and rings as a reader of the standard knows them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pymodel.transport import run_now
from pymodel.vtrace import Header
from tests.unit.model import Bench
from tests.waves.faults import fail, run
from waves.decode import Decoder, decode


def texts(folder: Path) -> list[str]:
    return [step.text for step in decode(folder / "trace.vtrace").steps]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return texts(run("rings.test_full_ring_is_drained_packed", tmp_path_factory.mktemp("packed"))[0])


def test_bring_up_reads_by_names(packed: list[str]) -> None:
    assert "write device_status := ACKNOWLEDGE DRIVER" in packed
    assert any(text.startswith("read device_feature = ") and "RING_PACKED" in text for text in packed)
    assert "write queue 0: queue_enable := 1" in packed
    assert "write MSI-X entry 1 control := unmasked" in packed
    assert "read config.capacity = 256" in packed
    assert "write PCI command := MEMORY BUS_MASTER" in packed


def test_packed_ring_reads_by_slots(packed: list[str]) -> None:
    assert any(text.startswith("stores queue 0: slot 0 flags = ") for text in packed)
    assert any(text.startswith("writes queue 0: slot 0 flags = WRITE AVAIL USED") for text in packed)
    assert any("driver event = " in text for text in packed)
    assert any(re.search(r"header: READ sector \d+, 512 bytes$", text) for text in packed)


def test_legacy_registers_have_their_names(tmp_path: Path) -> None:
    found = texts(run("legacy.test_both_kinds_of_driver_take_turns", tmp_path)[0])
    assert "write legacy queue_select := 0" in found
    assert "write legacy device_status := ACKNOWLEDGE DRIVER" in found


def test_a_stray_write_is_told_with_the_buffer_beside_it(tmp_path: Path) -> None:
    folder, result = fail("write-behind-the-buffer", tmp_path)
    decoder = decode(folder / "trace.vtrace")
    found = next(item for item in decoder.found if item.finding.clause == result.violations[0]["clause"])
    made = next(note for step in decoder.steps for note in step.notes if " is known: " in note)
    buffer = made.partition(" is known")[0]
    assert f"memory that no queue gave to it, just behind queue 0: {buffer}" in found.step.text


def test_every_event_of_every_session_has_words() -> None:
    bench = Bench(seed=5)
    run_now(bench.guest.start())
    decoder = Decoder(Header(source="model"))
    steps = [decoder.take(event) for event in bench.events]
    decoder.finish()
    assert steps
    assert all(step.text and step.who for step in steps)
