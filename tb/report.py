"""`virtio-cosim report`: one self-contained HTML page of a run."""

from __future__ import annotations

import json
from collections import Counter
from html import escape
from pathlib import Path
from typing import Any

from pymodel.checker import clauses
from tb.errors import UsageError
from tb.results import write_whole

PAGE = "report.html"
VERDICTS = ("violated", "held", "not-exercised", "not-applicable")
_STYLE = """
:root{color-scheme:light dark;--line:#8884;--bad:#c62828;--good:#2e7d32;--dim:#7a7a7a}
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%;margin:1rem 0}th,td{text-align:left;padding:.3rem .6rem;
border-bottom:1px solid var(--line);vertical-align:top}th{position:sticky;top:0;background:Canvas}
code{font:13px/1.4 ui-monospace,monospace;user-select:all;overflow-wrap:anywhere}
.violated,.fail,.error{color:var(--bad);font-weight:600}.held,.pass{color:var(--good)}
.not-exercised,.not-applicable,.skip{color:var(--dim)}summary{cursor:pointer;font-weight:600}
"""


def write_report(run: Path) -> Path:
    """Write the page beside results.json and return its path; raises UsageError for what is no run."""
    path = run / "results.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        page = _page(run.resolve().name, content)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: is no result of a run: {type(error).__name__}: {error}") from None
    write_whole(run / PAGE, page)
    return run / PAGE


def _page(name: str, content: dict[str, Any]) -> str:
    tests, verdicts = content["tests"], content["clauses"]
    statuses = Counter(str(test["status"]) for test in tests)
    counts = Counter(str(verdict) for verdict in verdicts.values())
    dut = content.get("run", {}).get("dut", "")
    scope = content.get("out_of_scope", {})
    parts = [
        f"<h1>{escape(str(dut))} <small>{escape(name)}</small></h1>",
        _line({status: statuses[status] for status in ("pass", "fail", "error", "skip")}, "tests"),
        _line({verdict: counts[verdict] for verdict in VERDICTS}, "clauses"),
        "<h2>Tests</h2>",
        _table(("status", "test", "seed", "what", "again"), [_test_row(test) for test in tests]),
        "<h2>Clauses</h2>",
        *(_clause_group(verdict, verdicts) for verdict in VERDICTS),
        *_scope(scope),
    ]
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(name)}</title>'
    return f"{head}<style>{_STYLE}</style>\n" + "\n".join(parts) + "\n</html>\n"


def _line(counts: dict[str, int], what: str) -> str:
    words = [f'<span class="{escape(word)}">{count} {escape(word)}</span>' for word, count in counts.items()]
    return f"<p>{what}: {', '.join(words)}</p>"


def _table(heads: tuple[str, ...], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(word)}</th>" for word in heads)
    body = "\n".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"


def _test_row(test: dict[str, Any]) -> list[str]:
    status = escape(str(test["status"]))
    found = "".join(
        f"<br><b>{escape(str(v['clause']))}</b> at {int(v['t']) / 1000:.3f} ns: {escape(str(v['message']))}"
        for v in test["violations"]
    )
    return [
        f'<span class="{status}">{status}</span>',
        escape(str(test["name"])),
        escape(str(test["seed"])),
        escape(str(test.get("message", ""))) + found,
        f"<code>{escape(str(test['replay']))}</code>",
    ]


def _scope(scope: dict[str, dict[str, Any]]) -> list[str]:
    """The clauses that the manifest puts out of scope, why, and how many findings were waived."""
    if not scope:
        return []
    rows = [
        [escape(clause), escape(str(row["reason"])), str(int(row["findings"]))]
        for clause, row in scope.items()
    ]
    return ["<h2>Out of scope</h2>", _table(("clause", "reason", "waived findings"), rows)]


def _clause_group(verdict: str, verdicts: dict[str, str]) -> str:
    table = clauses()
    ids = [clause for clause, word in verdicts.items() if word == verdict]
    rows = []
    for clause in ids:
        known = table.get(clause)
        section = f"{known.section} {known.title}" if known else ""
        rows.append([escape(clause), escape(known.level if known else ""), escape(section)])
    open_ = " open" if verdict == "violated" and ids else ""
    label = f'<summary class="{verdict}">{len(ids)} {verdict}</summary>'
    return f"<details{open_}>{label}{_table(('clause', 'level', 'section'), rows)}</details>"
