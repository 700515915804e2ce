"""Bringing an unknown device up, step by step, with every register read back on the way.

It does what any driver does and no more; where the device does not follow, the step says what a correct
one would have done. It waits far shorter than a driver: a device that hangs is to be found soon.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pymodel import spec
from pymodel.driver import errors
from pymodel.driver.config_ops import Causes, QueueRequest, Style, Timing
from pymodel.driver.pci import VirtioPci
from pymodel.events import DmaRead, DmaWrite
from pymodel.layout import VirtioCap, common_field
from pymodel.ring.base import Element, Virtqueue
from pymodel.ring.split import SplitQueue
from pymodel.spec import DeviceType, Feature, Status, feature_mask
from pymodel.transport import TransportTimeout
from tb.env import Env
from tb.ports.levels import UnknownLevel
from tb.probe import steps
from tb.probe.journal import Journal
from tb.probe.steps import Step, StepFailed

QUEUE_SIZE = 8
PATIENCE_NS = 100_000
POLL_NS = 500
_PLACE = re.compile(r"BAR (\d+) \+ (0x[0-9a-f]+)")
_PORT_HINT = (
    "nothing has answered on this port yet: look at [clock] port, at port and active level of [reset], and "
    "at the pins that [ports] names"
)


@dataclass(frozen=True, slots=True)
class FirstRequest:
    """The first buffer for a device of some type: queue, and bytes for and from the device."""

    queue: int
    readable: bytes
    writable: int


FIRST_REQUESTS: dict[int, FirstRequest] = {
    DeviceType.BLK: FirstRequest(0, bytes(spec.BLK_HEADER_LENGTH), 513),
    DeviceType.NET: FirstRequest(1, bytes(12 + 60), 0),
    DeviceType.CONSOLE: FirstRequest(1, b"virtio", 0),
    DeviceType.ENTROPY: FirstRequest(0, b"", 64),
}


class BringUp:
    """One bring-up; `run` goes through the steps and writes the journal into the test's folder."""

    def __init__(self, env: Env, wanted_type: int | None) -> None:
        self.env = env
        self.journal = Journal()
        self.wanted_type = wanted_type
        cycles = 20_000 * env.step_ps // 1000
        self.patience = max(PATIENCE_NS, cycles)
        timing = Timing(poll_ns=POLL_NS, reset_ns=self.patience, request_ns=self.patience)
        self.pci = VirtioPci(env.transport, style=Style(timing=timing))
        self.queue: Virtqueue | None = None
        self.answered = False
        self.offered = self.accepted = 0

    @property
    def _actions(self) -> list[tuple[Step, Callable[[], Awaitable[str]]]]:
        return [
            (steps.FIND, self._find),
            (steps.BARS, self._bars),
            (steps.CAPABILITIES, self._capabilities),
            (steps.RESET, self._reset),
            (steps.ACKNOWLEDGE, lambda: self._status(Status.ACKNOWLEDGE)),
            (steps.DRIVER, lambda: self._status(Status.ACKNOWLEDGE | Status.DRIVER)),
            (steps.FEATURES, self._features),
            (steps.FEATURES_OK, self._features_ok),
            (steps.QUEUES, self._queues),
            (steps.DRIVER_OK, self._driver_ok),
            (steps.KICK, self._kick),
            (steps.USED, self._used),
            (steps.INTERRUPT, self._interrupt),
        ]

    async def run(self) -> None:
        """Go through all steps; raises AssertionError with the journal's headline where one fails."""
        for step, action in self._actions:
            self.journal.save(self.env.folder)
            self.env.note(f"bring-up: {step.name}")
            try:
                note = await action()
            except StepFailed as failed:
                self._failed(failed.found, failed.correct or step.correct, failed.hint)
            except TransportTimeout as late:
                hint = "" if self.answered else _PORT_HINT
                self._failed(self._named(str(late)), "every access is answered", hint)
            except UnknownLevel as unknown:
                self._failed(
                    str(unknown), "pins carry 0 or 1 once reset is over", "look for what no reset sets"
                )
            except errors.DriverError as error:
                self._failed(str(error).partition(" [last accesses")[0], step.correct)
            self.journal.notes.append(note)
        self.journal.complete = True
        self.journal.save(self.env.folder)
        await self.pci.reset()

    def _failed(self, found: str, correct: str, hint: str = "") -> None:
        self.journal.found, self.journal.correct, self.journal.hint = found, correct, hint
        self.journal.save(self.env.folder)
        raise AssertionError(self.journal.headline) from None

    def _named(self, text: str) -> str:
        """A complaint about an access to a BAR, with the register's name where it has one."""
        match = _PLACE.search(text)
        layout = self.pci.layout if match and self.journal.step not in steps.STEPS[:3] else None
        if match is None or layout is None:
            return text
        bar, addr = int(match[1]), int(match[2], 16)
        common = _within(layout.common, bar, addr)
        register = common_field(common) if common is not None else None
        if register is not None:
            return f"{text} ({register.name})"
        named = {"a doorbell": layout.notify, "ISR status": layout.isr}
        names = [name for name, cap in named.items() if _within(cap, bar, addr) is not None]
        return f"{text} ({names[0]})" if names else text

    async def _find(self) -> str:
        await self.pci.function.identify()
        try:
            found = self.pci.identify()
        except errors.NotVirtio:
            ids = f"{self.pci.function.vendor_id:#06x}:{self.pci.function.device_id:#06x}"
            raise StepFailed(f"vendor_id:device_id read {ids}, which is no virtio device") from None
        if self.wanted_type not in (None, found):
            raise StepFailed(
                f"device_id is that of type {found}, the manifest's [device] type is {self.wanted_type}",
                f"a device of type {self.wanted_type} has device_id {0x1040 + (self.wanted_type or 0):#06x}",
            )
        return f"{self.pci.function.vendor_id:#06x}:{self.pci.function.device_id:#06x}"

    async def _bars(self) -> str:
        await self.pci.function.find_bars()
        bars = self.pci.function.bars.values()
        if not bars:
            raise StepFailed("all six base address registers read 0 after ones were written: there is no BAR")
        return ", ".join(f"BAR{bar.index} {bar.kind} {bar.size:#x}" for bar in bars)

    async def _capabilities(self) -> str:
        await self.pci.function.find_capabilities()
        await self.pci.adopt()
        layout = self.pci.layout
        found = {"common": layout.common, "notify": layout.notify, "ISR": layout.isr, "device": layout.device}
        places = [f"{name} BAR{cap.bar}+{cap.offset:#x}" for name, cap in found.items() if cap]
        msix = self.pci.interrupts.msix
        return ", ".join([*places, f"{msix.size} vectors" if msix else "no MSI-X"])

    async def _read_status(self) -> int:
        value = await self.pci.get_status()
        self.answered = True
        return value

    async def _reset(self) -> str:
        started = self.env.now_ns
        await self.pci.write_common("device_status", 0)
        deadline = started + self.patience
        while value := await self._read_status():
            if self.env.now_ns > deadline:
                raise StepFailed(f"device_status reads {value:#x} for {self.patience} ns after 0 was written")
            await self.env.delay(POLL_NS)
        return f"device_status reads 0 after {self.env.now_ns - started} ns"

    async def _status(self, wanted: int) -> str:
        await self.pci.set_status(wanted)
        value = await self._read_status()
        if value != wanted:
            hint = ""
            if value == 0 and wanted == Status.ACKNOWLEDGE:
                place = self.pci.layout.common
                hint = (
                    f"is the common structure at {place.offset:#x} of BAR {place.bar}, as the manifest says?"
                )
            raise StepFailed(f"device_status reads {value:#x} after {wanted:#x} was written", hint=hint)
        return f"device_status reads {value:#x}"

    async def _features(self) -> str:
        self.offered = await self.pci.get_features()
        if not self.offered & feature_mask(Feature.VERSION_1):
            low, high = self.offered & 0xFFFF_FFFF, self.offered >> 32 & 0xFFFF_FFFF
            words = f"device_feature reads {low:#010x} (word 0) and {high:#010x} (word 1)"
            raise StepFailed(f"{words}: VERSION_1 is not offered")
        return f"offered {self.offered:#x}"

    async def _features_ok(self) -> str:
        must = feature_mask(Feature.VERSION_1, Feature.ACCESS_PLATFORM)
        self.accepted = self.offered & must
        await self.pci.finalize_features(self.accepted)
        wanted = Status.ACKNOWLEDGE | Status.DRIVER | Status.FEATURES_OK
        await self.pci.set_status(wanted)
        value = await self._read_status()
        if value != wanted:
            raise StepFailed(
                f"device_status reads {value:#x} after {int(wanted):#x} was written, "
                f"for the features {self.accepted:#x}"
            )
        return f"accepted {self.accepted:#x}"

    async def _queues(self) -> str:
        request = FIRST_REQUESTS.get(self.pci.device_type, FIRST_REQUESTS[DeviceType.ENTROPY])
        (self.queue,) = await self.pci.find_vqs([QueueRequest(request.queue, QUEUE_SIZE)], self.accepted)
        await self.pci.write_common("queue_select", request.queue)
        desc, driver, device = self.queue.addresses
        wanted = {"queue_size": self.queue.size, "queue_desc": desc, "queue_driver": driver}
        for name, value in (wanted | {"queue_device": device, "queue_enable": 1}).items():
            found = await self.pci.read_common(name)
            if found != value:
                what = f"{name} of queue {request.queue} reads {found:#x} after {value:#x} was written"
                raise StepFailed(what, f"{name} reads {value:#x}")
        return f"queue {request.queue} of {self.queue.size}, vectors: {self.pci.interrupts.active.name}"

    async def _driver_ok(self) -> str:
        return await self._status(Status.ACKNOWLEDGE | Status.DRIVER | Status.FEATURES_OK | Status.DRIVER_OK)

    async def _kick(self) -> str:
        """Make one buffer available, ring, and wait until it is used or nothing more comes."""
        queue, request = self.queue, FIRST_REQUESTS.get(self.pci.device_type)
        assert isinstance(queue, SplitQueue)
        if request is None:
            return "not tried: the device's requests are not known"
        self._offer(queue, request)
        before = len(self.env.log)
        await self.pci.notify(queue)
        deadline = self.env.now_ns + self.patience
        while not queue.used_pending() and self.env.now_ns < deadline:
            await self.env.delay(POLL_NS)
        accesses = [event for event in self.env.log[before:] if isinstance(event, DmaRead | DmaWrite)]
        driver = queue.addresses[1]
        reads = [event for event in accesses if isinstance(event, DmaRead)]
        if not queue.used_pending() and not any(
            _overlaps(read, driver, 4 + 2 * queue.size) for read in reads
        ):
            did = f"made {len(accesses)} DMA accesses, none of them to" if accesses else "reads nothing of"
            raise StepFailed(
                f"the device {did} the available ring at {driver:#x} within {self.patience} ns",
                hint="does the doorbell arrive where the DUT decodes it, and is bus mastering enabled?",
            )
        return f"{len(accesses)} DMA accesses"

    def _offer(self, queue: SplitQueue, request: FirstRequest) -> None:
        place = self.env.memory.alloc(len(request.readable) + request.writable)
        readable, writable = [], []
        if request.readable:
            self.env.memory.write(place.addr, request.readable)
            readable = [Element(place.addr, len(request.readable))]
        if request.writable:
            writable = [Element(place.addr + len(request.readable), request.writable)]
        queue.add_chain(readable, writable)
        queue.publish()

    async def _used(self) -> str:
        queue = self.queue
        assert queue is not None
        if self.pci.device_type not in FIRST_REQUESTS:
            return "not tried"
        if not queue.used_pending():
            status = await self._read_status()
            what = f"the used ring's index stays 0 for {self.patience} ns"
            if status & Status.DEVICE_NEEDS_RESET:
                what += "; device_status has DEVICE_NEEDS_RESET"
            raise StepFailed(f"{what}, although the device read the available ring")
        used = queue.get_used()
        return f"{used.length} bytes written" if used else "used"

    async def _interrupt(self) -> str:
        pci = self.pci
        if pci.device_type not in FIRST_REQUESTS or not pci.interrupting:
            return "not tried"
        causes: Causes | None = await pci.wait_interrupt(self.patience)
        if causes is None:
            vector = pci.interrupts.queue_vectors.get(self.queue.index if self.queue else 0)
            raise StepFailed(
                f"no interrupt within {self.patience} ns of the used buffer",
                f"a message of vector {vector}, which queue_msix_vector reads back, or INTx without MSI-X",
                "does [ports.irq] name the pins that the DUT drives?",
            )
        return f"{pci.interrupts.active.name}, for queues {sorted(causes.queues)}"


def _within(cap: VirtioCap, bar: int, addr: int) -> int | None:
    """The offset in a structure that an address lies at, None outside it."""
    return addr - cap.offset if cap.bar == bar and cap.offset <= addr < cap.offset + cap.size else None


def _overlaps(event: DmaRead, addr: int, length: int) -> bool:
    return event.addr < addr + length and addr < event.addr + len(event.data)
