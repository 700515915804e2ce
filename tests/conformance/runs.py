"""Real run folders: of the device model as it is, or with a bug planted in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tb.request import RunRequest
from tb.run import Run
from tests.waves.faults import FAULTS
from waves.failure import write_failure

Edit = Callable[[dict[str, Any]], object]


def model_run(folder: Path, *globs: str, fault: str = "", seeds: int = 1) -> Path:
    """Run tests on the device model."""
    request = RunRequest(dut="model", tests=globs, seeds=seeds, out=folder)
    with pytest.MonkeyPatch.context() as patch:
        if fault:
            FAULTS[fault].plant(patch)
        Run(request, lambda text: None, lambda result: None, write_failure).execute()
    return folder


def edit(run: Path, change: Edit) -> None:
    """Change results.json of a run folder."""
    path = run / "results.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def section(text: str, title: str) -> str:
    """A chapter of a report in Markdown, by its heading."""
    _, _, rest = text.partition(f"\n## {title}")
    assert rest, f"there is no chapter {title!r}"
    return rest.partition("\n## ")[0]


def rows(text: str) -> dict[str, list[str]]:
    """The rows of all Markdown tables in a text, by their first cell."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    return {row[0]: row[1:] for row in cells}
