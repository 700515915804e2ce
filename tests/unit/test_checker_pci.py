"""Rules on PCI, capabilities, the common structure and vectors: where each holds, and what breaches it."""

import pytest

from pymodel import events as ev
from pymodel.spec import NO_VECTOR, CapType, Feature, PciCapId, feature_mask
from pymodel.vtrace import Header
from tests.unit.checker_cases import Case, Stream, case, check_breach, check_holds, each_breach, each_holding
from tests.unit.checker_script import (
    BUFFER,
    DEVICE,
    MSIX,
    NOTIFY,
    RINGS,
    TABLE,
    VERSION_1,
    Script,
    capability,
    config_image,
    intx,
    split,
)

PCIE = 0xA4
DATA = VERSION_1 | feature_mask(Feature.NOTIFICATION_DATA)
RESET = VERSION_1 | feature_mask(Feature.RING_RESET)
ADMIN = VERSION_1 | feature_mask(Feature.ADMIN_VQ)


def imaged(*patches: tuple[int, bytes]) -> Script:
    """A negotiated session with a patched configuration space."""
    image = config_image()
    for offset, data in patches:
        image[offset : offset + len(data)] = data
    return Script(image=bytes(image)).negotiate()


def without(position: int) -> Script:
    """Configuration space whose virtio capability at `position` is another vendor's word."""
    return imaged((position + 3, b"\x0a"))


def extra(kind: CapType, *bodies: bytes) -> Script:
    """Configuration space with one more capability of a type after another."""
    image = config_image()
    at = 0xA4
    image[MSIX + 1] = at
    for number, body in enumerate(bodies):
        following = at + len(body) if number + 1 < len(bodies) else 0
        image[at : at + len(body)] = bytes([9, following, len(body), kind]) + body[4:]
        at += len(body)
    return Script(image=bytes(image)).negotiate()


def shared(number: int, length: int = 0x100) -> bytes:
    body = bytearray(24)
    body[5], body[12:16] = number, length.to_bytes(4, "little")
    return bytes(body)


def sized(*answers: int) -> Script:
    """The host sizes BARs 0 and 1."""
    script = Script()
    for index, answer in enumerate(answers):
        script.add(ev.ConfigWrite, addr=0x10 + 4 * index, data=b"\xff" * 4)
        script.add(ev.ConfigRead, addr=0x10 + 4 * index, data=answer.to_bytes(4, "little"))
    return script


def shared_in_bar(length: int) -> Script:
    script = sized(0xFFFFF000)
    script.events += extra(CapType.SHARED_MEMORY, shared(0, length)).events
    return script


def notify(
    *, features: int = VERSION_1, offset: int = NOTIFY, multiplier: int = 4, length: int = 0x100
) -> Script:
    image = config_image()
    image[0x50:0x64] = capability(CapType.NOTIFY, 0x64, offset, length, multiplier.to_bytes(4, "little"))
    return Script(features=features, image=bytes(image)).negotiate().select().r("queue_notify_off", 1)


def configured() -> Script:
    return Script().negotiate().select()


def working() -> Script:
    return split().give().use().message()


def limited(burst: int, *, control: int = 0x10, source: str = "verilator", wait: bool = True) -> Script:
    """A write of `burst` bytes after Device Control was written: 128 bytes of payload, 128 of a read."""
    image = config_image()
    image[MSIX + 1], image[PCIE] = PCIE, PciCapId.PCI_EXPRESS
    script = split(header=Header(source=source), image=bytes(image))
    script.add(ev.ConfigWrite, addr=PCIE + 8, data=control.to_bytes(2, "little"))
    if wait:
        script.pause()
    return script.give(length=1024).dma_w(BUFFER, bytes(burst))


def second() -> Script:
    return working().reset().status(1).status(3).offer().accept().status(0x0B).sees(0x0B).select()


def admin() -> Script:
    script = Script(features=ADMIN).negotiate().r("num_queues", 2)
    return script.r("admin_queue_index", 2).r("admin_queue_num", 1)


def unaccepted() -> Script:
    """ADMIN_VQ is offered, but the driver does not take it."""
    return Script(features=VERSION_1, offered=ADMIN).negotiate()


def vectors() -> Script:
    return Script().msix().entry(0).entry(1).negotiate().select()


