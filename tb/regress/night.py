"""`virtio-cosim regress`: one night of a plan, begun or taken up again."""

from __future__ import annotations

import errno
import fcntl
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tb.errors import DiskFull, UsageError
from tb.paths import shown
from tb.regress.desk import Desk, Place
from tb.regress.local import LocalExecutor
from tb.regress.plan import OWN, Configuration, RegressPlan
from tb.regress.sources import sources_hash
from tb.regress.store import Key, Store
from tb.results import ERROR, FAIL, PASS, SKIP, Result
from tb.sim_test import discover

RESULTS = "results.sqlite"
SEEDS_OF_A_NIGHT = 10_000
CONFIRM_EACH, CONFIRM_ALL = 3, 60
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Executor(Protocol):
    """Where batches run."""

    def run(self, plan: RegressPlan, desk: Desk, deadline: float | None) -> bool:
        """Work until nothing is pending; False where the deadline (of time.monotonic) came first."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a night stands: runs by status (None: to be done), real seconds over all its parts.

    `flaky` runs ended differently when they were done again: an error of the bench.
    """

    number: int
    folder: Path
    counts: dict[str | None, int]
    seconds: float
    flaky: int

    @property
    def complete(self) -> bool:
        """Whether everything planned was run."""
        return not self.counts.get(None)

    @property
    def exit_status(self) -> int:
        """0 all held, 1 a failure, 3 where only the bench or a tool failed."""
        if self.counts.get(FAIL):
            return 1
        return 3 if self.counts.get(ERROR) else 0

    @property
    def done(self) -> int:
        """How many runs have a result."""
        return sum(number for status, number in self.counts.items() if status is not None)


