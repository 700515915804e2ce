import pytest

from pymodel import spec
from pymodel.device.config import BarSpec, DeviceConfig, Place
from pymodel.driver import errors
from pymodel.driver.interrupts import InterruptMode
from pymodel.events import BarRead, BarWrite, ConfigRead, ConfigWrite, Reset
from pymodel.spec import CAP_FIELDS, PCI_CFG, BlkFeature, CapType, Feature, PciCapId, PciCommand, feature_mask
from pymodel.transport import run_now
from tests.unit.model import Bench, image

DATA = feature_mask(Feature.NOTIFICATION_DATA)


def scattered() -> DeviceConfig:
    """Doorbells in an I/O BAR, everything else spread over three memory BARs, MSI-X behind them."""
    return DeviceConfig(
        bars={
            0: BarSpec("io", 0x100),
            1: BarSpec("mem32", 0x1000),
            2: BarSpec("mem64", 1 << 33),
            4: BarSpec("mem64", 0x2000),
        },
        places={
            CapType.NOTIFY: Place(0, 0x40, 0x40),
            CapType.COMMON: Place(1, 0x400, 0x100),
            CapType.ISR: Place(1, 0x203, 1),
            CapType.DEVICE: Place(4, 0x104, 0x1000),
        },
        msix_table=(4, 0x1800),
        msix_pba=(2, 0x1_0000),
        notify_multiplier=0,
    )


def test_bars_of_all_kinds_are_sized_and_placed() -> None:
    bench = Bench(scattered())
    run_now(bench.guest.pci.enumerate())
    bars = bench.guest.pci.function.bars
    found = {index: (bar.kind, bar.size) for index, bar in bars.items()}
    assert found == {index: (bar.kind, bar.size) for index, bar in scattered().bars.items()}
    for bar in bars.values():
        assert bar.address
        assert bar.address % bar.size == 0
        offset = PCI_CFG["bar0"].offset + 4 * bar.index
        width = 8 if bar.kind == "mem64" else 4
        assert bench.model.space.get(offset, width) & ~0xF == bar.address & ~0xF
    assert (
        bench.model.space.field("command") & (PciCommand.IO | PciCommand.MEMORY | PciCommand.BUS_MASTER) == 7
    )


@pytest.mark.parametrize("mode", list(InterruptMode))
def test_structures_may_lie_anywhere(mode: InterruptMode) -> None:
    bench = Bench(scattered(), mode=mode, queues=3)
    blk = run_now(bench.guest.start())
    for queue in range(3):
        assert run_now(blk.read(queue, queue=queue)) == image()[512 * queue : 512 * queue + 512]


@pytest.mark.parametrize(
    ("multiplier", "features"), [(0, 0), (0, DATA), (2, 0), (4, 0), (4, DATA), (4096, 0), (4096, DATA)]
)
def test_doorbells_lie_as_far_apart_as_the_device_likes(multiplier: int, features: int) -> None:
    config = DeviceConfig(notify_multiplier=multiplier)
    config.bars[2] = BarSpec("mem64", 0x1_0000)
    config.places[CapType.NOTIFY] = Place(2, 0x8000, 3 * max(multiplier, 4))
    bench = Bench(config, queues=3)
    blk = run_now(bench.guest.start(features | feature_mask(BlkFeature.MQ)))
    assert bool(bench.model.has(Feature.NOTIFICATION_DATA)) == bool(features)
    for queue in range(3):
        assert run_now(blk.read(queue, queue=queue)) == image()[512 * queue : 512 * queue + 512]


def test_everything_works_through_the_window_alone() -> None:
    bench = Bench(window=True, mode=InterruptMode.INTX)
    blk = run_now(bench.guest.start())
    run_now(blk.write(4, b"\x11" * 512))
    assert run_now(blk.read(4)) == b"\x11" * 512
    assert not bench.of(BarRead)
    assert not bench.of(BarWrite)
    assert bench.of(ConfigWrite)


