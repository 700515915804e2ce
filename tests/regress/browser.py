"""A headless Chromium that loads a page and tells what became of it."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr")


def find_browser() -> str | None:
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


@dataclass(frozen=True)
class Loaded:
    """The document after its scripts ran, and what the console said."""

    dom: str
    console: list[str]


def load(page: Path, *flags: str) -> Loaded:
    """Load a file; with `flags` e.g. a screenshot is made on the way."""
    program = find_browser()
    assert program is not None
    with tempfile.TemporaryDirectory() as profile:
        command = [program, *FLAGS, f"--user-data-dir={profile}", "--virtual-time-budget=4000", *flags]
        done = subprocess.run(
            [*command, "--dump-dom", page.resolve().as_uri()],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    return Loaded(done.stdout, re.findall(r":CONSOLE.*", done.stderr))
