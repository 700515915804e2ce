"""The verdict in a sentence, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass

from tb.results import ERROR, FAIL
from waves.conformance.evidence import Evidence
from waves.conformance.judgement import DEVICE, Judgement, Row, Standing
from waves.conformance.run_folder import RunFolder
from waves.conformance.tables import plural


@dataclass(frozen=True, slots=True)
class Headline:
    """`words` in a line, `bad` or not, and sentences that say what stands behind it."""

    words: str
    bad: bool
    sentences: tuple[str, ...]


def headline(run: RunFolder, judgement: Judgement, evidence: Evidence) -> Headline:
    """The verdict on the device."""
    violated = _binding(judgement, Standing.VIOLATED)
    failed = [test for test in run.of_status(FAIL) if not test.violations]
    held = _binding(judgement, Standing.HELD)
    driver = judgement.of(Standing.VIOLATED, side="driver")
    if violated:
        words = f"{plural(len(violated), 'binding requirement')} violated"
    elif failed:
        words = f"no requirement on the device violated, but {plural(len(failed), 'test')} failed"
    elif driver:
        words = f"no requirement on the device violated, but {len(driver)} on the driver"
    elif not held:
        words = "nothing was put to the test"
    else:
        words = "no violation found"
    sentences = [_held(judgement, held), *_rest(run, judgement), *_missing(run, evidence)]
    return Headline(words, bool(violated or failed or driver or not held), tuple(sentences))


def _binding(judgement: Judgement, standing: Standing) -> list[Row]:
    return [row for row in judgement.of(standing) if row.clause.mandatory]


def _held(judgement: Judgement, held: list[Row]) -> str:
    applicable = [
        row
        for row in judgement.rows.values()
        if row.clause.side == DEVICE
        and row.clause.mandatory
        and row.standing not in (Standing.NOT_APPLICABLE, Standing.OUT_OF_SCOPE)
    ]
    counted = [row.times for row in held if row.times is not None]
    times = f", {plural(sum(counted), 'time')} in all," if counted else ""
    gaps, blind = (len(_binding(judgement, standing)) for standing in (Standing.GAP, Standing.UNJUDGED))
    return (
        f"Of {len(applicable)} binding requirements (MUST) on this device, {len(held)} were put to the test"
        f"{times} and were never broken; {gaps} were not put to the test, and {blind} "
        f"this bench cannot judge."
    )


def _rest(run: RunFolder, judgement: Judgement) -> list[str]:
    rest = []
    driver = judgement.of(Standing.VIOLATED, side="driver")
    if driver:
        what = plural(len(driver), "requirement")
        rest.append(f"The driver broke {what} on drivers: what the device did then may be no fault of its.")
    if judgement.of(Standing.NOT_FOLLOWED):
        count = len(judgement.of(Standing.NOT_FOLLOWED))
        rest.append(f"{plural(count, 'recommendation')} (SHOULD) not followed.")
    scope = [row for row in judgement.rows.values() if row.standing == Standing.OUT_OF_SCOPE]
    waived = sum(row.first is not None for row in scope)
    if scope:
        there = f"; breaches of {waived} of them are waived" * bool(waived)
        rest.append(f"Out of scope by the manifest: {plural(len(scope), 'requirement')}{there}.")
    errors = len(run.of_status(ERROR))
    if errors:
        rest.append(f"{plural(errors, 'test')} ended in an error of the bench: they say nothing.")
    return rest


def _missing(run: RunFolder, evidence: Evidence) -> list[str]:
    told = []
    if evidence.missing:
        of = f"{evidence.missing} of {len(run.tests)} test runs left no trace"
        told.append(f"{of}: what the device showed in them is not in the tables below.")
    if evidence.broken:
        told.append(f"{plural(len(evidence.broken), 'trace')} could not be read to the end.")
    if evidence.left_out:
        told.append(f"{plural(evidence.left_out, 'trace')} were left out of the tables below: too large.")
    return told
