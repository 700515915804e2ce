import pytest

from pymodel import lguest
from pymodel.device.blk import BlkBackend
from pymodel.device.config import DeviceConfig
from pymodel.device.entropy import EntropyBackend
from pymodel.device.lguest import TOP, LguestTransport
from pymodel.driver import errors
from pymodel.driver.blk import VirtioBlk
from pymodel.driver.core import VirtioDevice
from pymodel.driver.entropy import VirtioEntropy
from pymodel.driver.lguest import LguestBus, LguestOps
from pymodel.events import BarWrite, DmaRead, Event
from pymodel.lguest import LguestLayout, LguestQueue
from pymodel.spec import BlkFeature, Feature, Status, feature_mask
from pymodel.transport import run_now
from tests.unit.model import image

BOTH = pytest.mark.parametrize("layout", list(LguestLayout))
QUEUE = LguestQueue(0, 8, 5, 0x1234)


class Guest:
    """A guest of lguest with an entropy device and a disk in its page."""

    def __init__(self, layout: LguestLayout, config: DeviceConfig | None = None) -> None:
        self.backend = BlkBackend(image())
        self.transport = LguestTransport([EntropyBackend(1), self.backend], layout, config)
        self.events: list[Event] = []
        self.transport.events.subscribe(self.events.append)
        self.bus = LguestBus(self.transport, layout, TOP)
        self.found = run_now(self.bus.scan())
        self.device = VirtioDevice(LguestOps(self.bus, self.found[1]))
        self.model = self.transport.devices[1]
        self.blk = VirtioBlk()

    def start(self, features: int = -1) -> VirtioBlk:
        run_now(self.device.probe(self.blk, features))
        return self.blk

    def statuses(self) -> list[int]:
        place = self.found[1].status
        return [e.data[0] for e in self.events if isinstance(e, BarWrite) and (e.bar, e.addr) == (0, place)]


def test_the_later_layout_has_these_bytes() -> None:
    data = lguest.build(LguestLayout.LATER, 2, [QUEUE], b"\x11\x22", b"\x33")
    assert data.hex() == "0201020100" + "0800050034120000" + "1122" + "0000" + "33"


def test_the_first_layout_has_these_bytes() -> None:
    config = (7).to_bytes(8, "little") + bytes(4) + b"\x3e\x00\x00\x00"
    data = lguest.build(LguestLayout.FIRST, 2, [QUEUE], b"\x04", config)
    expected = "022000" + "02080800050034120000" + "40020400" + "41080700000000000000" + "43043e000000"
    expected = expected.replace("022000", f"02{len(data) - 3:02x}00")
    assert data.hex() == expected


@BOTH
def test_the_page_is_scanned_up_to_type_zero(layout: LguestLayout) -> None:
    guest = Guest(layout)
    assert [device.type for device in guest.found] == [4, 2]
    assert [len(device.queues) for device in guest.found] == [1, 1]
    assert guest.found[1].queues[0].size == 256


@pytest.mark.parametrize(
    ("layout", "start", "complaint"),
    [
        (LguestLayout.FIRST, "020500" + "4120000000", "the field at 0x3 runs out"),
        (LguestLayout.FIRST, "020400" + "41010000", "the field at 0x6 runs out"),
        (LguestLayout.FIRST, "020300" + "020100", "a queue record of 1 bytes"),
        (LguestLayout.LATER, "02ffffff00" + "00" * 2805 + "02ffffff00", "at 0xafa leaves the page"),
    ],
)
def test_descriptors_that_run_out_are_refused(layout: LguestLayout, start: str, complaint: str) -> None:
    guest = Guest(layout)
    data = bytes.fromhex(start)
    guest.transport.page[: len(data)] = data
    with pytest.raises(errors.CapabilityError, match=complaint):
        run_now(guest.bus.scan())


