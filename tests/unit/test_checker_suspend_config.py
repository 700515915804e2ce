"""Rules on suspend and on device configuration: where each holds, and what breaches it."""

import pytest

from pymodel.spec import Feature
from tests.unit.checker_cases import Case, Stream, case, check_breach, check_holds, each_breach, each_holding
from tests.unit.checker_script import BUFFER, DEVICE, PACKED, RINGS, VERSION_1, WRITE, Script, split

SUSPEND = 1 << Feature.SUSPEND


def asked(features: int = SUSPEND) -> Script:
    """The driver has set SUSPEND."""
    return split(features).give().use().message().status(0x1F)


def suspended() -> Script:
    return asked().sees(0x1F).sees(0x1B)


def resumed() -> Script:
    return suspended().status(0x1F).sees(0x1B).sees(0x0F)


def resuming() -> Script:
    return suspended().status(0x1F)


def early(read: int) -> Script:
    return Script().reset().status(1).status(0x11).sees(read)


def config(offset: int, data: bytes, script: Script) -> Script:
    return script.bar_r(DEVICE + offset, data)


def capacity(*, before: bool = True, after: bool = True) -> Script:
    script = Script().negotiate()
    if before:
        script.r("config_generation", 1)
    config(0, b"\1\0\0\0", script)
    config(4, b"\0\0\0\0", script)
    if after:
        script.r("config_generation", 1)
    return script.status(0x0F)


def changed(generation: int, *, write: bool = False) -> Script:
    """The capacity changes between two reads."""
    script = config(0, b"\1\0\0\0", Script().negotiate().r("config_generation", 1))
    if write:
        script.bar_w(DEVICE, b"\2\0\0\0")
    return config(0, b"\2\0\0\0", script.r("config_generation", 1)).r("config_generation", generation)


def written(value: int) -> Script:
    """writeback is written as 1 while suspended, and then read as `value`."""
    script = Script(features=VERSION_1 | SUSPEND | 0xA00).live()
    config(0x20, b"\0", script).status(0x1F).sees(0x1B).bar_w(DEVICE + 0x20, b"\1")
    return config(0x20, bytes([value]), script.status(0x1F).sees(0x0F))


def starting() -> Script:
    return Script().reset().status(1).status(3).offer()


CASES = {
    "DRV-SUSP-001": case(asked, lambda: asked(0), lambda: early(1)),
    "DRV-SUSP-002": case(suspended, lambda: asked().status(0x1F), lambda: asked().reset()),
    "DRV-SUSP-003": case(
        resumed,
        lambda: suspended().desc(0, WRITE).publish(0),
        lambda: Script(features=PACKED | SUSPEND).live().status(0x1F).sees(0x1B).put(),
    ),
    "DRV-SUSP-004": case(resumed, lambda: suspended().doorbell(), lambda: asked().doorbell()),
    "DRV-SUSP-005": case(resumed, lambda: suspended().bar_w(DEVICE + 0x20, b"\1")),
    "DRV-SUSP-006": case(resumed, lambda: resuming().doorbell()),
    "DEV-SUSP-001": case(lambda: early(1), lambda: early(0x11)),
    "DEV-SUSP-002": case(lambda: written(0), lambda: written(1), aside=("DRV-SUSP-005",)),
    "DEV-SUSP-010": case(resumed, lambda: suspended().dma_r(RINGS[0], bytes(16))),
    "DEV-SUSP-003": case(resumed, lambda: suspended().message(), lambda: suspended().line(1)),
    "DEV-SUSP-004": case(
        resumed, lambda: suspended().dma_r(RINGS[1], bytes(4)), lambda: suspended().dma_w(BUFFER, bytes(4))
    ),
    "DEV-SUSP-005": case(
        lambda: config(0, bytes(4), config(0, bytes(4), suspended())),
        lambda: config(0, b"\1\0\0\0", config(0, bytes(4), suspended())),
        lambda: suspended().r("config_generation", 1).r("config_generation", 2),
    ),
    "DEV-SUSP-006": case(resumed, lambda: configured().status(0x1F).sees(0x1B).message(0)),
    "DEV-SUSP-008": case(suspended, lambda: asked().sees(0x1F).pause().reset()),
    "DEV-SUSP-009": case(resumed, lambda: resuming().sees(0x1B).pause().reset()),
    "DEV-SUSP-011": case(
        suspended,
        lambda: split(SUSPEND).give().fetch().dma_w(BUFFER, bytes(8)).status(0x1F).sees(0x1B),
    ),
    "DEV-SUSP-012": case(suspended, lambda: split(SUSPEND).give().use().status(0x1F).sees(0x1B)),
    "DRV-CFG-002": case(capacity, lambda: capacity(before=False), lambda: capacity(after=False)),
    "DRV-CFG-003": case(
        lambda: config(8, bytes(4), Script(features=VERSION_1 | 2).negotiate()),
        lambda: config(8, bytes(4), Script().negotiate()),
        lambda: Script().negotiate().bar_w(DEVICE + 0x20, b"\1"),
    ),
    "DEV-CFG-001": case(
        lambda: config(0, b"\1\0\0\0", starting()),
        lambda: config(0, b"\1\0\0\0", config(0, b"\xff" * 4, starting().accept()).status(0x0B)),
    ),
    "DEV-PCI-017": case(lambda: changed(2), lambda: changed(1), lambda: changed(1, write=True)),
}


def configured() -> Script:
    """A live session with suspend whose configuration changes are mapped to vector 0."""
    script = Script(features=VERSION_1 | SUSPEND).msix().entry(0).entry(1).negotiate()
    return script.w("config_msix_vector", 0).r("config_msix_vector", 0).queue(vector=1).status(0x0F)


@pytest.mark.parametrize(("clause", "entry"), each_holding(CASES))
def test_rule_holds(clause: str, entry: Case) -> None:
    check_holds(clause, entry)


@pytest.mark.parametrize(("clause", "stream"), each_breach(CASES))
def test_rule_is_breached(clause: str, stream: Stream) -> None:
    check_breach(clause, stream)
