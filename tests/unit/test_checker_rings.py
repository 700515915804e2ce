"""Rules on split and packed rings, notifications and queue reset: where each holds, and what breaches it."""

import pytest

from pymodel.layout import PackedDesc, SplitDesc, pack_used_element
from pymodel.spec import Feature
from tests.unit.checker_cases import Case, Stream, case, check_breach, check_holds, each_breach, each_holding
from tests.unit.checker_script import (
    BUFFER,
    INDIRECT,
    NEXT,
    PACKED,
    RINGS,
    TABLE_ADDR,
    VERSION_1,
    WRITE,
    Script,
    packed,
    split,
)

EVENT, ORDER = 1 << Feature.EVENT_IDX, 1 << Feature.IN_ORDER
TABLES, RESET = 1 << Feature.INDIRECT_DESC, 1 << Feature.RING_RESET
DATA, NAMED = 1 << Feature.NOTIFICATION_DATA, 1 << Feature.NOTIF_CONFIG_DATA


def working() -> Script:
    return split().give().use().message()


def chained(*flags: int, features: int = 0, links: tuple[int, ...] = (1, 2, 3)) -> Script:
    """A chain of descriptors 0, 1, ... of 512 bytes each, published."""
    script = split(features)
    for index, flag in enumerate(flags):
        script.desc(index, flag, following=links[index])
    return script.publish(0).doorbell()


def table(*entries: SplitDesc, features: int = TABLES, flags: int = INDIRECT) -> Script:
    """A buffer whose elements lie in an indirect table that the device reads."""
    script = split(features).desc(0, flags, addr=TABLE_ADDR, length=16 * len(entries)).publish(0).doorbell()
    script.fetch()
    for index, entry in enumerate(entries):
        script.dma_r(TABLE_ADDR + 16 * index, entry.pack())
    return script


ONE = SplitDesc(BUFFER, 512, WRITE, 0)


def stepped(script: Script, flags: int) -> Script:
    """The driver stores avail.flags before it gives a buffer."""
    return script.mem(script.ring.avail_flags, flags.to_bytes(2, "little"))


def event(script: Script, index: int) -> Script:
    """The driver stores used_event."""
    return script.mem(script.ring.used_event, index.to_bytes(2, "little"))


def used_flags(script: Script, value: int) -> Script:
    return script.dma_w(script.ring.used_flags, value.to_bytes(2, "little"))


def avail_event(script: Script, index: int) -> Script:
    return script.dma_w(script.ring.avail_event, index.to_bytes(2, "little"))


def packed_work() -> Script:
    return packed().put().doorbell().look(0).dma_w(BUFFER, bytes(512)).put_used(0, 0).message()


def packed_list(*flags: int, features: int = 0) -> Script:
    """A list of descriptors, the head stored last."""
    script = packed(features)
    stores = []
    for flag in flags:
        script.put(flag, ident=7)
        stores.append(script.events.pop())
    script.events += [*stores[1:], stores[0]]
    return script.doorbell()


def packed_table(*flags: int) -> Script:
    script = packed(TABLES).put(INDIRECT, addr=TABLE_ADDR, length=16 * len(flags)).doorbell()
    for index, flag in enumerate(flags):
        script.dma_r(TABLE_ADDR + 16 * index, PackedDesc(BUFFER, 512, 0, flag).pack())
    return script


def queue_reset(*, done: bool = True) -> Script:
    """Queue 0 is reset under way, or completely."""
    script = split(RESET).give().use().message().select().w("queue_reset", 1).r("queue_reset", 1)
    if done:
        script.r("queue_reset", 0).r("queue_enable", 0)
        script.avail = script.used = 0
    return script


def again() -> Script:
    return queue_reset().queue(vector=1).give(1)


def doorbells(features: int, *, value: int, length: int) -> Script:
    script = Script(features=VERSION_1 | features).negotiate().select().r("queue_notif_config_data", 0x33)
    return script.queue().status(0x0F).doorbell(value=value, length=length)


