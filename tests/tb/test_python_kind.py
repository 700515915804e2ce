"""Ports of kind "python": the example in use, what is wrong with a class, and who never imports it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tb.paths import ROOT

BYPASS = ROOT / "tests" / "duts" / "bypass"
QUICK = "entropy.test_readable*"


class Variant:
    """The descriptor-bypass DUT in a folder of its own, with a module of the test's making."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.module = folder / "bypass.py"
        self.manifest = folder / "dut.toml"
        self.module.write_text((BYPASS / "bypass.py").read_text())
        text = (BYPASS / "dut.toml").read_text()
        text = text.replace("../seedling", str(BYPASS.parent / "seedling"))
        self.manifest.write_text(text.replace('"bypass_top.sv"', f'"{BYPASS / "bypass_top.sv"}"'))

    def change(self, file: Path, old: str, new: str) -> None:
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tb.cli", *words],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, test: str = QUICK) -> subprocess.CompletedProcess[str]:
        return self.command("run", "--dut", str(self.manifest), "--test", test, "--out", "out")

    def row(self) -> dict[str, str]:
        rows = json.loads((self.folder / "out" / "results.json").read_text())["tests"]
        assert len(rows) == 1
        row: dict[str, str] = rows[0]
        return row


@pytest.fixture
def variant(tmp_path: Path) -> Variant:
    return Variant(tmp_path)


def test_example_carries_a_device_and_is_short(variant: Variant) -> None:
    example = (BYPASS / "bypass.py").read_text()
    assert len(example.splitlines()) < 40
    assert example in (ROOT / "README.md").read_text()
    done = variant.run("entropy.test_*")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].endswith(" passed, 0 failed")
    assert done.stdout.count(" pass ") >= 3


MISTAKES = {
    "no module": ('"bypass:Engine"', '"bypas:Engine"', "", "", "there is no file"),
    "no class": ('"bypass:Engine"', '"bypass:Engin"', "", "", "has no class 'Engin'"),
    "no form": ('"bypass:Engine"', '"bypass.py"', "", "", 'give "module:Class"'),
    "path": ('"bypass:Engine"', '"../bypass:Engine"', "", "", 'give "module:Class"'),
    "wrong base": ("", "", "(CustomDma)", "", "derive Engine from tb.ports.custom.CustomDma"),
    "import": ("", "", "from tb.ports.custom", "from costum", "No module named 'costum' (bypass.py:"),
    "constructor": ("", "", "    async", "    __init__ = None\n    async", "its constructor raised"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_one_line_and_exit_2(variant: Variant, mistake: str) -> None:
    old, new, before, after, said = MISTAKES[mistake]
    variant.change(variant.manifest, old, new)
    variant.change(variant.module, before, after)
    done = variant.run()
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr
    assert f"{variant.manifest}: [ports.dma] class" in done.stderr
    assert len(done.stderr.splitlines()) == 1


BREAKS = {
    "run": ("self.busy = True", "self.buzy += 1", "AttributeError: 'Engine' object has no attribute 'buzy'"),
    "pin": ('"write", "addr"', '"write", "adr"', "leads to no port 'dma_cmd_adr'"),
    "reset": ("    async", "    def restart(self):\n        1 / 0\n    async", "ZeroDivisionError"),
}


@pytest.mark.parametrize("where", BREAKS)
def test_exception_in_a_run_is_an_error_with_its_log_and_exit_3(variant: Variant, where: str) -> None:
    old, new, said = BREAKS[where]
    variant.change(variant.module, old, new)
    done = variant.run()
    assert done.returncode == 3, done.stdout + done.stderr
    row = variant.row()
    assert row["status"] == "error"
    where = f"{variant.manifest}: [ports.dma] class 'bypass:Engine' broke in the run: "
    assert row["message"].startswith(where)
    assert said in row["message"]
    assert "(bypass.py:" in row["message"]
    log = Path(row["message"].rpartition("(see ")[2].rstrip(")"))
    assert "Traceback" in log.read_text()
    assert not row["violations"]


def test_only_a_run_imports_the_class(variant: Variant) -> None:
    assert variant.run().returncode == 0
    variant.module.write_text("raise SystemExit('imported')\n")
    for words in (("check", next((variant.folder / "out").glob("*/trace.vtrace"))), ("report", "out")):
        done = variant.command(*map(str, words))
        # The test breaks a clause of the driver's on purpose: `check` says so.
        assert done.returncode in (0, 1), done.stdout + done.stderr
        assert "imported" not in done.stdout + done.stderr
    done = variant.run()
    assert done.returncode == 2, done.stdout
    assert "imported" in done.stderr


def test_nonsense_from_a_host_access_is_the_class_s_fault(variant: Variant) -> None:
    variant.change(variant.manifest, 'kind = "reqcpl"', 'kind = "python"\nclass = "bypass:Bar"')
    with variant.module.open("a") as module:
        module.write("from tb.ports.custom import CustomBar\n\nclass Bar(CustomBar):\n")
        module.write("    async def write(self, *_):\n        pass\n")
        module.write("    async def read(self, addr, length):\n        return -1\n")
    done = variant.run()
    assert done.returncode == 3, done.stdout + done.stderr
    assert "[ports.bar] class 'bypass:Bar' broke in the run" in variant.row()["message"]
    assert "ValueError: read() returned -1 for" in variant.row()["message"]