CASES = {
    "DEV-PCI-001": case(
        working,
        lambda: split().give().command(2).use(),
        lambda: split().give().use().command(2).message(),
        lambda: split().entry(1, masked=True).give().use().message(),
        lambda: split().msix(0xC0).give().use().message(),
        lambda: split().give().use().line(1),
        lambda: intx().command(0x406).give().use().line(1),
        lambda: working().reset().add(ev.ConfigRead, addr=MSIX, data=bytes([0x11, 0, 3, 0])),
        lambda: working().reset().bar_r(TABLE + 16, bytes(4)),
        lambda: limited(256),
        lambda: limited(256, control=0x5000),
        lambda: sized(0xFFF0F000),
        lambda: sized(0xFFFFF004, 0xFFFF00FF),
    ),
    "DEV-PCI-002": case(working, lambda: imaged((0, b"\x86\x80"))),
    "DEV-PCI-003": case(working, lambda: imaged((2, b"\x00\x20"))),
    "DEV-PCI-005": case(working, lambda: imaged((2, b"\x80\x10"))),
    "DEV-PCI-006": case(working, lambda: imaged((8, b"\0"))),
    "DEV-PCI-007": case(working, lambda: imaged((0x2E, b"\2\0"))),
    "DEV-PCI-008": case(
        lambda: configured().w("queue_desc", 0x1000).w("queue_desc", 1, 1).r("queue_desc", 0x1000),
        lambda: configured().w("queue_desc", 0x1000).w("queue_desc", 1, 1).r("queue_desc", 1),
    ),
    "DEV-PCI-009": case(working, lambda: imaged((0x52, b"\x10")), lambda: imaged((0x42, b"\x20"))),
    "DEV-PCI-012": case(working, lambda: imaged((0x48, b"\2"))),
    "DEV-PCI-013": case(working, lambda: without(0x40)),
    "DEV-PCI-029": case(working, lambda: without(0x50)),
    "DEV-PCI-040": case(working, lambda: without(0x64)),
    "DEV-PCI-053": case(working, lambda: without(0x84)),
    "DEV-PCI-045": case(working, lambda: imaged((0x7C, b"\1"))),
    "DEV-PCI-046": case(lambda: shared_in_bar(0x1000), lambda: shared_in_bar(0x1001)),
    "DEV-PCI-047": case(
        lambda: extra(CapType.SHARED_MEMORY, shared(0), shared(1)),
        lambda: extra(CapType.SHARED_MEMORY, shared(1), shared(1)),
    ),
    "DEV-PCI-050": case(
        lambda: extra(CapType.VENDOR, bytes(4) + b"\x34\x12\0\0"),
        lambda: extra(CapType.VENDOR, bytes(4) + b"\xf4\x1a\0\0"),
    ),
    "DEV-PCI-051": case(
        lambda: extra(CapType.VENDOR, bytes(4) + b"\x34\x12\0\0"),
        lambda: extra(CapType.VENDOR, bytes(4) + b"\x34\x12"),
    ),
    "DEV-PCI-058": case(working, lambda: imaged((MSIX + 2, b"\0"))),
    "DEV-PCI-030": case(notify, lambda: notify(offset=NOTIFY + 1)),
    "DEV-PCI-031": case(notify, lambda: notify(multiplier=6), lambda: notify(multiplier=1)),
    "DEV-PCI-032": case(notify, lambda: notify(length=1)),
    "DEV-PCI-033": case(notify, lambda: notify(length=5)),
    "DEV-PCI-034": case(notify, lambda: notify(length=5)),
    "DEV-PCI-038": case(lambda: notify(features=DATA), lambda: notify(features=DATA, length=7)),
    "DEV-PCI-035": case(lambda: notify(features=DATA), lambda: notify(features=DATA, multiplier=2)),
    "DEV-PCI-036": case(lambda: notify(features=DATA), lambda: notify(features=DATA, offset=NOTIFY + 2)),
    "DEV-PCI-037": case(lambda: notify(features=DATA), lambda: notify(features=DATA, length=3)),
    "DEV-PCI-039": case(lambda: notify(features=DATA), lambda: notify(features=DATA, length=7)),
    "DEV-PCI-018": case(
        second,
        lambda: configured().r("queue_size", 8).w("queue_size", 4).negotiate().select().r("queue_size", 4),
    ),
    "DEV-PCI-019": case(lambda: second().r("queue_enable", 0), lambda: second().r("queue_enable", 1)),
    "DEV-PCI-025": case(
        lambda: configured().r("num_queues", 1).select(1).r("queue_size", 0),
        lambda: configured().r("num_queues", 1).select(1).r("queue_size", 8),
        lambda: admin().select(3).r("queue_size", 8),
        lambda: unaccepted().r("num_queues", 2).select(2).r("queue_size", 8),
    ),
    "DEV-PCI-026": case(lambda: configured().r("queue_size", 8), lambda: configured().r("queue_size", 12)),
    "DEV-PCI-027": case(admin, lambda: admin().r("admin_queue_index", 1)),
    "DEV-PCI-028": case(admin, lambda: admin().r("admin_queue_index", 0xFFFF).r("admin_queue_num", 2)),
    "DRV-PCI-024": case(lambda: admin().queue(2), lambda: admin().queue(3)),
    "DEV-PCI-054": case(
        lambda: configured().window(0x16, 2, b"\1\0\0\0", write=True).r("queue_select", 1),
        lambda: (
            configured().w("queue_select", 1).window(0x14, 1, b"\x0b\0\0\0", write=True).r("queue_select", 0)
        ),
        lambda: configured().window(0x16, 2, b"\1\0\0\0", write=True).r("queue_select", 0),
    ),
    "DEV-PCI-055": case(
        lambda: configured().w("queue_select", 1).window(0x16, 2, b"\1\0\0\0"),
        lambda: configured().w("queue_select", 1).window(0x16, 2, b"\0\0\0\0"),
    ),
    "DRV-PCI-005": case(
        working,
        lambda: configured().bar_w(0x16, b"\0"),
        lambda: configured().bar_r(0x14, bytes(4)),
        lambda: configured().bar_w(0x20, bytes(8)),
        lambda: configured().bar_r(DEVICE, bytes(8)),
    ),
    "DRV-PCI-014": case(working, lambda: configured().add(ev.ConfigWrite, addr=0x48, data=bytes(4))),
    "DRV-PCI-029": case(
        lambda: configured().window(0x16, 2, bytes(4)),
        lambda: configured().window(0x17, 2, bytes(4)),
        lambda: configured().window(0x10, 3, bytes(4)),
    ),
    "DRV-PCI-030": case(
        lambda: configured().window(0x16, 2, bytes(4)), lambda: configured().window(0x800, 2, bytes(4))
    ),
    "DRV-PCI-015": case(
        working, lambda: configured().w("num_queues", 1), lambda: configured().w("queue_notify_off", 1)
    ),
    "DRV-PCI-016": case(
        lambda: Script(features=VERSION_1 | 1 << 34).negotiate().queue(),
        lambda: Script(features=VERSION_1 | 1 << 34).negotiate().select().w("queue_size", 0),
    ),
    "DRV-PCI-017": case(
        working, lambda: configured().w("queue_size", 3), lambda: configured().w("queue_size", 0)
    ),
    "DRV-PCI-018": case(
        working,
        lambda: configured().w("queue_size", 4).w("queue_enable", 1),
        lambda: working().w("queue_desc", 0x5000),
    ),
    "DRV-PCI-019": case(
        second,
        lambda: working().status(0).status(1),
        lambda: working().status(0).select(),
        lambda: working().status(0).sees(0x0F).status(1),
    ),
    "DRV-PCI-020": case(working, lambda: working().w("queue_enable", 0)),
    "DEV-PCI-059": case(working, lambda: vectors().w("queue_msix_vector", 9).r("queue_msix_vector", 9)),
    "DEV-PCI-061": case(working, lambda: split().give().use().message(2)),
    "DEV-PCI-062": case(
        lambda: vectors().w("config_msix_vector", NO_VECTOR).r("config_msix_vector", NO_VECTOR),
        lambda: (
            vectors().w("config_msix_vector", 1).w("config_msix_vector", NO_VECTOR).r("config_msix_vector", 1)
        ),
    ),
    "DEV-PCI-063": case(working, lambda: vectors().w("queue_msix_vector", 1).r("queue_msix_vector", 0)),
    "DEV-PCI-064": case(
        lambda: second().r("queue_msix_vector", NO_VECTOR).r("config_msix_vector", NO_VECTOR),
        lambda: second().r("queue_msix_vector", 1),
        lambda: second().r("config_msix_vector", 0),
    ),
    "DEV-PCI-065": case(
        working, lambda: vectors().w("queue_msix_vector", 1).r("queue_msix_vector", NO_VECTOR)
    ),
    "DEV-PCI-066": case(
        lambda: vectors().w("queue_msix_vector", 4).r("queue_msix_vector", NO_VECTOR),
        lambda: vectors().w("queue_msix_vector", 0x104).r("queue_msix_vector", 0x104),
        lambda: vectors().w("queue_msix_vector", 0x104).r("queue_msix_vector", 4),
        aside=("DRV-PCI-034",),
    ),
    "DRV-PCI-034": case(working, lambda: vectors().w("queue_msix_vector", 4)),
    "DRV-PCI-035": case(
        working, lambda: vectors().w("queue_msix_vector", 1).rings().w("queue_enable", 1).status(0x0F)
    ),
    "DRV-PCI-026": case(
        lambda: mapped_config().give().use().message(1),
        lambda: mapped_config().give().use().message(1).isr(1),
    ),
    "DEV-PCI-041": case(lambda: mapped_config().message(0).isr(2), lambda: mapped_config().message(0).isr(0)),
    "DEV-PCI-042": case(
        lambda: intx().give().use().line(1).isr(1), lambda: intx().give().use().line(1).isr(0)
    ),
    "DEV-PCI-043": case(
        lambda: intx().give().use().line(1).add(ev.ConfigRead, addr=6, data=b"\x18\0"),
        lambda: intx().give().use().line(1).add(ev.ConfigRead, addr=6, data=b"\x10\0"),
        lambda: intx().give().use().line(1).isr(1).line(0).isr(0).add(ev.ConfigRead, addr=6, data=b"\x18\0"),
    ),
    "DEV-PCI-044": case(
        lambda: intx().give().use().line(1).isr(1).line(0).isr(0),
        lambda: intx().give().use().line(1).isr(1).isr(1),
    ),
    "DEV-NOTIF-001": case(
        lambda: silent().give().use(),
        lambda: silent().give().use().message(2),
        lambda: silent().give().use().line(1),
    ),
    "DEV-NOTIF-002": case(lambda: silent().sees(0x4F), lambda: silent().sees(0x4F).line(1)),
}


