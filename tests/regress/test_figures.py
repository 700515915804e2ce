"""Coverage, kills and groups: what the page's figures are made of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tb.manifest import load_manifest
from tb.paths import BUNDLED_MANIFEST, ROOT
from tb.regress.functional import FEATURES, functional_coverage
from tb.regress.groups import groups, trends
from tb.regress.nightly import kills
from tb.regress.plan import load_plan
from tb.regress.rtl_coverage import merge, percent, read_points, shares
from tb.regress.store import Judged, Key, Store
from tb.regress.triage import judged, shape
from tb.results import Result

SOURCE = load_manifest(BUNDLED_MANIFEST).hdl.sources[0]


def point(kind: str, line: int, file: str = str(SOURCE)) -> str:
    return f"\1page\2{kind}/vio\1f\2{file}\1l\2{line}"


def dat(folder: Path, name: str, hits: dict[str, int]) -> Path:
    path = folder / name
    path.write_text(
        "# SystemC::Coverage-3\n" + "".join(f"C '{key}' {n}\n" for key, n in hits.items()) + "broken"
    )
    return path


def test_rtl_coverage_adds_up_over_processes_and_nights(tmp_path: Path) -> None:
    one, two, foreign = point("v_line", 1), point("v_line", 2), point("v_line", 3, "/bench/model.sv")
    toggle = point("v_toggle", 1)
    first = dat(tmp_path, "1.dat", {one: 3, two: 0, foreign: 1, toggle: 0})
    second = dat(tmp_path, "2.dat", {one: 1, two: 5, foreign: 0, toggle: 0})
    manifest = load_manifest(BUNDLED_MANIFEST)
    assert percent(shares(read_points([first]), manifest), "line") == 50.0
    merged = tmp_path / "merged.dat"
    merge([first], merged)
    points = merge([second], merged)
    assert points[one] == 4
    assert percent(shares(points, manifest), "line") == 100.0
    assert percent(shares(points, manifest), "toggle") == 0.0
    assert percent([], "line") is None


def test_functional_coverage_counts_bins_and_writes_xml(tmp_path: Path) -> None:
    xml = tmp_path / "coverage.xml"
    nothing, missing = functional_coverage("virtio", [], xml)
    samples = [(json.dumps(["calm", FEATURES[0], "split", "5-16"]), 7)]
    some, left = functional_coverage("virtio", samples, xml)
    assert nothing == 0.0
    assert 0.0 < some < 100.0
    assert len(left) == len(missing) - 2
    assert ["feature_x_ring_x_size", FEATURES[0], "split", "5-16"] not in left
    assert 'hits="7"' in xml.read_text()


def test_kills_come_from_what_mutants_prints() -> None:
    rows = [{"name": "a", "status": "killed", "clauses": ["DEV-X-1"]}, {"name": "b", "status": "survived"}]
    assert kills(json.dumps({"mutants": rows[:1]})) == (1, 1, [["a", "killed", "DEV-X-1"]])
    assert kills(json.dumps({"mutants": rows})) is None
    assert kills("Traceback") is None


@pytest.mark.parametrize("numbers", [("0x10", "17"), ("0xff", "4096"), ("deadbeef00", "1.5")])
def test_shape_is_the_message_without_what_is_drawn(numbers: tuple[str, str]) -> None:
    assert shape(f"at {numbers[0]} are {numbers[1]} of b'ab{numbers[1]}' (see /a/b)") == "at # are # of b#"


def night(store: Store, failing: set[str]) -> int:
    """A night of three tests, each of which fails in its own way or passes."""
    keys = [Key("rtl", f"m.test_{name}", 1, "own") for name in "abc"]
    with store.transaction():
        number = store.begin_night("own", "", "sources", 1.7e9, [1])
        store.add_runs(number, keys)
    items: list[Judged] = []
    for pending in store.pending(number):
        name = pending.key.test[-1]
        status, message = ("fail", f"AssertionError: {name} broke") if name in failing else ("pass", "")
        items.append(judged(pending.id, Result(pending.key.test, 1, status, message=message)))
    store.record(number, "rtl", "sources", items)
    return number


def test_groups_tell_since_when_and_the_newest_comes_first(tmp_path: Path) -> None:
    store = Store(tmp_path / "results.sqlite")
    for failing in ({"a"}, {"a", "b"}, {"b"}, {"a", "b", "c"}):
        last = night(store, failing)
    found = {group.tests[0]: group for group in groups(store, store.night(last))}
    assert [group.tests[0] for group in groups(store, store.night(last))][-1] == "m.test_b"
    newly, old, back = found["m.test_c"], found["m.test_b"], found["m.test_a"]
    assert (newly.first_night, newly.since, newly.last_good) == (4, 4, 3)
    assert (old.first_night, old.since, old.last_good) == (2, 2, 1)
    assert (back.first_night, back.since, back.last_good) == (1, 4, 3)
    assert [trend.counts.get("fail", 0) for trend in trends(store, "own", last)] == [1, 2, 1, 3]


def test_same_seed_and_sources_with_another_verdict_is_flaky_over_nights(tmp_path: Path) -> None:
    store = Store(tmp_path / "results.sqlite")
    first, second = night(store, {"a"}), night(store, {"a", "b"})
    assert store.flaky(first) == []
    assert [row[1] for row in store.flaky(second)] == ["m.test_b"]


@pytest.mark.parametrize("name", ["smoke", "nightly", "weekly"])
def test_plans_of_the_tree_are_valid(name: str) -> None:
    plan = load_plan(ROOT / "plans" / f"{name}.toml")
    runs = sum(len(c.tests) * len(c.stress) * c.seeds for c in plan.configurations)
    assert plan.name == name
    assert runs >= 300
