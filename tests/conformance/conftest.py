from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conformance.runs import model_run
from tests.waves.command import Command

GLOBS = ("discovery.*", "rings.*_split", "legacy.*_driver", "reset.test_status_under_load")


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return Command(capsys, monkeypatch)


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the model in which nothing is violated; nobody writes into it."""
    return model_run(tmp_path_factory.mktemp("good") / "good", *GLOBS)


@pytest.fixture(scope="session")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run with a used length off by one; nobody writes into it."""
    return model_run(tmp_path_factory.mktemp("bad") / "bad", *GLOBS, fault="used-len-off-by-one")


@pytest.fixture
def run(good: Path, tmp_path: Path) -> Path:
    """A copy of the good run."""
    return Path(shutil.copytree(good, tmp_path / "run"))
