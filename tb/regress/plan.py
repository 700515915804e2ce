"""A regression plan: PLAN.toml as frozen, validated objects.

Every mistake is a UsageError of one line: file, table, key, what is wrong and how to mend it.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from tb.errors import UsageError
from tb.knobs import LEVELS
from tb.manifest import Manifest
from tb.paths import SIM_TESTS
from tb.regress.rtl_coverage import ARGUMENTS
from tb.request import MODEL, PATHS, RunRequest, fitting, manifest_of
from tb.sim_test import discover, select
from tb.toml_table import Table

OWN = "own"
_UNITS = {"s": 1, "m": 60, "h": 3600}
MOST_SEEDS = 10_000


@dataclass(frozen=True, slots=True)
class Configuration:
    """One device under test: its request (without test and seed), tests by name, and how often.

    `stress` are levels of `tb.knobs`, "own" for what each test asks for; other levels go to tests that
    ask for "any" only. `seeds` is the number of seeds, `coverage` whether RTL coverage is recorded.
    """

    name: str
    request: RunRequest
    tests: tuple[str, ...]
    stress: tuple[str, ...]
    seeds: int
    coverage: bool

    def manifest(self, interface: str = "") -> Manifest | None:
        """The device's manifest, see `tb.request.manifest_of`, with coverage where it is recorded."""
        manifest = manifest_of(self.request, interface)
        if manifest is None or not self.coverage:
            return manifest
        arguments = (*manifest.hdl.verilator_args, *ARGUMENTS)
        return replace(manifest, hdl=replace(manifest.hdl, verilator_args=arguments))


@dataclass(frozen=True, slots=True)
class RegressPlan:
    """A plan: `budget_s` (0: none) and `timeout_s` (a test, 0: the usual limits) are real seconds.

    Seeds begin at `first_seed`, or are fresh each night where it is None. With `old_seeds` every seed
    that ever failed is run as well. With `confirm` a failed run is done a second time.
    """

    path: Path
    text: str
    name: str
    budget_s: float
    timeout_s: float
    first_seed: int | None
    old_seeds: bool
    confirm: bool
    configurations: tuple[Configuration, ...]

    def configuration(self, name: str) -> Configuration:
        """The configuration of this name; raises KeyError."""
        return {item.name: item for item in self.configurations}[name]


def seconds(text: str) -> float:
    """Seconds of "90s", "5m", "8h" or "1.5h"; raises ValueError for anything else, also for zero."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text.strip())
    value = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if value <= 0:
        raise ValueError(f"is {text!r}: give a time such as 90s, 5m or 8h")
    return value


def load_plan(path: Path) -> RegressPlan:
    """Read and validate a plan, its manifests and its tests; raises UsageError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such plan") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    return parse_plan(path, text)


def parse_plan(path: Path, text: str) -> RegressPlan:
    """Validate the text of a plan whose paths are relative to `path`'s folder; raises UsageError."""
    try:
        root = Table(path, "", tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: is not valid TOML: {error}") from None
    head = root.table("plan")
    seeds = _count(head, "seeds", 1)
    configurations = tuple(_configuration(table, seeds) for table in root.tables("configuration"))
    plan = RegressPlan(
        path=path.resolve(),
        text=text,
        name=_name(head),
        budget_s=_time(head, "budget"),
        timeout_s=_time(head, "timeout"),
        first_seed=_count(head, "first_seed", 0, least=0) if head.has("first_seed") else None,
        old_seeds=head.get("old_seeds", bool, True),
        confirm=head.get("confirm", bool, True),
        configurations=configurations,
    )
    head.finish()
    root.finish()
    if not configurations:
        raise root.fail("configuration", "is missing: describe at least one as [[configuration]]")
    names = [item.name for item in configurations]
    for name in names:
        if names.count(name) > 1:
            raise root.fail("configuration", f"two of them have the name {name!r}")
    return plan


def _name(table: Table) -> str:
    name = table.get("name", str)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name):
        raise table.fail("name", f"is {name!r}: give letters, digits, dots and dashes")
    return name


def _count(table: Table, key: str, default: int, *, least: int = 1) -> int:
    value = table.get(key, int, default)
    most = MOST_SEEDS if key == "seeds" else 2**53
    if not least <= value <= most:
        raise table.fail(key, f"is {value}: give {least} to {most}")
    return value


def _time(table: Table, key: str) -> float:
    text = table.optional(key, str)
    try:
        return seconds(text) if text is not None else 0.0
    except ValueError as error:
        raise table.fail(key, str(error)) from None


def _pairs(table: Table, key: str) -> tuple[str, ...]:
    pairs = []
    for name, value in table.mapping(key).items():
        if isinstance(value, bool) or not isinstance(value, str | int) or not name.isidentifier():
            raise table.fail(key, f"{name} = {value!r}: give a name and an integer or string")
        pairs.append(f"{name}={value}")
    return tuple(pairs)


def _configuration(table: Table, seeds: int) -> Configuration:
    base = table.file.resolve().parent
    dut = table.get("dut", str)
    folder = table.optional("folder", str)
    request = RunRequest(
        dut=dut if dut == MODEL else str((base / dut).resolve()),
        folder=(base / folder).resolve() if folder else SIM_TESTS,
        path=table.choice("path", PATHS, "auto"),
        parameters=_pairs(table, "parameters"),
        defines=_pairs(table, "defines"),
    )
    stress = tuple(table.strings("stress")) or (OWN,)
    for level in stress:
        if level not in (OWN, *LEVELS):
            raise table.fail("stress", f"holds {level!r}: use {', '.join((OWN, *LEVELS))}")
    name, globs = _name(table), table.strings("tests")
    count, coverage = _count(table, "seeds", seeds), table.get("coverage", bool, False)
    table.finish()
    try:
        tests = fitting(select(discover(request.folder), globs), manifest_of(request))
    except UsageError as error:
        raise table.fail("tests" if "test" in str(error) else "dut", str(error)) from None
    if coverage and dut == MODEL:
        raise table.fail("coverage", "the device model has no RTL to cover")
    return Configuration(name, request, tuple(test.name for test in tests), stress, count, coverage)
