"""PCIe packets from their bytes, as the taps read them: independent of the library that drives the pins.

Headers as in PCI Express Base 2.2: dwords of big-endian fields, payload in address order.
"""

from __future__ import annotations

from dataclasses import dataclass

from tb.ports.burst import runs_of

MEMORY, CONFIG, COMPLETION, OTHER = "memory", "config", "completion", "other"
_KINDS = {0b00000: MEMORY, 0b00100: CONFIG, 0b01010: COMPLETION}


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet; what its kind does not have is 0.

    `addr` is the address of the first dword, of a configuration request the register's offset;
    `first_be` and `last_be` enable bytes; `count` is a completion's byte count, `lower` its lower address,
    `status` its status (0: success); `data` the payload.
    """

    kind: str
    write: bool
    length: int
    tag: int
    requester: int
    addr: int = 0
    first_be: int = 0
    last_be: int = 0
    status: int = 0
    count: int = 0
    lower: int = 0
    data: bytes = b""

    def enabled(self) -> list[tuple[int, int]]:
        """The runs of bytes that a request enables: (offset from `addr`, bytes)."""
        enables = self.first_be
        if self.length > 1:
            enables |= ((1 << 4 * (self.length - 2)) - 1) << 4 | self.last_be << 4 * (self.length - 1)
        return runs_of(enables)


def decode(packet: bytes) -> Packet:
    """Read a whole packet; raises ValueError where it is shorter than its header says."""
    dwords = [int.from_bytes(packet[start : start + 4], "big") for start in range(0, 16, 4)]
    first, second, third, fourth = dwords
    wide, with_data = bool(first >> 29 & 1), bool(first >> 30 & 1)
    kind = OTHER if first >> 31 else _KINDS.get(first >> 24 & 0x1F, OTHER)
    length = (first & 0x3FF) or (0 if kind == COMPLETION and not with_data else 1024)
    start = 16 if wide else 12
    data = packet[start : start + 4 * length] if with_data else b""
    if len(packet) < start or (with_data and len(data) < 4 * length):
        raise ValueError(f"a packet of {len(packet)} bytes is shorter than its header says: {packet.hex()}")
    if kind == COMPLETION:
        return Packet(
            kind,
            with_data,
            length,
            third >> 8 & 0xFF,
            third >> 16,
            data=data,
            status=second >> 13 & 7,
            count=(second & 0xFFF) or 4096,
            lower=third & 0x7F,
        )
    addr = (third << 32 | fourth) & ~3 if wide else third & (0xFFC if kind == CONFIG else ~3)
    return Packet(
        kind,
        with_data,
        length,
        second >> 8 & 0xFF,
        second >> 16,
        addr=addr,
        first_be=second & 0xF,
        last_be=second >> 4 & 0xF,
        data=data,
    )