SPLIT = {
    "DRV-SPLIT-001": case(
        working, lambda: Script().negotiate().select().w("queue_size", 4).rings(base=8).w("queue_enable", 1)
    ),
    "DRV-SPLIT-002": case(lambda: chained(NEXT, WRITE), lambda: chained(NEXT | WRITE, 0)),
    "DRV-SPLIT-004": case(working, lambda: too_big()),
    "DRV-SPLIT-005": case(
        lambda: chained(NEXT, NEXT, 0, features=ORDER),
        lambda: chained(NEXT, 0, 0, features=ORDER, links=(2, 0, 0)),
    ),
    "DRV-SPLIT-006": case(working, lambda: table(ONE, features=0)),
    "DRV-SPLIT-007": case(lambda: table(ONE), lambda: table(SplitDesc(BUFFER, 16, INDIRECT, 0))),
    "DRV-SPLIT-008": case(
        working,
        lambda: chained(NEXT, NEXT, links=(1, 0, 0)),
        lambda: table(*(SplitDesc(BUFFER, 16, NEXT, n + 1) for n in range(6))),
    ),
    "DRV-SPLIT-009": case(lambda: table(ONE), lambda: table(ONE, flags=INDIRECT | NEXT)),
    "DRV-SPLIT-010": case(
        lambda: table(ONE, features=TABLES | ORDER),
        lambda: table(SplitDesc(BUFFER, 16, NEXT, 2), ONE, ONE, features=TABLES | ORDER),
    ),
    "DRV-SPLIT-011": case(
        working,
        lambda: split().publish(0, index=300).fetch(),
        lambda: working().publish(0, index=0),
        lambda: working().publish(0, index=6),
    ),
    "DRV-SPLIT-012": case(lambda: stepped(split(), 1), lambda: stepped(split(), 2)),
    "DRV-SPLIT-014": case(lambda: stepped(split(EVENT), 0), lambda: stepped(split(EVENT), 1)),
    "DRV-SPLIT-021": case(working, lambda: used_flags(split(), 1).give()),
    "DRV-SPLIT-022": case(working, lambda: split().desc(0, WRITE).publish(0).pause()),
    "DRV-SPLIT-024": case(
        lambda: split(EVENT).give(), lambda: split(EVENT).desc(0, WRITE).publish(0).pause()
    ),
    "DRV-SPLIT-025": case(
        lambda: split(EVENT).give().use().message(), lambda: split(EVENT).give().use().message().give(1)
    ),
    "DEV-SPLIT-003": case(
        working,
        lambda: split().give(flags=0).fetch().dma_w(BUFFER, bytes(4)),
        lambda: split().give().fetch().dma_w(BUFFER + 512, bytes(4)),
        lambda: split().give().fetch().dma_w(BUFFER - 4, bytes(8)),
        lambda: working().dma_w(BUFFER, bytes(4)),
        lambda: split().give().fetch().dma_w(RINGS[1], bytes(2)),
        lambda: split().give().fetch().dma_w(RINGS[2] + 38, bytes(8)),
    ),
    "DEV-SPLIT-004": case(
        lambda: split().give(flags=0).fetch().dma_r(BUFFER, bytes(512)),
        lambda: split().give().fetch().dma_r(BUFFER, bytes(512)),
    ),
    "DEV-SPLIT-006": case(
        working,
        lambda: split().give().fetch().dma_w(RINGS[0], bytes(16)),
        lambda: table(ONE).dma_w(TABLE_ADDR, b"\0"),
    ),
    "DEV-SPLIT-007": case(
        lambda: (
            table(ONE, flags=INDIRECT | WRITE).dma_w(BUFFER, bytes(512)).element(0, 512).used_idx().message()
        ),
        lambda: table(ONE, flags=INDIRECT | WRITE).dma_w(TABLE_ADDR, bytes(16)),
    ),
    "DEV-SPLIT-008": case(
        lambda: mixed().dma_r(TABLE_ADDR, ONE.pack()).element(0, 0).used_idx().message(),
        lambda: mixed().element(0, 0).used_idx(),
    ),
    "DEV-SPLIT-009": case(
        lambda: event(split(), 9).give().use().message(), lambda: event(split(), 9).give().use().pause()
    ),
    "DEV-SPLIT-012": case(
        lambda: stepped(split(EVENT), 1).give().use().message(),
        lambda: stepped(split(EVENT), 1).give().use().pause(),
        aside=("DRV-SPLIT-014",),
    ),
    "DRV-SPLIT-020": case(
        lambda: avail_event(split(), 9).give(), lambda: avail_event(split(), 9).desc(0).publish(0).pause()
    ),
    "DRV-SPLIT-023": case(
        lambda: used_flags(split(EVENT), 1).give(),
        lambda: used_flags(split(EVENT), 1).desc(0).publish(0).pause(),
        aside=("DEV-SPLIT-020",),
    ),
    "DEV-SPLIT-010": case(
        working, lambda: stepped(split(), 1).give().use().message(), lambda: working().message()
    ),
    "DEV-SPLIT-011": case(
        working, lambda: split().give().use().pause(), lambda: split().give().use().pause().reset()
    ),
    "DEV-SPLIT-013": case(
        lambda: event(split(EVENT), 0).give().use().message(),
        lambda: event(split(EVENT), 0).give().use().pause(),
    ),
    "DEV-SPLIT-014": case(
        lambda: event(split(EVENT), 0).give().use().message(),
        lambda: event(split(EVENT), 5).give().use().message(),
    ),
    "DEV-SPLIT-015": case(
        working,
        lambda: split().give().fetch().used_idx().element(0, 0),
        lambda: split().give().desc(1).publish(1).doorbell().use().used_idx(2),
        lambda: split().give().use().used_idx(0),
        lambda: split().give().use(length=0).used_idx(),
        lambda: split().give().fetch().dma_w(RINGS[2] + 4, pack_used_element(0, 0)[:4]).used_idx(),
    ),
    "DEV-SPLIT-016": case(
        working,
        lambda: split().give().use(length=513, written=512),
        lambda: split().give().use(length=4, written=0),
        lambda: split().give().fetch().dma_w(BUFFER + 4, bytes(508)).element(0, 512).used_idx(),
    ),
    "DEV-SPLIT-018": case(lambda: used_flags(split(), 1), lambda: used_flags(split(), 2)),
    "DEV-SPLIT-020": case(lambda: used_flags(split(EVENT), 0), lambda: used_flags(split(EVENT), 1)),
    "DEV-SPLIT-022": case(
        working,
        lambda: split().give().fetch().element(1, 0).used_idx(),
        lambda: split().give().give(1).fetch().element(0, 0).used_idx().element(0, 0).used_idx(),
    ),
    "DEV-RSVD-005": case(
        lambda: (
            split(ORDER)
            .give()
            .give(1)
            .fetch()
            .dma_w(BUFFER + 0x1000, b"1")
            .element(1, 1)
            .used_idx(2)
            .message()
        ),
        lambda: split(ORDER).give().give(1).fetch().element(1, 0).used_idx(),
        lambda: split(ORDER).give().give(1).fetch().element(0, 0).used_idx(2),
    ),
}
PACKED_CASES = {
    "DRV-PACKED-001": case(
        packed_work,
        lambda: (
            Script(features=PACKED).negotiate().select().w("queue_size", 4).rings(base=2).w("queue_enable", 1)
        ),
    ),
    "DRV-PACKED-002": case(packed_work, lambda: packed().put().look(0).mem(RINGS[0], bytes(8))),
    "DRV-PACKED-003": case(packed_work, lambda: packed().put().look(0).mem(RINGS[0], bytes(8))),
    "DRV-PACKED-004": case(
        lambda: packed(DATA).put().doorbell(value=0x80010000, length=4),
        lambda: packed(DATA).put().doorbell(value=0x80000000, length=4),
        lambda: packed(DATA).put().doorbell(value=0x00010000, length=4),
    ),
    "DRV-PACKED-007": case(packed_work, lambda: packed_table(*[WRITE] * 5)),
    "DRV-PACKED-008": case(lambda: packed_list(NEXT, WRITE), lambda: packed_list(NEXT | WRITE, 0)),
    "DRV-PACKED-010": case(packed_work, lambda: packed_list(NEXT, NEXT, 0).look(0, flags=0).put(NEXT).put(0)),
    "DRV-PACKED-011": case(lambda: packed_list(NEXT, WRITE), lambda: packed().put(NEXT)),
    "DRV-PACKED-012": case(
        packed_work, lambda: packed().put(INDIRECT, addr=TABLE_ADDR).dma_r(TABLE_ADDR, ONE.pack() * 32)
    ),
    "DRV-PACKED-013": case(lambda: packed_table(0, WRITE), lambda: packed_table(NEXT, WRITE)),
    "DRV-PACKED-015": case(lambda: packed_table(WRITE), lambda: packed_mixed()),
    "DEV-PACKED-001": case(
        packed_work,
        lambda: packed().put().put(ident=1).look(1, 1).dma_w(BUFFER + 0x1000, bytes(512)).put_used(0, 1),
    ),
    "DEV-PACKED-002": case(
        packed_work,
        lambda: packed().put().look(0).dma_w(BUFFER, bytes(512)).put_used(0, 0, wrap=0),
        lambda: packed().put().put(ident=1).look(0).look(1, 1).dma_w(BUFFER, bytes(512)).put_used(1, 0),
    ),
    "DEV-PACKED-004": case(
        packed_work,
        lambda: packed().put(0).look(0, flags=0x80).dma_w(BUFFER, bytes(4)),
        lambda: packed().put().look(0).dma_w(BUFFER + 512, bytes(4)),
        lambda: packed_table(WRITE).dma_w(TABLE_ADDR, bytes(4)),
    ),
    "DEV-PACKED-005": case(
        lambda: packed().put(0).look(0, flags=0x80).dma_r(BUFFER, bytes(4)),
        lambda: packed().put().look(0).dma_r(BUFFER, bytes(4)),
    ),
    "DEV-PACKED-006": case(
        packed_work,
        lambda: packed().put().look(0).dma_w(BUFFER, bytes(512)).put_used(0, 3),
        lambda: packed().put().look(0).dma_r(RINGS[0] + 64, bytes(16)),
    ),
    "DEV-PACKED-007": case(
        packed_work,
        lambda: packed_work().dma_w(RINGS[0] + 8, bytes(4)),
        lambda: packed().put().look(0).put_used(2, 0, 0),
    ),
    "DEV-PACKED-008": case(
        packed_work, lambda: packed().put().look(0).dma_w(BUFFER, bytes(511)).put_used(0, 0)
    ),
    "DEV-PCI-061": case(
        packed_work, lambda: packed().suppress(0, 0, 0).put().look(0).put_used(0, 0, 0).pause()
    ),
    "DEV-RSVD-005": case(
        lambda: packed(ORDER).put().put(ident=1).look(0).look(1, 1).put_used(0, 1, 0).message(),
        lambda: packed(ORDER).put().put(ident=1).look(0).look(1, 1).put_used(0, 1, 0).put_used(1, 0, 0),
    ),
}
OTHERS = {
    "DRV-NOTIF-001": case(working, lambda: split().doorbell(length=4)),
    "DRV-NOTIF-002": case(
        lambda: doorbells(DATA, value=0, length=4), lambda: doorbells(DATA, value=0, length=2)
    ),
    "DRV-NOTIF-003": case(working, lambda: split().doorbell(value=1), lambda: split().bar_w(0x3050, b"\7\0")),
    "DRV-NOTIF-004": case(
        lambda: doorbells(DATA, value=0, length=4), lambda: doorbells(DATA, value=1, length=4)
    ),
    "DRV-NOTIF-005": case(
        lambda: doorbells(NAMED, value=0x33, length=2), lambda: doorbells(NAMED, value=0, length=2)
    ),
    "DRV-NOTIF-006": case(
        lambda: doorbells(NAMED | DATA, value=0x33, length=4),
        lambda: doorbells(NAMED | DATA, value=0, length=4),
    ),
    "DEV-VQ-001": case(
        again,
        lambda: queue_reset().dma_w(RINGS[2], bytes(4)),
        lambda: queue_reset().dma_r(RINGS[1], bytes(4)),
    ),
    "DEV-VQ-002": case(
        lambda: again().use(1).message(),
        lambda: again().fetch().element(1, 0).used_idx(2),
        lambda: queue_reset().r("queue_size", 4),
        lambda: queue_reset().r("queue_msix_vector", 1),
    ),
    "DEV-VQ-003": case(
        lambda: again().use(1).message(),
        lambda: split().give().fetch().dma_r(RINGS[1] + 0x1000, bytes(2)),
    ),
    "DRV-VQ-001": case(
        queue_reset,
        lambda: queue_reset(done=False).w("queue_enable", 1),
        lambda: queue_reset(done=False).mem(RINGS[0], b"1"),
    ),
    "DRV-VQ-003": case(again, lambda: queue_reset().w("queue_size", 4).w("queue_enable", 1)),
    "DRV-PCI-021": case(queue_reset, lambda: queue_reset(done=False).w("queue_size", 4)),
    "DEV-PCI-020": case(
        lambda: Script(features=VERSION_1 | RESET).negotiate().select().r("queue_reset", 0),
        lambda: Script(features=VERSION_1 | RESET).negotiate().select().r("queue_reset", 1),
    ),
    "DEV-PCI-021": case(lambda: split(RESET).r("queue_reset", 0), lambda: split(RESET).r("queue_reset", 1)),
    "DEV-PCI-022": case(queue_reset, lambda: queue_reset(done=False).pause()),
    "DEV-PCI-023": case(queue_reset, lambda: queue_reset().dma_w(RINGS[2], bytes(4))),
    "DEV-PCI-024": case(
        queue_reset, lambda: queue_reset().r("queue_enable", 1), lambda: split().r("queue_enable", 0)
    ),
}


