"""PCIe packets of the bench's root complex: how accesses become requests, and answers completions."""

from __future__ import annotations

from typing import Any

from cocotbext.pcie.core.tlp import CplStatus, Tlp, TlpFmt, TlpType
from cocotbext.pcie.core.utils import PcieId

from tb.ports.burst import PAGE, runs_of

ROOT = PcieId(0, 0, 0)
FUNCTION = PcieId(1, 0, 0)
"""Where the device's function is: bus 1, device 0, function 0."""
RCB = 64
MAX_PART = 128
"""The most that a completion carries: what every Max_Payload_Size allows."""
GIB4 = 1 << 32
PAD = b"\xee"
READS = (TlpType.MEM_READ, TlpType.MEM_READ_64)
WRITES = (TlpType.MEM_WRITE, TlpType.MEM_WRITE_64)
COMPLETIONS = (TlpType.CPL, TlpType.CPL_DATA)
_MESSAGE_TYPES = range(0x10, 0x18)
_INTX = {0x20: 1, 0x24: 0}
_STARTS = (0x8, 0xC, 0xE, 0xF)
_ENDS = (0x1, 0x3, 0x7, 0xF)


def message_code(packet: bytes) -> int | None:
    """The message code of a packet that is a message, else None."""
    return packet[7] if packet[0] & 0x1F in _MESSAGE_TYPES else None


def intx_level(code: int) -> int | None:
    """The level that an Assert_INTA or Deassert_INTA message tells, None for other messages."""
    return _INTX.get(code)


def memory_request(addr: int, length: int, data: bytes | None) -> Any:
    """A read, or with `data` a write, of `length` bytes within a page of memory space."""
    tlp = Tlp()
    if data is None:
        tlp.fmt_type = TlpType.MEM_READ_64 if addr >= GIB4 else TlpType.MEM_READ
        tlp.set_addr_be(addr, length)
    else:
        tlp.fmt_type = TlpType.MEM_WRITE_64 if addr >= GIB4 else TlpType.MEM_WRITE
        tlp.set_addr_be_data(addr, data)
    tlp.requester_id = ROOT
    return tlp


def config_request(addr: int, length: int, data: bytes | None) -> Any:
    """A read, or with `data` a write, of bytes within a dword of the function's configuration space."""
    tlp = Tlp()
    tlp.fmt_type = TlpType.CFG_READ_0 if data is None else TlpType.CFG_WRITE_0
    if data is None:
        tlp.set_addr_be(addr, length)
    else:
        tlp.set_addr_be_data(addr, data)
    tlp.requester_id, tlp.completer_id = ROOT, FUNCTION
    return tlp


def wanted_bytes(tlp: Any) -> tuple[int, int]:
    """First address of a memory read and how many bytes from there on, 0 for one of none."""
    if tlp.length == 1 and not tlp.first_be:
        return tlp.address, 0
    return tlp.address + tlp.get_first_be_offset(), tlp.get_be_byte_count()


def written_runs(tlp: Any) -> list[tuple[int, bytes]]:
    """The runs of bytes that a memory write enables, as (address, data)."""
    enables = tlp.first_be
    if tlp.length > 1:
        middle = (1 << 4 * (tlp.length - 2)) - 1
        enables |= middle << 4 | tlp.last_be << 4 * (tlp.length - 1)
    data = bytes(tlp.data)
    return [(tlp.address + first, data[first : first + count]) for first, count in runs_of(enables)]


def completion(tlp: Any, status: Any) -> Any:
    """A completion without data that refuses a memory read."""
    cpl = Tlp.create_completion_for_tlp(tlp, ROOT, status=status)
    addr, count = wanted_bytes(tlp)
    cpl.byte_count, cpl.lower_address = count or 1, addr & 0x7F
    cpl.place, cpl.final = addr, True
    return cpl


