"""PCI itself, access widths, and the configuration access window (virtio 1.4, 4.1.1, 4.1.3, 4.1.4.9)."""

from __future__ import annotations

from pymodel import spec
from pymodel.checker.facts import (
    BadAccess,
    BarSized,
    Breach,
    Dma,
    FieldRead,
    FieldWrite,
    LayoutSettled,
    LineChanged,
    MessageSent,
    ResetStarted,
    StatusWrite,
)
from pymodel.checker.rule import Rule, on
from pymodel.checker.rules.capabilities import FIXED_LENGTHS
from pymodel.checker.state.queue import Queue
from pymodel.events import ConfigRead, ConfigWrite
from pymodel.spec import CapType, PciCommand

_VIRTIO_KINDS = ("common", "notify", "isr", "device")
_STABLE = ("device_feature_select", "driver_feature_select", "queue_select")
_BANKED = ("queue_size", "queue_desc", "queue_driver", "queue_device")


class MeetsPci(Rule):
    """The function behaves as PCI demands (4.1.1), as far as the boundary shows.

    No DMA and no message without bus mastering; no message of a masked vector; INTx silent while MSI-X
    is enabled or INTx is disabled; a virtio reset leaves MSI-X state alone; BARs size correctly. In
    simulation, where the driver wrote Device Control, no burst is longer than Max_Payload_Size or
    Max_Read_Request_Size; what is issued within the settling time behind that write passes.
    """

    clause = "DEV-PCI-001"
    _KINDS = ("dma-without-master", "message-without-master", "masked-message", "msix-changed")

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._control: int | None = None
        self._control_t = 0

    @on(Breach)
    def breach(self, fact: Breach) -> None:
        """The state saw one of the breaches."""
        if fact.kind in self._KINDS:
            self.breached(f"{fact.kind}: {fact.detail}", fact.event)

    @on(MessageSent)
    def message(self, _: MessageSent) -> None:
        """A message while everything is known and allows it."""
        config = self.state.config
        mastering = config.command is not None and config.command & PciCommand.BUS_MASTER
        if mastering and config.msix.masked is False:
            self.held()

    @on(LineChanged)
    def line(self, fact: LineChanged) -> None:
        """INTx rises."""
        if not fact.level:
            return
        config = self.state.config
        disabled = config.command is not None and config.command & PciCommand.INTX_DISABLE
        if disabled:
            self.breached("INTx is asserted while the command register disables it")
        elif config.msix.enabled:
            self.breached("INTx is asserted while MSI-X is enabled")
        else:
            self.held()

    @on(ResetStarted)
    def reset(self, fact: ResetStarted) -> None:
        """A reset below virtio puts Device Control back to its defaults."""
        if fact.kind != "status":
            self._control = None

    @on(Dma)
    def burst(self, fact: Dma) -> None:
        """A burst under limits that the driver set."""
        if self._control is None or fact.issued - self._control_t <= self.state.settle:
            return
        limit = 128 << (self._control >> (5 if fact.write else 12) & 7)
        name = "Max_Payload_Size" if fact.write else "Max_Read_Request_Size"
        self.judge(fact.length <= limit, f"a burst of {fact.length} bytes, {name} is {limit}")

    @on(ConfigWrite)
    def limits(self, event: ConfigWrite) -> None:
        """Device Control is written; a write of a part of it leaves open what it holds."""
        place = self.state.config.pcie
        if place is None or self.state.header.source != "verilator":
            return
        start = place + spec.PCIE_DEVICE_CONTROL
        if event.addr >= start + 2 or event.addr + len(event.data) <= start:
            return
        field = event.data[start - event.addr :][:2] if event.addr <= start else b""
        control = int.from_bytes(field, "little")
        known = len(field) == 2 and not control & spec.PCIE_DEVICE_CONTROL_FLR
        self._control, self._control_t = control if known else None, event.t

    @on(BarSized)
    def sized(self, fact: BarSized) -> None:
        """What a BAR answers to sizing."""
        answer = fact.answer
        if answer.kind == "mem64" and answer.width == 32:
            self.breached(f"BAR {answer.index} claims to be a 64-bit one")
            return
        if answer.reserved:
            self.breached(f"BAR {answer.index} has a reserved type")
        self.judge(answer.size is not None, f"BAR {answer.index} answers {answer.mask:#x} to sizing")


class AccessesMatchFields(Rule):
    """The driver accesses each field by its own width, aligned; 64-bit fields by halves (4.1.3.1).

    Judged on the common structure, and on device configuration with a tabled layout.
    """

    clause = "DRV-PCI-005"

    @on(BadAccess)
    def bad(self, fact: BadAccess) -> None:
        """An access of another shape."""
        verb = "written" if fact.write else "read"
        self.breached(
            f"{fact.length} bytes at offset {fact.offset:#x} of the {fact.kind} structure are {verb}"
        )

    @on(FieldRead, FieldWrite)
    def good(self, _: object) -> None:
        """An access of the right shape."""
        self.held()