def mapped_config() -> Script:
    script = Script().msix().entry(0).entry(1).negotiate()
    return script.w("config_msix_vector", 0).r("config_msix_vector", 0).queue(vector=1).status(0x0F)


def silent() -> Script:
    script = Script().msix().entry(0).entry(1).negotiate()
    script.w("config_msix_vector", NO_VECTOR).r("config_msix_vector", NO_VECTOR)
    return script.queue(vector=NO_VECTOR).status(0x0F)


@pytest.mark.parametrize(("clause", "entry"), each_holding(CASES))
def test_rule_holds(clause: str, entry: Case) -> None:
    check_holds(clause, entry)


@pytest.mark.parametrize(("clause", "stream"), each_breach(CASES))
def test_rule_is_breached(clause: str, stream: Stream) -> None:
    check_breach(clause, stream)


def test_dma_that_was_asked_for_before_bus_mastering_went_off_is_no_breach() -> None:
    script = split().give()
    write = script.command(2).events[-1]
    script.events.append(ev.DmaRead(t=write.t + 10, t_req=write.t - 10, addr=BUFFER, data=bytes(4)))
    assert script.judge().clean


def test_dma_behind_the_request_of_the_enabling_write_is_no_breach() -> None:
    script = split().give().command(2)
    script.events.append(
        ev.DmaRead(t=script.t + 600, t_req=script.t + 550, addr=script.ring.avail, data=bytes(4))
    )
    script.command(6)
    assert script.judge().clean


@pytest.mark.parametrize(
    "script",
    [
        limited(128),
        limited(256, control=0x20),
        limited(256, source="model"),
        limited(256, wait=False),
    ],
)
def test_bursts_that_break_no_limit(script: Script) -> None:
    clauses = {finding.clause for finding in script.judge().violations}
    assert "DEV-PCI-001" not in clauses


@pytest.mark.parametrize("kept", [0x1000, RINGS[0]])
def test_device_may_refuse_to_move_a_live_ring(kept: int) -> None:
    script = Script().live().w("queue_desc", 0x1000).r("queue_desc", kept).r("queue_desc", kept)
    results = script.judge()
    assert "DEV-PCI-008" not in [finding.clause for finding in results.violations]
