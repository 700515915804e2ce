"""Buffers in words: by what name they go, and what request they carry."""

from __future__ import annotations

from pymodel import spec
from pymodel.checker.state.chain import Chain
from pymodel.layout import unpack_blk_header
from waves.names import enum_name, request_name

_DATA = (spec.BlkRequest.IN, spec.BlkRequest.OUT)


def buffer_name(chain: Chain) -> str:
    """How driver and device call the buffer: its head (split) or its id (packed)."""
    return f"buffer {chain.id}"


def request_text(chain: Chain, device_type: int | None) -> str:
    """The request in a buffer, as far as the device has read it; its size where that is all there is."""
    size = f"{chain.readable} out, {chain.writable} in"
    if device_type != spec.DeviceType.BLK or len(chain.header) < spec.BLK_HEADER_LENGTH:
        return size if chain.complete else f"{size}, not wholly known"
    kind, sector = unpack_blk_header(chain.header[: spec.BLK_HEADER_LENGTH])
    name = request_name(kind)
    if kind not in _DATA:
        return name
    length = chain.writable - 1 if kind == spec.BlkRequest.IN else chain.readable - spec.BLK_HEADER_LENGTH
    return f"{name} sector {sector}, {length} bytes"


def status_name(chain: Chain, device_type: int | None) -> str:
    """The status byte that the device wrote into a block request; empty where there is none."""
    if device_type != spec.DeviceType.BLK or chain.status is None:
        return ""
    return enum_name(spec.BlkStatus, chain.status)
