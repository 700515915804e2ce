"""The decorator that makes a coroutine a simulation test, and how tests are found.

A test imports no simulator: the same function runs on RTL and on the device model.
"""

from __future__ import annotations

import fnmatch
import importlib
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from pymodel.memory import GuestMemory
from tb.errors import UsageError
from tb.knobs import LEVELS

if TYPE_CHECKING:
    from tb.env import Env

    TestFunction = Callable[[Env], Awaitable[None]]

TARGETS = ("rtl", "model")


class Skip(Exception):
    """The device under test cannot be asked this question; the message says why."""


@dataclass(frozen=True, slots=True)
class SimTest:
    """A test and what it asks of the bench; see `sim_test` for the fields."""

    function: TestFunction
    timeout_us: int
    stress: str
    image_sectors: int
    device: str | None
    interface: str
    targets: tuple[str, ...]
    taps: bool
    wave_window: bool
    long: bool
    memory: Callable[[str], GuestMemory] | None

    @property
    def name(self) -> str:
        """Module (without "test_") and function, as results and --test know it."""
        module = self.function.__module__.rpartition(".")[2].removeprefix("test_")
        return f"{module}.{self.function.__name__}"

    @property
    def title(self) -> str:
        """First line of the docstring."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]


def sim_test(
    *,
    timeout_us: int = 1000,
    stress: str = "any",
    image_sectors: int = 256,
    device: str | None = "blk",
    interface: str = "modern",
    targets: Sequence[str] = TARGETS,
    taps: bool = False,
    wave_window: bool = False,
    long: bool = False,
    memory: Callable[[str], GuestMemory] | None = None,
) -> Callable[[TestFunction], SimTest]:
    """Make a coroutine function a test.

    `timeout_us` bounds the simulated time. `stress` is the level of `tb.knobs`.
    `image_sectors` is the medium's capacity. `device` is the device type that the test needs, None
    for any, and `interface` how it must be drivable (see `tb.manifest`): on the bundled device the test
    runs on the configuration that is. `targets` says what it runs on. With `taps` the pins are watched
    independently of the ports. With `wave_window` waves are recorded only where the test says so. A
    `long` test takes minutes: it runs only where a glob names it. `memory` makes the guest memory from
    the run's argument where the usual regions do not fit.
    """
    if stress not in LEVELS:
        raise ValueError(f"stress {stress!r} is none of {LEVELS}")

    def decorate(function: TestFunction) -> SimTest:
        return SimTest(
            function=function,
            timeout_us=timeout_us,
            stress=stress,
            image_sectors=image_sectors,
            device=device,
            interface=interface,
            targets=tuple(targets),
            taps=taps,
            wave_window=wave_window,
            long=long,
            memory=memory,
        )

    return decorate


def discover(folder: Path) -> list[SimTest]:
    """Import every test_*.py of a folder and return its tests in the order of their definition.

    Raises UsageError where a module cannot be imported.
    """
    package = _package_of(folder)
    tests: list[SimTest] = []
    for file in sorted(folder.glob("test_*.py")):
        name = f"{package}.{file.stem}" if package else file.stem
        try:
            module = _import(name, file)
        except Exception as error:
            raise UsageError(f"{file}: cannot be imported: {type(error).__name__}: {error}") from error
        tests += [item for item in vars(module).values() if isinstance(item, SimTest)]
    return tests


def _import(name: str, file: Path) -> ModuleType:
    """Import a module, also where another folder's module of that name was imported before."""
    known = sys.modules.get(name)
    if known is not None and Path(str(known.__file__)).resolve() != file.resolve():
        del sys.modules[name]
    return importlib.import_module(name)


def _package_of(folder: Path) -> str:
    """Make a folder of tests importable and return the name of its package ("" for a plain folder)."""
    parts: list[str] = []
    root = folder.resolve()
    while (root / "__init__.py").exists():
        parts.insert(0, root.name)
        root = root.parent
    if sys.path[0] != str(root):
        sys.path.insert(0, str(root))
    return ".".join(parts)


def select(tests: Sequence[SimTest], globs: Sequence[str]) -> list[SimTest]:
    """Return the tests that match any glob; raises UsageError where a glob matches none.

    Without a glob these are all but the long ones, which "*" names too.
    A glob is held against "module.test_function" and against the function's name, with and without
    its "test_".
    """
    if not globs:
        return [test for test in tests if not test.long]
    chosen: list[SimTest] = []
    for pattern in globs:
        found = [test for test in tests if _matches(test, pattern)]
        if not found:
            raise UsageError(f"--test {pattern!r} matches no test; `virtio-cosim run --list` names them")
        chosen += [test for test in found if test not in chosen]
    return chosen


def _matches(test: SimTest, pattern: str) -> bool:
    function = test.function.__name__
    names = (test.name, function, function.removeprefix("test_"))
    return any(fnmatch.fnmatchcase(name, pattern) for name in names)
