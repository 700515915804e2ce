"""Interrupts: where they are mapped, which are owed, which nothing called for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pymodel import events as ev
from pymodel import spec
from pymodel.checker import facts
from pymodel.checker.state.queue import Queue

if TYPE_CHECKING:
    from pymodel.checker.state.boundary import State

CONFIG = -1


@dataclass(slots=True)
class _Debt:
    what: str
    queue: Queue | None
    since: int
    message: bool


class InterruptState:
    """Follows messages and the INTx line, and what the used buffers called for.

    A debt arises where the standard demands a notification, and is paid by any interrupt that reaches
    the driver for that queue. What is still owed when a session ends is overdue after `settle`.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self.level = 0
        self.rose_t = 0
        self.line_changes = 0
        self.seen = False
        self.config_noticed = False
        self._debts: dict[int, _Debt] = {}
        self._retired: dict[int, int] = {}
        self._advances: dict[int, int] = {}
        self._uncalled: dict[int, bool] = {}
        self._vectors: dict[int, int] = {}

    def restart(self) -> None:
        """A new session begins: nothing is mapped, nothing is owed."""
        self._debts.clear()
        self._retired.clear()
        self._advances.clear()
        self._uncalled.clear()
        self._vectors.clear()
        self.config_noticed = False

    def remap(self, queue: Queue | None, vector: int) -> None:
        """The driver wrote a vector register."""
        key = CONFIG if queue is None else queue.index
        old = self._vectors.get(key, spec.NO_VECTOR)
        if old != vector:
            self._retired[old] = self._state.now
        self._vectors[key] = vector
        self._debts.pop(key, None)

    @property
    def config_vector(self) -> int | None:
        """The vector of configuration changes, as last written or read; NO_VECTOR after a reset."""
        after_reset = spec.NO_VECTOR if self._state.session.reset_kind else None
        return self._state.common.values.get("config_msix_vector", after_reset)

    def _deliverable(self, vector: int | None) -> bool | None:
        """Whether a message (True) or the line (False) can reach the driver; None if neither.

        A masked message is pending until it is unmasked.
        """
        msix = self._state.config.msix
        if msix.enabled is False:
            command = self._state.config.command
            return None if command is not None and command & spec.PciCommand.INTX_DISABLE else False
        if vector is None or vector == spec.NO_VECTOR:
            return None
        if msix.entries is not None and vector >= msix.entries:
            return None
        command = self._state.config.command
        master = command is None or command & spec.PciCommand.BUS_MASTER
        return True if master else None

    def owe(self, what: str, queue: Queue | None) -> None:
        """The device owes a notification from now on."""
        if not self._state.session.live:
            return
        vector = self.config_vector if queue is None else queue.vector
        message = self._deliverable(vector)
        if message is None or (message is False and self.level):
            return
        key = CONFIG if queue is None else queue.index
        self._debts.setdefault(key, _Debt(what, queue, self._state.now, message))

    def void(self, queue: Queue) -> None:
        """What called for a notification no longer holds; it may be overdue already."""
        self.queue_over(queue)

    def advanced(self, queue: Queue, called: bool) -> None:
        """The device made buffers used; `called` unless they surely call for no notification."""
        self._advances[queue.index] = min(self._advances.get(queue.index, 0) + 1, 1 << 16)
        self._uncalled[queue.index] = self._uncalled.get(queue.index, True) and not called
        self._state.publish(facts.UsedAdvanced(queue))

    def called(self, queue: Queue) -> None:
        """The driver asks for notifications: one for earlier buffers is welcome as well."""
        if queue.index in self._uncalled:
            self._uncalled[queue.index] = False

    def owing(self) -> list[int]:
        """The queues whose notification is still owed."""
        return [key for key in self._debts if key != CONFIG]

    def _pay(self, key: int) -> None:
        debt = self._debts.pop(key, None)
        if debt is not None:
            self._state.publish(facts.Due(debt.what, debt.queue, False, "", debt.since))

    def message(self, event: ev.Msix) -> None:
        """A message left the device."""
        self.seen = True
        issued = event.t if event.t_req is None else event.t_req
        vectors: frozenset[int] | None
        if event.vector is not None:
            vectors = frozenset((event.vector,))
        else:
            vectors = self._state.config.msix.candidates(event.addr or 0, event.data or 0)
        self._judge_message(vectors, issued)
        self._state.publish(facts.MessageSent(vectors, issued))
        for queue in self._state.queues.values():
            if vectors is None or queue.vector in vectors:
                self._pay(queue.index)
        if vectors is None or self.config_vector in vectors:
            self.config_noticed = True
            self._pay(CONFIG)
        self._judge_cause(vectors)

    def mapped(self, vectors: frozenset[int], issued: int) -> bool:
        """Whether some event maps (or did when the message was issued) to one of these vectors."""
        if self.config_vector in vectors or self.config_vector is None:
            return True
        if any(queue.vector in vectors or queue.vector is None for queue in self._state.queues.values()):
            return True
        return any(issued <= self._retired.get(vector, -1) for vector in vectors)

    def _judge_message(self, vectors: frozenset[int] | None, issued: int) -> None:
        state, msix, suspects = self._state, self._state.config.msix, self._state.memory.suspects
        command = state.config.command
        if command is not None and not command & spec.PciCommand.BUS_MASTER and issued > state.command_t:
            suspects.add("message-without-master", "bus mastering is off", state.mastering)
        if vectors is None or len(vectors) != 1:
            return
        (vector,) = vectors
        if (msix.masked or msix.entry_masked(vector)) and issued > state.mask_t:
            suspects.add(
                "masked-message",
                f"vector {vector} is masked",
                lambda: not (msix.masked or msix.entry_masked(vector)),
            )

    def _judge_cause(self, vectors: frozenset[int] | None) -> None:
        if vectors is None or not self._state.session.live:
            return
        queues = [queue for queue in self._state.queues.values() if queue.vector in vectors]
        if len(queues) != 1 or self.config_vector in vectors or self.config_vector is None:
            for queue in queues:
                self._advances.pop(queue.index, None)
            return
        queue = queues[0]
        count = self._advances.get(queue.index, 0)
        if self._state.memory.seen and (not count or self._uncalled.get(queue.index, False)):
            self._state.publish(facts.Spurious(queue))
        self._advances[queue.index] = max(0, count - 1)
        self._uncalled.pop(queue.index, None)

    def line(self, event: ev.Intx) -> None:
        """INTx changed."""
        self.seen = True
        self.line_changes += 1
        if event.level and not self.level:
            self.rose_t = event.t
        self.level = event.level
        self._state.publish(facts.LineChanged(event.level))
        if event.level:
            for key in [key for key, debt in self._debts.items() if not debt.message]:
                self._pay(key)

    def isr_read(self, value: int) -> None:
        """The driver read the ISR byte."""
        self._state.publish(facts.IsrRead(value))
        if value & spec.IsrBit.CONFIG:
            self.config_noticed = True
            self._pay(CONFIG)
        if value & spec.IsrBit.QUEUE:
            for key in [key for key, debt in self._debts.items() if not debt.message]:
                self._pay(key)
            self._advances.clear()

    def queue_over(self, queue: Queue) -> None:
        """What the queue owes is not to come any more: it is overdue if it is old enough."""
        debt = self._debts.pop(queue.index, None)
        if debt is not None:
            self._fall_due(debt)

    def _masked(self, debt: _Debt) -> bool:
        msix = self._state.config.msix
        vector = self.config_vector if debt.queue is None else debt.queue.vector
        return debt.message and bool(msix.masked or (vector is not None and msix.entry_masked(vector)))

    def _fall_due(self, debt: _Debt) -> None:
        state = self._state
        observable = state.simulated or self.seen
        troubled = state.session.needs_reset and debt.queue is not None
        since = max(debt.since, state.mask_t) if debt.message else debt.since
        if not observable or troubled or self._masked(debt) or state.now - since <= state.settle:
            return
        detail = f"nothing came in the {(state.now - since) // 1000} ns since"
        state.publish(facts.Due(debt.what, debt.queue, True, detail, debt.since))

    def session_over(self, *, final: bool) -> None:
        """The session ends; `final` if the observation does."""
        if not final or self._state.orderly:
            for debt in list(self._debts.values()):
                self._fall_due(debt)
        self._debts.clear()
