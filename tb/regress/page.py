"""The page of a night: one HTML file that needs nothing else, usable with 100,000 results."""

from __future__ import annotations

import base64
import hashlib
import time
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from pymodel.checker import clauses
from tb.pages import environment
from tb.regress import groups as triage
from tb.regress.night import RESULTS, night_folder
from tb.regress.plot import Plot, plot
from tb.regress.store import Store
from tb.results import RANK, write_whole

PAGE = "report.html"
HERE = Path(__file__).parent
PLOTTED = (
    *("failed", "clauses held", "functional coverage %", "RTL line coverage %"),
    *("RTL toggle coverage %", "mutants killed", "runs/s"),
)


@cache
def _environment() -> jinja2.Environment:
    return environment(HERE / "templates")


def write_page(store: Store, number: int) -> Path:
    """Write the page of a night into its folder, and a copy as the latest; return the former's path."""
    out = store.path.parent
    path = night_folder(out, number, store.night(number).plan) / PAGE
    path.parent.mkdir(parents=True, exist_ok=True)
    page = render(store, number)
    write_whole(path, page)
    write_whole(out / PAGE, page)
    return path


def write_latest(out: Path) -> Path:
    """Write the page of the latest night in a folder anew; raises UsageError."""
    store = Store(out / RESULTS)
    try:
        return write_page(store, store.next_night() - 1)
    finally:
        store.close()


def render(store: Store, number: int) -> str:
    """The page of a night."""
    night = store.night(number)
    script = (HERE / "templates" / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    trends = triage.trends(store, night.plan, number)
    counts = store.counts(number)
    return (
        _environment()
        .get_template("page.html")
        .render(
            night=night,
            started=time.strftime("%Y-%m-%d %H:%M", time.localtime(night.started)),
            counts={str(status): count for status, count in counts.items() if status is not None},
            left=counts.get(None, 0),
            done=sum(count for status, count in counts.items() if status is not None),
            groups=triage.groups(store, night),
            flaky=triage.flaky(store, number),
            clause_rows=_clause_rows(store, number),
            verdicts=RANK[::-1],
            plots=_plots(trends),
            details=triage.figure_details(store, number),
            runs=_runs(store, number),
            script=Markup(script),
            script_hash=digest,
        )
    )


def _clause_rows(store: Store, number: int) -> list[dict[str, Any]]:
    known = clauses()
    sql = "SELECT clause, count(*) FROM run WHERE night = ? AND attempt = 0 AND clause != '' GROUP BY clause"
    failed = dict(tuple(row) for row in store.rows(sql, number))
    sql = "SELECT clause, sum(findings), min(reason) FROM waived WHERE night = ? GROUP BY clause"
    waived = {row[0]: f"{row[1]} waived: {row[2]}" for row in store.rows(sql, number)}
    rows = []
    for name, (verdict, warned) in triage.clause_verdicts(store, number).items():
        clause = known.get(name)
        rows.append(
            {
                "id": name,
                "verdict": verdict,
                "warned": warned,
                "level": clause.level if clause else "",
                "section": f"{clause.section} {clause.title}" if clause else "",
                "check": clause.check if clause else "",
                "runs": failed.get(name, 0),
                "waived": waived.get(name, ""),
            }
        )
    return rows


def _plots(trends: list[triage.Trend]) -> list[Plot]:
    found = []
    for name in PLOTTED:
        series = [(trend.night, _figure(trend, name)) for trend in trends]
        known = [(night, value) for night, value in series if value is not None]
        if known:
            found.append(plot(name, known))
    return found


def _figure(trend: triage.Trend, name: str) -> float | None:
    if name == "failed":
        return float(trend.counts.get("fail", 0) + trend.counts.get("error", 0))
    return trend.figures.get(name)


def _runs(store: Store, number: int) -> dict[str, Any]:
    """All runs, as columns of indexes into lists of names; failures carry message and replay command."""
    sql = (
        "SELECT configuration, test, seed, stress, attempt, status, seconds, message, replay, folder FROM run"
        " WHERE night = ? AND status IS NOT NULL ORDER BY id"
    )
    names: dict[str, dict[str, int]] = {"configuration": {}, "test": {}, "stress": {}, "status": {}}
    columns: dict[str, list[int]] = {name: [] for name in (*names, "seed", "attempt", "ms")}
    told: dict[int, list[str]] = {}
    for index, row in enumerate(store.rows(sql, number)):
        for name, known in names.items():
            columns[name].append(known.setdefault(row[name], len(known)))
        columns["seed"].append(row["seed"])
        columns["attempt"].append(row["attempt"])
        columns["ms"].append(round(1000 * (row["seconds"] or 0)))
        if row["status"] in ("fail", "error"):
            told[index] = [row["message"] or "", row["replay"] or "", row["folder"] or ""]
    return {
        "names": {name: list(known) for name, known in names.items()},
        "columns": {name: _runlength(column) for name, column in columns.items()},
        "told": told,
        "count": sum(Counter(columns["status"]).values()),
    }


def _runlength(column: list[int]) -> list[int] | dict[str, list[int]]:
    """A column, as (length, value) pairs where that is shorter."""
    lengths: list[int] = []
    values: list[int] = []
    for value in column:
        if values and values[-1] == value:
            lengths[-1] += 1
        else:
            values.append(value)
            lengths.append(1)
    return {"lengths": lengths, "values": values} if 2 * len(values) < len(column) else column
