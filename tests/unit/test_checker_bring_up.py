"""Rules on status, reset, initialization and features: streams in which each holds, and that breach it."""

import pytest

from pymodel import events as ev
from pymodel.spec import feature_mask
from pymodel.vtrace import Header
from tests.unit.checker_cases import Case, Stream, case, check_breach, check_holds, each_breach, each_holding
from tests.unit.checker_script import (
    BUFFER,
    DEVICE,
    MSIX,
    RINGS,
    VERSION_1,
    Script,
    config_image,
    intx,
    split,
)


def begun() -> Script:
    return Script().reset().status(1).status(3).offer().accept()


def negotiated() -> Script:
    return Script().negotiate()


def working() -> Script:
    return split().give().use().message()


def second() -> Script:
    return working().reset()


def offering(*bits: int, accept: int | None = None) -> Script:
    features = VERSION_1 if accept is None else accept
    return Script(features=features, offered=VERSION_1 | feature_mask(*bits))


def needing_reset() -> Script:
    script = Script().msix().entry(0).entry(1).negotiate()
    script.w("config_msix_vector", 0).r("config_msix_vector", 0)
    return script.queue(vector=1).status(0x0F).give()


def net(offered: tuple[int, ...], accepted: tuple[int, ...]) -> Script:
    header = Header(source="model", type=1)
    script = Script(
        features=VERSION_1 | feature_mask(*accepted),
        offered=VERSION_1 | feature_mask(*offered),
        header=header,
    )
    return script.negotiate()


def mirrored(taken: int) -> Script:
    """A driver accepts bit 2, which is not offered; the device shows `taken` of word 0."""
    script = begun().w("driver_feature_select", 0).w("driver_feature", 4)
    return script.r("driver_feature", taken).status(0x0B).sees(0x0B)


def sr_iov(bits: int) -> Script:
    image = config_image()
    image[MSIX + 1], image[0xA4:0xB4] = 0xA4, bytes([0x10, 0, 2, 0]) + bytes(12)
    return Script(features=VERSION_1 | bits, image=bytes(image) + b"\x10\0\1\0" + bytes(12))


