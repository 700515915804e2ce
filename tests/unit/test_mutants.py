"""Planted bugs: what a patch says, the order of a hunt, and what its results look like."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tb import mutants
from tb.errors import UsageError
from tb.ground import ground_of
from tb.hunt import problem_of
from tb.mutants import ERROR, KILLED, SURVIVED, Fate, Mutant
from tb.paths import MUTANTS, SEEDLING_MANIFEST
from tb.ranking import Ranking

PATCH = """# BUG-777: a title
# expect: DEV-PCI-014, DRV-INIT-001
--- a/{file}
+++ b/{file}
@@ -1 +1 @@
-old
+new
"""


def planted(folder: Path, name: str = "bug-777-x", file: str = "hdl/a.sv") -> Mutant:
    (folder / f"{name}.patch").write_text(PATCH.format(file=file))
    return next(mutant for mutant in mutants.load_mutants(folder) if mutant.name == name)


def test_patch_tells_title_clauses_and_files(tmp_path: Path) -> None:
    mutant = planted(tmp_path)
    assert (mutant.title, mutant.files) == ("BUG-777: a title", ("hdl/a.sv",))
    assert mutant.expect == ("DEV-PCI-014", "DRV-INIT-001")
    assert mutant.dut is None


def test_bug_of_the_model_is_hunted_on_the_model(tmp_path: Path) -> None:
    assert planted(tmp_path, file="pymodel/device/core.py").dut == "model"


def test_patch_may_name_the_device_that_it_is_hunted_on(tmp_path: Path) -> None:
    text = PATCH.format(file="hdl/a.sv").replace("# expect", "# dut: hdl/rng.toml\n# expect")
    (tmp_path / "bug-778-x.patch").write_text(text)
    assert mutants.load_mutants(tmp_path)[0].dut == "hdl/rng.toml"


def strangers_project(root: Path) -> Path:
    """The second device under test as somebody's project; returns its manifest."""
    project = root / "project"
    (project / "rtl").mkdir(parents=True)
    for file in SEEDLING_MANIFEST.parent.glob("*.sv"):
        (project / "rtl" / file.name).write_bytes(file.read_bytes())
    manifest = project / "sim" / "dut.toml"
    manifest.parent.mkdir()
    manifest.write_text(SEEDLING_MANIFEST.read_text().replace('"*.sv"', '"../rtl/*.sv"'))
    return manifest


def test_bug_in_a_strangers_tree_is_planted_in_a_copy_of_it(tmp_path: Path) -> None:
    manifest = strangers_project(tmp_path)
    (patch,) = SEEDLING_MANIFEST.parent.glob("mutants/bug-801*.patch")
    folder = manifest.parent / "mutants"
    folder.mkdir()
    (folder / patch.name).write_text(patch.read_text().replace("tests/duts/seedling/", "rtl/"))
    (mutant,) = mutants.load_mutants(folder, manifest)
    assert (mutant.ground.root, mutant.dut) == (tmp_path / "project", "sim/dut.toml")
    tree = mutant.ground.copy(tmp_path / "copy")
    assert (tree / "sim" / "dut.toml").exists()
    assert not problem_of(mutant.patch, tree, check=False)
    changed, own = tree / "rtl" / "seedling_regs.sv", tmp_path / "project" / "rtl" / "seedling_regs.sv"
    assert changed.read_text() != own.read_text() == (SEEDLING_MANIFEST.parent / own.name).read_text()


def test_root_of_a_strangers_project_is_where_git_lies(tmp_path: Path) -> None:
    manifest = strangers_project(tmp_path)
    (tmp_path / ".git").mkdir()
    ground = ground_of(manifest)
    assert (ground.root, ground.dut) == (tmp_path, "project/sim/dut.toml")
    assert ground.allows("project/rtl/a.sv")
    for name in ("hdl/a.sv", "project/rtl/../../a.sv", "/project/rtl/a.sv", "project/doc/a.sv"):
        assert not ground.allows(name)


