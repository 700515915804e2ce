"""What `new-dut` finds in names, widths and sources, without Verilator."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tb.elaborate import AXI_LITE_PINS, AXI_PINS, TopPort
from tb.errors import UsageError
from tb.manifest import load_manifest
from tb.newdut.design import Design
from tb.newdut.groups import find_groups
from tb.newdut.proposal import Proposal, propose
from tb.newdut.sources import gather, packages_first
from tb.newdut.writing import manifest_text

ANSWERS = {"awready", "wready", "bvalid", "bresp", "arready", "rvalid", "rdata", "rresp", "rlast"}
WIDTHS = {"awaddr": 32, "araddr": 32, "wdata": 64, "rdata": 64, "wstrb": 8}
REQUEST = {"req_valid": 1, "req_write": 1, "req_addr": 14, "req_wdata": 32}
COMPLETION = {"cpl_valid": 1, "cpl_rdata": 32}


def bus(names: dict[str, str], target: bool, address: int = 32) -> dict[str, TopPort]:
    """The ports of an AXI bus: signal to port name."""
    ports = {}
    for signal, port in names.items():
        answered = signal in ANSWERS
        width = address if signal.endswith("addr") else WIDTHS.get(signal, 1)
        ports[port] = TopPort("input" if answered != target else "output", width)
    return ports


def prefixed(prefix: str, signals: tuple[str, ...], target: bool, address: int = 32) -> dict[str, TopPort]:
    return bus({signal: prefix + signal for signal in signals}, target, address)


def request_bus(prefix: str = "") -> dict[str, TopPort]:
    asked = {prefix + name: TopPort("input", width) for name, width in REQUEST.items()}
    return asked | {prefix + name: TopPort("output", width) for name, width in COMPLETION.items()}


def proposed(*buses: dict[str, TopPort], device: str = "", **pins: tuple[str, int]) -> Proposal:
    """What is made of some buses and single pins."""
    ports = {name: TopPort(*about) for name, about in pins.items()}
    for more in buses:
        ports |= more
    return propose(Design("my_top", ports), device)


def test_upper_case_and_suffixes_are_signals_by_name() -> None:
    loud = bus({signal: f"S_AXI_{signal.upper()}" for signal in AXI_LITE_PINS}, True)
    suffixed = bus({signal: f"m_{signal}_{'i' if signal in ANSWERS else 'o'}" for signal in AXI_PINS}, False)
    target, master = find_groups(loud | suffixed)
    assert (target.kind, target.target, target.prefix) == ("axi4-lite", True, "")
    assert target.odd["awaddr"] == "S_AXI_AWADDR"
    assert (master.kind, master.target, master.odd["rlast"]) == ("axi4", False, "m_rlast_i")


def test_split_channel_names_and_synonyms() -> None:
    split = bus({signal: f"x_{signal[:2]}_{signal[2:]}" for signal in AXI_PINS if signal[0] == "a"}, False)
    rest = prefixed("x_", tuple(signal for signal in AXI_PINS if signal[0] != "a"), False)
    assert [group.kind for group in find_groups(split | rest)] == ["axi4"]
    words = {"h_cmd_vld": 1, "h_cmd_we": 1, "h_cmd_addr": 8, "h_cmd_data": 32}
    ports = {name: TopPort("input", width) for name, width in words.items()}
    ports |= {"h_rsp_vld": TopPort("output", 1), "h_rsp_data": TopPort("output", 32)}
    (group,) = find_groups(ports)
    assert (group.kind, group.pins["req_write"], group.pins["cpl_rdata"]) == (
        "reqcpl",
        "h_cmd_we",
        "h_rsp_data",
    )


def test_a_bus_that_lacks_a_signal_or_points_both_ways_is_none() -> None:
    lacking = prefixed("s_", tuple(signal for signal in AXI_LITE_PINS if signal != "bvalid"), True)
    confused = prefixed("t_", AXI_LITE_PINS, True) | {"t_rvalid": TopPort("input", 1)}
    assert find_groups(lacking | confused) == []


def test_configuration_port_by_name_or_width() -> None:
    bar, dma = prefixed("s_bar_", AXI_LITE_PINS, True), prefixed("m_", AXI_PINS, False, 64)
    named = proposed(prefixed("s_cfg_", AXI_LITE_PINS, True), bar, dma)
    narrow = proposed(bar, prefixed("s_other_", AXI_LITE_PINS, True, 12), dma)
    assert named.roles.config
    assert named.roles.config.prefix == "s_cfg_"
    assert "config" not in named.roles.reasons
    assert narrow.roles.config
    assert narrow.roles.config.prefix == "s_other_"
    assert "12 bits" in narrow.roles.reasons["config"]
    assert proposed(bar, dma).roles.config is None


def test_dma_and_medium() -> None:
    bar = prefixed("s_", AXI_LITE_PINS, True)
    both = proposed(
        prefixed("m_disk_", AXI_PINS, False), prefixed("m_", AXI_PINS, False), bar, sectors=("input", 64)
    )
    assert both.roles.dma
    assert both.roles.dma.prefix == "m_"
    assert both.roles.medium
    assert both.roles.medium.prefix == "m_disk_"
    assert (both.sectors, both.device, both.device_id) == ("sectors", "blk", 0x1042)


@pytest.mark.parametrize(
    ("pins", "kind", "named"),
    [
        (
            {"irq_pulse": ("output", 1), "irq_num": ("output", 5), "irq_line": ("output", 1)},
            "msix-pulse",
            "irq_line",
        ),
        (
            {"msix_req": ("output", 1), "msix_vec": ("output", 11), "msix_ack": ("input", 1)},
            "reqack",
            "msix_ack",
        ),
        (
            {"msi_valid": ("output", 1), "msi_vector": ("output", 3), "msi_ready": ("input", 1)},
            "msix-pulse",
            "msi_ready",
        ),
        ({"interrupt": ("output", 1)}, "level", "interrupt"),
        ({}, "", None),
    ],
)
def test_interrupts(pins: dict[str, tuple[str, int]], kind: str, named: str | None) -> None:
    found = proposed(request_bus(), **pins).interrupts
    assert found.kind == kind
    assert named is None or named in found.pins.values()


@pytest.mark.parametrize(
    ("name", "edges", "active", "sure"),
    [
        ("rst_n", {}, "low", False),
        ("aresetn", {"NEG": 3}, "low", True),
        ("sys_rst", {}, "high", False),
        ("rst_ni", {"NEG": 1}, "low", True),
        ("reset", {"NEG": 2}, "low", False),
    ],
)
def test_level_of_the_reset(name: str, edges: dict[str, int], active: str, sure: bool) -> None:
    ports = {"clk": TopPort("input", 1), name: TopPort("input", 1)} | request_bus()
    found = propose(Design("top", ports, {"clk": {"POS": 4}, name: edges}), "").clocking
    assert (found.clock, found.clock_reason, found.reset, found.active) == ("clk", "", name, active)
    assert bool(found.reset_reason) is not sure


def test_of_several_clocks_the_used_one() -> None:
    ports = {name: TopPort("input", 1) for name in ("aux_clk", "tick", "clk_b", "rst")}
    found = propose(Design("top", ports, {"clk_b": {"POS": 9}, "aux_clk": {"POS": 1}}), "").clocking
    assert (found.clock, found.other_clocks) == ("clk_b", ("aux_clk",))
    only = {"tick": TopPort("input", 1), "rst": TopPort("input", 1)}
    assert propose(Design("top", only, {"tick": {"POS": 2}}), "").clocking.clock == "tick"


def test_what_cannot_be_known_is_refused_until_filled_in(tmp_path: Path) -> None:
    (tmp_path / "top.sv").write_text("module my_top; endmodule")
    sources = gather([tmp_path / "top.sv"], [], {"WIDE": "1"})
    manifest = tmp_path / "dut.toml"
    manifest.write_text(manifest_text(proposed(request_bus("bar_")), sources, {"N": "4"}, tmp_path))
    content = tomllib.loads(manifest.read_text())
    assert content["dut"]["defines"] == {"WIDE": "1"}
    assert content["dut"]["parameters"] == {"N": "4"}
    assert content["pci"]["bars"][0]["size"] == 1 << 14
    with pytest.raises(UsageError, match=r"\[device\] type: is not filled in yet"):
        load_manifest(manifest)


def test_packages_come_before_their_users(tmp_path: Path) -> None:
    texts = {
        "a_top": "module a_top import b_pkg::*; (input clk); endmodule",
        "b_pkg": "package b_pkg; typedef c_pkg::t t; endpackage",
        "c_pkg": "package c_pkg; typedef logic t; endpackage // b_pkg::none",
    }
    files = []
    for name, text in texts.items():
        files.append(tmp_path / f"{name}.sv")
        files[-1].write_text(text)
    assert [path.stem for path in packages_first(files)] == ["c_pkg", "b_pkg", "a_top"]


def test_file_lists_are_opened(tmp_path: Path) -> None:
    (tmp_path / "rtl").mkdir()
    (tmp_path / "rtl" / "x.sv").write_text("module x; endmodule")
    (tmp_path / "sim").mkdir()
    inner, outer = tmp_path / "sim" / "inner.f", tmp_path / "outer.f"
    inner.write_text("rtl/x.sv // the one\n")
    outer.write_text("+incdir+rtl +define+A=1+B\n-f sim/inner.f\n")
    sources = gather([outer], [], {})
    assert [path.name for path in sources.files] == ["x.sv"]
    assert (sources.defines, sources.include_dirs) == ({"A": "1", "B": ""}, [tmp_path / "rtl"])
    assert sources.file_list is None
    assert gather([inner], [], {}).base == tmp_path


@pytest.mark.parametrize("text", ["--weird\n", "missing.sv\n", "-f loop.f\n"])
def test_bad_file_lists_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "loop.f").write_text(text)
    with pytest.raises(UsageError):
        gather([tmp_path / "loop.f"], [], {})
