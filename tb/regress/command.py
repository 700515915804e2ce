"""What the command line makes of a regression: progress, the closing lines, the exit status."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tb.errors import UsageError
from tb.paths import shown
from tb.regress.closing import close_night
from tb.regress.cluster import DaskExecutor, parse_address
from tb.regress.night import Executor, Regression, full_disk_told, summary
from tb.regress.plan import load_plan, seconds
from tb.request import CORES
from tb.results import ERROR, FAIL, Result
from tb.run import Explain

DEFAULT_OUT = Path("runs") / "regress"
MOST_TOLD = 20


class Meter:
    """A progress bar with rate and estimate; failures are told above it, the first ones in full."""

    def __init__(self, console: Console) -> None:
        rate = TextColumn("{task.fields[rate]}")
        columns = (BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
        self.progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self._task = self.progress.add_task("", total=0, rate="")
        self._failures = 0

    def planned(self, number: int) -> None:
        """So many runs are to come from here on."""
        done = self.progress.tasks[0].completed
        self.progress.update(self._task, total=done + number)

    def told(self, result: Result) -> None:
        """A run ended."""
        speed = self.progress.tasks[0].speed
        self.progress.update(self._task, advance=1, rate=f"{speed:.1f}/s" if speed else "")
        if result.status not in (FAIL, ERROR):
            return
        self._failures += 1
        if self._failures <= MOST_TOLD:
            self.say(f"{result.status:5} {result.name} seed={result.seed}: {result.message}")
            self.say(f"      replay: {result.replay}")
        elif self._failures == MOST_TOLD + 1:
            self.say("more failures are in the report")

    def say(self, text: str) -> None:
        """A line above the bar."""
        self.progress.console.print(text, markup=False, highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for; `budget` None is the plan's own."""

    plan: Path
    out: Path = DEFAULT_OUT
    resume: bool = False
    budget: str | None = None
    jobs: int = CORES
    executor: str = "local"


def regress(wish: Wish, say: Callable[[str], None], explain: Explain | None = None) -> int:
    """Run a plan and return the exit status; raises UsageError and ToolError.

    `explain` writes the failure page of a run, see `tb.run.Run`.
    """
    plan = load_plan(wish.plan)
    try:
        budget_s = seconds(wish.budget) if wish.budget is not None else plan.budget_s
    except ValueError as error:
        raise UsageError(f"--budget {error}") from None
    meter = Meter(Console(stderr=False))
    regression = Regression(plan, wish.out, say=meter.say, told=meter.told, planned=meter.planned)
    executor = executor_of(wish.executor, meter.say)
    with meter.progress:
        outcome = regression.execute(
            resume=wish.resume,
            budget_s=budget_s,
            workers=wish.jobs,
            executor=executor,
        )
    with full_disk_told(regression.out):
        page = close_night(regression.store, plan, outcome.number, explain, say)
    say(f"results: {shown(outcome.folder)}")
    say(f"page: {shown(page)}")
    if not outcome.complete:
        say(f"the budget is spent: {outcome.counts[None]} runs are left for --resume")
    say(f"night {outcome.number} of {plan.name}: {summary(outcome)}")
    return outcome.exit_status


def executor_of(name: str, say: Callable[[str], None]) -> Executor | None:
    """The executor of this name, None for the local one; raises UsageError and ToolError."""
    if name == "local":
        return None
    return DaskExecutor(parse_address(name), say)
