"""The device side of a split virtqueue (virtio 1.4, 2.7)."""

from __future__ import annotations

from collections.abc import Sequence

from pymodel import spec
from pymodel.device.host import Host
from pymodel.device.ring import DeviceChain, DeviceRing, RingError, Segment
from pymodel.layout import SplitDesc, SplitRing, need_event, pack_used_element
from pymodel.spec import DescFlag, Feature


class DeviceSplitRing(DeviceRing):
    """Follows avail.idx, walks chains, and writes used elements before used.idx."""

    def __init__(self, host: Host, index: int, ring: SplitRing, features: int) -> None:
        super().__init__(host, index, ring.size, features)
        self.ring = ring
        self._avail_idx = 0
        self._next_avail = 0
        self._used_idx = 0
        self._signalled = 0
        self._quiet = False

    def fetch(self) -> DeviceChain | None:
        """Take the next available chain."""
        if self._next_avail == self._avail_idx:
            self._avail_idx = self.host.read_int(self.ring.avail_idx, 2)
            if (self._avail_idx - self._next_avail) & 0xFFFF > self.size:
                raise RingError(f"avail.idx {self._avail_idx} is too far ahead of {self._next_avail}")
            if self._next_avail == self._avail_idx:
                return None
        head = self.host.read_int(self.ring.avail_entry(self._next_avail), 2)
        self._next_avail = self._next_avail + 1 & 0xFFFF
        chain = DeviceChain(self.index, head, 1)
        self._walk(chain, self.ring.desc, self.size, head, table=False)
        return chain

    def _walk(self, chain: DeviceChain, base: int, entries: int, first: int, *, table: bool) -> None:
        """Follow a chain from entry `first` of the table of `entries` descriptors at `base`."""
        index = first
        for _ in range(self.size + 1):
            if index >= entries:
                raise RingError(f"descriptor {index} of {entries}")
            data = self.host.read(base + spec.DESC_LENGTH * index, spec.DESC_LENGTH)
            desc = SplitDesc.unpack(data)
            if desc.flags & DescFlag.INDIRECT:
                self._check_indirect(desc, table)
                self._walk(chain, desc.addr, desc.len // spec.DESC_LENGTH, 0, table=True)
                return
            chain.add(Segment(desc.addr, desc.len, bool(desc.flags & DescFlag.WRITE)))
            if len(chain.segments) > self.size:
                break
            if not desc.flags & DescFlag.NEXT:
                return
            index = desc.next
        raise RingError(f"a chain longer than the queue size {self.size}")

    def _check_indirect(self, desc: SplitDesc, table: bool) -> None:
        if not self.has(Feature.INDIRECT_DESC):
            raise RingError("INDIRECT without the feature")
        if table or desc.flags & DescFlag.NEXT:
            raise RingError("INDIRECT inside a table, or together with NEXT")
        if desc.len == 0 or desc.len % spec.DESC_LENGTH:
            raise RingError(f"an indirect table of {desc.len} bytes")

    def use(self, batch: Sequence[tuple[DeviceChain, int]]) -> None:
        """Write one used element, then step used.idx by the size of the batch."""
        chain, length = batch[-1]
        self.host.write(self.ring.used_entry(self._used_idx), pack_used_element(chain.id, length))
        self._used_idx = self._used_idx + len(batch) & 0xFFFF
        self.host.write_int(self.ring.used_idx, 2, self._used_idx)

    def interrupt_wanted(self) -> bool:
        """Decide by avail.flags or used_event (virtio 1.4, 2.7.7.2)."""
        old, self._signalled = self._signalled, self._used_idx
        if self.has(Feature.EVENT_IDX):
            return need_event(self.host.read_int(self.ring.used_event, 2), self._used_idx, old)
        return not self.host.read_int(self.ring.avail_flags, 2) & spec.AVAIL_F_NO_INTERRUPT

    def disarm(self) -> None:
        """Set used.flags; with EVENT_IDX avail_event lies behind already."""
        if not self.has(Feature.EVENT_IDX):
            self._quiet = True
            self.host.write_int(self.ring.used_flags, 2, spec.USED_F_NO_NOTIFY)

    def arm(self) -> None:
        """Move avail_event to the next chain, or clear used.flags."""
        if self.has(Feature.EVENT_IDX):
            self.host.write_int(self.ring.avail_event, 2, self._next_avail)
        elif self._quiet:
            self._quiet = False
            self.host.write_int(self.ring.used_flags, 2, 0)