def completions(tlp: Any, data: bytes, cuts: list[int]) -> list[Any]:
    """The completions that bring `data` to a memory read, in order, cut at the addresses `cuts`.

    Beside its own fields each has `place`, the address of its first byte, and `final`.
    """
    addr, count = wanted_bytes(tlp)
    ends = [*cuts, addr + max(count, 1)]
    result, start = [], addr
    for end in ends:
        cpl = Tlp.create_completion_data_for_tlp(tlp, ROOT)
        cpl.byte_count, cpl.lower_address = ends[-1] - start, start & 0x7F
        cpl.place, cpl.final = start, end == ends[-1]
        part = data[start - addr : end - addr] if count else PAD
        cpl.set_data(PAD * (start % 4) + part + PAD * (-end % 4))
        result.append(cpl)
        start = end
    return result


def places_to_cut(tlp: Any) -> list[int]:
    """The addresses at which the completion of a memory read may be cut."""
    addr, count = wanted_bytes(tlp)
    return list(range(addr - addr % RCB + RCB, addr + count, RCB))


def request_faults(tlp: Any) -> list[str]:
    """What PCI Express forbids about a request by the function, one line each."""
    what = f"the {tlp.fmt_type.name} of {tlp.length} dwords at {tlp.address:#x}"
    faults = []
    if tlp.requester_id != FUNCTION:
        faults.append(f"{what} names the requester {tlp.requester_id}, the function is {FUNCTION}")
    if tlp.fmt in (TlpFmt.FOUR_DW, TlpFmt.FOUR_DW_DATA) and tlp.address < GIB4:
        faults.append(f"{what} has a header of 4 dwords, and lies below 4 GiB")
    if tlp.address % PAGE + 4 * tlp.length > PAGE:
        faults.append(f"{what} crosses a 4 KiB boundary")
    if not _enables_allowed(tlp):
        faults.append(f"{what} has byte enables {tlp.first_be:#x} and {tlp.last_be:#x}")
    if tlp.has_data() and len(tlp.data) != 4 * tlp.length:
        faults.append(f"{what} carries {len(tlp.data)} bytes")
    return faults


def _enables_allowed(tlp: Any) -> bool:
    if tlp.length == 1:
        return not tlp.last_be
    if tlp.length == 2 and tlp.address % 8 == 0:
        return bool(tlp.first_be and tlp.last_be)
    return tlp.first_be in _STARTS and tlp.last_be in _ENDS


def read_value(answers: list[Any], addr: int, length: int) -> tuple[int, list[str]]:
    """What the completions of a read of `length` bytes of memory say, and what is wrong with them.

    A refused read gives all ones, as a root complex hands it to software.
    """
    data, faults = b"", list[str]()
    for cpl in answers:
        if cpl.status != CplStatus.SC:
            return ones(length), faults
        place, left = addr + len(data), length - len(data)
        if (cpl.byte_count, cpl.lower_address) != (left, place & 0x7F):
            faults.append(
                f"a completion says byte count {cpl.byte_count} and lower address {cpl.lower_address:#x} "
                f"where {left} bytes are to come from {place:#x} on"
            )
        data += bytes(cpl.data[place % 4 :])[: cpl.byte_count]
    if len(data) < length:
        faults.append(f"completions bring {len(data)} bytes of {length}")
    return int.from_bytes(data[:length].ljust(length, b"\xff"), "little"), faults


def config_value(answers: list[Any], addr: int, length: int) -> tuple[int, list[str]]:
    """The same for a read of configuration space, whose completion brings a whole dword."""
    cpl = answers[0]
    if cpl.status != CplStatus.SC:
        return ones(length), []
    faults = []
    if (cpl.byte_count, cpl.lower_address, len(cpl.data)) != (4, 0, 4):
        faults.append(f"the completion of a configuration read is not one of 4 bytes: {cpl!r}")
    data = bytes(cpl.data)[addr % 4 :][:length]
    return int.from_bytes(data.ljust(length, b"\xff"), "little"), faults


def ones(length: int) -> int:
    """What a read gives that nobody answers."""
    return (1 << 8 * length) - 1
