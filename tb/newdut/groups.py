"""Buses among a top level's ports, found by the grammar of their names: prefix, signal, suffix.

`S_AXI_AWADDR`, `m_axi_aw_addr_o` and `bar_req_valid` all have it. What makes a bus is that all signals
which its kind cannot do without are there under one prefix, in the right directions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tb.elaborate import AXI_LITE_PINS, AXI_PINS, REQUEST_PINS, TLP_PINS, TopPort

_ADDRESS = [
    "addr",
    "id",
    "len",
    "size",
    "burst",
    "lock",
    "cache",
    "prot",
    "qos",
    "region",
    "user",
    "valid",
    "ready",
]
_CHANNELS = {
    "aw": _ADDRESS,
    "w": ["id", "data", "strb", "last", "user", "valid", "ready"],
    "b": ["id", "resp", "user", "valid", "ready"],
    "ar": _ADDRESS,
    "r": ["id", "data", "resp", "last", "user", "valid", "ready"],
}
_AXI = {channel + word: f"{channel}_?{word}" for channel, words in _CHANNELS.items() for word in words}
_REQUEST = "(?:request|req|cmd)"
_COMPLETION = "(?:completion|cpl|response|resp|rsp)"
_REQCPL = {
    "req_valid": f"{_REQUEST}_?(?:valid|vld)",
    "req_ready": f"{_REQUEST}_?(?:ready|rdy)",
    "req_write": f"{_REQUEST}_?(?:is_?)?(?:write|wr|we|wen)",
    "req_addr": f"{_REQUEST}_?(?:addr|address|adr)",
    "req_wdata": f"{_REQUEST}_?(?:wdata|wr_?data|write_?data|data)",
    "req_strb": f"{_REQUEST}_?(?:w?strb|wmask|be|byte_?en|byte_?enable)",
    "cpl_valid": f"{_COMPLETION}_?(?:valid|vld)",
    "cpl_ready": f"{_COMPLETION}_?(?:ready|rdy)",
    "cpl_rdata": f"{_COMPLETION}_?(?:rdata|rd_?data|read_?data|data)",
    "cpl_write": f"{_COMPLETION}_?(?:is_?)?(?:write|wr)",
}
_TLP = {
    f"{side}_t{word}": f"{side}_?t?{word}"
    for side in ("rx", "tx")
    for word in ("data", "valid", "ready", "last", "sop", "keep")
}
_SUFFIX = r"_?(?:ni|i|o|in|out)?"
_GRAMMARS = {
    grammar: [
        (name, re.compile(rf"(?P<prefix>.*?){text}{_SUFFIX}", re.IGNORECASE)) for name, text in table.items()
    ]
    for grammar, table in (("axi", _AXI), ("reqcpl", _REQCPL), ("tlp", _TLP))
}
_NEEDED = {"axi4": AXI_PINS, "axi4-lite": AXI_LITE_PINS, "reqcpl": REQUEST_PINS, "pcie-tlp": TLP_PINS}
_SIDES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "axi": (("awvalid", "wvalid", "arvalid"), ("awready", "bvalid", "rvalid", "rdata")),
    "reqcpl": (("req_valid", "req_write", "req_addr"), ("cpl_valid", "cpl_rdata", "req_ready")),
    "tlp": (("rx_tvalid", "rx_tdata", "tx_tready"), ("tx_tvalid", "tx_tdata", "rx_tready")),
}
"""What who asks drives, and what who answers."""
_REQUESTS = {"axi": "awvalid", "reqcpl": "req_valid", "tlp": "rx_tvalid"}


@dataclass(frozen=True, slots=True)
class Group:
    """One bus: its kind as manifests name it, the port of each signal, whether the DUT answers on it."""

    kind: str
    pins: Mapping[str, str]
    target: bool
    name: str

    @property
    def prefix(self) -> str:
        """What most of its ports have before the signal's name; "" where that is nothing or few do."""
        heads = Counter(
            port.removesuffix(signal) for signal, port in self.pins.items() if port.endswith(signal)
        )
        prefix, count = heads.most_common(1)[0] if heads else ("", 0)
        return prefix if 2 * count > len(self.pins) else ""

    @property
    def odd(self) -> dict[str, str]:
        """The signals whose ports are not prefix and name."""
        return {signal: port for signal, port in self.pins.items() if port != self.prefix + signal}


def find_groups(ports: Mapping[str, TopPort]) -> list[Group]:
    """All whole buses, in the order of their first port."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for port in ports:
        for grammar, signals in _GRAMMARS.items():
            for signal, pattern in signals:
                match = pattern.fullmatch(port)
                if match:
                    found.setdefault((grammar, match["prefix"].lower()), {}).setdefault(signal, port)
    groups = []
    for (grammar, prefix), pins in found.items():
        kind = _kind(grammar, pins)
        if kind:
            target = ports[pins[_REQUESTS[grammar]]].direction == "input"
            if _directions_fit(pins, ports, grammar, target):
                groups.append(Group(kind, pins, target, prefix))
    return groups


def _kind(grammar: str, pins: Mapping[str, str]) -> str:
    kinds = {"axi": ("axi4", "axi4-lite"), "reqcpl": ("reqcpl",), "tlp": ("pcie-tlp",)}[grammar]
    return next((kind for kind in kinds if all(signal in pins for signal in _NEEDED[kind])), "")


def _directions_fit(
    pins: Mapping[str, str], ports: Mapping[str, TopPort], grammar: str, target: bool
) -> bool:
    """Whether valids point one way and their answers the other."""
    towards = ["input" if target else "output", "output" if target else "input"]
    return all(
        ports[pins[signal]].direction == direction
        for signals, direction in zip(_SIDES[grammar], towards, strict=True)
        for signal in signals
        if signal in pins
    )