def too_big() -> Script:
    return split().desc(0, NEXT, length=0xFFFFFFFF, following=1).desc(1, 0, length=2).publish(0)


def mixed() -> Script:
    """A direct descriptor, then an indirect table."""
    script = split(TABLES).desc(0, NEXT, following=1).desc(1, INDIRECT, addr=TABLE_ADDR, length=16)
    return script.publish(0).doorbell().fetch()


def packed_mixed() -> Script:
    script = packed(TABLES).put(NEXT).put(INDIRECT, addr=TABLE_ADDR, length=16)
    script.events[-2:] = reversed(script.events[-2:])
    return script.dma_r(TABLE_ADDR, PackedDesc(BUFFER, 16, 0, 0).pack())


ALL = [*each_holding(SPLIT), *each_holding(PACKED_CASES), *each_holding(OTHERS)]
BREACHES = [*each_breach(SPLIT), *each_breach(PACKED_CASES), *each_breach(OTHERS)]


@pytest.mark.parametrize(("clause", "entry"), ALL)
def test_rule_holds(clause: str, entry: Case) -> None:
    check_holds(clause, entry)


@pytest.mark.parametrize(("clause", "stream"), BREACHES)
def test_rule_is_breached(clause: str, stream: Stream) -> None:
    check_breach(clause, stream)