@BOTH
def test_sectors_travel_through_the_page(layout: LguestLayout) -> None:
    guest = Guest(layout, DeviceConfig(lag=3, seed=1))
    blk = guest.start()
    run_now(blk.write(3, b"\x5a" * 512))
    requests = [run_now(blk.submit_read(n)) for n in range(8)]
    wanted = [image()[n * 512 : n * 512 + 512] for n in range(8)]
    wanted[3] = b"\x5a" * 512
    assert run_now(blk.wait_all(requests)) == wanted
    assert guest.statuses() == [0x01, 0x03, 0x07]
    assert guest.device.has(BlkFeature.SEG_MAX)
    assert guest.device.has(Feature.INDIRECT_DESC)


@BOTH
def test_another_device_of_the_page_has_its_own_interrupt(layout: LguestLayout) -> None:
    guest = Guest(layout)
    guest.start()
    device = VirtioDevice(LguestOps(guest.bus, guest.found[0]))
    rng = VirtioEntropy()
    run_now(device.probe(rng))
    assert len(run_now(rng.read(20))) == 20


@BOTH
def test_notifying_the_descriptor_resets_the_device(layout: LguestLayout) -> None:
    guest = Guest(layout)
    blk = guest.start()
    run_now(blk.read(0))
    record, at = guest.found[1].queues[0], guest.found[1]
    run_now(guest.bus.notify(TOP + at.position))
    assert guest.transport.page[at.status] == 0
    assert not any(guest.transport.page[at.accepted : at.accepted + at.feature_length])
    assert not any(guest.transport.memory.read(record.page * 4096, 3 * 4096))
    assert not guest.model.worker.in_flight
    assert all(byte & 0x80 == 0 for byte in guest.transport.page[at.position : at.status])


@BOTH
def test_an_upgrade_carries_nothing_over(layout: LguestLayout) -> None:
    guest = Guest(layout)
    for session in range(20):
        features = feature_mask(Feature.EVENT_IDX) if session % 2 else 0
        blk = guest.start(features)
        assert guest.model.features == features
        assert run_now(blk.read(session)) == image()[session * 512 : session * 512 + 512]


@BOTH
def test_a_kick_with_status_zero_is_early_output(layout: LguestLayout) -> None:
    guest = Guest(layout)
    run_now(guest.bus.notify(guest.found[1].queues[0].page * 4096))
    assert guest.transport.warnings == ["device 1 gave early output"]
    assert not [event for event in guest.events if isinstance(event, DmaRead)]


@BOTH
def test_other_addresses_are_very_early_console_output(layout: LguestLayout) -> None:
    guest = Guest(layout)
    run_now(guest.bus.early_output("Hello, "))
    run_now(guest.bus.early_output("host"))
    assert guest.transport.console == "Hello, host"
    run_now(guest.bus.notify(0xFFFF_F000))
    assert guest.transport.warnings == ["a notification of 0xfffff000 means nothing"]


@BOTH
def test_status_zero_is_refused_loudly(layout: LguestLayout) -> None:
    guest = Guest(layout)
    guest.start()
    with pytest.raises(errors.DriverBug, match="call reset"):
        run_now(guest.device.ops.set_status(0))


@BOTH
def test_freeze_and_restore_keep_the_order(layout: LguestLayout) -> None:
    guest = Guest(layout)
    blk = guest.start()
    run_now(guest.device.fail())
    run_now(guest.device.freeze())
    guest.events.clear()
    run_now(guest.device.restore())
    assert guest.statuses() == [0x01, 0x81, 0x83, 0x87]
    assert run_now(blk.read(9)) == image()[9 * 512 : 10 * 512]


def test_the_first_layout_marks_the_fields_that_were_found() -> None:
    guest = Guest(LguestLayout.FIRST)
    guest.start(feature_mask(BlkFeature.SEG_MAX))
    at = guest.found[1]
    places = [at.fields[lguest.LGUEST_FIELD_BLK_CAPACITY][0], at.queues[0].position, at.features]
    assert [guest.transport.page[place - 2] for place in places] == [0xC1, 0x82, 0xC0]


def test_a_malformed_ring_stops_the_device() -> None:
    guest = Guest(LguestLayout.LATER)
    guest.start()
    queue = guest.device.queues[0]
    guest.transport.memory.write_int(queue.addresses[1] + 2, 2, 0x300)
    run_now(guest.device.notify(queue))
    assert guest.model.status & Status.DEVICE_NEEDS_RESET
