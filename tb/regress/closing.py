"""What is made of a night's results: its figures, run folders' results, failure pages, JUnit, the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tb.errors import ToolError
from tb.manifest import Manifest
from tb.regress.functional import functional_coverage
from tb.regress.local import COVERED
from tb.regress.night import night_folder
from tb.regress.page import write_page
from tb.regress.plan import RegressPlan
from tb.regress.rtl_coverage import Share, gather, merge, percent, shares
from tb.regress.store import Store
from tb.request import MODEL, manifest_of
from tb.results import Result, write_junit, write_results
from tb.run import Explain
from tb.session import RESULT

PAGES_EACH = 3


def close_night(
    store: Store, plan: RegressPlan, number: int, explain: Explain | None, say: Callable[[str], None]
) -> Path:
    """Write all that a night's results say; return the page's path."""
    folder = night_folder(store.path.parent, number, plan.name)
    _measure(store, plan, number, folder)
    _measure_rtl(store, plan, number, folder)
    _write_results(store, plan, number, folder)
    if explain is not None:
        _explain(store, plan, number, explain, say)
    return write_page(store, number)


def _measure(store: Store, plan: RegressPlan, number: int, folder: Path) -> None:
    """Functional coverage of this night, and of all nights of the plan up to it."""
    of_night = "SELECT point, sum(hits) FROM sample WHERE night = ? GROUP BY point"
    points = [(row[0], row[1]) for row in store.rows(of_night, number)]
    percent, missing = functional_coverage("virtio", points, folder / "functional-coverage.xml")
    store.set_figure(number, "functional coverage %", percent, missing)
    of_all = (
        "SELECT point, sum(hits) FROM sample JOIN night ON night.number = sample.night"
        " WHERE night.plan = ? AND night.number <= ? GROUP BY point"
    )
    points = [(row[0], row[1]) for row in store.rows(of_all, plan.name, number)]
    percent, _ = functional_coverage("virtio", points, folder / "functional-coverage-all-nights.xml")
    store.set_figure(number, "functional coverage %, all nights", percent)


def _measure_rtl(store: Store, plan: RegressPlan, number: int, folder: Path) -> None:
    """RTL coverage of this night, and of all nights on the same build."""
    tonight: list[Share] = []
    ever: list[Share] = []
    for configuration in plan.configurations:
        manifest = configuration.manifest()
        for place in sorted((folder / COVERED / configuration.name).glob("*/")):
            files = sorted(place.glob("*.dat"))
            if manifest is not None and files:
                tonight += shares(gather(files, place / "night.dat"), manifest)
                whole = store.path.parent / COVERED / f"{place.name}.dat"
                ever += shares(merge([place / "night.dat"], whole), manifest)
    for kind in ("line", "toggle"):
        value, all_nights = percent(tonight, kind), percent(ever, kind)
        if value is not None and all_nights is not None:
            rows = [[s.file, f"{s.hit} of {s.points}"] for s in tonight if s.kind == kind]
            store.set_figure(number, f"RTL {kind} coverage %", value, rows)
            store.set_figure(number, f"RTL {kind} coverage %, all nights", all_nights)


def _write_results(store: Store, plan: RegressPlan, number: int, folder: Path) -> None:
    """A run folder's results for each configuration, and JUnit over all of them."""
    suites = {}
    for configuration in plan.configurations:
        request = configuration.request
        sql = "SELECT clause, verdict FROM clause WHERE night = ? AND configuration = ?"
        clauses = {row[0]: row[1] for row in store.rows(sql, number, configuration.name)}
        results = suites[configuration.name] = _results(store, number, configuration.name)
        manifest = manifest_of(request)
        about = {
            "dut": manifest.hdl.name if manifest else MODEL,
            "manifest": str(manifest.path) if manifest else None,
            "tests": str(request.folder.resolve()),
            "image": None,
            "argument": "",
            "parameters": list(request.parameters),
            "defines": list(request.defines),
        }
        place = folder / configuration.name
        place.mkdir(parents=True, exist_ok=True)
        write_results(place, results, about, clauses, _scope(store, number, configuration.name, manifest))
    write_junit(folder / "results.xml", suites)


def _scope(store: Store, number: int, configuration: str, manifest: Manifest | None) -> dict[str, Any]:
    """What the configuration's manifest puts out of scope, with the night's waived findings."""
    sql = "SELECT clause, findings FROM waived WHERE night = ? AND configuration = ?"
    counts = {row[0]: row[1] for row in store.rows(sql, number, configuration)}
    reasons = manifest.out_of_scope if manifest else {}
    return {
        clause: {"reason": reason, "findings": counts.get(clause, 0)} for clause, reason in reasons.items()
    }


def _results(store: Store, number: int, configuration: str) -> list[Result]:
    sql = "SELECT * FROM run WHERE night = ? AND configuration = ? AND status IS NOT NULL ORDER BY id"
    found = []
    for row in store.rows(sql, number, configuration):
        result = Result(row["test"], row["seed"], row["status"], replay=row["replay"] or "")
        result.violations = json.loads(row["violations"]) if row["violations"] else []
        result.message, result.seconds = row["message"] or "", row["seconds"] or 0.0
        result.sim_ns, result.cycles, result.buffers = row["sim_ns"], row["cycles"], row["buffers"]
        result.folder = Path(row["folder"] or "").name
        result.stress = "" if row["stress"] == "own" else row["stress"]
        found.append(result)
    return found


def _explain(
    store: Store, plan: RegressPlan, number: int, explain: Explain, say: Callable[[str], None]
) -> None:
    """Write the failure pages of the first runs of every signature."""
    sql = (
        "SELECT configuration, folder FROM (SELECT *, row_number() OVER (PARTITION BY signature ORDER BY id)"
        " AS nth FROM run WHERE night = ? AND status IN ('fail', 'error') AND attempt = 0) WHERE nth <= ?"
    )
    for row in store.rows(sql, number, PAGES_EACH):
        place = store.path.parent / row["folder"]
        try:
            result = Result.load(place / RESULT)
            explain(place, result, manifest_of(plan.configuration(row["configuration"]).request))
        except (OSError, ValueError, TypeError, ToolError) as error:
            say(f"no failure page for {row['folder']}: {error}")
