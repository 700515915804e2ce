"""Packet streams of a top level against the manifest: what is missing, turned round or of the wrong width."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tb.elaborate import TopPort
from tb.errors import UsageError
from tb.manifest import Manifest
from tb.port_check import check_ports
from tests.unit.test_manifest import GOOD, load
from tests.unit.test_port_check import good_ports, pin

PACKETS = {
    **{"rx_tdata": 256, "rx_tvalid": 1, "rx_tready": -1, "rx_tlast": 1},
    **{"tx_tdata": -256, "tx_tvalid": -1, "tx_tready": 1, "tx_tkeep": -8},
}
ULTRASCALE = {
    f"{stream}_{name}": width * (-1 if stream[0] == "m" else 1) * (-1 if name == "tready" else 1)
    for stream, user in (("s_axis_cq", 88), ("s_axis_rc", 75), ("m_axis_rq", 62), ("m_axis_cc", 33))
    for name, width in {"tdata": 256, "tkeep": 8, "tlast": 1, "tuser": user, "tvalid": 1, "tready": 1}.items()
}


def tlp_manifest(folder: Path, pins: str) -> Manifest:
    text = GOOD.replace('prefix = "s_axil_"\nsignals = { awaddr = "waddr" }', pins)
    text = (
        text.replace('prefix = "m_axi_"', pins).replace("axi4-lite", "pcie-tlp").replace("axi4", "pcie-tlp")
    )
    return load(folder, text)


def ports_of(streams: dict[str, int], **changes: int | None) -> dict[str, TopPort]:
    own = {name: port for name, port in good_ports().items() if not re.match("s_axil|m_axi|waddr", name)}
    wanted = {name: width for name, width in (streams | changes).items() if width is not None}
    return own | {name: pin(width) for name, width in wanted.items()}


def test_fitting_streams_pass(tmp_path: Path) -> None:
    streams = {f"p_{name}": width for name, width in PACKETS.items()}
    check_ports(tlp_manifest(tmp_path, 'prefix = "p_"'), ports_of(streams))
    check_ports(tlp_manifest(tmp_path, 'shape = "ultrascale"'), ports_of(ULTRASCALE))


WRONG_PACKETS: dict[str, tuple[dict[str, int | None], str]] = {
    "missing": ({"p_tx_tready": None}, "has no port 'p_tx_tready'"),
    "turned round": ({"p_rx_tvalid": -1}, "as an output, not as an input"),
    "48 bits": ({"p_rx_tdata": 48}, "has 48 bits: pcie-tlp is of 32 to 1024"),
    "a bit for each 16": ({"p_tx_tkeep": -16}, "give it 32 or 8"),
}


@pytest.mark.parametrize("case", WRONG_PACKETS)
def test_wrong_packet_streams_are_named(tmp_path: Path, case: str) -> None:
    changes, wanted = WRONG_PACKETS[case]
    streams = {f"p_{name}": width for name, width in PACKETS.items()}
    with pytest.raises(UsageError, match=re.escape(wanted)):
        check_ports(tlp_manifest(tmp_path, 'prefix = "p_"'), ports_of(streams, **changes))


WRONG_BLOCKS: dict[str, tuple[dict[str, int | None], str]] = {
    "missing": ({"m_axis_rq_tuser": None}, "has no port 'm_axis_rq_tuser'"),
    "turned round": ({"s_axis_cq_tready": 1}, "as an input, not as an output"),
    "32 bits": ({"s_axis_rc_tdata": 32}, "a PCIe block is of 64 to 512"),
    "a bit for each byte": ({"m_axis_cc_tkeep": -32}, "give it 8, one for each dword"),
    "tuser of 512 bits": ({"s_axis_cq_tuser": 183}, "has 183 bits: the block's has 85 or 88"),
}


@pytest.mark.parametrize("case", WRONG_BLOCKS)
def test_wrong_streams_of_a_pcie_block_are_named(tmp_path: Path, case: str) -> None:
    changes, wanted = WRONG_BLOCKS[case]
    with pytest.raises(UsageError, match=re.escape(wanted)):
        check_ports(tlp_manifest(tmp_path, 'shape = "ultrascale"'), ports_of(ULTRASCALE, **changes))
