"""Planted bugs: what a patch says of itself, what became of it, and how that is told."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tb.errors import UsageError
from tb.ground import Ground, ground_of
from tb.paths import ROOT
from tb.request import MODEL

KILLED, SURVIVED, ERROR = STATUSES = ("killed", "survived", "error")
_ON_MODEL = "pymodel/device/"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A planted bug: the patch's stem, what its first line says, the clauses expected to catch it.

    `files` are what it changes, as paths from the project's root, `ground` is where it is hunted.
    """

    name: str
    title: str
    expect: tuple[str, ...]
    files: tuple[str, ...]
    patch: Path
    ground: Ground = field(default_factory=Ground)

    @property
    def dut(self) -> str | None:
        """What the suite runs on where that is not the bundled RTL: the device model, if that is changed."""
        ours = self.ground.has_bench and any(file.startswith(_ON_MODEL) for file in self.files)
        return MODEL if ours else self.ground.dut


@dataclass(slots=True)
class Fate:
    """What became of a mutant.

    `test` is the one that found it, `clauses` what it violated there, `warnings` the breaches of SHOULD
    clauses; `cycles` of the device's clock went by until the first of them, or until the test failed.
    """

    name: str
    status: str
    clauses: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    test: str = ""
    cycles: int = 0
    seconds: float = 0.0
    message: str = ""
    applies: bool = True


def load_mutants(folder: Path, dut: Path | None = None) -> list[Mutant]:
    """Read the patches of a folder; raises UsageError about what is no mutant.

    They are hunted on the manifest `dut`, else on what their "# dut:" line says, else on the bundled device.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder of patches")
    grounds: dict[Path | None, Ground] = {}
    mutants = [_load(path, dut, grounds) for path in sorted(folder.glob("*.patch"))]
    if not mutants:
        raise UsageError(f"{folder}: holds no *.patch")
    return mutants


def _load(path: Path, dut: Path | None, grounds: dict[Path | None, Ground]) -> Mutant:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    title = re.match(r"# (BUG-\w+: .*)", text)
    if title is None:
        raise UsageError(f"{path}: line 1 must be '# BUG-nnn: title'")
    expect = re.search(r"^# expect: (.*)$", text, re.MULTILINE)
    clauses = tuple(re.findall(r"[A-Z0-9]+(?:-[A-Z0-9]+)+", expect[1])) if expect else ()
    files = re.findall(r"^(?:\+\+\+|---) (?:[ab]/)?(\S+)", text, re.MULTILINE)
    changed = tuple(sorted(set(files) - {"/dev/null"}))
    on = re.search(r"^# dut: (\S+)$", text, re.MULTILINE)
    manifest = dut or (ROOT / on[1] if on else None)
    if manifest not in grounds:
        grounds[manifest] = ground_of(manifest)
    ground = grounds[manifest]
    for name in changed:
        if not ground.allows(name):
            folders = " and ".join(f"{folder}/" for folder in ground.folders)
            raise UsageError(f"{path}: changes {name}: a mutant may change only {folders} of {ground.root}")
    return Mutant(path.stem, title[1], clauses, changed, path.resolve(), ground)


def choose(mutants: Sequence[Mutant], names: Sequence[str], folder: Path) -> list[Mutant]:
    """The mutants whose names contain one of these words, all without a word; raises UsageError."""
    for name in names:
        if not any(name in mutant.name for mutant in mutants):
            raise UsageError(f"{folder}: no patch has {name!r} in its name")
    return [mutant for mutant in mutants if not names or any(name in mutant.name for name in names)]


def exit_status(fates: Sequence[Fate]) -> int:
    """0 all killed, 2 one does not apply, 3 the bench failed on one, 1 one survived."""
    if any(not fate.applies for fate in fates):
        return 2
    if any(fate.status == ERROR for fate in fates):
        return 3
    return 1 if any(fate.status == SURVIVED for fate in fates) else 0


def as_expected(mutant: Mutant, fate: Fate) -> bool:
    """Whether a clause that the patch names caught it."""
    return bool({*fate.clauses, *fate.warnings} & set(mutant.expect))


def one_line(mutant: Mutant, fate: Fate) -> str:
    """A fate as it is told when it comes."""
    by = fate.message
    if fate.test:
        found = ", ".join([*fate.clauses, *(f"{clause} (SHOULD)" for clause in fate.warnings)])
        unlike = "" if not mutant.expect or as_expected(mutant, fate) else ", not as expected"
        by = f"{found or 'no clause'}{unlike} in {fate.test} after {fate.cycles} cycles"
    return f"{fate.status:9} {fate.name:50} {by}  ({fate.seconds:.1f} s)"


def summary(mutants: Sequence[Mutant], fates: Sequence[Fate]) -> str:
    """The last line of a hunt."""
    counts = [f"{sum(fate.status == word for fate in fates)} {word}" for word in STATUSES]
    by_clause = sum(fate.status == KILLED and bool(fate.clauses) for fate in fates)
    expected = sum(
        fate.status == KILLED and as_expected(mutant, fate)
        for mutant, fate in zip(mutants, fates, strict=True)
    )
    return f"{', '.join(counts)}; {by_clause} by a violation, {expected} by an expected clause"


def to_json(fates: Sequence[Fate]) -> str:
    """What `mutants --format json` prints."""
    rows = [{key: value for key, value in asdict(fate).items() if key != "applies"} for fate in fates]
    return json.dumps({"mutants": rows}, indent=1)


def to_markdown(mutants: Sequence[Mutant], fates: Sequence[Fate]) -> str:
    """A table of bugs, where they are planted, and what killed them."""
    rows = [
        "| bug | planted in | killed by | in test | cycles |",
        "|---|---|---|---|---|",
        *(_row(mutant, fate) for mutant, fate in zip(mutants, fates, strict=True)),
    ]
    return "\n".join(rows)


def _row(mutant: Mutant, fate: Fate) -> str:
    places = ", ".join(f"`{Path(file).name}`" for file in mutant.files)
    found = ", ".join([*fate.clauses, *(f"{clause} (SHOULD)" for clause in fate.warnings)])
    by = found or ("no clause: the test fails" if fate.status == KILLED else fate.status)
    test = f"`{fate.test}`" if fate.test else ""
    return f"| {mutant.title} | {places} | {by} | {test} | {fate.cycles or ''} |"
