"""What a profile says is what drivers and device did."""

from __future__ import annotations

from pathlib import Path

import pytest

from pymodel.spec import BlkFeature, Feature, feature_mask
from pymodel.vtrace import VtraceError
from tests.conformance.runs import model_run
from waves.conformance.evidence import gather
from waves.conformance.profile import Profile
from waves.conformance.run_folder import load_run
from waves.conformance.survey import survey

SIM_TEST = """
from pymodel.spec import Feature, feature_mask
from tb.env import Env
from tb.sim_test import sim_test

PACKED = feature_mask(Feature.RING_PACKED, Feature.IN_ORDER)

@sim_test()
async def test_reads_on_a_packed_ring(env: Env) -> None:
    await env.driver.start(features=PACKED)
    assert await env.blk.read(1) == env.image.sector(1)

@sim_test()
async def test_only_negotiates(env: Env) -> None:
    await env.driver.start(features=PACKED)

@sim_test()
async def test_resets_the_function(env: Env) -> None:
    await env.driver.start(features=0)
    await env.driver.pci.function_level_reset()
"""


@pytest.fixture
def profiles(tmp_path: Path) -> dict[str, Profile]:
    """A profile for each of the tests above."""
    from tb.request import RunRequest
    from tb.run import Run

    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_own.py").write_text(SIM_TEST)
    request = RunRequest(dut="model", folder=tmp_path / "tests", out=tmp_path / "run")
    Run(request, lambda text: None, lambda result: None).execute()
    traces = (tmp_path / "run").glob("*/trace.vtrace")
    return {trace.parent.name.removeprefix("own.test_"): survey(trace)[0] for trace in traces}


PACKED = feature_mask(Feature.RING_PACKED, Feature.IN_ORDER)


def test_a_session_with_a_buffer_returned_exercises_its_features(profiles: dict[str, Profile]) -> None:
    profile = profiles["reads_on_a_packed_ring"]
    assert profile.exercised & PACKED == PACKED
    assert not profile.exercised >> Feature.SUSPEND & 1
    assert profile.offered >> Feature.SUSPEND & 1
    assert [form for form, _ in profile.used_rings] == ["packed"]


def test_a_session_without_traffic_negotiates_only(profiles: dict[str, Profile]) -> None:
    profile = profiles["only_negotiates"]
    assert profile.accepted & PACKED == PACKED
    assert not profile.exercised
    assert profile.rings
    assert not profile.used_rings


def test_function_resets_are_counted(profiles: dict[str, Profile]) -> None:
    assert profiles["resets_the_function"].resets["flr"] == 1
    assert profiles["only_negotiates"].resets["flr"] == 0


def test_identity_and_structures_are_what_was_read(good: Path) -> None:
    (profile,) = gather(load_run(good)).profiles
    assert profile.ids["vendor_id"].keys() == {0x1AF4}
    assert profile.ids["device_id"].keys() == {0x1042, 0x1001}
    assert {(bar.kind, bar.size) for bar in profile.bars if bar.index == 2} == {("mem64", 0x8000)}
    (layout, _), *_ = profile.layouts.most_common()
    assert {structure.cfg_type for structure in layout if structure.virtio} == {1, 2, 3, 4, 5}
    assert profile.messages > 0
    assert {row.interface for row in profile.sessions} == {"modern", "legacy"}
    assert profile.offered >> BlkFeature.FLUSH & 1


def test_a_cut_trace_counts_up_to_the_cut(good: Path, tmp_path: Path) -> None:
    whole = next(good.glob("discovery.*/trace.vtrace"))
    lines = whole.read_bytes().splitlines(keepends=True)
    cut = tmp_path / "cut.vtrace"
    cut.write_bytes(b"".join(lines[:-2]) + lines[-2][:9])
    profile, broken = survey(cut)
    assert broken is not None
    assert broken.line == len(lines) - 1
    assert profile.ids == survey(whole)[0].ids


def test_a_trace_without_a_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "odd").write_text("no trace\n")
    with pytest.raises(VtraceError):
        survey(tmp_path / "odd")


def test_lguest_sessions_are_told_apart(tmp_path: Path) -> None:
    run = model_run(tmp_path / "run", "lguest.test_traffic*")
    (profile,) = gather(load_run(run)).profiles
    assert {row.interface for row in profile.sessions} == {"lguest"}
    assert ("split", 64) in profile.used_rings
