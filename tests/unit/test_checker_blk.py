"""Rules on block devices: where each holds, and what breaches it."""

import pytest

from pymodel.layout import pack_blk_header
from pymodel.spec import BLK_CFG, BLK_ZONED_CFG, BlkFeature, BlkRequest, BlkZoneRequest, Field, feature_mask
from tests.unit.checker_cases import Case, Stream, case, check_breach, check_holds, each_breach, each_holding
from tests.unit.checker_script import BUFFER, DEVICE, NEXT, VERSION_1, WRITE, Script

HEADER, DATA, STATUS = BUFFER, BUFFER + 0x1000, BUFFER + 0x2000
FLUSH, WCE = 1 << BlkFeature.FLUSH, 1 << BlkFeature.CONFIG_WCE
ZONED = 1 << BlkFeature.ZONED
SEGMENTS = feature_mask(BlkFeature.DISCARD, BlkFeature.WRITE_ZEROES, BlkFeature.SECURE_ERASE)
FIELDS: dict[str, Field] = BLK_CFG | BLK_ZONED_CFG


def disk(features: int = 0, accept: int | None = None, **config: int) -> Script:
    """A live block device whose configuration the driver has read as given."""
    accepted = features if accept is None else accept
    script = Script(features=VERSION_1 | accepted, offered=VERSION_1 | features).msix().entry(1).negotiate()
    for name, value in config.items():
        field = FIELDS[name]
        data = value.to_bytes(field.width, "little")
        for offset in range(0, field.width, 4):
            script.bar_r(DEVICE + field.offset + offset, data[offset : offset + 4])
    return script.queue(vector=1).status(0x0F)


def zoned(**config: int) -> Script:
    return disk(
        ZONED | FLUSH, **({"zone_sectors": 64, "max_append_sectors": 8, "write_granularity": 4096} | config)
    )


def request(
    kind: int,
    *,
    sector: int = 0,
    out: bytes = b"",
    room: int = 0,
    status: int = 0,
    moved: int | None = None,
    script: Script | None = None,
) -> Script:
    """A request goes to the device and comes back; `moved` bytes of its data are really moved."""
    script = script or disk()
    length = len(out) or room
    script.desc(0, NEXT, length=16, following=1 if length else 2)
    script.desc(1, NEXT | (WRITE if room else 0), length=length, following=2)
    script.desc(2, WRITE, length=1).publish(0).doorbell().fetch()
    script.dma_r(HEADER, pack_blk_header(kind, sector))
    moved = length if moved is None else moved
    if out and moved:
        script.dma_r(DATA, out[:moved])
    if room and moved:
        script.dma_w(DATA, bytes(moved))
    script.dma_w(STATUS, bytes([status]))
    written = moved + 1 if room and moved == room else 1
    return script.element(0, 0 if room and moved < room else written).used_idx()


def segment(flags: int = 0, count: int = 1) -> bytes:
    return (bytes(12) + flags.to_bytes(4, "little")) * count


def segments(kind: BlkRequest, *, status: int = 0, flags: int = 0, count: int = 1, **config: int) -> Script:
    return request(kind, out=segment(flags, count), status=status, script=disk(SEGMENTS, **config))


def append(*, sector: int = 0, length: int = 4096, status: int = 0, **config: int) -> Script:
    return request(
        BlkZoneRequest.APPEND, sector=sector, out=bytes(length), status=status, script=zoned(**config)
    )


def managed(kind: BlkZoneRequest, sector: int) -> Script:
    return request(kind, sector=sector, script=zoned())


def lifetime(first: int) -> Script:
    script = disk(1 << BlkFeature.LIFETIME)
    script.desc(0, NEXT, length=16, following=1).desc(1, WRITE, length=7).publish(0).doorbell().fetch()
    script.dma_r(HEADER, pack_blk_header(BlkRequest.GET_LIFETIME, 0))
    script.dma_w(DATA, first.to_bytes(2, "little") + bytes(5))
    return script.element(0, 7).used_idx()


def limited(**config: int) -> Script:
    needed = feature_mask(BlkFeature.SIZE_MAX, BlkFeature.SEG_MAX, BlkFeature.SECURE_ERASE)
    return disk(ZONED | FLUSH | needed, **config)


def read_config(script: Script, offset: int, data: bytes) -> Script:
    return script.bar_r(DEVICE + offset, data)


