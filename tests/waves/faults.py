"""Bugs planted into the device model while a test runs: recorded failures without a simulator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pymodel import spec
from pymodel.device import common
from pymodel.device.blk import BlkBackend
from pymodel.device.common import CommonConfig, QueueBank
from pymodel.device.core import VirtioModel
from pymodel.device.host import Host
from pymodel.device.packed import DevicePackedRing
from pymodel.device.ring import DeviceChain
from pymodel.device.split import DeviceSplitRing
from pymodel.layout import PackedDesc, pack_used_element
from tb.model_bench import run_on_model
from tb.paths import SIM_TESTS
from tb.results import FAIL, Result
from tb.session import Job
from tb.sim_test import SimTest, discover, select

Batch = Sequence[tuple[DeviceChain, int]]
Patch = pytest.MonkeyPatch


@dataclass(frozen=True, slots=True)
class Fault:
    """A bug: how to plant it, the test that meets it, the clause that it breaks."""

    plant: Callable[[Patch], None]
    test: str
    clause: str


def _length_off_by_one(patch: Patch) -> None:
    use = DeviceSplitRing.use
    patch.setattr(DeviceSplitRing, "use", lambda ring, batch: use(ring, [(c, n + 1) for c, n in batch]))


def _index_first(patch: Patch) -> None:
    def use(ring: DeviceSplitRing, batch: Batch) -> None:
        chain, length = batch[-1]
        place = ring.ring.used_entry(ring._used_idx)
        ring._used_idx = ring._used_idx + len(batch) & 0xFFFF
        ring.host.write_int(ring.ring.used_idx, 2, ring._used_idx)
        ring.host.write(place, pack_used_element(chain.id, length))

    patch.setattr(DeviceSplitRing, "use", use)


def _foreign_id(patch: Patch) -> None:
    def use(ring: DeviceSplitRing, batch: Batch) -> None:
        for chain, _ in batch:
            chain.id = (chain.id + 1) % ring.size
        plain(ring, batch)

    plain = DeviceSplitRing.use
    patch.setattr(DeviceSplitRing, "use", use)


def _silent(patch: Patch) -> None:
    patch.setattr(VirtioModel, "interrupt_queue", lambda model, index: None)


def _wrong_vector(patch: Patch) -> None:
    def interrupt(model: VirtioModel, index: int) -> None:
        model.fire(model.common.config_vector)

    patch.setattr(VirtioModel, "interrupt_queue", interrupt)


def _word_alias(patch: Patch) -> None:
    patch.setattr(common, "_word", lambda features, select: features >> 32 * (select & 1) & 0xFFFF_FFFF)


def _enable_kept(patch: Patch) -> None:
    def reset(config: CommonConfig) -> None:
        kept = [bank.enabled for bank in config.banks]
        plain(config)
        for bank, enabled in zip(config.banks, kept, strict=False):
            bank.enabled = enabled

    plain = CommonConfig.reset
    patch.setattr(CommonConfig, "reset", reset)


def _stray_write(patch: Patch) -> None:
    def handle(backend: BlkBackend, chain: DeviceChain, host: Host) -> int:
        last = chain.segments[-1]
        host.write(last.addr + last.length, b"\xee")
        return plain(backend, chain, host)

    plain = BlkBackend.handle
    patch.setattr(BlkBackend, "handle", handle)


def _wrap_forgotten(patch: Patch) -> None:
    def use(ring: DevicePackedRing, batch: Batch) -> None:
        slot, wrap = ring._used
        ring._used = (slot, 1)
        plain(ring, batch)
        ring._used = (ring._used[0], wrap if ring._used[0] > slot else wrap ^ 1)

    plain = DevicePackedRing.use
    patch.setattr(DevicePackedRing, "use", use)


def _packed_foreign_id(patch: Patch) -> None:
    def pack(desc: PackedDesc) -> bytes:
        return plain(PackedDesc(desc.addr, desc.len, desc.id ^ 0x4000, desc.flags))

    plain = PackedDesc.pack
    patch.setattr("pymodel.device.packed.PackedDesc.pack", pack)


def _size_forgotten(patch: Patch) -> None:
    def value(config: CommonConfig, name: str, bank: QueueBank) -> int:
        return 0 if name == "queue_notify_off" else plain(config, name, bank)

    plain = CommonConfig._queue_value
    patch.setattr(CommonConfig, "_queue_value", value)


def _vector_lost(patch: Patch) -> None:
    patch.setattr(CommonConfig, "_vector", lambda config, value: spec.NO_VECTOR - 1)


FAULTS = {
    "used-len-off-by-one": Fault(_length_off_by_one, "rings.*_split", "DEV-SPLIT-016"),
    "used-idx-before-element": Fault(_index_first, "rings.*_split", "DEV-SPLIT-015"),
    "used-id-of-another": Fault(_foreign_id, "rings.*_split", "DEV-SPLIT-022"),
    "no-interrupt": Fault(_silent, "rings.*_split", "DEV-SPLIT-011"),
    "configuration-vector": Fault(_wrong_vector, "discovery.*", "DEV-SPLIT-011"),
    "feature-word-2-aliases": Fault(_word_alias, "discovery.*", "DEV-FEAT-004"),
    "queue-enable-kept": Fault(_enable_kept, "*", "DEV-PCI-019"),
    "write-behind-the-buffer": Fault(_stray_write, "rings.*", "DEV-SPLIT-003"),
    "wrap-counter-forgotten": Fault(_wrap_forgotten, "*packed*", "DEV-PACKED-002"),
    "packed-id-of-another": Fault(_packed_foreign_id, "*packed*", "DEV-PACKED-006"),
    "vector-reads-back-wrong": Fault(_vector_lost, "discovery.*", "DEV-PCI-063"),
}


def run(name: str, folder: Path, seed: int = 1) -> tuple[Path, Result]:
    """Run one simulation test on the device model as it is; return its folder and result."""
    (test,) = select(discover(SIM_TESTS), (name,))
    job = _job(test, seed, folder / f"{test.name}-{seed}")
    return job.folder, run_on_model(job)


def _job(test: SimTest, seed: int, folder: Path) -> Job:
    return Job(test, seed, folder, replay=f"virtio-cosim run --test {test.name} --seed {seed} --dut model")


def fail(name: str, folder: Path) -> tuple[Path, Result]:
    """Plant a bug, run its tests until the checker objects; return that test's folder and result."""
    fault = FAULTS[name]
    with pytest.MonkeyPatch.context() as patch:
        fault.plant(patch)
        for test in select(discover(SIM_TESTS), (fault.test,)):
            if "model" not in test.targets or test.long or test.device not in (None, "blk"):
                continue
            job = _job(test, 1, folder / test.name)
            result = run_on_model(job)
            if result.status == FAIL and result.violations:
                return job.folder, result
    raise AssertionError(f"no test meets {name}")
