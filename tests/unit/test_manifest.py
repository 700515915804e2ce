from __future__ import annotations

from pathlib import Path

import pytest

from tb.errors import UsageError
from tb.manifest import Manifest, load_manifest
from tb.paths import BUNDLED_MANIFEST

GOOD = """
[dut]
name = "my-virtio-blk"
toplevel = "my_top"
sources = ["rtl/*.sv"]
[clock]
port = "clk"
period_ps = 4000
[reset]
port = "rst_n"
active = "low"
[ports.config]
kind = "shell"
[ports.bar]
kind = "axi4-lite"
prefix = "s_axil_"
signals = { awaddr = "waddr" }
bars = { 0 = 0x0, 2 = 0x10000 }
[ports.dma]
kind = "axi4"
prefix = "m_axi_"
[ports.irq]
kind = "msix-pulse"
valid = "irq_valid"
vector = "irq_vector"
ready = "irq_ready"
intx = "intx"
[pci]
vendor_id = 0x1af4
device_id = 0x1042
bars = [ { index = 0, size = 0x1000, kind = "mem32" }, { index = 2, size = 0x4000, kind = "mem64" } ]
msix = { vectors = 3 }
[[pci.virtio]]
type = "common"
bar = 2
offset = 0x0
length = 0x40
[[pci.virtio]]
type = "pci-cfg"
[device]
type = "blk"
"""


def load(folder: Path, text: str) -> Manifest:
    (folder / "rtl").mkdir(exist_ok=True)
    (folder / "rtl" / "my_top.sv").write_text("module my_top; endmodule\n")
    (folder / "rtl" / "tb.e").write_text("-- not Verilog\n")
    (folder / "dut.toml").write_text(text)
    return load_manifest(folder / "dut.toml")


def test_contract_example_loads(tmp_path: Path) -> None:
    manifest = load(tmp_path, GOOD)
    assert manifest.hdl.sources == (tmp_path / "rtl" / "my_top.sv",)
    assert manifest.bar.bars == {0: 0, 2: 0x10000}
    assert manifest.bar.pin("awaddr") == "waddr"
    assert manifest.bar.pin("wdata") == "s_axil_wdata"
    assert manifest.irq.signals == {"valid": "irq_valid", "vector": "irq_vector", "ready": "irq_ready"}
    assert manifest.pci is not None
    assert manifest.pci.vectors == 3
    assert manifest.device_type == 2


def test_bundled_device_is_one_manifest() -> None:
    manifest = load_manifest(BUNDLED_MANIFEST)
    assert manifest.hdl.toplevel == "vio_top"
    assert manifest.hdl.sources[-1].name == "vio_top.sv"
    assert manifest.medium is not None


def scope(pattern: str, reason: str = "split ring only") -> str:
    return f'[[out_of_scope]]\nclauses = ["{pattern}"]\nreason = "{reason}"\n[device]'


