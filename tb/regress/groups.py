"""Triage over the nights: failures grouped by signature, since when each is there, and the trends."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tb.regress.store import Key, Night, Store
from tb.results import RANK

REPLAYS_SHOWN = 5
HELD, VIOLATED = RANK[2], RANK[3]


@dataclass(frozen=True, slots=True)
class Group:
    """Failed runs of one night with one signature; `first_night` is the first bad one of the plan.

    `since` is the night at which the present unbroken row of bad nights began, `last_good` the night
    before that one, None where there is none.
    """

    signature: str
    status: str
    clause: str
    place: str
    state: str
    message: str
    runs: int
    tests: tuple[str, ...]
    configurations: tuple[str, ...]
    first_night: int
    since: int
    last_good: int | None
    replays: tuple[str, ...]
    folders: tuple[str, ...]


@dataclass(slots=True)
class Trend:
    """One night's figures."""

    night: int
    started: float
    counts: dict[str, int] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)


def groups(store: Store, night: Night) -> list[Group]:
    """The failures of a night by signature, those that are bad since the latest night first."""
    sql = (
        "SELECT signature, status, clause, place, state, message, count(*) AS runs, min(id) AS first FROM run"
        " WHERE night = ? AND attempt = 0 AND status IN ('fail', 'error') GROUP BY signature"
    )
    nights = [
        item.number for item in store.nights() if item.plan == night.plan and item.number <= night.number
    ]
    found = []
    for row in store.rows(sql, night.number):
        bad = _bad_nights(store, row["signature"], nights)
        since, last_good = _streak(nights, bad)
        runs = _runs(store, night.number, row["signature"])
        group = Group(
            *(row["signature"], row["status"], row["clause"] or "", row["place"] or "", row["state"] or ""),
            message=row["message"] or "",
            runs=row["runs"],
            tests=tuple(dict.fromkeys(run[0] for run in runs)),
            configurations=tuple(dict.fromkeys(run[1] for run in runs)),
            first_night=min(bad),
            since=since,
            last_good=last_good,
            replays=tuple(run[2] for run in runs[:REPLAYS_SHOWN]),
            folders=tuple(run[3] for run in runs[:REPLAYS_SHOWN]),
        )
        found.append(group)
    return sorted(found, key=lambda group: (-group.since, -group.runs))


def _bad_nights(store: Store, signature: str, nights: Sequence[int]) -> set[int]:
    rows = store.rows("SELECT DISTINCT night FROM run WHERE signature = ? AND attempt = 0", signature)
    return {row[0] for row in rows} & set(nights)


def _streak(nights: Sequence[int], bad: set[int]) -> tuple[int, int | None]:
    """The night at which the unbroken row of bad ones that ends with the last began, and the one before."""
    since, last_good = nights[-1], None
    for number in reversed(nights):
        if number not in bad:
            last_good = number
            break
        since = number
    return since, last_good


def _runs(store: Store, night: int, signature: str) -> list[tuple[str, str, str, str]]:
    sql = (
        "SELECT test, configuration, replay, folder FROM run"
        " WHERE night = ? AND signature = ? AND attempt = 0 ORDER BY id"
    )
    return [(row[0], row[1], row[2] or "", row[3] or "") for row in store.rows(sql, night, signature)]


def flaky(store: Store, night: int) -> list[tuple[Key, str]]:
    """The runs whose verdict differs under the same seed and sources, and their replay command."""
    found = []
    for configuration, test, seed, stress in store.flaky(night):
        sql = "SELECT replay FROM run WHERE night = ? AND configuration = ? AND test = ? AND seed = ?"
        replay = store.rows(sql, night, configuration, test, seed)[0][0] or ""
        found.append((Key(configuration, test, seed, stress), replay))
    return found


def clause_verdicts(store: Store, night: int) -> dict[str, tuple[str, bool]]:
    """The verdict of every clause over all configurations of a night, and whether there was a warning."""
    merged: dict[str, tuple[int, bool]] = {}
    for row in store.rows("SELECT clause, verdict, warned FROM clause WHERE night = ?", night):
        rank, warned = merged.get(row[0], (0, False))
        merged[row[0]] = max(rank, RANK.index(row[1])), warned or bool(row[2])
    return {clause: (RANK[rank], warned) for clause, (rank, warned) in sorted(merged.items())}


def trends(store: Store, plan: str, up_to: int) -> list[Trend]:
    """The figures of a plan's nights, oldest first."""
    found = {}
    for night in store.nights():
        if night.plan == plan and night.number <= up_to:
            found[night.number] = trend = Trend(night.number, night.started)
            trend.counts = {str(k): n for k, n in store.counts(night.number).items() if k is not None}
            done = sum(trend.counts.values())
            if night.seconds:
                trend.figures["runs/s"] = done / night.seconds
            words = Counter(verdict for verdict, _ in clause_verdicts(store, night.number).values())
            trend.figures["clauses held"] = words[HELD]
            trend.figures["clauses violated"] = words[VIOLATED]
    for row in store.rows("SELECT night, name, value FROM figure"):
        if row[0] in found:
            found[row[0]].figures[row[1]] = row[2]
    return list(found.values())


def figure_details(store: Store, night: int) -> dict[str, object]:
    """What stands beside the figures of a night."""
    rows = store.rows("SELECT name, detail FROM figure WHERE night = ? AND detail != ''", night)
    return {row[0]: json.loads(row[1]) for row in rows}
