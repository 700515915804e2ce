"""Line and toggle coverage of the RTL, as Verilator counts it, merged over processes, runs and nights."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tb.manifest import Manifest
from tb.results import write_whole

ARGUMENTS = ("--coverage-line", "--coverage-toggle")
HEADER = "# SystemC::Coverage-3\n"
_POINT = re.compile(r"C '(.*)' (\d+)$")
_KINDS = {"v_line": "line", "v_branch": "line", "v_toggle": "toggle"}


@dataclass(frozen=True, slots=True)
class Share:
    """How many points of a kind ("line" or "toggle") of a file were hit."""

    file: str
    kind: str
    hit: int
    points: int


def read_points(files: Iterable[Path]) -> Counter[str]:
    """Hits by point over all files; lines that are no points are left out."""
    points: Counter[str] = Counter()
    for file in files:
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            match = _POINT.match(line)
            if match:
                points[match[1]] += int(match[2])
    return points


def merge(files: Iterable[Path], into: Path) -> Counter[str]:
    """Add files to the merged one, in the format that verilator_coverage reads, and return its points."""
    points = read_points([*files, *([into] if into.exists() else [])])
    into.parent.mkdir(parents=True, exist_ok=True)
    write_whole(into, HEADER + "".join(f"C '{key}' {hits}\n" for key, hits in sorted(points.items())))
    return points


def gather(files: Iterable[Path], into: Path) -> Counter[str]:
    """Add files to the merged one beside them and remove them: they are large."""
    parts = [file for file in files if file != into]
    points = merge(parts, into)
    for file in parts:
        file.unlink()
    return points


def shares(points: Counter[str], manifest: Manifest) -> list[Share]:
    """Shares by source of the DUT and kind; the bench's own modules do not count."""
    ours = {str(path): path.name for path in manifest.hdl.sources}
    hit: Counter[tuple[str, str]] = Counter()
    all_of: Counter[tuple[str, str]] = Counter()
    for key, hits in points.items():
        fields = dict(part.split("\2", 1) for part in key.split("\1") if "\2" in part)
        kind = _KINDS.get(fields.get("page", "").partition("/")[0])
        name = ours.get(fields.get("f", ""))
        if kind and name:
            all_of[name, kind] += 1
            hit[name, kind] += bool(hits)
    return [Share(name, kind, hit[name, kind], count) for (name, kind), count in sorted(all_of.items())]


def percent(found: Iterable[Share], kind: str) -> float | None:
    """Per cent of the points of a kind that were hit; None where there are none."""
    wanted = [share for share in found if share.kind == kind]
    points = sum(share.points for share in wanted)
    return 100.0 * sum(share.hit for share in wanted) / points if points else None
