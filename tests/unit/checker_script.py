"""Event streams written by hand, for the checker's tests: a scripted driver and device at the boundary."""

from __future__ import annotations

from typing import Self

from pymodel import events as ev
from pymodel import spec
from pymodel.checker import Checker, Results
from pymodel.layout import PackedDesc, PackedRing, SplitDesc, SplitRing, pack_packed_event, pack_used_element
from pymodel.spec import CapType, DescFlag, Feature, feature_mask
from pymodel.vtrace import Header

COMMON, ISR, DEVICE, NOTIFY, TABLE = 0x0000, 0x1000, 0x2000, 0x3000, 0x8000
MULTIPLIER = 4
ENTRIES = 4
STEP = 1000
VERSION_1 = feature_mask(Feature.VERSION_1)
BUFFER = 0x100000
TABLE_ADDR = 0x200000
NEXT, WRITE, INDIRECT = DescFlag.NEXT, DescFlag.WRITE, DescFlag.INDIRECT
PACKED = VERSION_1 | feature_mask(Feature.RING_PACKED)
RINGS = tuple(0x10000 * n for n in (1, 2, 3))


def capability(kind: CapType, following: int, offset: int, length: int, extra: bytes = b"") -> bytes:
    """Return a virtio capability in BAR 0."""
    size = spec.CAP_LENGTH + len(extra)
    head = bytes([spec.PciCapId.VENDOR, following, size, kind, 0, 0, 0, 0])
    return head + offset.to_bytes(4, "little") + length.to_bytes(4, "little") + extra


def config_image() -> bytearray:
    """Return the configuration space of a block device with everything that it must have."""
    image = bytearray(256)
    image[0:4] = b"\xf4\x1a\x42\x10"
    image[6], image[8], image[0x2E], image[0x34] = spec.PciStatus.CAPABILITIES, 1, 0x40, 0x40
    image[0x40:0x50] = capability(CapType.COMMON, 0x50, COMMON, 64)
    image[0x50:0x64] = capability(CapType.NOTIFY, 0x64, NOTIFY, 0x100, MULTIPLIER.to_bytes(4, "little"))
    image[0x64:0x74] = capability(CapType.ISR, 0x74, ISR, 1)
    image[0x74:0x84] = capability(CapType.DEVICE, 0x84, DEVICE, 0x60)
    image[0x84:0x98] = capability(CapType.PCI_CFG, 0x98, 0, 0, bytes(4))
    image[0x98:0xA4] = bytes([0x11, 0, ENTRIES - 1, 0]) + TABLE.to_bytes(4, "little") + bytes([0, 0x90, 0, 0])
    return image


WINDOW, MSIX = 0x84, 0x98


