"""The README's table of feature bits says what RTL, driver and model really have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pymodel.device.config import DEVICE_FEATURES
from pymodel.driver.pci import MODERN_FEATURES
from pymodel.spec import Feature

ROOT = Path(__file__).parents[2]
FOLDERS = {"unit", "peers", "all", "none"}


def rows() -> dict[Feature, list[str]]:
    table = re.search(r"<!-- features -->(.*)<!-- /features -->", (ROOT / "README.md").read_text(), re.DOTALL)
    assert table is not None
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in table[1].split("\n")[3:-1]]
    return {Feature(int(row[0])): row[1:] for row in cells}


def offered_by_rtl() -> set[str]:
    core = (ROOT / "hdl" / "vio_core.sv").read_text()
    ring = re.search(r"RingFeatures =(.*?);", core, re.DOTALL)
    assert ring is not None
    return {"VERSION_1", *re.findall(r"\bFEATURE_(\w+)", ring[1])}


@pytest.mark.parametrize("feature", [f for f in Feature if f is not Feature.UNUSED_PROBE])
def test_row_is_true(feature: Feature) -> None:
    name, rtl, driver, model, tests = rows()[feature]
    assert name == feature.name
    assert rtl == ("yes" if feature.name in offered_by_rtl() else "no")
    assert (driver == "yes") == bool(MODERN_FEATURES >> feature & 1)
    assert (model == "yes") == bool(DEVICE_FEATURES >> feature & 1)
    for test in set(tests.split(", ")) - FOLDERS:
        assert (ROOT / "tests" / "sim" / f"test_{test}.py").exists()
