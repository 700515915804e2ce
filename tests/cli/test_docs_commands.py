"""The walk-throughs in docs/ hold: their shell blocks run in order, and print what the text says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OWN_DUT = (ROOT / "docs" / "your-own-dut.md").read_text()
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
BLOCKS = [(match[1], match[2]) for match in FENCE.finditer(OWN_DUT)]
SHELL = [index for index, (language, _) in enumerate(BLOCKS) if language == "sh"]
VALUES = next(text for language, text in BLOCKS if language == "toml").splitlines()
REFUSED = next(index for index in SHELL if "# exit 2" in BLOCKS[index][1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stranger's folder: nothing but the sources of a device."""
    folder = tmp_path_factory.mktemp("stranger")
    (folder / "rtl").mkdir()
    for source in (ROOT / "tests" / "duts" / "seedling").glob("*.sv"):
        shutil.copy(source, folder / "rtl")
    return folder


def script_of(block: str) -> str:
    """The block as a shell script that stops where a command ends otherwise than its comment says."""
    marked = re.sub(
        r"^(.*\S)\s+# exit (\d)$", r"code=0; \1 || code=$?; test $code = \2", block, flags=re.MULTILINE
    )
    return f"set -e\n{marked}"


def fill_in(manifest: Path) -> None:
    """Do what the text asks for: put its values where the manifest is open, in their order."""
    values = iter(VALUES)
    lines = [next(values) if '"?"' in line else line for line in manifest.read_text().splitlines()]
    manifest.write_text("\n".join(lines) + "\n")
    assert next(values, None) is None


def test_every_document_is_walked_through() -> None:
    assert {path.name for path in (ROOT / "docs").glob("*.md")} == {"your-own-dut.md"}


@pytest.mark.parametrize("index", SHELL)
def test_block_of_your_own_dut(folder: Path, index: int) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script_of(BLOCKS[index][1])],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    language, printed = BLOCKS[index + 1] if index + 1 < len(BLOCKS) else ("none", "")
    for line in printed.splitlines() if language == "" else ():
        assert line == "..." or line in (done.stdout + done.stderr).splitlines(), line
    if index == REFUSED:
        fill_in(folder / "dut.toml")