class Script:
    """Appends events, after those of enumeration; each takes a nanosecond, half of it from its request on."""

    def __init__(
        self,
        *,
        features: int = VERSION_1,
        offered: int | None = None,
        header: Header | None = None,
        image: bytes | None = None,
    ) -> None:
        self.header = header or Header(source="model")
        self.features = features
        self.offered = features if offered is None else offered
        self.events: list[ev.Event] = []
        self.t = 0
        self.avail = self.used = 0
        self.position, self.wrap = 0, 1
        self.size = 4
        self.ring = SplitRing(4, *RINGS)
        self.packed_ring = PackedRing(4, *RINGS)
        if self.header.layout is None:
            self.enumerate(config_image() if image is None else image)

    def add(self, kind: type[ev.Event], **fields: object) -> Self:
        """Append an event."""
        self.t += STEP
        self.events.append(kind(t=self.t, t_req=self.t - STEP // 2, **fields))  # type: ignore[arg-type]
        return self

    def judge(self, *, end: bool = True) -> Results:
        """Run the checker over all of it; `end` after a long silence."""
        checker = Checker(self.header)
        for event in self.events:
            checker.observe(event)
        if end:
            checker.observe(ev.Mark(t=self.t + 1_000_000_000, text="end"))
        return checker.finish()

    def pause(self) -> Self:
        """Let so much time pass that what is owed is overdue."""
        self.t += 1_000_000_000
        return self

    # Configuration space and registers.

    def enumerate(self, image: bytes) -> Self:
        """Read all of configuration space, 16 bytes at a time; switch on memory and bus mastering."""
        for addr in range(0, len(image), 16):
            self.add(ev.ConfigRead, addr=addr, data=bytes(image[addr : addr + 16]))
        return self.command(6)

    def command(self, value: int) -> Self:
        """Write the PCI command register."""
        return self.add(ev.ConfigWrite, addr=4, data=value.to_bytes(2, "little"))

    def msix(self, control: int = 0x80) -> Self:
        """Write the upper byte of MSI-X control: enable (0x80), function mask (0x40)."""
        return self.add(ev.ConfigWrite, addr=MSIX + 3, data=bytes([control]))

    def window(self, offset: int, length: int, data: bytes | None, *, write: bool = False) -> Self:
        """Access BAR 0 through the PCI_CFG window."""
        self.add(ev.ConfigWrite, addr=WINDOW + 4, data=b"\0")
        self.add(ev.ConfigWrite, addr=WINDOW + 8, data=offset.to_bytes(4, "little"))
        self.add(ev.ConfigWrite, addr=WINDOW + 12, data=length.to_bytes(4, "little"))
        kind = ev.ConfigWrite if write else ev.ConfigRead
        return self if data is None else self.add(kind, addr=WINDOW + 16, data=data)

    def entry(self, vector: int, *, masked: bool = False) -> Self:
        """Program an MSI-X table entry."""
        words = (0xFEE00000, 0, 0x40 + vector, int(masked))
        data = b"".join(word.to_bytes(4, "little") for word in words)
        return self.add(ev.BarWrite, bar=0, addr=TABLE + 16 * vector, data=data)

    def bar_w(self, addr: int, data: bytes) -> Self:
        """Write BAR 0."""
        return self.add(ev.BarWrite, bar=0, addr=addr, data=data)

    def bar_r(self, addr: int, data: bytes) -> Self:
        """Read BAR 0."""
        return self.add(ev.BarRead, bar=0, addr=addr, data=data)

    def w(self, name: str, value: int, half: int = 0) -> Self:
        """Write a field of the common structure (or a half of a 64-bit one)."""
        field = spec.COMMON_CFG[name]
        width = min(field.width, 4)
        return self.bar_w(COMMON + field.offset + 4 * half, value.to_bytes(width, "little"))

    def r(self, name: str, value: int, half: int = 0) -> Self:
        """Read a field of the common structure."""
        field = spec.COMMON_CFG[name]
        width = min(field.width, 4)
        return self.bar_r(COMMON + field.offset + 4 * half, value.to_bytes(width, "little"))

    def status(self, value: int) -> Self:
        """Write device_status."""
        return self.w("device_status", value)

    def sees(self, value: int) -> Self:
        """Read device_status."""
        return self.r("device_status", value)

    # Bring-up.

    def reset(self) -> Self:
        """Reset, and wait for it."""
        self.avail = self.used = self.position = 0
        self.wrap = 1
        return self.status(0).sees(0)

    def offer(self, words: int = 2) -> Self:
        """Read the offered features."""
        for word in range(words):
            self.w("device_feature_select", word)
            self.r("device_feature", self.offered >> 32 * word & 0xFFFFFFFF)
        return self

    def accept(self) -> Self:
        """Write the accepted features."""
        for word in range(2):
            self.w("driver_feature_select", word)
            self.w("driver_feature", self.features >> 32 * word & 0xFFFFFFFF)
        return self

    def negotiate(self) -> Self:
        """Everything from reset to FEATURES_OK read back."""
        self.reset().status(1).status(3).offer().accept()
        return self.status(0x0B).sees(0x0B)

    def select(self, index: int = 0) -> Self:
        """Select a queue."""
        return self.w("queue_select", index)

    def rings(self, *, base: int = 0) -> Self:
        """Write the ring addresses of the selected queue."""
        for name, addr in zip(("queue_desc", "queue_driver", "queue_device"), RINGS, strict=True):
            self.w(name, base + addr).w(name, 0, 1)
        return self

    def queue(self, index: int = 0, *, size: int = 4, vector: int | None = None) -> Self:
        """Configure and enable a queue."""
        self.size = size
        self.ring, self.packed_ring = SplitRing(size, *RINGS), PackedRing(size, *RINGS)
        self.select(index).r("queue_size", 8).w("queue_size", size).r("queue_notify_off", index)
        if vector is not None:
            self.w("queue_msix_vector", vector).r("queue_msix_vector", vector)
        return self.rings().w("queue_enable", 1)

    def live(self, *, size: int = 4, vector: int | None = None) -> Self:
        """Everything up to DRIVER_OK with one queue."""
        return self.negotiate().queue(size=size, vector=vector).status(0x0F)

    def doorbell(self, index: int = 0, value: int | None = None, length: int = 2) -> Self:
        """Ring a queue."""
        data = (index if value is None else value).to_bytes(length, "little")
        return self.bar_w(NOTIFY + MULTIPLIER * index, data)

    # The driver's stores.

    def mem(self, addr: int, data: bytes) -> Self:
        """The driver stores."""
        return self.add(ev.MemWrite, addr=addr, data=data)

    def desc(
        self, index: int, flags: int = 0, *, addr: int | None = None, length: int = 512, following: int = 0
    ) -> Self:
        """Store a split descriptor; buffers lie a page apart."""
        at = BUFFER + 0x1000 * index if addr is None else addr
        return self.mem(self.ring.desc_entry(index), SplitDesc(at, length, flags, following).pack())

    def publish(self, head: int, *, index: int | None = None) -> Self:
        """Put a head into the available ring and step avail.idx."""
        self.mem(self.ring.avail_entry(self.avail), head.to_bytes(2, "little"))
        self.avail = self.avail + 1 if index is None else index
        return self.mem(self.ring.avail_idx, (self.avail & 0xFFFF).to_bytes(2, "little"))

    def give(self, head: int = 0, *, flags: int = WRITE, length: int = 512) -> Self:
        """Make a buffer of one descriptor available, and ring."""
        return self.desc(head, flags, length=length).publish(head).doorbell()

    # The device.

    def dma_r(self, addr: int, data: bytes) -> Self:
        """The device reads."""
        return self.add(ev.DmaRead, addr=addr, data=data)

    def dma_w(self, addr: int, data: bytes) -> Self:
        """The device writes."""
        return self.add(ev.DmaWrite, addr=addr, data=data)

    def fetch(self) -> Self:
        """The device reads avail.flags and avail.idx."""
        return self.dma_r(self.ring.avail, b"\0\0" + (self.avail & 0xFFFF).to_bytes(2, "little"))

    def element(self, head: int, length: int) -> Self:
        """The device writes the next used element."""
        return self.dma_w(self.ring.used_entry(self.used), pack_used_element(head, length))

    def used_idx(self, index: int | None = None) -> Self:
        """The device steps used.idx."""
        self.used = self.used + 1 if index is None else index
        return self.dma_w(self.ring.used_idx, (self.used & 0xFFFF).to_bytes(2, "little"))

    def use(self, head: int = 0, *, length: int = 512, written: int | None = None) -> Self:
        """The device fetches, fills and returns a writable buffer."""
        self.fetch()
        written = length if written is None else written
        if written:
            self.dma_w(BUFFER + 0x1000 * head, bytes(written))
        return self.element(head, length).used_idx()

    def message(self, vector: int = 1) -> Self:
        """An MSI-X message by number."""
        return self.add(ev.Msix, vector=vector)

    def line(self, level: int) -> Self:
        """INTx."""
        return self.add(ev.Intx, level=level)

    def isr(self, value: int) -> Self:
        """Read ISR."""
        return self.bar_r(ISR, bytes([value]))

    # Packed rings.

    def flags(self, flags: int = 0) -> int:
        """Flags that make a descriptor available in this lap."""
        return flags | (DescFlag.AVAIL if self.wrap else DescFlag.USED)

    def put(self, flags: int = WRITE, *, ident: int = 0, addr: int | None = None, length: int = 512) -> Self:
        """Store the next packed descriptor, available."""
        at = BUFFER + 0x1000 * ident if addr is None else addr
        desc = PackedDesc(at, length, ident, self.flags(flags))
        self.mem(self.packed_ring.desc_entry(self.position), desc.pack())
        self.position += 1
        if self.position == self.size:
            self.position, self.wrap = 0, self.wrap ^ 1
        return self

    def look(self, slot: int, ident: int = 0, *, flags: int | None = None) -> Self:
        """The device reads a packed descriptor as `put` stored it."""
        desc = PackedDesc(BUFFER + 0x1000 * ident, 512, ident, self.flags(WRITE) if flags is None else flags)
        return self.dma_r(self.packed_ring.desc_entry(slot), desc.pack())

    def put_used(self, slot: int, ident: int, length: int = 512, *, wrap: int = 1) -> Self:
        """The device writes a used descriptor."""
        both = (DescFlag.AVAIL | DescFlag.USED) if wrap else 0
        return self.dma_w(
            self.packed_ring.desc_entry(slot), PackedDesc(0, length, ident, both | WRITE).pack()
        )

    def suppress(self, offset: int, wrap: int, flags: int) -> Self:
        """The driver stores its event suppression structure."""
        return self.mem(self.packed_ring.driver_event, pack_packed_event(offset, wrap, flags))


def split(features: int = 0, **options: object) -> Script:
    """A live split session, enumerated, MSI-X on, queue 0 on vector 1."""
    script = Script(features=VERSION_1 | features, **options)  # type: ignore[arg-type]
    return script.msix().entry(0).entry(1).live(vector=1)


def packed(features: int = 0) -> Script:
    """A live packed session, like `split`."""
    return Script(features=PACKED | features).msix().entry(0).entry(1).live(vector=1)


def intx(features: int = 0) -> Script:
    """A live split session without MSI-X."""
    return Script(features=VERSION_1 | features).msix(0).live()
