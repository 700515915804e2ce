"""MSI-X, INTx, ISR and configuration changes of QEMU's devices, register by register."""

from __future__ import annotations

from pymodel import spec
from pymodel.driver.msix import Msix as MsixCapability
from pymodel.events import Intx, Msix
from pymodel.spec import CapType, Feature, IsrBit, PciCommand, PciStatus, Status
from pymodel.transport import Line, Message
from tests.peers import devices
from tests.peers.conftest import StartPeer
from tests.peers.peer import QUIET_NS, Peer

SECTORS = 2048
WAIT_NS = 5_000_000_000
BOTH = IsrBit.QUEUE | IsrBit.CONFIG
"""What QEMU's ISR says of a configuration change: the queue bit is spurious, and allowed."""
LIVE = Status.ACKNOWLEDGE | Status.DRIVER | Status.FEATURES_OK


def live_disk(start_peer: StartPeer) -> Peer:
    """A disk at DRIVER_OK without queues: its only interrupts are configuration changes."""
    peer = start_peer(devices.blk(bytes(SECTORS * 512)))
    assert peer.accept(1 << Feature.VERSION_1)
    peer.put("device_status", LIVE | Status.DRIVER_OK)
    return peer


def map_config(peer: Peer, vector: int) -> None:
    """Map configuration changes to a vector, which the device must take."""
    peer.put("config_msix_vector", vector)
    assert peer.get("config_msix_vector") == vector


def resize(peer: Peer, sectors: int) -> None:
    """Change the medium's size behind the driver's back, on the host."""
    peer.machine.qmp.command("block_resize", node_name=devices.MEDIUM, size=sectors * 512)


def msix(peer: Peer) -> MsixCapability:
    found = peer.run(MsixCapability.find(peer.function))
    assert found is not None
    return found


def wait(peer: Peer, timeout_ns: int = WAIT_NS) -> Message | Line | None:
    return peer.run(peer.transport.wait_interrupt(timeout_ns))


def test_config_change_asserts_intx_and_reading_isr_drops_it(start_peer: StartPeer) -> None:
    peer = live_disk(start_peer)
    resize(peer, 2 * SECTORS)
    assert wait(peer) == Line()
    assert peer.run(peer.function.register("status")) & PciStatus.INTERRUPT
    assert peer.read(CapType.ISR, 0, 1) == BOTH
    assert peer.read(CapType.ISR, 0, 1) == 0
    assert wait(peer, QUIET_NS) is None
    assert [event.level for event in peer.interrupts() if isinstance(event, Intx)] == [1, 0]
    assert not peer.run(peer.function.register("status")) & PciStatus.INTERRUPT


def test_config_change_moves_the_generation_with_the_capacity(start_peer: StartPeer) -> None:
    peer = live_disk(start_peer)
    before = peer.get("config_generation"), peer.read(CapType.DEVICE, 0, 4)
    resize(peer, 2 * SECTORS)
    assert wait(peer) == Line()
    after = peer.get("config_generation"), peer.read(CapType.DEVICE, 0, 4)
    assert (before[1], after[1]) == (SECTORS, 2 * SECTORS)
    assert before[0] != after[0]


def test_intx_disable_holds_the_line_and_isr_still_tells(start_peer: StartPeer) -> None:
    peer = live_disk(start_peer)
    peer.run(peer.function.command(enable=PciCommand.INTX_DISABLE))
    resize(peer, 2 * SECTORS)
    assert wait(peer, QUIET_NS) is None
    peer.run(peer.function.command(clear=PciCommand.INTX_DISABLE))
    assert wait(peer) == Line()
    assert peer.read(CapType.ISR, 0, 1) == BOTH


def test_config_vector_sends_its_message_and_no_intx(start_peer: StartPeer) -> None:
    peer = start_peer(devices.blk(bytes(SECTORS * 512)))
    capability = msix(peer)
    peer.run(capability.enable(2))
    assert peer.accept(1 << Feature.VERSION_1)
    map_config(peer, 1)
    peer.put("device_status", LIVE | Status.DRIVER_OK)
    resize(peer, 2 * SECTORS)
    assert wait(peer) == Message(capability.address, capability.data + 1)
    assert [type(event) for event in peer.interrupts()] == [Msix]


def test_unmapped_config_change_with_msix_is_silent(start_peer: StartPeer) -> None:
    peer = live_disk(start_peer)
    peer.run(msix(peer).enable(2))
    resize(peer, 2 * SECTORS)
    assert wait(peer, QUIET_NS) is None
    assert peer.read(CapType.ISR, 0, 1) == BOTH


def test_masked_vector_waits_in_the_pba_until_unmasked(start_peer: StartPeer) -> None:
    peer = start_peer(devices.blk(bytes(SECTORS * 512)))
    capability = msix(peer)
    peer.run(capability.enable(2))
    peer.run(capability.mask(1, masked=True))
    assert peer.accept(1 << Feature.VERSION_1)
    map_config(peer, 1)
    peer.put("device_status", LIVE | Status.DRIVER_OK)
    resize(peer, 2 * SECTORS)
    assert wait(peer, QUIET_NS) is None
    assert peer.run(capability.pending(1))
    peer.run(capability.mask(1, masked=False))
    assert wait(peer) == Message(capability.address, capability.data + 1)
    assert not peer.run(capability.pending(1))


def test_function_mask_holds_every_vector(start_peer: StartPeer) -> None:
    peer = start_peer(devices.blk(bytes(SECTORS * 512)))
    capability = msix(peer)
    peer.run(capability.enable(2))
    peer.run(capability.control(enable=True, masked=True))
    assert peer.accept(1 << Feature.VERSION_1)
    map_config(peer, 0)
    peer.put("device_status", LIVE | Status.DRIVER_OK)
    resize(peer, 2 * SECTORS)
    assert wait(peer, QUIET_NS) is None
    peer.run(capability.control(enable=True, masked=False))
    assert wait(peer) == Message(capability.address, capability.data)


def test_msix_table_reads_back_what_the_driver_wrote(start_peer: StartPeer) -> None:
    peer = start_peer(devices.rng())
    capability = msix(peer)
    bar, base = capability.table
    words = (0xFEE0_1000, 0x0000_0001, 0x1234_5678)
    for index, word in enumerate(words):
        peer.run(peer.transport.bar_write(bar, base + 4 * index, 4, word))
    assert tuple(peer.run(peer.transport.bar_read(bar, base + 4 * i, 4)) for i in range(3)) == words
    assert peer.run(peer.transport.bar_read(bar, base, 8)) == words[1] << 32 | words[0]


def test_table_entries_come_masked_out_of_each_reset(start_peer: StartPeer) -> None:
    peer = start_peer(devices.rng())
    capability = msix(peer)
    for kind in ("flr", "hot", "power"):
        peer.run(capability.enable(2))
        peer.run(peer.transport.reset(kind))
        peer.run(peer.function.place_bars())
        bar, base = capability.table
        entry = [peer.run(peer.transport.bar_read(bar, base + 4 * index, 4)) for index in range(4)]
        assert entry == [0, 0, 0, spec.MSIX_ENTRY_MASKED]
        assert peer.run(peer.transport.config_read(capability.position + spec.MSIX_CONTROL, 2)) == 1
