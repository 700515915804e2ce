"""The manifest against the top level's ports: what is missing, turned round or of the wrong width."""

from __future__ import annotations

from pathlib import Path

import pytest

from tb.elaborate import TopPort
from tb.errors import UsageError
from tb.manifest import Manifest
from tb.port_check import check_ports
from tests.unit.test_manifest import GOOD, load

AXI_LITE = {
    **{"awaddr": 17, "awvalid": 1, "wdata": 32, "wstrb": 4, "wvalid": 1, "bready": 1, "araddr": 17},
    **{"arvalid": 1, "rready": 1},
    **{"awready": -1, "wready": -1, "bresp": -2, "bvalid": -1, "arready": -1, "rdata": -32, "rresp": -2},
    **{"rvalid": -1},
}
AXI = {
    **{name: -width for name, width in AXI_LITE.items()},
    **{"awaddr": -64, "araddr": -64, "awlen": -8, "awsize": -3, "awburst": -2, "wlast": -1},
    **{"arlen": -8, "arsize": -3, "arburst": -2, "rlast": 1, "awid": -4, "bid": 4, "arid": -4, "rid": 4},
}


def pin(width: int) -> TopPort:
    """An input of so many bits, or an output where it is negative."""
    return TopPort("input" if width > 0 else "output", abs(width))


def good_ports() -> dict[str, TopPort]:
    """A top level that the manifest GOOD describes."""
    return {
        **{"clk": pin(1), "rst_n": pin(1), "irq_valid": pin(-1), "irq_vector": pin(-2), "irq_ready": pin(1)},
        **{"intx": pin(-1), "waddr": pin(AXI_LITE["awaddr"])},
        **{f"s_axil_{name}": pin(width) for name, width in AXI_LITE.items() if name != "awaddr"},
        **{f"m_axi_{name}": pin(width) for name, width in AXI.items()},
    }


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return load(tmp_path, GOOD)


def test_fitting_top_level_passes(manifest: Manifest) -> None:
    check_ports(manifest, good_ports())


def test_ids_are_optional_in_pairs(manifest: Manifest) -> None:
    ports = good_ports()
    for name in ("awid", "bid", "arid", "rid"):
        del ports[f"m_axi_{name}"]
    check_ports(manifest, ports)


WRONG: dict[str, tuple[str, int | None, str, str]] = {
    "clock is missing": ("clk", None, "[clock] port", "has no port 'clk'; it has intx, irq_ready"),
    "clock is an output": ("clk", -1, "[clock] port", "as an output, not as an input"),
    "reset is a vector": ("rst_n", 2, "[reset] port", "with 2 bits, not with 1"),
    "no write data": (
        "s_axil_wdata",
        None,
        "[ports.bar] prefix",
        "has no port 's_axil_wdata'; did you mean 's_axil_",
    ),
    "mapped pin": (
        "waddr",
        None,
        "[ports.bar] signals.awaddr",
        "has no port 'waddr'; it has",
    ),
    "16 bit BAR": (
        "s_axil_wdata",
        16,
        "[ports.bar] prefix",
        "'s_axil_wdata' has 16 bits: axi4-lite is of 32",
    ),
    "128 bit AXI4-Lite": ("s_axil_wdata", 128, "[ports.bar] prefix", "axi4-lite is of 32 or 64 bits"),
    "read data": ("s_axil_rdata", -64, "[ports.bar] prefix", "'s_axil_wdata' has 32, and both"),
    "strobes": ("s_axil_wstrb", 8, "[ports.bar] prefix", "'s_axil_wdata' has 32, so give it 4"),
    "narrow address": ("s_axil_araddr", 16, "[ports.bar] prefix", "BAR 2, which ends at 0x13fff, needs 17"),
    "mapped address": ("waddr", 12, "[ports.bar] signals.awaddr", "needs 17"),
    "target as initiator": ("s_axil_arvalid", -1, "[ports.bar] prefix", "as an output, not as an input"),
    "initiator as target": ("m_axi_awvalid", 1, "[ports.dma] prefix", "as an input, not as an output"),
    "DMA width": ("m_axi_wdata", -1024, "[ports.dma] prefix", "axi4 is of 32, 64, 128, 256 or 512 bits"),
    "burst length": ("m_axi_awlen", -4, "[ports.dma] prefix", "with 4 bits, not with 8"),
    "half an id": ("m_axi_bid", None, "[ports.dma] prefix", "'m_axi_awid' has 4 bits, and both"),
    "narrow vector": ("irq_vector", -1, "[ports.irq] vector", "[pci] msix vectors = 3 needs 2"),
    "valid is an input": ("irq_valid", 1, "[ports.irq] valid", "as an input, not as an output"),
    "INTx is an input": ("intx", 1, "[ports.irq] intx", "as an input, not as an output"),
    "array": ("s_axil_wdata", 0, "[ports.bar] prefix", "unpacked array"),
}


@pytest.mark.parametrize("case", WRONG)
def test_port_that_does_not_fit_is_one_line_naming_the_key(manifest: Manifest, case: str) -> None:
    name, width, key, said = WRONG[case]
    ports = good_ports()
    assert name in ports
    if width is None:
        del ports[name]
    else:
        ports[name] = pin(width) if width else TopPort("input", 0)
    with pytest.raises(UsageError) as caught:
        check_ports(manifest, ports)
    message = str(caught.value)
    assert message.startswith(f"{manifest.path}: {key}: ")
    assert said in message
    assert "\n" not in message


REQUESTS = {
    "req_valid": 1,
    "req_write": 1,
    "req_addr": 17,
    "req_wdata": 64,
    "cpl_valid": -1,
    "cpl_rdata": -64,
}


@pytest.mark.parametrize(
    ("name", "width", "said"),
    [
        ("req_strb", 4, "give it 8"),
        ("cpl_rdata", -32, "both must"),
        ("req_addr", 16, "needs 17"),
        ("", 0, ""),
    ],
)
def test_request_port_is_held_to_its_widths(tmp_path: Path, name: str, width: int, said: str) -> None:
    bar = 'kind = "axi4-lite"\nprefix = "s_axil_"\nsignals = { awaddr = "waddr" }'
    manifest = load(tmp_path, GOOD.replace(bar, 'kind = "reqcpl"\nprefix = "s_axil_"'))
    ports = good_ports() | {f"s_axil_{signal}": pin(bits) for signal, bits in REQUESTS.items()}
    if not name:
        check_ports(manifest, ports)
        return
    ports[f"s_axil_{name}"] = pin(width)
    with pytest.raises(UsageError, match=said):
        check_ports(manifest, ports)
