"""The device side of a packed virtqueue (virtio 1.4, 2.8)."""

from __future__ import annotations

from collections.abc import Sequence

from pymodel import spec
from pymodel.device.host import Host
from pymodel.device.ring import DeviceChain, DeviceRing, RingError, Segment
from pymodel.layout import PACKED_DESC_FLAGS, PackedDesc, PackedRing, pack_packed_event, unpack_packed_event
from pymodel.spec import DescFlag, Feature, RingEvent

_STATE = DescFlag.AVAIL | DescFlag.USED
_LENGTH_OFFSET = 8


class DevicePackedRing(DeviceRing):
    """Follows the AVAIL flags, writes used descriptors with their flags last."""

    def __init__(self, host: Host, index: int, ring: PackedRing, features: int) -> None:
        super().__init__(host, index, ring.size, features)
        self.ring = ring
        self._avail = (0, 1)
        self._used = (0, 1)
        self._signalled = (0, 1)
        self._since_signal = 0
        self._quiet = False

    def _after(self, position: tuple[int, int], count: int) -> tuple[int, int]:
        slot, wrap = position[0] + count, position[1]
        return (slot - self.size, wrap ^ 1) if slot >= self.size else (slot, wrap)

    def _read(self, position: tuple[int, int]) -> PackedDesc | None:
        """Read a descriptor; None if it is not available."""
        slot, wrap = position
        desc = PackedDesc.unpack(self.host.read(self.ring.desc_entry(slot), spec.DESC_LENGTH))
        wanted = DescFlag.AVAIL if wrap else DescFlag.USED
        return desc if desc.flags & _STATE == wanted else None

    def fetch(self) -> DeviceChain | None:
        """Take the next available list."""
        desc = self._read(self._avail)
        if desc is None:
            return None
        chain = DeviceChain(self.index, desc.id, 1)
        if desc.flags & DescFlag.INDIRECT:
            self._read_table(chain, desc)
        else:
            self._read_list(chain, desc)
        self._avail = self._after(self._avail, chain.slots)
        return chain

    def _read_list(self, chain: DeviceChain, desc: PackedDesc) -> None:
        chain.add(Segment(desc.addr, desc.len, bool(desc.flags & DescFlag.WRITE)))
        while desc.flags & DescFlag.NEXT:
            if chain.slots == self.size:
                raise RingError(f"a list longer than the queue size {self.size}")
            following = self._read(self._after(self._avail, chain.slots))
            if following is None:
                raise RingError("a list whose end was not made available before its head")
            desc = following
            if desc.flags & DescFlag.INDIRECT:
                raise RingError("INDIRECT in a list linked by NEXT")
            chain.add(Segment(desc.addr, desc.len, bool(desc.flags & DescFlag.WRITE)))
            chain.slots += 1
        chain.id = desc.id

    def _read_table(self, chain: DeviceChain, desc: PackedDesc) -> None:
        entries, rest = divmod(desc.len, spec.DESC_LENGTH)
        if not self.has(Feature.INDIRECT_DESC) or desc.flags & DescFlag.NEXT:
            raise RingError("INDIRECT without the feature, or together with NEXT")
        if rest or not 1 <= entries <= self.size:
            raise RingError(f"an indirect table of {desc.len} bytes")
        data = self.host.read(desc.addr, desc.len)
        for start in range(0, desc.len, spec.DESC_LENGTH):
            entry = PackedDesc.unpack(data[start : start + spec.DESC_LENGTH])
            chain.add(Segment(entry.addr, entry.len, bool(entry.flags & DescFlag.WRITE)))

    def use(self, batch: Sequence[tuple[DeviceChain, int]]) -> None:
        """Write one used descriptor, its flags last, and skip the slots of the batch."""
        chain, length = batch[-1]
        slot, wrap = self._used
        flags = (_STATE if wrap else DescFlag(0)) | (DescFlag.WRITE if length else DescFlag(0))
        data = PackedDesc(0, length, chain.id, flags).pack()
        entry = self.ring.desc_entry(slot)
        self.host.write(entry + _LENGTH_OFFSET, data[_LENGTH_OFFSET:PACKED_DESC_FLAGS])
        self.host.write(entry + PACKED_DESC_FLAGS, data[PACKED_DESC_FLAGS:])
        slots = sum(used.slots for used, _ in batch)
        self._used = self._after(self._used, slots)
        self._since_signal += slots

    def interrupt_wanted(self) -> bool:
        """Decide by the driver event suppression structure (virtio 1.4, 2.8.10)."""
        (start, start_wrap), self._signalled = self._signalled, self._used
        count, self._since_signal = self._since_signal, 0
        data = self.host.read(self.ring.driver_event, spec.PACKED_EVENT_LENGTH)
        slot, wrap, flags = unpack_packed_event(data)
        if flags == RingEvent.DESC and self.has(Feature.EVENT_IDX):
            return 0 <= slot - start + (0 if wrap == start_wrap else self.size) < count
        return flags != RingEvent.DISABLE

    def disarm(self) -> None:
        """Switch doorbells off."""
        self._quiet = True
        self.host.write(self.ring.device_event, pack_packed_event(0, 0, RingEvent.DISABLE))

    def arm(self) -> None:
        """Ask for a doorbell at the next slot, or switch doorbells on again."""
        if self.has(Feature.EVENT_IDX):
            self.host.write(self.ring.device_event, pack_packed_event(*self._avail, RingEvent.DESC))
        elif self._quiet:
            self._quiet = False
            self.host.write(self.ring.device_event, pack_packed_event(0, 0, RingEvent.ENABLE))
