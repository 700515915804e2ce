"""The sources of a new DUT: file lists opened, packages before their users, and as a manifest says it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tb.errors import UsageError
from tb.manifest import VERILOG_SUFFIXES

FILE_LIST_SUFFIXES = (".f", ".flist", ".vc")
_PACKAGE = re.compile(r"^\s*package\s+(?:automatic\s+|static\s+)?(\w+)\s*;", re.MULTILINE)
_USE = re.compile(r"\b(\w+)\s*::")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_DEEPEST = 8


@dataclass(slots=True)
class Sources:
    """Verilog files in the order of compilation, folders of included files, macros.

    `file_list` is where they come from if that is one list of nothing but files, relative to `base`.
    """

    files: list[Path] = field(default_factory=list)
    include_dirs: list[Path] = field(default_factory=list)
    defines: dict[str, str] = field(default_factory=dict)
    file_list: Path | None = None
    base: Path = Path()

    def words(self) -> list[str]:
        """Verilator's arguments for them."""
        return [
            *(f"-D{name}={value}" for name, value in self.defines.items()),
            *(f"-I{folder}" for folder in self.include_dirs),
            *map(str, self.files),
        ]


def gather(names: Iterable[Path], include_dirs: Iterable[Path], defines: dict[str, str]) -> Sources:
    """Take files and file lists; raises UsageError for one that is missing or is neither.

    Files named one by one are put in order, packages first; a list's order is its own.
    """
    sources, named = Sources(defines=dict(defines)), list(names)
    lists = [name for name in named if name.suffix in FILE_LIST_SUFFIXES]
    for folder in include_dirs:
        if not folder.is_dir():
            raise UsageError(f"-I {folder}: there is no such folder")
        sources.include_dirs.append(folder.resolve())
    for name in named:
        if name in lists:
            _take_list(sources, name, 0)
        else:
            _take_file(sources, name, "")
    if not sources.files:
        raise UsageError("name the DUT's sources: files ending in .sv or .v, or a file list ending in .f")
    if not lists:
        sources.files = packages_first(sources.files)
    if len(named) != 1:
        sources.file_list = None
    return sources


def _take_file(sources: Sources, path: Path, where: str) -> None:
    if not path.is_file():
        raise UsageError(f"{where}{path}: there is no such file")
    if path.suffix not in VERILOG_SUFFIXES:
        raise UsageError(
            f"{where}{path}: is neither Verilog ({', '.join(VERILOG_SUFFIXES)}) nor a file list (.f)"
        )
    if path.resolve() not in sources.files:
        sources.files.append(path.resolve())


def _take_list(sources: Sources, path: Path, depth: int) -> None:
    """A file list: files, -f LIST, +incdir+DIR, -IDIR, +define+X=1, -DX=1; anything else is refused."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    if depth > _DEEPEST:
        raise UsageError(f"{path}: file lists name each other in a circle")
    words = list(_words(text))
    base = _base(path, [word for word in words if Path(word).suffix in VERILOG_SUFFIXES])
    if depth == 0 and not any(word.startswith(("-", "+")) for word in words):
        sources.file_list, sources.base = path.resolve(), base
    while words:
        word = words.pop(0)
        if word in ("-f", "-F") and words:
            _take_list(sources, base / words.pop(0), depth + 1)
        elif word.startswith(("+incdir+", "-I")):
            folders = word.removeprefix("-I").removeprefix("+incdir+").split("+")
            sources.include_dirs += [(base / folder).resolve() for folder in folders if folder]
        elif word.startswith(("+define+", "-D")):
            for pair in word.removeprefix("-D").removeprefix("+define+").split("+"):
                name, _, value = pair.partition("=")
                sources.defines.setdefault(name, value)
        elif word.startswith(("-", "+")):
            raise UsageError(
                f"{path}: {word}: is not known in a file list; known are files, -f, +incdir+, +define+"
            )
        else:
            _take_file(sources, base / word, f"{path}: ")


def _words(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield from line.partition("//")[0].partition("#")[0].split()


def _base(path: Path, names: Sequence[str]) -> Path:
    """The folder that a list's names are relative to: its own, one above, or the current one."""
    folder = path.resolve().parent
    for base in (folder, *folder.parents, Path.cwd()):
        if names and all((base / name).is_file() for name in names):
            return base
    return folder


def packages_first(files: Sequence[Path]) -> list[Path]:
    """The files with those that define packages ahead, each behind the packages that it uses."""
    texts = {path: _COMMENT.sub(" ", path.read_text(encoding="utf-8", errors="replace")) for path in files}
    home = {name: path for path, text in texts.items() for name in _PACKAGE.findall(text)}
    if not home:
        return list(files)
    ordered: list[Path] = []

    def place(path: Path) -> None:
        if path in ordered or path in open_:
            return
        open_.add(path)
        for name in _USE.findall(texts[path]):
            if name in home:
                place(home[name])
        ordered.append(path)

    open_: set[Path] = set()
    for path in dict.fromkeys(path for path in files if path in home.values()):
        place(path)
    return ordered + [path for path in files if path not in ordered]


def spelled(files: Sequence[Path], base: Path) -> list[str]:
    """The files relative to a folder, a pattern where it stands for just the same in the same order."""
    folders = list(dict.fromkeys(path.parent for path in files))
    suffixes = {path.suffix for path in files}
    if len(folders) == 1 and len(suffixes) == 1:
        pattern = f"*{suffixes.pop()}"
        if sorted(folders[0].glob(pattern)) == list(files):
            return [os.path.join(relative(folders[0], base), pattern).removeprefix("./")]
    return [relative(path, base) for path in files]


def relative(path: Path, base: Path) -> str:
    """The path as seen from a folder."""
    return os.path.relpath(path, base)
