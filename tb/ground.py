"""Where bugs are planted: a project with a device under test, and the copies of it that a hunt makes."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tb.errors import UsageError
from tb.manifest import load_manifest
from tb.paths import ROOT
from tb.sources import hdl_files

COPIED = ("hdl", "pymodel", "native", "tb", "waves", "tests")
OURS = ("hdl", "pymodel")


@dataclass(frozen=True, slots=True)
class Ground:
    """A device under test and its project.

    Patches name files from the project's `root` on, and may change what lies in `folders` (from there on);
    `dut` is the manifest's path from there on, None for the bundled device's. Of a stranger's project only
    `files` are copied, of this one all that a run needs.
    """

    root: Path = ROOT
    dut: str | None = None
    folders: tuple[str, ...] = OURS
    files: tuple[Path, ...] = ()

    @property
    def has_bench(self) -> bool:
        """Whether the bench is part of the project, so that bugs can be planted in it too."""
        return self.root == ROOT

    def allows(self, name: str) -> bool:
        """Whether a patch may change a file."""
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            return False
        return any(path.is_relative_to(folder) for folder in self.folders)

    def copy(self, tree: Path) -> Path:
        """Copy the project: nobody's edits during a hunt change what is hunted. Returns `tree`."""
        if self.has_bench:
            return copy_bench(self.root, tree)
        for file in self.files:
            place = tree / file.relative_to(self.root)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, place)
        return tree


def copy_bench(source: Path, tree: Path) -> Path:
    """Copy the parts of this project that a run needs; return `tree`."""
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc", "*.so", "*.patch")
    for folder in COPIED:
        if (source / folder).is_dir():
            shutil.copytree(source / folder, tree / folder, ignore=ignore)
    return tree


def ground_of(dut: Path | None) -> Ground:
    """The ground of a manifest, None for the bundled device; raises UsageError.

    The root of a stranger's project is the nearest folder above the manifest with a .git in it, without one
    the folder that holds the manifest and all its sources.
    """
    if dut is None:
        return Ground()
    manifest = load_manifest(dut)
    sources = [file.resolve() for file in hdl_files(manifest)]
    folders = sorted({file.parent for file in (manifest.path, *sources)})
    root = ROOT if manifest.path.is_relative_to(ROOT) else _root(manifest.path.parent, folders)
    for file in sources:
        if not file.is_relative_to(root):
            raise UsageError(f"{dut}: source {file} lies outside of the project's root, {root}")
    ours = OURS if root == ROOT else ()
    # What stands beside a source may be read by it: memory images, headers, classes of ports.
    beside = [path for folder in folders for path in sorted(folder.iterdir()) if path.is_file()]
    return Ground(
        root=root,
        dut=manifest.path.relative_to(root).as_posix(),
        folders=(*ours, *(folder.relative_to(root).as_posix() for folder in folders)),
        files=tuple(dict.fromkeys((*beside, *sources))),
    )


def _root(start: Path, folders: list[Path]) -> Path:
    for folder in (start, *start.parents):
        if (folder / ".git").exists():
            return folder
    return next(f for f in (start, *start.parents) if all(one.is_relative_to(f) for one in folders))
