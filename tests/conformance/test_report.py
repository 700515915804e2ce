"""The report of a real run, in Markdown and HTML, held against the run itself."""

from __future__ import annotations

import json
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt

from pymodel.checker.clauses import clauses, demands
from tests.conformance.runs import edit, model_run, rows, section
from tests.regress.browser import find_browser, load
from tests.waves.command import Command

browser = pytest.mark.skipif(find_browser() is None, reason="needs Chromium: apt-get install chromium")
BROKEN = "DEV-SPLIT-016"


def markdown(command: Command, run: Path, *words: str | Path) -> str:
    path = run.parent / "report.md"
    code, _, err = command("report", run, "--format", "markdown", "--out", path, *words)
    assert (code, err) == (0, "")
    return path.read_text()


class Page(HTMLParser):
    """Links and ids of a page, and the tags that could load or run something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.active: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [found["id"] or ""] if "id" in found else []
        self.links += [found["href"] or ""] if tag == "a" and "href" in found else []
        if tag in ("script", "img", "iframe", "object", "svg") or any(n.startswith("on") for n in found):
            self.active.append(tag)


def html(command: Command, run: Path) -> tuple[str, Page]:
    code, _, err = command("report", run)
    assert (code, err) == (0, "")
    text = (run / "report.html").read_text()
    return text, Page(text)


def test_every_requirement_has_a_place_in_either_form(command: Command, run: Path) -> None:
    _, page = html(command, run)
    assert len(page.ids) == len(set(page.ids))
    assert demands().keys() <= set(page.ids)
    text = markdown(command, run)
    told = section(text, "Every requirement on the device") + section(text, "Requirements on the driver")
    assert all(clause in told for clause in demands())


def test_page_needs_nothing_else_and_its_links_lead_somewhere(
    command: Command, bad: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(bad, tmp_path / "bad"))
    text, page = html(command, run)
    assert page.active == []
    assert "http:" not in text
    assert "https:" not in text
    files = [link for link in page.links if not link.startswith("#")]
    assert any(link.endswith("failure.html") for link in files)
    assert all((run / unquote(link)).is_file() for link in files)
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)


def test_held_is_how_often_it_was_put_to_the_test(command: Command, run: Path) -> None:
    content = json.loads((run / "results.json").read_text())
    table = rows(section(markdown(command, run), "Every requirement on the device"))
    for clause, verdict in content["clauses"].items():
        if verdict == "held" and clauses()[clause].side == "device":
            count = content["outcomes"][clause]
            assert table[clause][2:4] == ["held", f"{count['held']} in {count['runs']}"]
    assert table["DEV-SPLIT-016"][2] == "held"


def test_verdicts_of_a_run_without_faults_are_its_own(command: Command, run: Path) -> None:
    content = json.loads((run / "results.json").read_text())
    text = markdown(command, run)
    held = sum(
        verdict == "held" and clauses()[clause].side == "device" and clauses()[clause].mandatory
        for clause, verdict in content["clauses"].items()
    )
    older = sum(clause.startswith("DEV-LEGACY") for clause in content["outcomes"])
    assert "**No violation found.**" in text
    assert f", {held + older} were put to the test, " in text


def test_reasons_come_from_the_traces(command: Command, run: Path) -> None:
    text = section(markdown(command, run), "Every requirement on the device")
    assert "Not applicable: no session of this run was by lguest's bus." in text
    table = rows(text)
    assert table["DEV-BLK-044"][4].endswith("ZONED is not offered")
    assert table["DEV-SPLIT-002"][4].endswith("a permission: nothing can breach it")


def test_a_feature_that_no_session_accepted_is_a_gap(command: Command, tmp_path: Path) -> None:
    run = model_run(tmp_path / "split", "rings.test_full_ring_is_drained_split")
    text = markdown(command, run)
    assert rows(section(text, "Features"))["34 RING_PACKED"] == ["offered, never negotiated"]
    gap = rows(section(text, "Gaps"))["DEV-PACKED-004"]
    assert gap[2] == "RING_PACKED is offered, but never accepted"


def test_chapters_of_other_device_types_are_told_in_a_line(command: Command, run: Path) -> None:
    text = section(markdown(command, run), "Every requirement on the device")
    assert "on net devices; this is a device of type blk" in text
    assert "DEV-NET-001" in text


def test_violation_comes_with_its_test_and_its_replay(command: Command, bad: Path) -> None:
    text = section(markdown(command, bad), "Violations by the device")
    test = next(t for t in json.loads((bad / "results.json").read_text())["tests"] if t["violations"])
    assert f"### {BROKEN}" in text
    assert text.count("\n### ") == 1
    assert test["violations"][0]["message"] in text
    assert f"`{test['name']}`" in text
    assert f"`{test['replay']}`" in text
    assert f"{test['folder']}/failure.html>)" in text


def test_command_says_the_verdict(command: Command, bad: Path, tmp_path: Path) -> None:
    code, out, err = command("report", bad, "--out", tmp_path / "page.html")
    assert (code, err) == (0, "")
    assert out.splitlines()[1] == "verdict: 1 binding requirement violated"


def test_features_and_identity_are_told(command: Command, run: Path) -> None:
    text = markdown(command, run)
    features = rows(section(text, "Features"))
    assert features["32 VERSION_1"][0].startswith("exercised in ")
    assert "41 ADMIN_VQ" not in features
    devices = rows(section(text, "Transport and queues"))
    assert "BAR2 mem64 32 KiB" in devices["BARs"][0]
    assert devices["device type"] == ["blk"]
    identity = rows(section(text, "Identity"))
    assert "virtio-cosim" in identity["bench"][0]
    assert identity["date"][0].startswith("20")


def test_failure_without_a_clause_is_no_clean_verdict(command: Command, run: Path) -> None:
    def fail(content: dict[str, list[dict[str, object]]]) -> None:
        content["tests"][0] |= {"status": "fail", "message": "AssertionError: data differ"}

    edit(run, fail)
    text = markdown(command, run)
    assert "**No requirement on the device violated, but 1 test failed.**" in text
    assert "data differ" in section(text, "Tests that failed without a violated clause")


def test_what_the_driver_broke_is_no_verdict_on_the_device(command: Command, run: Path) -> None:
    finding = {"clause": "DRV-PCI-014", "t": 5, "message": "it is written", "event": ""}
    edit(run, lambda content: content["tests"][0].update(status="fail", violations=[finding]))
    text = markdown(command, run)
    assert "**No requirement on the device violated, but 1 on the driver.**" in text
    assert "None was found." in section(text, "Violations by the device")
    assert "### DRV-PCI-014" in section(text, "Violations by the driver")


def test_more_tests_than_a_page_can_list_are_counted(command: Command, run: Path) -> None:
    def many(content: dict[str, list[dict[str, object]]]) -> None:
        content["tests"] = [content["tests"][0] | {"seed": seed, "folder": ""} for seed in range(2500)]
        content["tests"][7]["status"] = "error"

    edit(run, many)
    text = markdown(command, run)
    assert text.endswith("\nNot listed: 500 pass.\n")
    assert "| error |" in section(text, "Tests\n")


def test_out_of_scope_is_never_held(command: Command, run: Path) -> None:
    finding = {"clause": "DEV-SPLIT-016", "t": 5, "message": "off by one", "event": ""}

    def scope(content: dict[str, dict[str, object] | list[dict[str, object]]]) -> None:
        content["out_of_scope"] = {"DEV-SPLIT-016": {"reason": "lengths are rounded", "findings": 1}}
        content["tests"][0]["waived"] = [finding]  # type: ignore[index]

    edit(run, scope)
    text = markdown(command, run)
    assert rows(section(text, "Every requirement on the device"))["DEV-SPLIT-016"][2] == "out of scope"
    told = section(text, "Out of scope by the manifest")
    assert "lengths are rounded" in told
    assert "DEV-SPLIT-016: off by one" in told
    assert "breaches of 1 of them are waived" in text


def test_what_traces_did_not_show_is_said(command: Command, run: Path) -> None:
    traces = sorted(run.glob("*/trace.vtrace"))
    for trace in traces[1:]:
        trace.unlink()
    text = markdown(command, run)
    assert f"{len(traces) - 1} of {len(traces)} test runs left no trace" in text
    traces[0].unlink()
    assert "No trace of this run can be read." in markdown(command, run)


def test_markdown_is_made_of_whole_tables(command: Command, bad: Path, good: Path) -> None:
    text = markdown(command, bad, "--against", good)
    shown = MarkdownIt("commonmark").enable("table").render(text)
    assert shown.count("<table>") == text.count("\n|---")
    assert "|---" not in shown


@browser
def test_browser_shows_the_page_without_a_complaint(command: Command, bad: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert command("report", bad, "--against", bad, "--out", page)[0] == 0
    loaded = load(page)
    assert loaded.console == []
    assert "<title>model: conformance to virtio 1.4</title>" in loaded.dom
    assert f'id="{BROKEN}"' in loaded.dom


@browser
def test_page_prints_whole(command: Command, run: Path, tmp_path: Path) -> None:
    html(command, run)
    load(run / "report.html", f"--print-to-pdf={tmp_path / 'report.pdf'}")
    assert (tmp_path / "report.pdf").read_bytes().count(b"/Type /Page\n") + 1 > 5