class Regression:
    """The nights of a folder; `say` hears notes, `told` every result, `planned` how many are to come."""

    def __init__(
        self,
        plan: RegressPlan,
        out: Path,
        *,
        say: Callable[[str], None],
        told: Callable[[Result], None],
        planned: Callable[[int], None],
    ) -> None:
        self.plan = plan
        self.out = out.resolve()
        self.store = Store(self.out / RESULTS)
        self._say = say
        self._told = told
        self._planned = planned

    def execute(self, *, resume: bool, budget_s: float, workers: int, executor: Executor | None) -> Outcome:
        """Run a new night, or go on with the last one; raises UsageError and ToolError."""
        with self._alone(), full_disk_told(self.out):
            started = time.monotonic()
            sources = sources_hash(self.plan)
            number = self._last() if resume else self._begin(sources)
            folder = night_folder(self.out, number, self.plan.name)
            desk = Desk(self.plan, self.store, number, Place(folder, sources, self._told))
            executor = executor or LocalExecutor(workers, folder / ".work", self._say)
            deadline = started + budget_s if budget_s else None
            try:
                complete = self._work(number, desk, executor, deadline)
            except BaseException:
                self._spend_quietly(number, time.monotonic() - started)
                raise
            self.store.spend(number, time.monotonic() - started, time.time() if complete else None)
            if complete:
                shutil.rmtree(folder / ".work", ignore_errors=True)
            return outcome_of(self.store, number, folder)

    def _work(self, number: int, desk: Desk, executor: Executor, deadline: float | None) -> bool:
        while left := desk.load():
            self._planned(left)
            if not executor.run(self.plan, desk, deadline):
                return False
            if self.plan.confirm:
                self._confirm(number)
        return True

    def _spend_quietly(self, number: int, seconds: float) -> None:
        try:
            self.store.spend(number, seconds, None)
        except DiskFull:
            return

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the folder against a second regression in it."""
        with (self.out / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise UsageError(f"{shown(self.out)}: another regression is at work there") from None
            yield

    def _last(self) -> int:
        night = self.store.last_night(self.plan.name)
        if night is None:
            raise UsageError(f"{shown(self.out)}: there is no night of plan {self.plan.name} to resume")
        if night.text != self.plan.text:
            raise UsageError(
                f"{shown(self.plan.path)}: changed since night {night.number} began: put it back, or start"
                " a new night without --resume"
            )
        return night.number

    def _begin(self, sources: str) -> int:
        """Record a night with everything that is to run, in one transaction."""
        number = self.store.next_night()
        most = max(item.seeds for item in self.plan.configurations)
        first = self.plan.first_seed
        if first is None:
            first = (int(time.strftime("%y%m%d")) * 1000 + number % 1000) * SEEDS_OF_A_NIGHT
        seeds = range(first, first + most)
        old = self.store.failed_seeds() if self.plan.old_seeds else []
        keys = dict.fromkeys((*self._old_keys(old), *self._new_keys(seeds)))
        with self.store.transaction():
            number = self.store.begin_night(self.plan.name, self.plan.text, sources, time.time(), seeds)
            self.store.add_runs(number, keys)
        return number

    def _old_keys(self, old: Sequence[tuple[str, str, int, str]]) -> Iterator[Key]:
        """The runs that ever failed, as far as the plan still knows them."""
        known = {(item.name, test) for item in self.plan.configurations for test in item.tests}
        for configuration, test, seed, stress in old:
            if (configuration, test) in known:
                yield Key(configuration, test, seed, stress)

    def _new_keys(self, seeds: Sequence[int]) -> Iterator[Key]:
        """Every test once before any comes with its second seed."""
        drawn = {item.name: _drawn(item) for item in self.plan.configurations}
        for index, seed in enumerate(seeds):
            for item in self.plan.configurations:
                if index >= item.seeds:
                    continue
                for test in item.tests:
                    for stress in item.stress:
                        if stress == OWN or test in drawn[item.name]:
                            yield Key(item.name, test, seed, stress)

    def _confirm(self, night: int) -> None:
        """Plan a second run of what failed, a few of each signature: another verdict is the bench's error."""
        sql = (
            "SELECT configuration, test, seed, stress FROM (SELECT *, row_number() OVER"
            " (PARTITION BY signature ORDER BY id) AS nth FROM run"
            " WHERE night = ? AND attempt = 0 AND status IN ('fail', 'error')) WHERE nth <= ? LIMIT ?"
        )
        rows = self.store.rows(sql, night, CONFIRM_EACH, CONFIRM_ALL)
        with self.store.transaction():
            self.store.add_runs(night, [Key(row[0], row[1], row[2], row[3], 1) for row in rows])


def night_folder(out: Path, number: int, plan: str) -> Path:
    """Where a night's run folders and page lie."""
    return out / f"night-{number:04}-{plan}"


def outcome_of(store: Store, number: int, folder: Path) -> Outcome:
    """How a night stands, from the store."""
    return Outcome(
        number, folder, store.counts(number), store.night(number).seconds, len(store.flaky(number))
    )


def _drawn(configuration: Configuration) -> frozenset[str]:
    """The tests whose stress is drawn from the seed: the others asked for theirs with a reason."""
    wanted = {test.name for test in discover(configuration.request.folder) if test.stress == "any"}
    return frozenset(wanted & set(configuration.tests))


@contextmanager
def full_disk_told(place: Path) -> Iterator[None]:
    """Turn the error of a full disk into the line for it."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(place) from None
        raise


def summary(outcome: Outcome) -> str:
    """The line that counts."""
    counts = outcome.counts
    words = [f"{counts.get(PASS, 0)} passed", f"{counts.get(FAIL, 0)} failed"]
    words += [f"{counts[ERROR]} errors"] if counts.get(ERROR) else []
    words += [f"{counts[SKIP]} skipped"] if counts.get(SKIP) else []
    words += [f"{counts[None]} not run"] if counts.get(None) else []
    words += [f"{outcome.flaky} flaky"] if outcome.flaky else []
    rate = outcome.done / outcome.seconds if outcome.seconds else 0.0
    return f"{', '.join(words)} in {outcome.seconds:.1f} s ({rate:.1f} runs/s)"
