"""The manifest's [dut]: what is compiled."""

from __future__ import annotations

import glob
from dataclasses import dataclass, replace
from pathlib import Path

from tb.toml_table import Table

VERILOG_SUFFIXES = (".sv", ".v", ".vlt")
VHDL_SUFFIXES = (".vhd", ".vhdl")
HDL_SUFFIXES = (*VERILOG_SUFFIXES, *VHDL_SUFFIXES)


@dataclass(frozen=True, slots=True)
class Hdl:
    """What is compiled: `sources` in order, with everything that changes the result.

    They are Verilog or VHDL, not both; VHDL's names are lower-case.
    """

    name: str
    toplevel: str
    sources: tuple[Path, ...]
    include_dirs: tuple[Path, ...]
    defines: dict[str, str]
    parameters: dict[str, str]
    verilator_args: tuple[str, ...]
    ghdl_args: tuple[str, ...] = ()

    @property
    def vhdl(self) -> bool:
        """Whether the sources are VHDL."""
        return bool(self.sources) and self.sources[0].suffix in VHDL_SUFFIXES


def read_hdl(table: Table) -> Hdl:
    """Read and validate the table; raises UsageError."""
    base = table.file.resolve().parent
    name = table.get("name", str)
    if not name or any(c in name for c in "/\\\0\n"):
        raise table.fail("name", f"is {name!r}: give a plain name")
    if table.has("sources") == table.has("filelist"):
        raise table.fail("sources", "give either sources or filelist")
    sources = _globbed(table, base) if table.has("sources") else _listed(table, base)
    hdl = Hdl(
        name=name,
        toplevel=table.identifier("toplevel"),
        sources=tuple(sources),
        include_dirs=tuple(_folder(table, base, item) for item in table.strings("include_dirs")),
        defines=_scalars(table, "defines"),
        parameters=_scalars(table, "parameters"),
        verilator_args=tuple(table.strings("verilator_args")),
        ghdl_args=tuple(table.strings("ghdl_args")),
    )
    if len({source.suffix in VHDL_SUFFIXES for source in sources}) > 1:
        raise table.fail("sources", "are Verilog and VHDL: one top level is of one language")
    if hdl.vhdl:
        hdl = replace(hdl, toplevel=hdl.toplevel.lower())
    table.finish()
    return hdl


def _globbed(table: Table, base: Path) -> list[Path]:
    result: list[Path] = []
    for pattern in table.strings("sources"):
        found = sorted(glob.glob(str(base / pattern), recursive=True))
        if not found:
            raise table.fail("sources", f"no file matches {pattern!r} below {base}")
        result += [_source(table, "sources", Path(name)) for name in found if Path(name) not in result]
    if not result:
        raise table.fail("sources", "is empty: name at least one file")
    return result


def _listed(table: Table, base: Path) -> list[Path]:
    """Sources of a file list: one a line, relative to `filelist_root` (default: the list's folder)."""
    file = base / table.get("filelist", str)
    root = base / table.get("filelist_root", str, str(file.parent))
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise table.fail("filelist", f"{file} cannot be read: {error}") from None
    names = [line.partition("//")[0].partition("#")[0].strip() for line in lines]
    result = [_source(table, "filelist", root / name) for name in names if name]
    if not result:
        raise table.fail("filelist", f"{file} names no source")
    return result


def _source(table: Table, key: str, path: Path) -> Path:
    if not path.is_file():
        raise table.fail(key, f"there is no file {path}")
    if path.suffix not in HDL_SUFFIXES:
        raise table.fail(key, f"{path}: its name must end in {', '.join(HDL_SUFFIXES)}")
    return path.resolve()


def _folder(table: Table, base: Path, name: str) -> Path:
    path = base / name
    if not path.is_dir():
        raise table.fail("include_dirs", f"there is no folder {path}")
    return path.resolve()


def _scalars(table: Table, key: str) -> dict[str, str]:
    result = {}
    for name, value in table.mapping(key).items():
        if isinstance(value, bool):
            value = int(value)
        if not name.isidentifier() or not isinstance(value, str | int):
            raise table.fail(key, f"{name} = {value!r}: give a name and an integer or string")
        result[name] = str(value)
    return result
