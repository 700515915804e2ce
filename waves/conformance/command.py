"""`virtio-cosim report` on a run folder: the conformance report, compared with another run or not."""

from __future__ import annotations

from pathlib import Path

from tb.errors import UsageError
from tb.results import write_whole
from waves.conformance.document import Subject, read, render
from waves.conformance.headline import Headline, headline

HTML, MARKDOWN = FORMATS = ("html", "markdown")
_FILES = {HTML: "report.html", MARKDOWN: "report.md"}
_TEMPLATES = {HTML: "conformance.html", MARKDOWN: "conformance.md"}


def write_report(run: Path, against: Path | None, form: str, out: Path | None) -> tuple[Path, Headline]:
    """Write the report of a run and return its path and verdict; raises UsageError.

    It goes into the run folder unless `out` says otherwise, whole or not at all.
    """
    path = run / _FILES[form] if out is None else out
    ours = read(run)
    theirs = None if against is None else read(against)
    if path.exists() and not path.is_file():
        raise UsageError(f"{path}: is there and is no file: choose another --out")
    _write(path, render(_TEMPLATES[form], path.parent, ours, theirs))
    return path, _verdict(ours)


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None


def _verdict(subject: Subject) -> Headline:
    return headline(subject.run, subject.judgement, subject.evidence)
