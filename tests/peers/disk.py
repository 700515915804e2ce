"""A disk image whose every sector differs, and traffic over it that checks every answer."""

from __future__ import annotations

from pymodel.driver.blk import VirtioBlk
from pymodel.spec import BLK_SECTOR
from tests.peers import devices
from tests.peers.peer import Peer

SECTORS = 256
IMAGE = b"".join(
    bytes((sector * 7 + byte * 3) & 0xFF for byte in range(BLK_SECTOR)) for sector in range(SECTORS)
)


def sectors(first: int, count: int) -> bytes:
    return IMAGE[first * BLK_SECTOR : (first + count) * BLK_SECTOR]


def mixed_traffic(peer: Peer, blk: VirtioBlk) -> None:
    """Sixty-four reads and writes, eight at a time; every answer is compared."""
    for batch in range(8):
        reads = [peer.run(blk.submit_read(batch * 8 + i, 1 + i % 3, kick=i == 6)) for i in range(7)]
        write = peer.run(blk.submit_write(200 + batch, bytes([batch + 1]) * BLK_SECTOR))
        answers = peer.run(blk.wait_all([*reads, write]))
        assert answers[:7] == [sectors(batch * 8 + i, 1 + i % 3) for i in range(7)]
        written = devices.medium(peer.backend, (200 + batch) * BLK_SECTOR, BLK_SECTOR)
        assert written == bytes([batch + 1]) * BLK_SECTOR
