"""The golden checker beside a running test: what was violated, and what the test said it would provoke."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pymodel.checker import Checker, Finding
from pymodel.checker.clauses import demands
from pymodel.vtrace import Header


class Judge:
    """Judges the events of one test as they happen; `observe` takes one in, `finish` gives the results."""

    def __init__(self, header: Header) -> None:
        self._checker = Checker(header)
        self.observe = self._checker.observe
        self.finish = self._checker.finish
        self.unmet: list[str] = []

    @contextmanager
    def expect(self, *ids: str) -> Iterator[None]:
        """Breaches of these clauses inside the block are wanted: that one does not come is the failure."""
        with self._checker.expecting(*ids) as caught:
            yield
        met = {finding.clause for finding in caught}
        self.unmet += [clause for clause in ids if clause not in met]

    @contextmanager
    def tolerate(self, side: str) -> Iterator[list[Finding]]:
        """Breaches by one side ("DRV" or "DEV") inside the block are none; the list says which came."""
        with self._checker.expecting(*(clause for clause in demands() if clause.startswith(side))) as caught:
            yield caught


def section_of(clause: str) -> str:
    """The section of the standard that a clause stands in; empty for an unknown one."""
    found = demands().get(clause)
    return found.section if found else ""
