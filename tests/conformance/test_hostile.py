"""Run folders that no run wrote: one line and exit 2, or a report that says what is there."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tb.results import write_whole
from tests.conformance.runs import Edit, edit
from tests.conformance.test_report import Page
from tests.waves.command import Command

EVIL = (
    "</td><script>alert(1)</script><img src=x onerror=alert(2)>|`[x](javascript:alert(3))"
    "\x00\x1b[31m\u202e\ud800"
)
NO_RUNS = {
    "empty": "",
    "cut": '{"tests": [{"name": "a',
    "list": "[]",
    "null": "null",
    "no tests": '{"clauses": {}}',
    "no clauses": '{"tests": []}',
    "tests of text": '{"tests": "many", "clauses": {}}',
    "test of text": '{"tests": ["one"], "clauses": {}}',
    "no status": '{"tests": [{"name": "a", "seed": 1}], "clauses": {}}',
    "status": '{"tests": [{"name": "a", "seed": 1, "status": "fine"}], "clauses": {}}',
    "seed": '{"tests": [{"name": "a", "seed": -1, "status": "pass"}], "clauses": {}}',
    "huge seed": '{"tests": [{"name": "a", "seed": 1e999, "status": "pass"}], "clauses": {}}',
    "verdict": '{"tests": [], "clauses": {"DEV-RESET-001": "perfect"}}',
    "verdict of a list": '{"tests": [], "clauses": {"DEV-RESET-001": ["held"]}}',
    "violation": '{"tests": [{"name": "a", "seed": 1, "status": "fail", "violations": [7]}], "clauses": {}}',
    "time": '{"tests": [{"name": "a", "seed": 1, "status": "fail",'
    ' "violations": [{"clause": "X", "t": "now"}]}], "clauses": {}}',
    "counts": '{"tests": [], "clauses": {}, "outcomes": {"DEV-RESET-001": {"held": "often"}}}',
    "scope": '{"tests": [], "clauses": {}, "out_of_scope": ["DEV-RESET-001"]}',
    "long number": '{"tests": [], "clauses": {}, "x": ' + "9" * 5000 + "}",
    "deep": '{"tests": [], "clauses": {}, "x": ' + "[" * 100_000,
    "bytes": "\xff\xfe\x00",
}


@pytest.mark.parametrize("case", NO_RUNS)
@pytest.mark.parametrize("place", ["run", "against"])
def test_what_is_no_run_is_one_line(command: Command, run: Path, case: str, place: str) -> None:
    odd = run.parent / "odd"
    odd.mkdir()
    (odd / "results.json").write_bytes(NO_RUNS[case].encode("latin-1"))
    words = (odd,) if place == "run" else (run, "--against", odd)
    code, out, err = command("report", *words)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert f"{odd}/results.json: is no result of a run: " in err
    assert not list(odd.glob("report*"))
    assert not (run / "report.html").exists()


def test_folder_that_is_none_is_one_line(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for target in (tmp_path / "nowhere", tmp_path, tmp_path / "file"):
        code, out, err = command("report", target)
        assert (code, out, len(err.splitlines())) == (2, "", 1)
        assert "cannot be read" in err


def test_regression_takes_no_options(command: Command, run: Path) -> None:
    (run / "results.sqlite").write_text("no database")
    for words in (("--format", "markdown"), ("--against", run), ("--out", run / "x.html"), ()):
        code, out, err = command("report", run, *words)
        assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert not list(run.glob("*.html"))


def test_out_is_written_whole_or_not_at_all(command: Command, run: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for out in ("folder", "pipe", "none/report.html"):
        code, _, err = command("report", run, "--out", tmp_path / out)
        assert (code, len(err.splitlines())) == (2, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "pipe", "run"]


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("kept")
    (tmp_path / "report.html.part").symlink_to("precious")
    (tmp_path / "report.html").symlink_to("precious")
    write_whole(tmp_path / "report.html", "page")
    assert (tmp_path / "precious").read_text() == "kept"
    assert (tmp_path / "report.html").read_text() == "page"
    assert not (tmp_path / "report.html").is_symlink()


def _everywhere(value: Any) -> Any:
    """The same structure with hostile text in place of all text but words that are checked."""
    if isinstance(value, dict):
        kept = ("status", "folder")
        return {key: item if key in kept else _everywhere(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_everywhere(item) for item in value]
    return EVIL if isinstance(value, str) else value


def _poison(content: dict[str, Any]) -> None:
    content["tests"] = _everywhere(content["tests"])
    content["run"] = _everywhere(content["run"])
    content["clauses"][EVIL] = "violated"
    content["outcomes"][EVIL] = {"held": 1, "breached": 1, "runs": 1}
    content["out_of_scope"] = {EVIL + "2": {"reason": EVIL, "findings": 1}}
    content["tests"][0]["violations"] = [{"clause": EVIL, "t": 5, "message": EVIL, "event": EVIL}]


def test_no_text_becomes_markup(command: Command, run: Path) -> None:
    edit(run, _poison)
    for trace in run.glob("*/trace.vtrace"):
        text = trace.read_text()
        trace.write_text(text.replace('"device":"model"', f'"device":{json.dumps(EVIL)}', 1))
    for words in ((), ("--against", run)):
        assert command("report", run, *words)[::2] == (0, "")
        text = (run / "report.html").read_text(encoding="utf-8")
        assert Page(text).active == []
        assert "<script" not in text
        assert "\x1b" not in text
        assert not any(link.startswith("javascript") for link in Page(text).links)
    assert command("report", run, "--format", "markdown")[0] == 0
    text = (run / "report.md").read_text(encoding="utf-8")
    shown = Page(MarkdownIt("commonmark").enable("table").render(text))
    assert shown.active == []
    assert not any(link.startswith("javascript") for link in shown.links)
    assert text.count("onerror") > 5


ELSEWHERE = ("../outside", "..", ".", "/etc", "", "a/../../outside", "x\0y", "n" * 5000, 7, None, ["a"])


@pytest.mark.parametrize("folder", ELSEWHERE)
def test_no_test_lies_outside_of_the_run(command: Command, run: Path, folder: object) -> None:
    outside = run.parent / "outside"
    shutil.copytree(next(run.glob("discovery.*")), outside)
    (outside / "failure.html").write_text("a secret")

    def lie(content: dict[str, Any]) -> None:
        content["tests"] = content["tests"][:1]
        content["tests"][0] |= {"folder": folder, "status": "fail"}

    edit(run, lie)
    assert command("report", run)[::2] == (0, "")
    text = (run / "report.html").read_text()
    assert "left no trace" in text
    assert [link for link in Page(text).links if not link.startswith("#")] == []


def test_links_and_pipes_in_the_run_are_passed_over(command: Command, run: Path) -> None:
    first, second, third = sorted(run.glob("discovery.*"))[:3]
    (first / "trace.vtrace").unlink()
    (first / "trace.vtrace").symlink_to(second / "trace.vtrace")
    (second / "trace.vtrace").unlink()
    os.mkfifo(second / "trace.vtrace")
    shutil.rmtree(third)
    third.symlink_to(first)
    assert command("report", run)[::2] == (0, "")
    count = len(json.loads((run / "results.json").read_text())["tests"])
    assert f"3 of {count} test runs left no trace" in (run / "report.html").read_text()


def _other_version(content: dict[str, Any]) -> None:
    content["clauses"] |= {"DEV-NEW-001": "held", "DRV-NEW-002": "not-exercised"}
    del content["clauses"]["DEV-RESET-001"], content["outcomes"], content["out_of_scope"]
    content["future"] = {"key": [1]}
    content["run"] = {"dut": 7, "configurations": "none", "tools": [], "bench": 1, "parameters": {"a": 1}}
    for test in content["tests"]:
        test["future"] = True
        del test["warnings"], test["message"]


def test_run_of_another_version_is_told_as_it_is(command: Command, run: Path) -> None:
    edit(run, _other_version)
    assert command("report", run, "--format", "markdown")[::2] == (0, "")
    text = (run / "report.md").read_text()
    assert "| DEV-NEW-001 |" in text
    assert "this run gave no verdict: it is of another version of the bench" in text
    assert "DRV-NEW-002" in text


def test_damaged_traces_are_named(command: Command, run: Path) -> None:
    traces = sorted(run.glob("*/trace.vtrace"))
    traces[0].write_text("no trace at all\n")
    traces[1].write_bytes(traces[1].read_bytes()[:5000])
    traces[2].write_bytes(b"")
    assert command("report", run, "--format", "markdown")[::2] == (0, "")
    text = (run / "report.md").read_text()
    assert "3 traces could not be read to the end." in text
    assert text.count("- not read to the end: ") == 3


def _mutate(content: Any, rng: random.Random) -> None:
    """Put something odd somewhere into a JSON value."""
    odd: list[Any] = [None, -1, 2**70, 1.5, float("nan"), "x", EVIL, [], {}, [None], {"a": None}, True]
    where = content
    while isinstance(where, dict | list) and where:
        key: Any = rng.choice(list(where) if isinstance(where, dict) else range(len(where)))
        if rng.random() < 0.3 or not isinstance(where[key], dict | list) or not where[key]:
            where[key] = rng.choice(odd)
            return
        where = where[key]


def test_mutated_results_are_refused_or_told(command: Command, run: Path) -> None:
    good = json.loads((run / "results.json").read_text())
    good["tests"] = good["tests"][:2]
    codes = set()
    for seed in range(60):
        content = json.loads(json.dumps(good))
        for _ in range(3):
            _mutate(content, random.Random(seed))
        change: Edit = lambda old, new=content: (old.clear(), old.update(new))  # noqa: E731
        edit(run, change)
        code, out, err = command("report", run)
        assert (code, len(err.splitlines())) in ((0, 0), (2, 1)), f"seed {seed}: {out}{err}"
        codes.add(code)
    assert codes == {0, 2}
