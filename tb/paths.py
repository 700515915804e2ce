"""Where things lie in the project's tree."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUNDLED_MANIFEST = ROOT / "hdl" / "dut.toml"
ENTROPY_MANIFEST = ROOT / "hdl" / "rng.toml"
SEEDLING_MANIFEST = ROOT / "tests" / "duts" / "seedling" / "dut.toml"
SIM_TESTS = ROOT / "tests" / "sim"
MUTANTS = ROOT / "tests" / "mutants"


def bundled_manifest(interface: str) -> Path:
    """The manifest of the bundled device's configuration for an interface of `tb.manifest`."""
    if interface == "modern":
        return BUNDLED_MANIFEST
    return BUNDLED_MANIFEST.with_name(f"dut_{interface}.toml")


def bundled_manifests() -> list[Path]:
    """The manifests of all configurations of the bundled devices."""
    return sorted(BUNDLED_MANIFEST.parent.glob("*.toml"))


def build_root() -> Path:
    """The cache of built simulators; `VIRTIO_COSIM_BUILD` moves it."""
    return Path(os.environ.get("VIRTIO_COSIM_BUILD", ROOT / "build"))


def shown(path: Path) -> str:
    """The path as a user would type it: relative to the current folder where it lies below it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
