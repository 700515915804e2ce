import ast
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = {"pymodel", "native", "tb", "waves", "tests"}
MAY_IMPORT = {
    "pymodel": {"pymodel"},
    "native": {"native", "pymodel"},
    "tb": {"tb", "native", "pymodel"},
    "waves": {"waves", "tb", "pymodel"},
}
# Where a command is put together: the failure page is handed to the run there.
ROOTS = {"tb/cli.py", "tb/mainjob/__main__.py"}
PARTS = ("pymodel.driver", "pymodel.checker", "pymodel.device", "tb.taps")


def modules(package: str) -> list[Path]:
    single = ROOT / f"{package}.py"
    return [single] if single.exists() else sorted((ROOT / package).rglob("*.py"))


@cache
def imports(path: Path) -> set[str]:
    """The dotted names of all modules that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides its direction"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module or ""}
    return names


def inside(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_packages_import_only_what_lies_below_them(package: str) -> None:
    for path in modules(package):
        ours = {name.split(".")[0] for name in imports(path)} & OURS
        name = str(path.relative_to(ROOT))
        allowed = MAY_IMPORT[package] | ({"waves"} if name in ROOTS else set())
        assert ours <= allowed, f"{name} imports {sorted(ours)}"


def test_pymodel_needs_nothing_but_the_standard_library() -> None:
    allowed = sys.stdlib_module_names | {"pymodel"}
    for path in modules("pymodel"):
        foreign = {name.split(".")[0] for name in imports(path)} - allowed
        assert not foreign, f"{path.relative_to(ROOT)} imports {sorted(foreign)}"


@pytest.mark.parametrize("part", PARTS)
def test_driver_device_checker_and_taps_never_know_each_other(part: str) -> None:
    others = [other for other in PARTS if other != part]
    files = modules(part.replace(".", "/"))
    assert files
    for path in files:
        met = {name for name in imports(path) for other in others if inside(name, other)}
        assert not met, f"{path.relative_to(ROOT)} imports {sorted(met)}"


def test_the_checker_knows_no_rings_of_the_driver() -> None:
    for path in modules("pymodel/checker"):
        assert not {name for name in imports(path) if inside(name, "pymodel.ring")}, path


def test_the_import_rules_see_real_files() -> None:
    assert "pymodel.driver.errors" in imports(ROOT / "pymodel/driver/pci.py")
    assert len(modules("pymodel")) > 20