CASES = {
    "DRV-STATUS-001": case(working, lambda: begun().status(0x07), lambda: Script().reset().status(2)),
    "DRV-STATUS-002": case(
        working,
        lambda: working().status(0x0B),
        lambda: working().sees(0x4F).status(0x8F),
        lambda: working().status(1),
    ),
    "DRV-STATUS-003": case(lambda: begun().status(0x83).reset(), lambda: begun().status(0x83).status(0x8B)),
    "DEV-STATUS-001": case(
        working,
        lambda: negotiated().queue().dma_r(RINGS[1], bytes(4)).status(0x0F),
        lambda: negotiated().queue().dma_w(RINGS[2], bytes(4)),
        lambda: negotiated().w("config_msix_vector", 0).r("config_msix_vector", 0).queue(vector=1).message(1),
        lambda: Script().negotiate().queue().isr(1),
    ),
    "DEV-STATUS-003": case(
        lambda: needing_reset().message(0).sees(0x4F), lambda: needing_reset().sees(0x4F).pause()
    ),
    "DEV-RESET-001": case(
        second, lambda: second().sees(0x0F), lambda: working().status(0).sees(0x0F).pause().sees(0x0F)
    ),
    "DEV-RESET-002": case(
        lambda: second().status(1),
        lambda: second().dma_w(BUFFER, bytes(4)),
        lambda: second().message(),
        lambda: intx().give().use().reset().line(1),
        lambda: intx().give().use().line(1).reset().status(1),
    ),
    "DRV-RESET-001": case(second, lambda: working().status(0).status(1)),
    "DRV-INIT-001": case(working, lambda: working().status(1), lambda: working().sees(0).status(1)),
    "DRV-INIT-002": case(working, lambda: Script().reset().status(3), lambda: Script().reset().status(2)),
    "DRV-INIT-003": case(working, lambda: Script().reset().status(1).status(0x0B)),
    "DRV-INIT-004": case(
        working,
        lambda: Script().reset().status(1).status(3).accept().status(0x0B),
        lambda: Script().reset().status(1).status(3).offer().status(0x0B),
        lambda: Script().reset().status(1).offer().accept().status(3).status(0x0B),
    ),
    "DRV-INIT-006": case(
        lambda: Script(features=VERSION_1 | 0xA00).negotiate().bar_w(DEVICE + 0x20, b"\1"),
        lambda: begun().bar_w(DEVICE + 0x20, b"\1"),
    ),
    "DRV-INIT-007": case(working, lambda: begun().status(0x0F)),
    "DRV-INIT-008": case(working, lambda: negotiated().w("driver_feature", 0x80)),
    "DRV-INIT-009": case(
        working, lambda: begun().status(0x0B).status(0x0F), lambda: begun().status(0x0B).sees(3).status(0x0F)
    ),
    "DRV-INIT-010": case(
        working,
        lambda: begun().select().w("queue_size", 4),
        lambda: working().select(1).w("queue_enable", 1),
    ),
    "DRV-INIT-011": case(working, lambda: begun().status(0x07)),
    "DRV-INIT-012": case(
        lambda: begun().status(0x0B).sees(3).status(0x83).reset(),
        lambda: begun().status(0x0B).sees(3).reset(),
    ),
    "DRV-INIT-013": case(
        lambda: begun().status(0x0B).sees(3).status(0x83).reset(),
        lambda: begun().status(0x0B).sees(3).status(0x0F),
    ),
    "DRV-INIT-014": case(working, lambda: negotiated().queue().doorbell(), lambda: second().doorbell()),
    "DRV-INIT-015": case(working, lambda: split().give().fetch().desc(0, 0, addr=BUFFER + 64)),
    "DRV-INIT-016": case(
        second,
        lambda: working().status(0).mem(RINGS[1], bytes(4)),
        lambda: split().give().fetch().mem(BUFFER, b"1"),
    ),
    "DRV-FEAT-001": case(working, lambda: begun().w("driver_feature", 3)),
    "DRV-FEAT-002": case(
        working,
        lambda: net(offered=(0, 1, 11), accepted=(11,)),
        lambda: net(offered=(1, 7, 9), accepted=(9,)),
    ),
    "DRV-FEAT-005": case(working, lambda: offering(25, accept=VERSION_1 | 1 << 25).negotiate()),
    "DRV-FEAT-004": case(
        lambda: offering(25).negotiate(),
        lambda: offering(25, accept=VERSION_1 | 1 << 25).negotiate(),
        aside=("DEV-FEAT-004",),
    ),
    "DRV-FEAT-006": case(working, lambda: offering(45, accept=VERSION_1 | 1 << 45).negotiate()),
    "DRV-FEAT-008": case(working, lambda: offering(20, accept=VERSION_1 | 1 << 20).negotiate()),
    "DEV-FEAT-001": case(working, lambda: net(offered=(11,), accepted=())),
    "DEV-FEAT-002": case(working, lambda: begun().status(0x0B).sees(3)),
    "DEV-FEAT-003": case(
        lambda: mirrored(taken=0),
        lambda: mirrored(taken=4),
        aside=("DRV-FEAT-001",),
    ),
    "DEV-FEAT-004": case(
        working,
        lambda: offering(44).negotiate(),
        lambda: offering(3).negotiate(),
        lambda: Script().negotiate().w("device_feature_select", 4).r("device_feature", 1),
    ),
    "DEV-FEAT-005": case(
        lambda: working().negotiate(),
        lambda: second().status(1).status(3).offer().accept().status(0x0B).sees(3),
    ),
    "DEV-PCI-014": case(
        working,
        lambda: begun().w("device_feature_select", 2).r("device_feature", 1),
        lambda: offering(6).negotiate().w("device_feature_select", 2).r("device_feature", 0x40),
        lambda: offering(6).negotiate().reset().w("device_feature_select", 0).r("device_feature", 0),
    ),
    "DEV-PCI-015": case(
        lambda: negotiated().w("driver_feature_select", 1).r("driver_feature", 1),
        lambda: negotiated().w("driver_feature_select", 1).r("driver_feature", 0),
    ),
    "DRV-RSVD-001": case(working, lambda: offering(6, accept=1 << 6).negotiate()),
    "DRV-RSVD-003": case(
        lambda: offering(33, accept=VERSION_1 | 1 << 33).negotiate(), lambda: offering(33).negotiate()
    ),
    "DRV-RSVD-006": case(
        lambda: offering(34, accept=VERSION_1 | 1 << 34).negotiate(), lambda: offering(34).negotiate()
    ),
    "DRV-RSVD-007": case(
        lambda: offering(36, accept=VERSION_1 | 1 << 36).negotiate(), lambda: offering(36).negotiate()
    ),
    "DRV-RSVD-013": case(
        lambda: offering(39, accept=VERSION_1 | 1 << 39).negotiate(), lambda: offering(39).negotiate()
    ),
    "DRV-RSVD-010": case(
        lambda: sr_iov(1 << 37).negotiate(), lambda: offering(37, accept=VERSION_1 | 1 << 37).negotiate()
    ),
    "DRV-RSVD-011": case(
        lambda: sr_iov(1 << 37).negotiate().add(ev.ConfigWrite, addr=0x108, data=b"\1\0"),
        lambda: sr_iov(1 << 37).add(ev.ConfigWrite, addr=0x108, data=b"\1\0"),
    ),
    "DEV-RSVD-001": case(working, lambda: Script(features=0, offered=1 << 6).negotiate()),
    "DEV-RSVD-008": case(
        lambda: Script(features=VERSION_1 | 0x12 << 32, header=Header(source="verilator")).negotiate(),
        lambda: Script(header=Header(source="verilator")).negotiate(),
    ),
    "DEV-RSVD-009": case(lambda: sr_iov(1 << 37).negotiate(), lambda: sr_iov(0).negotiate()),
    "DEV-RSVD-010": case(working, lambda: offering(37).negotiate()),
}


@pytest.mark.parametrize(("clause", "entry"), each_holding(CASES))
def test_rule_holds(clause: str, entry: Case) -> None:
    check_holds(clause, entry)


@pytest.mark.parametrize(("clause", "stream"), each_breach(CASES))
def test_rule_is_breached(clause: str, stream: Stream) -> None:
    check_breach(clause, stream)
