"""The checker: eats boundary events, live or from a trace, and gives a verdict per clause."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pymodel.checker import rulebook
from pymodel.checker.clauses import DEVICE_CHAPTERS, Clause, clauses, demands
from pymodel.checker.facts import Due
from pymodel.checker.rule import Rule
from pymodel.checker.state.boundary import State
from pymodel.checker.verdicts import Finding, Outcome, Results, Verdict
from pymodel.events import Event
from pymodel.vtrace import Header


class Checker:
    """Judges one stream of events.

    Hand it events by `observe` (it is an event sink: `checker.observe`), then call `finish` once.
    `on_finding` is called at once for every breach, warnings included, `on_fact` for every fact and
    event before the rules see it. `settle` overrides how long (in picoseconds) a notification may be
    owed. Memory is bounded by the rings, not by the stream.
    """

    def __init__(
        self,
        header: Header | None = None,
        *,
        on_finding: Callable[[Finding], None] | None = None,
        on_fact: Callable[[Any], None] | None = None,
        settle: int | None = None,
    ) -> None:
        self._subscribers: dict[type, list[Callable[[Any], None]]] = {}
        self._on_fact = on_fact
        publish = self._publish if on_fact is None else self._tell
        self.state = State(header or Header(), publish, settle)
        self.results = Results(outcomes={rule.clause: Outcome() for rule in rulebook.ALL})
        self._on_finding = on_finding
        self._expected: list[tuple[frozenset[str], list[Finding]]] = []
        self._reported: set[str] = set()
        self._finished = False
        self._due: int | None = None
        for rule in rulebook.ALL:
            self._subscribe(rule(self.state, self, self.results.outcomes[rule.clause]))

    def _subscribe(self, rule: Rule) -> None:
        for fact, name in rule.subscriptions():
            self._subscribers.setdefault(fact, []).append(getattr(rule, name))

    def _publish(self, fact: Any) -> None:
        self._due = fact.since if isinstance(fact, Due) else None
        for subscriber in self._subscribers.get(type(fact), ()):
            subscriber(fact)

    def _tell(self, fact: Any) -> None:
        if self._on_fact is not None:
            self._on_fact(fact)
        self._publish(fact)

    def observe(self, event: Event) -> None:
        """Take in the next event."""
        self.results.events += 1
        self.state.observe(event)

    @contextmanager
    def expecting(self, *ids: str) -> Iterator[list[Finding]]:
        """Breaches of these clauses inside the block are no violations; they come into the list.

        What is only suspected when the block ends counts. Raises KeyError for an ID that is no clause.
        """
        for clause in ids:
            demands()[clause]
        entry = (frozenset(ids), list[Finding]())
        self._expected.append(entry)
        try:
            yield entry[1]
            self.state.memory.suspects.confirm()
        finally:
            self._expected.remove(entry)

    def breach(self, clause: str, message: str, event: Event | None) -> None:
        """Record a breach (called by the rules)."""
        event = event or self.state.event
        t, line = (event.t, event.line) if event is not None else (0, 0)
        finding = Finding(clause, t, line, message, event, self._due)
        for expected, caught in self._expected:
            if clause in expected:
                caught.append(finding)
                self.results.outcomes[clause].breached -= 1
                return
        if clause not in self._reported:
            self._reported.add(clause)
            mandatory = demands()[clause].mandatory
            (self.results.violations if mandatory else self.results.warnings).append(finding)
        if self._on_finding is not None:
            self._on_finding(finding)

    def finish(self) -> Results:
        """The stream ends: judge what is left, and return the results (the same ones when called again)."""
        if not self._finished:
            self._finished = True
            self.state.finish()
            self.results.notes = self.state.notes
            self.results.orderly = self.state.orderly
            self._give_verdicts()
        return self.results

    def _give_verdicts(self) -> None:
        device_type = self.state.device_type
        foreign: dict[tuple[int, int, int, int], bool] = {}
        for clause in demands().values():
            outcome = self.results.outcomes.get(clause.id)
            device = DEVICE_CHAPTERS.get(clause.chapter)
            if outcome is not None and outcome.breached:
                verdict = Verdict.VIOLATED if clause.mandatory else Verdict.NOT_EXERCISED
            elif outcome is not None and outcome.held:
                verdict = Verdict.HELD
            elif device is not None and device_type not in (None, device):
                verdict = Verdict.NOT_APPLICABLE
            else:
                terms = (clause.needs, clause.lacks, clause.offers, clause.offers_not)
                if terms not in foreign:
                    foreign[terms] = self._is_foreign(clause)
                verdict = Verdict.NOT_APPLICABLE if foreign[terms] else Verdict.NOT_EXERCISED
            (self.results.verdicts if clause.id in clauses() else self.results.older)[clause.id] = verdict

    def _is_foreign(self, clause: Clause) -> bool:
        """Whether there were sessions, and the clause surely speaks of none of them."""
        answers = [clause.applies(offered, features) for offered, features in self.state.sessions]
        return bool(answers) and all(answer is False for answer in answers)