class HalvesAreIndependent(Rule):
    """Both halves of a 64-bit field can be written and read on their own (4.1.3.2).

    Not judged of what is written to an enabled queue, which a driver may not do.
    """

    clause = "DEV-PCI-008"

    @on(FieldRead)
    def check(self, fact: FieldRead) -> None:
        """A ring address is read back."""
        if fact.queue is None or spec.COMMON_CFG[fact.name].width != 8:
            return
        key = (fact.name, fact.half)
        if key in fact.queue.written and key in fact.queue.regs:
            written = fact.queue.regs[key]
            message = (
                f"half {fact.half} of {fact.name} of {fact.queue} reads {fact.value:#x}, not {written:#x}"
            )
            self.judge(fact.value == written, message)


class CapabilitiesAreNotWritten(Rule):
    """The driver writes no virtio capability but PCI_CFG (4.1.4.1); vendor data has its own rules."""

    clause = "DRV-PCI-014"

    @on(LayoutSettled)
    def settled(self, fact: LayoutSettled) -> None:
        """Enumeration went by."""
        if any(capability.virtio for capability in fact.capabilities):
            self.held()

    @on(ConfigWrite)
    def write(self, event: ConfigWrite) -> None:
        """A configuration write."""
        for capability in self.state.config.capabilities:
            if not capability.virtio or capability.cfg_type not in FIXED_LENGTHS:
                continue
            if capability.cfg_type == CapType.PCI_CFG:
                continue
            length = capability.length or spec.CAP_LENGTH
            if (
                capability.position < event.addr + len(event.data)
                and event.addr < capability.position + length
            ):
                self.breached(f"the capability at {capability.position:#x} is written")


class _Window(Rule):
    """A rule on accesses to pci_cfg_data; a dump of configuration space before any use is none."""

    @on(ConfigRead, ConfigWrite)
    def access(self, event: ConfigRead | ConfigWrite) -> None:
        """Pick out the window."""
        config = self.state.config
        if config.window is None or not config.window_used:
            return
        start = config.window + spec.CAP_PCI_CFG_DATA
        if start <= event.addr < start + 4:
            target = config.window_target()
            if target is not None:
                self.window(*target)

    def window(self, bar: int, offset: int, length: int) -> None:
        """Judge where the window points."""
        raise NotImplementedError


class WindowIsAligned(_Window):
    """The window's length is 1, 2 or 4, and its offset a multiple of it (4.1.4.9.2)."""

    clause = "DRV-PCI-029"

    def window(self, bar: int, offset: int, length: int) -> None:
        """Judge where the window points."""
        good = length in (1, 2, 4) and offset % length == 0
        self.judge(good, f"pci_cfg_data is used with length {length} at offset {offset:#x}")


class WindowIsInsideAStructure(_Window):
    """The window points into a structure that another capability names (4.1.4.9.2)."""

    clause = "DRV-PCI-030"

    def window(self, bar: int, offset: int, length: int) -> None:
        """Judge where the window points."""
        inside = any(
            place.kind in _VIRTIO_KINDS
            and place.bar == bar
            and place.offset <= offset
            and offset + length <= place.offset + place.length
            for place in self.state.config.places
        )
        self.judge(inside, f"pci_cfg_data is used for BAR {bar} at {offset:#x}, which no capability names")


class _Readback(Rule):
    """A rule that compares stable fields of the common structure with what was written last."""

    def known(self, fact: FieldRead) -> int | None:
        """Return the value that a field must still have, None where that is not known."""
        if fact.name in _STABLE or fact.name == "num_queues":
            return self.state.common.values.get(fact.name)
        key = (fact.name, fact.half)
        if fact.name in _BANKED and fact.queue is not None and key in fact.queue.written:
            return fact.queue.regs.get(key)
        return None


class WindowWrites(_Readback):
    """A write to pci_cfg_data writes exactly cap.length bytes at the target (4.1.4.9.1).

    Seen when fields are read back whose last write went through the window: the field itself, and its
    neighbours, which must still hold what they held.
    """

    clause = "DEV-PCI-054"
    _last: tuple[str, int, Queue | None] | None = None

    @on(ResetStarted)
    def reset(self, _: ResetStarted) -> None:
        """Registers go back to their defaults."""
        self._last = None

    @on(FieldWrite)
    def write(self, fact: FieldWrite) -> None:
        """A field is written, by the window or not."""
        self._last = (fact.name, fact.half, fact.queue) if self.state.via_window else None

    @on(StatusWrite)
    def status(self, _: StatusWrite) -> None:
        """device_status is written, by the window or not."""
        self._last = ("device_status", 0, None) if self.state.via_window else None

    @on(FieldRead)
    def read(self, fact: FieldRead) -> None:
        """A field is read while the last write was one through the window."""
        known = self.known(fact)
        if self._last is not None and known is not None:
            same = (fact.name, fact.half, fact.queue) == self._last
            message = f"{fact.name} reads {fact.value:#x} after a write of {self._last[0]} through the window"
            if same or fact.value != known:
                self.judge(fact.value == known, message)


class WindowReads(_Readback):
    """A read of pci_cfg_data reads the target (4.1.4.9.1): stable fields show what they must hold."""

    clause = "DEV-PCI-055"

    @on(FieldRead)
    def read(self, fact: FieldRead) -> None:
        """A field is read through the window."""
        known = self.known(fact)
        if self.state.via_window and known is not None:
            self.judge(
                fact.value == known, f"{fact.name} reads {fact.value:#x} through the window, not {known:#x}"
            )
