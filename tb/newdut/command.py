"""`virtio-cosim new-dut`: a manifest proposed from the ports of a top level."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tb.errors import UsageError
from tb.newdut.design import read_design
from tb.newdut.proposal import propose
from tb.newdut.sources import gather
from tb.newdut.writing import FILL_IN, GUESSED, manifest_text
from tb.paths import shown
from tb.results import write_whole


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for; `device` is "" to guess it, `toplevel` "" to find it."""

    sources: Sequence[Path]
    toplevel: str
    device: str
    include_dirs: Sequence[Path]
    defines: dict[str, str]
    parameters: dict[str, str]
    out: Path
    force: bool


def new_dut(wish: Wish, say: Callable[[str], None]) -> None:
    """Read the sources, write the manifest, say what is left to do; raises UsageError."""
    if wish.out.exists() and not wish.force:
        raise UsageError(f"{wish.out}: is there already; --force overwrites it")
    if not wish.out.resolve().parent.is_dir():
        raise UsageError(f"{wish.out}: there is no folder {wish.out.parent}")
    sources = gather(wish.sources, wish.include_dirs, wish.defines)
    generics = [f"-G{name}={value}" for name, value in wish.parameters.items()]
    with tempfile.TemporaryDirectory(prefix="virtio-cosim-") as scratch:
        design = read_design([*generics, *sources.words()], wish.toplevel, Path(scratch))
    text = manifest_text(propose(design, wish.device), sources, wish.parameters, wish.out.resolve().parent)
    write_whole(wish.out, text)
    _tell(wish, design.toplevel, text, say)


def _tell(wish: Wish, toplevel: str, text: str, say: Callable[[str], None]) -> None:
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1)]
    guessed = [item for item in lines if GUESSED in item[1]]
    open_ = [item for item in lines if FILL_IN in item[1]]
    say(f"{shown(wish.out)}: {toplevel}, {len(guessed)} guessed, {len(open_)} to fill in")
    for number, line in [*open_, *guessed]:
        say(f"  {number:3}: {line}")
    after = (
        "Fill in the lines marked so, look at the guesses, then:" if open_ else "Look at the guesses, then:"
    )
    say(f"{after} virtio-cosim run --dut {shown(wish.out)}")
