"""Buffers that a device leaves lying: where that is a breach, and where it is innocent."""

import pytest

from pymodel.events import DmaWrite
from pymodel.spec import DeviceType, Feature
from pymodel.vtrace import Header
from tests.unit.checker_cases import Case, Stream, case, check_breach, check_holds, each_breach, each_holding
from tests.unit.checker_script import BUFFER, NEXT, PACKED, VERSION_1, WRITE, Script, config_image

EVENT_IDX = 1 << Feature.EVENT_IDX
SUSPEND = 1 << Feature.SUSPEND


def source(
    features: int = VERSION_1, *, kind: DeviceType = DeviceType.ENTROPY, observed: str = "model"
) -> Script:
    """A live entropy device, or one of another type, with configuration on vector 0, queue 0 on vector 1."""
    image = config_image()
    image[2] = 0x40 + kind
    script = Script(features=features, header=Header(source=observed), image=bytes(image))
    script.msix().entry(0).entry(1).negotiate().w("config_msix_vector", 0).r("config_msix_vector", 0)
    return script.queue(vector=1).status(0x0F)


def served(script: Script) -> Script:
    """The device serves a buffer."""
    return script.give().use(length=8).message()


def forgotten() -> Script:
    """A second buffer is announced, and only the ring's index is read."""
    return served(source()).give(1).fetch()


def unannounced() -> Script:
    """The driver need not ring for the second buffer, for avail_event says so."""
    script = source(VERSION_1 | EVENT_IDX).give().use(length=8).message()
    return script.desc(1, WRITE).publish(1)


def chained() -> Script:
    """A readable element is in a buffer, which no driver may do."""
    return served(source()).desc(0, NEXT, following=1).desc(1, WRITE).publish(0).doorbell()


def refused() -> Script:
    script = forgotten()
    script.events.append(DmaWrite(t=script.t, addr=BUFFER + 0x1000, data=b"\0", err=True))
    return script


def resumed(*, looks: bool) -> Script:
    """A buffer that is announced just before a suspension waits behind it."""
    script = served(source(VERSION_1 | SUSPEND, kind=DeviceType.BLK)).give(1)
    script.status(0x1F).sees(0x1B).status(0x1F).sees(0x0F)
    return script.fetch() if looks else script


CASES = {
    "DEV-RNG-001": case(
        lambda: served(source()),
        lambda: source().give().use(length=0, written=0),
        forgotten,
        lambda: forgotten().pause().reset(),
        unannounced,
        lambda: source().give(),
        lambda: source(PACKED).put().doorbell(),
    ),
    "DRV-RNG-001": case(lambda: served(source()), chained),
}


def busy() -> Script:
    """A buffer waits long for the one in front of it, which a slow source is filling."""
    script = source().give().desc(1, WRITE).publish(1).doorbell().fetch().pause()
    return script.dma_w(BUFFER, b"\0").dma_w(BUFFER + 1, b"\0").reset()


INNOCENT = {
    "busy": busy,
    "little time": lambda: forgotten().reset().status(1),
    "no doorbell": lambda: served(source()).desc(1, WRITE).publish(1),
    "no bus mastering": lambda: served(source()).command(2).give(1),
    "bus mastering only now": lambda: served(source()).command(2).give(1).pause().command(6).reset(),
    "needs reset": lambda: forgotten().sees(0x4F),
    "may need a reset": lambda: forgotten().message(0),
    "failed": lambda: forgotten().status(0x8F),
    "refused": refused,
    "readable": chained,
    "queue reset": lambda: source(VERSION_1 | 1 << Feature.RING_RESET).give().w("queue_reset", 1),
    "suspended": lambda: source(VERSION_1 | SUSPEND).give().status(0x1F).sees(0x1B),
    "suspending": lambda: source(VERSION_1 | SUSPEND).give().status(0x1F).sees(0x1F),
    "not observed": lambda: source(observed="qemu").give(),
    "another device": lambda: served(source(kind=DeviceType.NET)).give(1),
}


@pytest.mark.parametrize(("clause", "entry"), each_holding(CASES))
def test_rule_holds(clause: str, entry: Case) -> None:
    check_holds(clause, entry)


@pytest.mark.parametrize(("clause", "stream"), each_breach(CASES))
def test_rule_is_breached(clause: str, stream: Stream) -> None:
    check_breach(clause, stream)


@pytest.mark.parametrize("stream", INNOCENT.values(), ids=INNOCENT)
def test_waiting_can_be_innocent(stream: Stream) -> None:
    results = stream().judge()
    assert "DEV-RNG-001" not in [finding.clause for finding in results.violations]


def test_a_device_that_looks_at_its_rings_runs_again() -> None:
    found = {looks: [f.clause for f in resumed(looks=looks).judge().violations] for looks in (False, True)}
    assert found == {False: ["DEV-SUSP-009"], True: []}