def test_enumeration_never_touches_the_window_data() -> None:
    bench = Bench()
    run_now(bench.guest.pci.enumerate())
    window = bench.model.space.window + spec.CAP_PCI_CFG_DATA
    touched = [
        e for e in bench.events if isinstance(e, ConfigRead) and e.addr <= window < e.addr + len(e.data)
    ]
    assert touched == []


def test_accesses_are_as_wide_as_their_fields() -> None:
    bench = Bench(queues=2)
    run_now(bench.guest.start())
    place = bench.model.config.places[CapType.COMMON]
    starts = {field.offset: field.width for field in spec.COMMON_CFG.values()}
    for event in bench.events:
        if isinstance(event, BarRead | BarWrite) and event.bar == 2 and event.addr < place.length:
            width = starts.get(event.addr, starts.get(event.addr - 4))
            assert len(event.data) == min(width or 0, 4)


def test_reserved_and_unusable_capabilities_are_ignored() -> None:
    config = DeviceConfig()
    good = config.places[CapType.COMMON]
    bench = Bench(config)
    space = bench.model.space
    position = space._append(PciCapId.VENDOR, 16)
    assert position
    clone = dict(zip(CAP_FIELDS, (9, 0, 16, 1, 7, 0, good.offset, good.length), strict=True))
    for name in ("cap_len", "cfg_type", "bar", "offset", "length"):
        space.put(position + CAP_FIELDS[name].offset, CAP_FIELDS[name].width, clone[name])
    first = space.get(PCI_CFG["capabilities_pointer"].offset, 1)
    space.data[space._tail] = first
    space.data[PCI_CFG["capabilities_pointer"].offset] = position
    last = bench.model.space.positions[PciCapId.PCI_EXPRESS]
    space.data[last + 1] = 0
    blk = run_now(bench.guest.start())
    assert bench.guest.pci.layout.common.bar == 2
    assert run_now(blk.read(1)) == image()[512:1024]


@pytest.mark.parametrize(("target", "complaint"), [(0x40, "loops at 0x40"), (0x20, "inside the header")])
def test_broken_capability_lists_are_refused(target: int, complaint: str) -> None:
    bench = Bench()
    bench.model.space.data[bench.model.space.positions[PciCapId.PCI_EXPRESS] + 1] = target
    with pytest.raises(errors.CapabilityError, match=complaint):
        run_now(bench.guest.start())


def test_a_missing_structure_is_named() -> None:
    config = DeviceConfig()
    del config.places[CapType.ISR]
    with pytest.raises(errors.CapabilityError, match="no usable ISR"):
        run_now(Bench(config).guest.start())


def test_foreign_functions_are_refused() -> None:
    bench = Bench()
    bench.model.space.put(0, 2, 0x8086)
    with pytest.raises(errors.NotVirtio, match="0x8086"):
        run_now(bench.guest.start())


def test_function_level_reset_forgets_everything() -> None:
    bench = Bench()
    blk = run_now(bench.guest.start())
    run_now(blk.write(9, b"\x42" * 512))
    run_now(bench.guest.pci.function_level_reset())
    assert bench.of(Reset) == []  # the write is the event
    assert run_now(bench.guest.pci.get_status()) == 0
    assert not bench.model.msix_enabled()
    blk = run_now(bench.guest.start())
    assert run_now(blk.read(9)) == b"\x42" * 512


def test_two_functions_of_memory_decode_off_read_as_ones() -> None:
    bench = Bench()
    run_now(bench.guest.pci.enumerate())
    run_now(bench.guest.pci.function.command(clear=PciCommand.MEMORY))
    assert run_now(bench.guest.pci.get_status()) == 0xFF


def test_a_doorbell_outside_its_structure_is_found_out() -> None:
    config = DeviceConfig()
    config.places[CapType.NOTIFY] = Place(2, 0x4000, 6)
    with pytest.raises(errors.CapabilityError, match="queue 1: doorbell at 0x4 of 0x6"):
        run_now(Bench(config, queues=2).guest.start())
