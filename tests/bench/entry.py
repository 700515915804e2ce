"""What cocotb runs for one measurement: brings the block device up, then times traffic alone.

The work order comes as JSON in VIRTIO_COSIM_BENCH; the result goes to its "result" file. The same
requests are made by the same C code (native/traffic.c) on both paths and in the bare harness.
"""

from __future__ import annotations

import gc
import json
import os
import random
import resource
import time
from pathlib import Path
from typing import Any

import cocotb
from cocotb.handle import HierarchyObject

from native.binding import binding
from native.host import NativeMemory
from native.twin import Twin
from pymodel.driver.interrupts import InterruptMode
from pymodel.events import BarRead, BarWrite, ConfigRead, ConfigWrite, Event, EventStream, Reset
from pymodel.memory import GuestMemory
from pymodel.spec import Feature, feature_mask
from pymodel.vtrace import Header, header_to_line
from tb.guest import Guest
from tb.image import Image
from tb.knobs import Knobs, TargetKnobs
from tb.manifest import load_manifest
from tb.native_wrapper import BAR, TOPLEVEL
from tb.ports.pins import PinPath
from tb.transport import PortTransport
from tests.bench.order import ORDER, Order

_MESSAGE_NS = 1_000_000


class Bench:
    """The device under load on one of the two paths."""

    def __init__(self, order: Order) -> None:
        self.ffi, self.lib = binding()
        self.order = order
        self.manifest = load_manifest(Path(order.manifest))
        self.memory = GuestMemory()
        self.image = Image.pattern(order.image_sectors, 1)
        self.events = EventStream()
        self.setup: list[Event] = []
        if order.script:
            self.events.subscribe(self.setup.append)
        dut = cocotb.top
        assert isinstance(dut, HierarchyObject)
        latency = (order.latency, order.latency)
        knobs = Knobs(TargetKnobs(latency, latency), TargetKnobs(latency, latency))
        self.native = dut._name == TOPLEVEL
        path_class: Any = PinPath
        if self.native:
            from tb.ports.native import NativePath

            path_class = NativePath
        rng = random.Random(1)
        self.path: Any = path_class(dut, self.manifest, knobs, rng, self.memory, self.image, self.events)
        self.twin = self._listening_twin() if order.checker else None
        self.guest = Guest(PortTransport(self.path, self.memory, self.events), rng, plain=True)
        self.kicks: list[int] = []

    def _listening_twin(self) -> Twin:
        """The checker in C, fed by the C event stream: the bring-up and all traffic go through it."""
        header = Header(source="verilator", type=self.manifest.device_type)
        twin = Twin(header=header_to_line(header).strip())
        twin.listen(self.path.host)
        self.events.emit(Reset(t=0, kind="power"))
        return twin

    def verdict(self) -> dict[str, int]:
        """What the twin judged: it must have seen the traffic, and find no breach."""
        if self.twin is None:
            return {}
        results = self.twin.finish()
        assert results.clean, results.violations[0].message
        assert results.events > 10 * self.order.total, f"the checker saw {results.events} events only"
        return {"events": results.events, "held": sum(o.held for o in results.outcomes.values())}

    async def bring_up(self) -> None:
        """Reset, configure, and lay C's ring over the driver's."""
        self.path.set_capacity(self.image.sectors)
        await self.path.start()
        features = 0
        for name in self.order.features:
            features |= feature_mask(Feature[name])
        await self.guest.start(features, queues=1, queue_size=self.order.ring, mode=InterruptMode.PER_QUEUE)
        queue = self.guest.device.queues[0]
        self.notify = self.guest.pci.layout.notify.offset
        self.areas = queue.addresses
        self._make_traffic(queue.addresses)

    def _make_traffic(self, areas: tuple[int, int, int]) -> None:
        order, ffi, lib = self.order, self.ffi, self.lib
        packed = "RING_PACKED" in order.features
        host = self.path.host.handle if self.native and order.checker else ffi.NULL
        ring = ffi.new("vio_ring_setup *", (*areas, order.ring, packed, "EVENT_IDX" in order.features))
        self.guest_memory = NativeMemory.of_regions(self.memory.regions)
        self.medium = NativeMemory()
        self.medium.show(0, self.image.content)
        self.ring = ffi.gc(lib.vio_ring_new(self.guest_memory.handle, host, ring), lib.vio_ring_free)
        stride = 512 * (order.sectors + 1)
        self.slots = self.memory.alloc(stride * order.depth, 512).addr
        setup = ffi.new(
            "vio_traffic_setup *",
            (self.slots, order.total, 7, order.depth, order.sectors, order.batch, 0, 0, False),
        )
        kick, context = self._kick()
        made = lib.vio_traffic_new(
            self.guest_memory.handle, self.medium.handle, self.ring, setup, kick, context
        )
        assert made != ffi.NULL, "the slots or the medium are too small"
        self.traffic = ffi.gc(made, lib.vio_traffic_free)

    def _kick(self) -> tuple[Any, Any]:
        if self.native:
            fields = (self.path.host.handle, BAR, 0, self.manifest.bar.bars[0], self.notify, 2)
            self.doorbell = self.ffi.new("vio_doorbell *", fields)
            return self.ffi.addressof(self.lib, "vio_doorbell_ring"), self.doorbell
        self.callback = self.ffi.callback("vio_kick", lambda context, value: self.kicks.append(value))
        return self.callback, self.ffi.NULL

    async def run(self) -> dict[str, float]:
        """Time the traffic: the driver is woken by interrupts, and takes its turn each time."""
        lib = self.lib
        if self.native:
            self.path.host.keep(False)  # what was subscribed for the bring-up ends here
        turns = 0
        cycle = self.path.now()
        began, cpu = time.perf_counter(), time.process_time()
        lib.vio_traffic_start(self.traffic)
        await self._ring()
        while lib.vio_traffic_done(self.traffic) < self.order.total:
            interrupt = await self.path.interrupts.wait(_MESSAGE_NS)
            assert interrupt is not None, f"stuck at {lib.vio_traffic_done(self.traffic)} requests"
            lib.vio_traffic_turn(self.traffic)
            turns += 1
            await self._ring()
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        error = lib.vio_traffic_error(self.traffic)
        assert error == self.ffi.NULL, self.ffi.string(error).decode()
        cycles = (self.path.now() - cycle) // self.manifest.clock.period_ps
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {"seconds": seconds, "cpu": cpu, "cycles": cycles, "turns": turns, "peak_kib": peak}

    async def _ring(self) -> None:
        while self.kicks:
            await self.path.bar.write(0, self.notify, 2, self.kicks.pop(0) & 0xFFFF)

    def script(self) -> dict[str, Any]:
        """Everything a bare harness needs to do the same: accesses of the bring-up, and addresses."""
        accesses = []
        for event in self.setup:
            if isinstance(event, ConfigWrite | BarWrite | ConfigRead | BarRead):
                space = "cfg" if isinstance(event, ConfigWrite | ConfigRead) else "bar"
                write = isinstance(event, ConfigWrite | BarWrite)
                accesses.append(
                    (space, write, event.addr, int.from_bytes(event.data, "little"), len(event.data))
                )
        return {"accesses": accesses, "areas": self.areas, "slots": self.slots, "notify": self.notify}


@cocotb.test()
async def measure(_: object) -> None:
    """Do what the order says."""
    order = Order.load(Path(os.environ[ORDER]))
    bench = Bench(order)
    await bench.bring_up()
    gc.freeze()
    result: dict[str, Any] = await bench.run()
    result |= bench.verdict()
    if order.script:
        result["script"] = bench.script()
    Path(order.result).write_text(json.dumps(result))
