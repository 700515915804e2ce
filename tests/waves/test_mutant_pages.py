"""Real mutants of the RTL, planted and found: their pages show what broke. Minutes each: nightly."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tb.mutants import Mutant
from tb.paths import MUTANTS, SIM_TESTS
from tb.ranking import Ranking
from tb.sim_test import discover, select
from tests.waves.mutant_pages import drawn, failed_tests, faults_of

COUNT = 3
SEED = int(os.environ.get("VIRTIO_COSIM_PAGES_SEED", "1"))


def test_the_same_seed_draws_the_same_mutants() -> None:
    assert [mutant.name for mutant in drawn(7, 10)] == [mutant.name for mutant in drawn(7, 10)]
    assert len({mutant.name for mutant in drawn(7, 10)}) == 10


@pytest.mark.nightly
@pytest.mark.parametrize("mutant", drawn(SEED, COUNT), ids=lambda mutant: mutant.name)
def test_the_page_of_a_mutant_shows_the_violating_event(mutant: Mutant, tmp_path: Path) -> None:
    tests = [test.name for test in select(discover(SIM_TESTS), ())]
    folders = failed_tests(mutant, tmp_path, Ranking.load(MUTANTS).order(mutant, tests))
    assert folders, (tmp_path / f"{mutant.name}.log").read_text()[-2000:]
    assert faults_of(folders[0]) == []
    if mutant.dut is None:
        assert (folders[0] / "wave.fst").exists()