IN, OUT = BlkRequest.IN, BlkRequest.OUT
CASES = {
    "DEV-BLK-001": case(lambda: disk(FLUSH), disk),
    "DEV-BLK-002": case(lambda: disk(FLUSH | WCE), lambda: disk(WCE)),
    "DEV-BLK-003": case(
        lambda: read_config(disk(FLUSH | WCE, WCE), 0x20, b"\0"),
        lambda: read_config(disk(FLUSH | WCE, WCE), 0x20, b"\1"),
    ),
    "DEV-BLK-004": case(lambda: read_config(disk(), 0x21, b"\0"), lambda: read_config(disk(), 0x39, b"\1")),
    "DEV-BLK-005": case(lambda: zoned(model=1), lambda: zoned(model=0)),
    "DEV-BLK-007": case(lambda: disk(ZONED, 0, zone_sectors=0), lambda: disk(ZONED, 0, zone_sectors=64)),
    "DEV-BLK-017": case(
        lambda: limited(seg_max=1, size_max=4096, max_append_sectors=8),
        lambda: limited(seg_max=1, size_max=4095, max_append_sectors=8),
    ),
    "DEV-BLK-060": case(
        lambda: limited(secure_erase_sector_alignment=128, zone_sectors=64),
        lambda: limited(secure_erase_sector_alignment=96, zone_sectors=64),
    ),
    "DEV-BLK-020": case(lambda: read_config(zoned(), 0x5D, b"\0"), lambda: read_config(zoned(), 0x5D, b"\1")),
    "DEV-BLK-023": case(
        lambda: request(OUT, out=bytes(512), status=1, script=disk(1 << BlkFeature.RO)),
        lambda: request(OUT, out=bytes(512), status=0, script=disk(1 << BlkFeature.RO)),
    ),
    "DEV-BLK-025": case(
        lambda: segments(BlkRequest.WRITE_ZEROES, flags=2, status=2),
        lambda: segments(BlkRequest.WRITE_ZEROES, flags=2, status=0),
    ),
    "DEV-BLK-026": case(
        lambda: segments(BlkRequest.DISCARD, flags=1, status=2),
        lambda: segments(BlkRequest.DISCARD, flags=1, status=0),
        aside=("DRV-BLK-024",),
    ),
    "DEV-BLK-037": case(lambda: lifetime(3), lambda: lifetime(4)),
    "DEV-BLK-038": case(
        lambda: request(BlkZoneRequest.RESET_ALL, status=2),
        lambda: request(BlkZoneRequest.RESET_ALL, status=0),
    ),
    "DEV-BLK-047": case(
        lambda: append(sector=3, status=3), lambda: append(sector=3, status=0), aside=("DRV-BLK-032",)
    ),
    "DEV-BLK-050": case(
        lambda: append(max_append_sectors=0, status=2),
        lambda: append(max_append_sectors=0),
        aside=("DRV-BLK-034",),
    ),
    "DEV-BLK-051": case(
        lambda: append(length=8192, status=3), lambda: append(length=8192, status=0), aside=("DRV-BLK-034",)
    ),
    "DRV-BLK-004": case(
        lambda: read_config(disk(WCE | FLUSH), 0x20, b"\0"),
        lambda: read_config(
            Script(features=VERSION_1 | WCE).reset().status(1).status(3).offer(), 0x20, b"\0"
        ),
    ),
    "DRV-BLK-012": case(
        lambda: request(IN, sector=7, room=512, script=disk(capacity=8)),
        lambda: request(IN, sector=8, room=512, script=disk(capacity=8)),
        lambda: request(OUT, sector=7, out=bytes(1024), script=disk(capacity=8)),
    ),
    "DRV-BLK-013": case(lambda: disk(1 << BlkFeature.RO), lambda: disk(1 << BlkFeature.RO, 0)),
    "DRV-BLK-014": case(lambda: request(BlkRequest.FLUSH), lambda: request(BlkRequest.FLUSH, sector=1)),
    "DRV-BLK-015": case(lambda: request(BlkRequest.FLUSH), lambda: request(BlkRequest.FLUSH, out=bytes(512))),
    "DRV-BLK-016": case(lambda: request(IN, room=512), lambda: request(IN, room=511)),
    "DRV-BLK-017": case(
        lambda: segments(BlkRequest.DISCARD),
        lambda: request(BlkRequest.DISCARD, out=bytes(17), script=disk(SEGMENTS)),
    ),
    "DRV-BLK-018": case(
        lambda: request(BlkRequest.GET_ID, room=20), lambda: request(BlkRequest.GET_ID, room=21)
    ),
    "DRV-BLK-019": case(
        lambda: segments(BlkRequest.DISCARD, max_discard_seg=1),
        lambda: segments(BlkRequest.DISCARD, count=2, max_discard_seg=1),
    ),
    "DRV-BLK-020": case(
        lambda: segments(BlkRequest.SECURE_ERASE, max_secure_erase_seg=1),
        lambda: segments(BlkRequest.SECURE_ERASE, count=2, max_secure_erase_seg=1),
    ),
    "DRV-BLK-021": case(
        lambda: segments(BlkRequest.WRITE_ZEROES, max_write_zeroes_seg=1),
        lambda: segments(BlkRequest.WRITE_ZEROES, count=2, max_write_zeroes_seg=1),
    ),
    "DRV-BLK-024": case(
        lambda: segments(BlkRequest.DISCARD), lambda: segments(BlkRequest.DISCARD, flags=1, status=2)
    ),
    "DRV-BLK-030": case(lambda: managed(BlkZoneRequest.OPEN, 64), lambda: managed(BlkZoneRequest.OPEN, 63)),
    "DRV-BLK-031": case(
        lambda: managed(BlkZoneRequest.RESET_ALL, 0), lambda: managed(BlkZoneRequest.RESET_ALL, 64)
    ),
    "DRV-BLK-032": case(append, lambda: append(sector=1, status=3)),
    "DRV-BLK-033": case(append, lambda: append(length=512)),
    "DRV-BLK-034": case(append, lambda: append(length=8192, status=3)),
    "DEV-SPLIT-001": case(
        lambda: request(IN, room=1024),
        lambda: request(IN, room=1024, moved=512),
        lambda: request(OUT, out=bytes(1024), moved=512),
    ),
}


@pytest.mark.parametrize(("clause", "entry"), each_holding(CASES))
def test_rule_holds(clause: str, entry: Case) -> None:
    check_holds(clause, Case(lambda: entry.holds().message(), (), entry.aside))


@pytest.mark.parametrize(("clause", "stream"), each_breach(CASES))
def test_rule_is_breached(clause: str, stream: Stream) -> None:
    check_breach(clause, stream)
