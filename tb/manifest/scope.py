"""The manifest's [[out_of_scope]]: what the DUT does not do, and why."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from pymodel.checker.clauses import demands
from tb.toml_table import Table

DEVICE = "DEV-"
LONGEST_REASON = 200


def read_scope(tables: Sequence[Table]) -> dict[str, str]:
    """The reason for each clause that is out of scope, by its ID; raises UsageError."""
    found: dict[str, str] = {}
    for table in tables:
        reason = table.get("reason", str)
        if not reason.strip() or len(reason) > LONGEST_REASON or not reason.isprintable():
            raise table.fail("reason", f"is {reason!r}: give one line of at most {LONGEST_REASON} characters")
        globs = table.strings("clauses")
        if not globs:
            raise table.fail("clauses", 'is missing: give clause IDs or globs, like "DEV-PACKED-*"')
        for pattern in globs:
            for clause in _matches(table, pattern):
                if clause in found and found[clause] != reason:
                    raise table.fail("clauses", f"{pattern!r}: {clause} has another reason already")
                found[clause] = reason
        table.finish()
    return dict(sorted(found.items()))


def _matches(table: Table, pattern: str) -> list[str]:
    matches = [clause for clause in demands() if fnmatchcase(clause, pattern)]
    if not matches:
        raise table.fail("clauses", f"{pattern!r} matches no clause ID, such as DEV-PACKED-001")
    foreign = [clause for clause in matches if not clause.startswith(DEVICE)]
    if foreign:
        only = "only the device's own clauses (DEV-) can be left out"
        raise table.fail("clauses", f"{pattern!r} takes in {foreign[0]}: {only}")
    return matches
