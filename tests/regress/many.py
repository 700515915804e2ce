"""A store with as many results as one likes, some of them with content that tries to be markup."""

from __future__ import annotations

import json
from pathlib import Path

from pymodel.checker import clauses
from tb.regress.store import Judged, Key, Store
from tb.regress.triage import judged
from tb.results import Result

EVIL = (
    "</script><script>document.documentElement.dataset.pwned='1'</script>",
    "<img src=x onerror=\"document.documentElement.dataset.pwned='2'\">",
    "\"'><svg onload=document.documentElement.dataset.pwned=3>",
    "<!--<script>",
    "{{ 7*7 }}{% raw %}&lt;b&gt;\u2028]]>",
)


def result(index: int, key: Key) -> Result:
    """The result of a run: every fiftieth fails, in ways that differ."""
    found = Result(key.test, key.seed, "pass", replay=f"virtio-cosim run --test {key.test} --seed {key.seed}")
    found.seconds, found.folder = index % 97 / 50, f"night-0001-many/rtl/{key.test}-{key.seed}"
    if index % 50 == 0:
        evil = EVIL[index // 50 % len(EVIL)]
        found.status, found.message, found.state = "fail", f"AssertionError: {evil} {index}", f"live {evil}"
        found.replay += f" {evil}"
        found.details = f'File "/x/test_{index % 7}.py", line 3, in {evil}'
    if index % 150 == 0:
        event = "12.000 ns  BarWrite    bar=0 addr=0x14 data=0b (1)"
        clause = {"clause": "DEV-RESET-001", "t": 5, "line": 0, "message": found.message, "event": event}
        found.violations = [clause]
    found.clauses = dict.fromkeys(clauses(), "not-exercised") if index == 0 else {"DRV-INIT-001": "held"}
    found.clauses["DEV-RESET-001"] = "violated" if found.violations else "held"
    return found


def fill(path: Path, runs: int, nights: int = 1) -> Store:
    """Make a store of so many nights with so many runs each."""
    store = Store(path)
    for night in range(1, nights + 1):
        tests = [f"module{n % 9}.test_number_{n}" for n in range(98)] + list(EVIL[:2])
        keys = [Key("rtl", tests[n % 100], night * 10**6 + n // 100, "own") for n in range(runs)]
        with store.transaction():
            store.begin_night("many", "", f"hash{night}", 1.7e9 + 86400 * night, [night * 10**6])
            store.add_runs(night, keys)
        items: list[Judged] = []
        for index, pending in enumerate(store.pending(night)):
            items.append(judged(pending.id, result(index, pending.key)))
        store.record(night, "rtl", f"hash{night}", items)
        store.set_figure(night, "functional coverage %", 50.0 + night, [["missing", EVIL[0]]])
        store.spend(night, 3600.0, 1.7e9)
    return store


def table_of(dom: str) -> dict[str, object]:
    """The data that the page carries, as a browser gives it back."""
    text = dom.split('<script type="application/json" id="runs">', 1)[1].split("</script>", 1)[0]
    found: dict[str, object] = json.loads(text)
    return found
