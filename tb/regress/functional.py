"""Functional coverage: feature x ring format x queue size under which stress, by cocotb-coverage."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cocotb_coverage.coverage import CoverCross, CoverPoint, coverage_db

from pymodel.driver.pci import VirtioPci
from pymodel.spec import Feature
from tb.knobs import LEVELS
from tb.sessions import RINGS, size_bins

FEATURES = [str(feature.name) for feature in Feature if VirtioPci.known_features >> feature & 1]
LARGEST = size_bins()[:-1]
COUNTED = 50
"""Hits of a point beyond these are not counted one by one."""
_IMPOSSIBLE = [("RING_PACKED", "split", None)]


def _sampler(root: str) -> Any:
    """A function to call with (stress, feature, ring, size); `root` names its coverage in the database."""
    axes = {"stress": list(LEVELS), "feature": FEATURES, "ring": list(RINGS), "size": LARGEST}

    def sample(stress: str, feature: str, ring: str, size: str) -> None:
        """All is done by the decorators."""

    points = [CoverPoint(f"{root}.{name}", vname=name, bins=bins) for name, bins in axes.items()]
    crossed = [f"{root}.{axis}" for axis in ("feature", "ring", "size")]
    crosses = [
        CoverCross(f"{root}.feature_x_ring_x_size", items=crossed, ign_bins=_IMPOSSIBLE),
        CoverCross(f"{root}.ring_x_stress", items=[f"{root}.ring", f"{root}.stress"]),
    ]
    sampled: Any = sample
    for item in (*crosses, *points):
        sampled = item(sampled)
    return sampled


def functional_coverage(
    root: str, points: Iterable[tuple[str, int]], xml: Path
) -> tuple[float, list[list[str]]]:
    """Return per cent covered and a table of the bins that are not; write the whole as XML.

    `points` are samples as the store keeps them, with their hits.
    """
    for name in [name for name in coverage_db if name == root or name.startswith(f"{root}.")]:
        del coverage_db[name]
    coverage_db.pop("top", None)
    sample = _sampler(root)
    for point, hits in points:
        words = json.loads(point)
        for _ in range(min(hits, COUNTED)):
            sample(*words)
    whole = coverage_db[root]
    xml.parent.mkdir(parents=True, exist_ok=True)
    coverage_db.export_to_xml(str(xml))
    return 100.0 * whole.coverage / whole.size, _missing(root)


def _missing(root: str) -> list[list[str]]:
    rows = []
    for name in ("feature_x_ring_x_size", "ring_x_stress"):
        bins = coverage_db[f"{root}.{name}"].detailed_coverage
        rows += [[name, *bin_] for bin_, hits in bins.items() if not hits]
    return rows
