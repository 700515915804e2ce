"""Device configuration space (virtio 1.4, 2.5) and its generation count (4.1.4.3)."""

from __future__ import annotations

from pymodel.checker.facts import (
    DeviceConfigRead,
    DeviceConfigWrite,
    FieldRead,
    ResetStarted,
    SessionOver,
    StatusWrite,
)
from pymodel.checker.rule import Rule, on
from pymodel.checker.state.devconfig import LAYOUTS
from pymodel.spec import BlkFeature, ConsoleFeature, DeviceType, NetFeature

_B, _N, _C = BlkFeature, NetFeature, ConsoleFeature
OWNERS: dict[int, dict[str, tuple[int, ...]]] = {
    DeviceType.BLK: {
        "size_max": (_B.SIZE_MAX,),
        "seg_max": (_B.SEG_MAX,),
        **dict.fromkeys(("cylinders", "heads", "sectors"), (_B.GEOMETRY,)),
        "blk_size": (_B.BLK_SIZE,),
        **dict.fromkeys(
            ("physical_block_exp", "alignment_offset", "min_io_size", "opt_io_size"), (_B.TOPOLOGY,)
        ),
        "writeback": (_B.CONFIG_WCE,),
        "num_queues": (_B.MQ,),
        **dict.fromkeys(
            ("max_discard_sectors", "max_discard_seg", "discard_sector_alignment"), (_B.DISCARD,)
        ),
        **dict.fromkeys(
            ("max_write_zeroes_sectors", "max_write_zeroes_seg", "write_zeroes_may_unmap"),
            (_B.WRITE_ZEROES,),
        ),
        **dict.fromkeys(
            ("max_secure_erase_sectors", "max_secure_erase_seg", "secure_erase_sector_alignment"),
            (_B.SECURE_ERASE,),
        ),
    },
    DeviceType.NET: {
        "status": (_N.STATUS,),
        "max_virtqueue_pairs": (_N.MQ, _N.RSS),
        "mtu": (_N.MTU,),
        **dict.fromkeys(("speed", "duplex"), (_N.SPEED_DUPLEX,)),
        **dict.fromkeys(("rss_max_key_size", "rss_max_indirection_table_length"), (_N.RSS, _N.HASH_REPORT)),
        "supported_hash_types": (_N.RSS, _N.HASH_REPORT),
        "supported_tunnel_types": (_N.HASH_TUNNEL,),
    },
    DeviceType.CONSOLE: {
        **dict.fromkeys(("cols", "rows"), (_C.SIZE,)),
        "max_nr_ports": (_C.MULTIPORT,),
        "emerg_wr": (_C.EMERG_WRITE,),
    },
}
"""By device type: the features of which one must be offered for an optional field to exist."""


class OptionalFieldsAreChecked(Rule):
    """An optional configuration field is accessed only if its feature is offered (2.5.1).

    Judged once the offer was read; for device types with a tabled layout.
    """

    clause = "DRV-CFG-003"
    _offered: dict[int, int] | None = None

    @on(DeviceConfigRead, DeviceConfigWrite)
    def check(self, fact: DeviceConfigRead | DeviceConfigWrite) -> None:
        """The fields touched exist."""
        self._offered = self.session.offered or self._offered
        kind = self.state.device_type or 0
        if not self._offered or kind not in LAYOUTS:
            return
        end = fact.offset + len(fact.data)
        for name, bits in OWNERS[kind].items():
            field = LAYOUTS[kind][name]
            words = {bit // 32 for bit in bits}
            if field.offset < end and fact.offset < field.end and words <= self._offered.keys():
                offered = any(self._offered[bit // 32] >> bit % 32 & 1 for bit in bits)
                self.judge(offered, f"{name} is accessed, but its feature is not offered")


class WideFieldsAreReadTwice(Rule):
    """config_generation is read before and after a 64-bit configuration field (2.5.1)."""

    clause = "DRV-CFG-002"

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._before = False
        self._half: int | None = None
        self._whole = False

    @on(FieldRead)
    def generation(self, fact: FieldRead) -> None:
        """The generation is read."""
        if fact.name == "config_generation":
            if self._whole:
                self.held()
            self._before, self._whole, self._half = True, False, None

    @on(DeviceConfigRead)
    def read(self, fact: DeviceConfigRead) -> None:
        """A half of such a field is read."""
        for field in LAYOUTS.get(self.state.device_type or 0, {}).values():
            if field.width != 8 or not field.offset <= fact.offset < field.end:
                continue
            if self._half is not None and self._half != fact.offset:
                self._whole = self._before
                if not self._before:
                    self.breached(f"{field.name} is read without config_generation before it")
            self._half = fact.offset

    @on(StatusWrite, SessionOver)
    def over(self, _: object) -> None:
        """The driver goes on."""
        if self._whole:
            self.breached("a 64-bit configuration field was read without config_generation after it")
        self._before, self._whole, self._half = False, False, None


class ConfigIsReadableEarly(Rule):
    """Configuration fields are readable before FEATURES_OK (2.5.2).

    A breach is seen where bytes read all 0 or all 1 before it and differently after it, with the same
    generation. Fields that depend on what is negotiated (block: writeback, zoned) pass.
    """

    clause = "DEV-CFG-001"
    _LIMIT = 256

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._early: dict[tuple[int, int], tuple[bytes, int | None]] = {}

    @on(ResetStarted)
    def reset(self, _: ResetStarted) -> None:
        """A new session."""
        self._early.clear()

    def _depends(self, offset: int) -> bool:
        return self.state.device_type == DeviceType.BLK and (offset == 0x20 or offset >= 0x48)

    @on(DeviceConfigRead)
    def read(self, fact: DeviceConfigRead) -> None:
        """A configuration read."""
        if not self.session.known or self._depends(fact.offset):
            return
        key = (fact.offset, len(fact.data))
        generation = self.state.common.values.get("config_generation")
        if not self.session.features_ok_written:
            if len(self._early) < self._LIMIT:
                self._early[key] = (fact.data, generation)
            if set(fact.data) != {0xFF}:
                self.held()
        elif key in self._early:
            data, early_generation = self._early.pop(key)
            dumb = len(set(data)) == 1 and data[0] in (0, 0xFF)
            if dumb and data != fact.data and generation == early_generation:
                self.breached(f"configuration at {fact.offset:#x} read {data.hex()} before FEATURES_OK")


class ChangeShowsInGeneration(Rule):
    """After a configuration read showed a changed value, the generation differs from before (4.1.4.3.1).

    Compared with the generation last read before the previous configuration read. What the driver
    itself wrote to a writable field is no change; a field that it may not write is.
    """

    clause = "DEV-PCI-017"

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._generation: int | None = None
        self._at_read: int | None = None
        self._changed: int | None = None

    @on(ResetStarted)
    def reset(self, _: ResetStarted) -> None:
        """A new session."""
        self._generation = self._at_read = self._changed = None

    @on(DeviceConfigRead)
    def read(self, fact: DeviceConfigRead) -> None:
        """A configuration read."""
        if self._changed is None:
            if fact.changed:
                self._changed = fact.offset
            else:
                self._at_read = self._generation

    @on(FieldRead)
    def generation(self, fact: FieldRead) -> None:
        """The generation is read."""
        if fact.name != "config_generation":
            return
        if self._changed is not None and self._at_read is not None:
            message = f"configuration at {self._changed:#x} changed, config_generation is still {fact.value}"
            self.judge(fact.value != self._at_read, message)
        self._generation, self._changed = fact.value, None
