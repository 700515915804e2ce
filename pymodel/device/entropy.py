"""An entropy device (virtio 1.4, 5.4)."""

from __future__ import annotations

from random import Random

from pymodel.device.backend import Backend
from pymodel.device.host import Host
from pymodel.device.ring import DeviceChain, RingError
from pymodel.spec import DeviceType


class EntropyBackend(Backend):
    """Fills device-writable buffers from a seeded generator; writes at least one byte, at most `most`."""

    device_type = DeviceType.ENTROPY
    class_code = 0xFF0000

    def __init__(self, seed: int = 0, most: int | None = None) -> None:
        super().__init__()
        self.rng = Random(seed)
        self.most = most

    def handle(self, chain: DeviceChain, host: Host) -> int:
        """Fill the buffer."""
        room = chain.length(write=True)
        if chain.length(write=False) or not room:
            raise RingError("an entropy buffer is device-writable only (virtio 1.4, 5.4.6.1)")
        data = self.rng.randbytes(min(room, self.most or room))
        chain.write(host, 0, data)
        return len(data)
