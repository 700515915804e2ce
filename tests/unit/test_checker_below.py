"""Resets below virtio: what they end at once, what may still complete, and which write asks for one."""

from dataclasses import replace

import pytest

from pymodel import events as ev
from pymodel import spec
from tests.unit.checker_cases import Case, Stream, case, check_breach, check_holds, each_breach, each_holding
from tests.unit.checker_script import MSIX, RINGS, STEP, Script, config_image, split

PCIE = 0xA4
CONTROL = PCIE + spec.PCIE_DEVICE_CONTROL


def with_express(capabilities: int | None) -> Script:
    """A function with PCI Express; what its Device Capabilities say was read, or not (None)."""
    image = config_image()
    image[MSIX + 1] = PCIE
    image[PCIE : PCIE + 4] = bytes([spec.PciCapId.PCI_EXPRESS, 0, 2, 0])
    if capabilities is not None:
        image[PCIE + 4 : PCIE + 8] = capabilities.to_bytes(4, "little")
    return Script(image=bytes(image[: PCIE + (4 if capabilities is None else 8)])).live()


def function_reset(capabilities: int | None, value: int = spec.PCIE_DEVICE_CONTROL_FLR) -> Script:
    """The driver sets Initiate Function Level Reset in mid-session, and brings the device up again."""
    script = with_express(capabilities)
    script.add(ev.ConfigWrite, addr=CONTROL, data=value.to_bytes(2, "little"))
    script.command(6).status(1).status(3).offer().accept()
    return script.status(0x0B).sees(0x0B).queue().status(0x0F)


def dma_over_a_reset(kind: str, begun: int) -> Script:
    """A read that began `begun` picoseconds behind a reset below virtio completes long after it."""
    script = split(0).give().use().message()
    script.t += STEP
    reset = script.t
    script.events.append(ev.Reset(t=reset, kind=kind))
    script.t += 10 * STEP
    script.events.append(ev.DmaRead(t=script.t, t_req=reset + begun, addr=RINGS[1], data=bytes(4)))
    return script.command(6).status(1)


def message_over_a_reset(begun: int) -> Script:
    script = split(0).give().use().message()
    script.t += STEP
    reset = script.t
    script.events.append(ev.Reset(t=reset, kind="hot"))
    script.t += 10 * STEP
    message = ev.Msix(t=script.t, t_req=reset + begun, addr=0xFEE00000, data=0x41)
    script.events.append(message)
    return script.command(6).status(1)


CASES: dict[str, Case] = {
    "DEV-PCI-001": case(
        lambda: message_over_a_reset(-STEP // 4),
        lambda: dma_over_a_reset("hot", STEP),
        lambda: dma_over_a_reset("power", STEP),
        lambda: message_over_a_reset(STEP),
    ),
    "DRV-INIT-001": case(
        lambda: function_reset(None),
        lambda: function_reset(0),
        lambda: function_reset(spec.PCIE_DEVICE_CAPABILITIES_FLR, 0),
    ),
}


@pytest.mark.parametrize(("clause", "entry"), each_holding(CASES))
def test_rule_holds(clause: str, entry: Case) -> None:
    check_holds(clause, entry)


@pytest.mark.parametrize(("clause", "stream"), each_breach(CASES))
def test_rule_is_breached(clause: str, stream: Stream) -> None:
    check_breach(clause, stream)


@pytest.mark.parametrize("kind", ["hot", "power", "flr"])
def test_what_was_on_its_way_at_a_reset_may_complete(kind: str) -> None:
    assert dma_over_a_reset(kind, -STEP // 4).judge().clean


def test_a_register_that_does_not_exist_resets_no_queue() -> None:
    """Without RING_RESET a device that goes on after queue_reset was written is right."""
    script = split(0).select().w("queue_reset", 1).r("queue_reset", 0).r("queue_enable", 1)
    script.give().use().message()
    found = [finding.clause for finding in script.judge().violations]
    assert [clause for clause in found if clause.startswith("DEV")] == []


@pytest.mark.parametrize(("took", "clean"), [(STEP, False), (STEP * 3_000, True)])
def test_a_device_is_no_quicker_than_its_host(took: int, clean: bool) -> None:
    """A message that is owed for 20 us counts as missing, unless the host takes 3 us for a read."""
    script = split(0).give().use().message().give(1)
    read = script.events[-1].t
    script.fetch().use(1)
    first = next(event for event in script.events if isinstance(event, ev.DmaRead) and event.t > read)
    script.events[script.events.index(first)] = replace(first, t_req=first.t - took)
    script.t += 20_000 * STEP
    assert script.reset().judge().clean is clean


def unwaited(*, answered: bool) -> Script:
    """The driver does not wait for the reset; the device reads on, before or after it showed the end."""
    script = split(0).give().use().message().status(0).status(1)
    return (script.sees(1) if answered else script).dma_r(RINGS[1], bytes(4)).status(3)


def test_a_device_that_was_not_waited_for_may_still_be_resetting() -> None:
    early, late = (unwaited(answered=answered).judge().violations for answered in (False, True))
    assert {finding.clause for finding in early} == {"DRV-PCI-019"}
    assert {finding.clause for finding in late} == {"DRV-PCI-019", "DEV-STATUS-001"}
