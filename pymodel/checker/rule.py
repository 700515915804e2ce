"""What a rule is: one requirement, judged on the facts that it subscribes to."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

from pymodel.checker.verdicts import Outcome
from pymodel.events import Event

if TYPE_CHECKING:
    from pymodel.checker.state.boundary import State
    from pymodel.checker.state.session import Session

Method = TypeVar("Method", bound=Callable[..., None])
RULES: list[type[Rule]] = []
"""All rules, in the order in which their modules define them."""


class Court(Protocol):
    """Where a rule reports."""

    def breach(self, clause: str, message: str, event: Event | None) -> None:
        """Record a breach."""
        ...


def on(*facts: type) -> Callable[[Method], Method]:
    """Subscribe a rule's method to these classes of facts or events."""

    def mark(method: Method) -> Method:
        method.__dict__["facts"] = facts
        return method

    return mark


class Rule:
    """A requirement; a subclass names its clause and says what it demands and what it does not see."""

    clause: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        if cls.clause:
            RULES.append(cls)

    def __init__(self, state: State, court: Court, outcome: Outcome) -> None:
        self.state = state
        self._court = court
        self._outcome = outcome

    @property
    def session(self) -> Session:
        """The driver session that is under way."""
        return self.state.session

    def held(self) -> None:
        """The clause was put to the test and held."""
        self._outcome.held += 1

    def breached(self, message: str, event: Event | None = None) -> None:
        """The clause was breached, by the current event unless another is named."""
        self._outcome.breached += 1
        self._court.breach(self.clause, message, event)

    def judge(self, ok: bool, message: str) -> None:
        """Record that the clause held, or was breached."""
        if ok:
            self.held()
        else:
            self.breached(message)

    @classmethod
    @cache
    def subscriptions(cls) -> list[tuple[type, str]]:
        """Return (fact class, method name) pairs; a method that overrides another stands once."""
        found: dict[tuple[type, str], None] = {}
        for base in reversed(cls.__mro__):
            for name, member in vars(base).items():
                found.update(((fact, name), None) for fact in getattr(member, "facts", ()))
        return list(found)
