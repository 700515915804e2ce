"""Which test finds which planted bug: learned from hunts, and kept beside the patches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tb.errors import UsageError
from tb.mutants import KILLED, Fate, Mutant
from tb.results import write_whole

NAME = "ranking"


@dataclass(slots=True)
class Ranking:
    """For each mutant the test that killed it, and the clauses by which it did.

    As a file: a line each, "mutant test clause ...", sorted by name; lines with "#" say something.
    """

    kills: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> Ranking:
        """Read the ranking of a folder of patches, empty where it has none; raises UsageError."""
        path = folder / NAME
        kills: dict[str, tuple[str, tuple[str, ...]]] = {}
        if not path.exists():
            return cls(kills)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if len(words) < 2:
                raise UsageError(f"{path}: line {number} must be 'mutant test clause ...'")
            kills[words[0]] = (words[1], tuple(words[2:]))
        return cls(kills)

    def learn(self, fates: Sequence[Fate]) -> None:
        """Take over what killed these mutants."""
        for fate in fates:
            if fate.status == KILLED:
                self.kills[fate.name] = (fate.test, (*fate.clauses, *fate.warnings))

    def save(self, folder: Path, names: Sequence[str]) -> None:
        """Write the ranking of these mutants beside their patches."""
        rows = [
            " ".join([name, self.kills[name][0], *self.kills[name][1]])
            for name in sorted(names)
            if name in self.kills
        ]
        write_whole(folder / NAME, "\n".join(["# Written by `virtio-cosim mutants --learn`.", *rows, ""]))

    def order(self, mutant: Mutant, tests: Sequence[str]) -> list[str]:
        """The tests, soonest success first: what killed this one, what spoke its clauses, what kills most.

        A test that killed it by other clauses than those that it should die by has no precedence.
        """
        own, clauses = self.kills.get(mutant.name, ("", ()))
        if clauses and mutant.expect and not set(clauses) & set(mutant.expect):
            own = ""
        spoke = {test for test, words in self.kills.values() if set(words) & set(mutant.expect)}
        count = Counter(test for test, _ in self.kills.values())
        place = {test: index for index, test in enumerate(tests)}
        return sorted(tests, key=lambda test: (test != own, test not in spoke, -count[test], place[test]))
