"""What a run says it was of: device, sources, tests, bench, tools, date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tb.paths import shown
from tb.request import MODEL
from waves.conformance.run_folder import RunFolder, text
from waves.conformance.tables import plural

_MOST_LISTED = 8


def identity_lines(run: RunFolder) -> dict[str, str]:
    """Label and value, both for people; what the run does not tell is left out."""
    about = run.about
    seeds = sorted({test.seed for test in run.tests})
    lines = {
        "device": run.name,
        "run folder": shown(run.path),
        "date": text(about.get("date")),
        "tests": f"{plural(len({test.name for test in run.tests}), 'test')}, "
        f"{plural(len(run.tests), 'test run')}{_seeds(seeds)}",
    }
    for row in _rows(about.get("configurations"))[:_MOST_LISTED]:
        lines[f"configuration {text(row.get('name'))}"] = _configuration(row)
    if not _rows(about.get("configurations")):
        lines["manifest"] = _place(about.get("manifest")) or ("none: the device model" * (run.name == MODEL))
    for key in ("parameters", "defines"):
        lines[key] = ", ".join(map(text, _items(about.get(key))))
    lines["stress"] = text(about.get("stress"))
    lines["tools"] = _tools(about.get("tools"))
    bench = about.get("bench")
    if isinstance(bench, dict):
        sources = text(bench.get("sources"))
        lines["bench"] = f"virtio-cosim {text(bench.get('version'))}, sources {sources}"
    return {label: value for label, value in lines.items() if value}


def _seeds(seeds: list[int]) -> str:
    if len(seeds) < 2:
        return f" under seed {seeds[0]}" if seeds else ""
    return f" under {len(seeds)} seeds from {seeds[0]} to {seeds[-1]}"


def _place(path: Any) -> str:
    """A path as a user would type it."""
    return text(path).removeprefix(f"{Path.cwd()}/")


def _configuration(row: dict[str, Any]) -> str:
    shell = "; PCI configuration space is the bench's, from [pci] of the manifest"
    parts = (
        f"manifest {_place(row.get('manifest'))}",
        f"hash {text(row.get('manifest_hash'))}",
        f"top level {text(row.get('toplevel'))}",
        f"RTL sources' hash {text(row.get('sources'))}",
    )
    return ", ".join(parts) + (shell if row.get("config") == "shell" else "")


def _tools(tools: Any) -> str:
    if not isinstance(tools, dict):
        return ""
    pairs = [(text(name), text(version)) for name, version in tools.items()][:_MOST_LISTED]
    return ", ".join(version if version.startswith(name) else f"{name} {version}" for name, version in pairs)


def _rows(value: Any) -> list[dict[str, Any]]:
    return [row for row in _items(value) if isinstance(row, dict)]


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