BROKEN = {
    "unknown key": ('toplevel = "my_top"', 'toplevel = "my_top"\ntoplvl = "x"', "[dut] toplvl"),
    "unknown table": ("[device]", "[clocks]\n[device]", "clocks"),
    "missing key": ('port = "clk"\n', "", "[clock] port"),
    "missing file": ("rtl/*.sv", "rtl/none.sv", "no file matches"),
    "foreign file": ("rtl/*.sv", "rtl/tb.e", "its name must end in .sv"),
    "wrong type": ("period_ps = 4000", 'period_ps = "4 ns"', "[clock] period_ps"),
    "odd period": ("period_ps = 4000", "period_ps = 4001", "even number"),
    "unknown kind": ('kind = "axi4"\n', 'kind = "ahb"\n', "[ports.dma] kind"),
    "unknown level": ('active = "low"', 'active = "zero"', "[reset] active"),
    "no such BAR": ("2 = 0x10000", "7 = 0x10000", "is not a BAR number"),
    "same base": ("2 = 0x10000", "2 = 0x0", "overlap"),
    "BARs overlap on the port": ("2 = 0x10000", "2 = 0x800", "overlap"),
    "BARs overlap in PCI": ("index = 2", "index = 0", "overlaps"),
    "BAR size": ("size = 0x4000", "size = 0x4001", "power of two"),
    "capability out of its BAR": ("length = 0x40", "length = 0x4001", "behind the 0x4000 bytes"),
    "capability without BAR": ("bar = 2\n", "bar = 3\n", "no such BAR"),
    "capability without place": ("offset = 0x0\n", "", "offset"),
    "no shell": ('kind = "shell"', 'kind = "axi4-lite"\nprefix = "c_"', "pci"),
    "class without python": ('prefix = "m_axi_"', 'prefix = "m_axi_"\nclass = "a:B"', "class"),
    "no prefix": ('prefix = "m_axi_"\n', "", "prefix"),
    "packets for DMA alone": ('kind = "axi4"\n', 'kind = "pcie-tlp"\n', "[ports.bar] kind"),
    "packets for the BARs alone": ('kind = "axi4-lite"\n', 'kind = "pcie-tlp"\n', "which carries both"),
    "device type": ('type = "blk"', 'type = "block"', "[device] type"),
    "vector count": ("vectors = 3", "vectors = 0", "vectors"),
    "16 bits": ("0x1042", "0x11042", "device_id"),
    "second clock of that name": (
        '[clock]\nport = "clk"\nperiod_ps = 4000',
        '[[clock]]\nport = "clk"\nperiod_ps = 4000\n[[clock]]\nport = "clk"\nperiod_ps = 8',
        "[clock[1]] port",
    ),
    "no clock at all": ('[clock]\nport = "clk"\nperiod_ps = 4000', "clock = []", "clock"),
    "foreign clock": ('prefix = "m_axi_"', 'prefix = "m_axi_"\nclock = "clk2"', "[ports.dma] clock"),
    "foreign clock of a reset": ('active = "low"', 'active = "low"\nclock = "clk2"', "[reset] clock"),
    "python without class": ('kind = "axi4"\n', 'kind = "python"\n', "[ports.dma] class"),
    "class without module": ('kind = "axi4"\n', 'kind = "python"\nclass = "Engine"\n', "[ports.dma] class"),
    "class by path": ('kind = "axi4"\n', 'kind = "python"\nclass = "../a:B"\n', "[ports.dma] class"),
    "scope without clause": ("[device]", '[[out_of_scope]]\nreason = "x"\n[device]', "clauses"),
    "scope without reason": ("[device]", '[[out_of_scope]]\nclauses = ["DEV-*"]\n[device]', "reason"),
    "empty reason": ("[device]", scope("DEV-PACKED-*", " "), "[out_of_scope[0]] reason"),
    "reason of two lines": ("[device]", scope("DEV-PACKED-*", "a\\nb"), "[out_of_scope[0]] reason"),
    "unknown clause": (
        "[device]",
        scope("DEV-PAKCED-*"),
        "clauses: 'DEV-PAKCED-*' matches no",
    ),
    "driver's clause": (
        "[device]",
        scope("DRV-PACKED-*"),
        "only the device's own clauses (DEV-) can be left out",
    ),
    "driver's clause by glob": ("[device]", scope("*PACKED*"), "takes in DRV-PACKED-"),
    "TOML": ("[clock]", "[clock", "not valid TOML"),
    "boolean": ("period_ps = 4000", "period_ps = true", "must be an integer"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_mistake_is_one_line_naming_file_and_key(tmp_path: Path, case: str) -> None:
    old, new, wanted = BROKEN[case]
    assert old in GOOD
    with pytest.raises(UsageError) as caught:
        load(tmp_path, GOOD.replace(old, new, 1))
    message = str(caught.value)
    assert wanted in message
    assert message.startswith(str(tmp_path / "dut.toml"))
    assert "\n" not in message


def test_packet_streams_are_one_pair(tmp_path: Path) -> None:
    packets = GOOD.replace('kind = "axi4-lite"', 'kind = "pcie-tlp"').replace(
        'kind = "axi4"', 'kind = "pcie-tlp"'
    )
    with pytest.raises(UsageError, match=r"\[ports.dma\] prefix: differs from ports.bar"):
        load(tmp_path, packets)
    same = packets.replace('prefix = "m_axi_"', 'prefix = "s_axil_"\nsignals = { awaddr = "waddr" }')
    assert load(tmp_path, same).dma.kind == "pcie-tlp"


def test_missing_manifest_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such manifest"):
        load_manifest(tmp_path / "none.toml")


def test_typing_error_gets_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'parameters'"):
        load(tmp_path, GOOD.replace("[clock]", "paramters = {}\n[clock]", 1))


SEVERAL = """
[[clock]]
port = "clk"
period_ps = 4000
[[clock]]
name = "dma"
port = "dma_clk"
period_ps = 6400
[[reset]]
port = "rst_n"
active = "low"
[[reset]]
port = "dma_rst"
active = "high"
clock = "dma"
"""


def test_ports_belong_to_clocks_and_clocks_to_resets(tmp_path: Path) -> None:
    start, end = GOOD.index("[clock]"), GOOD.index("[ports.config]")
    text = GOOD[:start] + SEVERAL + GOOD[end:]
    manifest = load(tmp_path, text.replace('prefix = "m_axi_"', 'prefix = "m_axi_"\nclock = "dma"'))
    assert [clock.name for clock in manifest.clocks] == ["clk", "dma"]
    assert manifest.clock_of(manifest.bar).port == manifest.clock.port == "clk"
    assert manifest.clock_of(manifest.dma).period_ps == 6400
    assert manifest.reset_of(manifest.bar).active_low
    assert manifest.reset_of(manifest.dma).port == "dma_rst"


def test_main_clock_and_reset_are_the_default(tmp_path: Path) -> None:
    manifest = load(tmp_path, GOOD)
    assert {manifest.clock_of(port) for port in (manifest.bar, manifest.dma)} == {manifest.clock}
    assert manifest.reset_of(manifest.irq) == manifest.reset


def test_scope_is_a_reason_for_every_clause_that_a_glob_matches(tmp_path: Path) -> None:
    found = load(tmp_path, GOOD.replace("[device]", scope("DEV-PACKED-00?"))).out_of_scope
    assert set(found.values()) == {"split ring only"}
    assert "DEV-PACKED-001" in found
    assert all(clause.startswith("DEV-PACKED-00") for clause in found)
    assert load(tmp_path, GOOD).out_of_scope == {}
