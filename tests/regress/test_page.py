"""The page of a night, in a real browser: usable with 100,000 results, and nothing in them is markup."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tb.regress.page import write_page
from tests.regress.bench import Bench
from tests.regress.browser import find_browser, load
from tests.regress.many import fill, table_of

browser = pytest.mark.skipif(find_browser() is None, reason="needs Chromium: apt-get install chromium")
MANY = 100_000
MOST_BYTES = 8 * 2**20
MOST_SECONDS = 20


def test_page_holds_no_markup_from_outside(tmp_path: Path) -> None:
    page = write_page(fill(tmp_path / "results.sqlite", 500), 1).read_text()
    assert page.count("<script") == 2
    assert "<img" not in page
    assert "<svg onload" not in page
    assert "http" not in page.replace("http-equiv", "")


@browser
def test_browser_runs_nothing_of_what_results_say(tmp_path: Path) -> None:
    page = write_page(fill(tmp_path / "results.sqlite", 500, nights=3), 3)
    loaded = load(page)
    assert loaded.console == []
    assert 'data-ready="500"' in loaded.dom
    assert "data-pwned" not in loaded.dom
    assert loaded.dom.count('class="run"') >= 15
    assert "&lt;/script&gt;&lt;script&gt;" in loaded.dom
    assert "<title>many, night 3</title>" in loaded.dom


@browser
def test_page_with_100_000_results_is_usable(tmp_path: Path) -> None:
    page = write_page(fill(tmp_path / "results.sqlite", MANY), 1)
    started = time.monotonic()
    loaded = load(page)
    seconds = time.monotonic() - started
    size = page.stat().st_size
    print(f"{MANY} results: {size / 2**20:.2f} MiB, loaded in {seconds:.1f} s")
    assert loaded.console == []
    assert f'data-ready="{MANY}"' in loaded.dom
    assert loaded.dom.count('class="run"') < 100, "only the rows in view are in the document"
    assert table_of(loaded.dom)["count"] == MANY
    assert size < MOST_BYTES
    assert seconds < MOST_SECONDS


@browser
def test_page_of_a_real_night_opens_without_a_console_error(bench: Bench) -> None:
    bench.plan("test_reads", "test_fails_on_every_seventh_seed", "test_violates", seeds=8)
    code, out, _ = bench.run()
    assert code == 1
    (page,) = [line.removeprefix("page: ") for line in out.splitlines() if line.startswith("page: ")]
    loaded = load(bench.folder / page)
    assert loaded.console == []
    assert 'data-ready="24"' in loaded.dom
    assert 'href="#DRV-PCI-020"' in loaded.dom
    assert "virtio-cosim run --test own.test_violates --seed 1" in loaded.dom