def test_source_outside_of_the_project_is_refused(tmp_path: Path) -> None:
    manifest = strangers_project(tmp_path)
    (manifest.parent / ".git").mkdir()
    with pytest.raises(UsageError, match="outside of the project's root"):
        ground_of(manifest)


@pytest.mark.parametrize("file", ["tb/run.py", "hdl/../tb/run.py", "tests/sim/test_rings.py"])
def test_bench_and_tests_may_not_be_changed(tmp_path: Path, file: str) -> None:
    with pytest.raises(UsageError, match="may change only"):
        planted(tmp_path, file=file)


def test_only_picks_by_words_and_refuses_unknown_ones(tmp_path: Path) -> None:
    known = [planted(tmp_path, "bug-001-a"), planted(tmp_path, "bug-002-b")]
    assert mutants.choose(known, ["002"], tmp_path) == known[1:]
    assert mutants.choose(known, [], tmp_path) == known
    with pytest.raises(UsageError, match="bug-003"):
        mutants.choose(known, ["bug-003"], tmp_path)


def test_order_begins_with_what_killed_before(tmp_path: Path) -> None:
    kills = {
        "bug-777-x": ("own", ("DRV-INIT-001",)),
        "bug-1": ("speaks", ("DEV-PCI-014",)),
        "bug-2": ("often", ()),
        "bug-3": ("often", ()),
    }
    tests = ["never", "often", "own", "speaks"]
    assert Ranking(kills).order(planted(tmp_path), tests) == ["own", "speaks", "often", "never"]
    kills["bug-777-x"] = ("own", ("DEV-X-001",))
    assert Ranking(kills).order(planted(tmp_path), tests) == ["speaks", "often", "own", "never"]


def test_ranking_is_read_as_it_was_written(tmp_path: Path) -> None:
    ranking = Ranking()
    ranking.learn([Fate("b", KILLED, ["DEV-PCI-014"], ["DEV-FEAT-002"], "t.x"), Fate("c", SURVIVED)])
    ranking.save(tmp_path, ["a", "b", "c"])
    assert Ranking.load(tmp_path).kills == {"b": ("t.x", ("DEV-PCI-014", "DEV-FEAT-002"))}
    (tmp_path / "ranking").write_text("b\n")
    with pytest.raises(UsageError, match="line 1"):
        Ranking.load(tmp_path)


def test_exit_status_tells_the_worst() -> None:
    killed, survived = Fate("a", KILLED), Fate("b", SURVIVED)
    died, stale = Fate("c", ERROR), Fate("d", ERROR, applies=False)
    assert mutants.exit_status([killed]) == 0
    assert mutants.exit_status([killed, survived]) == 1
    assert mutants.exit_status([survived, died]) == 3
    assert mutants.exit_status([died, stale]) == 2


def test_results_in_three_formats(tmp_path: Path) -> None:
    mutant = planted(tmp_path)
    fate = Fate(mutant.name, KILLED, ["DEV-PCI-014"], [], "registers.test_x", 17, 1.5, "message")
    (row,) = json.loads(mutants.to_json([fate]))["mutants"]
    contract = {"name", "status", "clauses", "test", "cycles", "seconds"}
    assert contract <= row.keys()
    assert "`a.sv` | DEV-PCI-014 | `registers.test_x` | 17 |" in mutants.to_markdown([mutant], [fate])
    assert "DEV-PCI-014 in registers.test_x after 17 cycles" in mutants.one_line(mutant, fate)
    assert mutants.summary([mutant], [fate]).endswith("1 by a violation, 1 by an expected clause")


@pytest.mark.parametrize("folder", [MUTANTS, SEEDLING_MANIFEST.parent / "mutants"])
def test_every_patch_of_the_project_applies(folder: Path) -> None:
    for mutant in mutants.load_mutants(folder):
        assert not problem_of(mutant.patch), mutant.name


def test_patch_that_does_not_apply_is_told(tmp_path: Path) -> None:
    assert "hdl/a.sv" in problem_of(planted(tmp_path).patch)
