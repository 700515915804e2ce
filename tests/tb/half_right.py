"""The second DUT with a switch for what is wrong with it, so that one build serves all."""

from __future__ import annotations

import shutil
from pathlib import Path

from tb.paths import ROOT

SEEDLING = ROOT / "tests" / "duts" / "seedling"
WRONGS = {
    "req_ready stuck low": ("regs", "req_ready = !cpl_valid", "req_ready = !cpl_valid && {ok}"),
    "no completion": ("regs", "cpl_valid <= take && !req_write", "cpl_valid <= take && !req_write && {ok}"),
    "feature word wrong": ("regs", "? Offered[63:32]", "? {{31'd0, Offered[32] && {ok}}}"),
    "status never reads back": ("regs", "{select, 8'd0, status,", "{{select, 8'd0, {ok} ? status : 8'd0,"),
    "queue_enable ignored": ("regs", "req_wdata[32]) enabled", "req_wdata[32] && {ok}) enabled"),
    "no DMA": ("regs", "== 6'h07;", "== 6'h07 && {ok};"),
    "no interrupt": (
        "dma",
        "irq_valid <= queue_vector != NoVector",
        "irq_valid <= {ok} && queue_vector != NoVector",
    ),
    "endless loop": (
        "regs",
        "config_changed <= 1'b0;",
        "config_changed <= 1'b0; while (take && !{ok}) spin();",
    ),
    "combinational loop": (
        "regs",
        "wire mine = ",
        "wire ring = !{ok} && take && !ring; wire mine = !ring &&",
    ),
    "$finish": ("regs", "if (used_something)", "if (take && !{ok}) $finish; if (used_something)"),
}
NAMES = tuple(WRONGS)
SPIN = """
  logic [63:0] spins;
  function automatic void spin();
    spins = spins + 64'd1;
    if (spins == 0) $display("round");
  endfunction
"""


def plant(folder: Path) -> Path:
    """Copy the DUT into a folder with all wrongs, none of them switched on; return its manifest."""
    for path in (*SEEDLING.glob("*.sv"), SEEDLING / "dut.toml"):
        shutil.copy(path, folder)
    for number, (file, old, new) in enumerate(WRONGS.values(), 1):
        path = folder / f"seedling_{file}.sv"
        text = path.read_text()
        assert text.count(old) == 1, old
        path.write_text(text.replace(old, new.format(ok=f"(wrong[0] != 8'd{number})")))
    for file in ("regs", "dma"):
        path = folder / f"seedling_{file}.sv"
        switch = f'  logic [7:0] wrong [1];\n  initial $readmemh("{folder / "wrong.hex"}", wrong);\n'
        head, mark, tail = path.read_text().partition(");\n  localparam")
        path.write_text(f"{head});\n{switch}{SPIN}  localparam{tail}")
        assert mark
    switch_on(folder, "")
    return folder / "dut.toml"


def switch_on(folder: Path, wrong: str) -> None:
    """Choose what is wrong from now on; "" for nothing."""
    number = NAMES.index(wrong) + 1 if wrong else 0
    (folder / "wrong.hex").write_text(f"{number:02x}\n")
