from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tb import cli

SIM_TEST = """
from tb.env import Env
from tb.sim_test import Skip, sim_test

@sim_test()
async def test_reads(env: Env) -> None:
    \"\"\"Reads a sector.\"\"\"
    await env.driver.start(features=0)
    assert await env.blk.read(1) == env.image.sector(1)

@sim_test()
async def test_fails(env: Env) -> None:
    await env.driver.start(features=0)
    assert await env.blk.read(1) == b"something else"

@sim_test()
async def test_skips(env: Env) -> None:
    raise Skip("not today")

@sim_test()
async def test_violates(env: Env) -> None:
    await env.driver.start(features=0)
    await env.driver.pci.write_common("queue_enable", 0)

@sim_test()
async def test_expects_in_vain(env: Env) -> None:
    with env.expect("DRV-PCI-020"):
        await env.driver.start(features=0)

@sim_test()
async def test_leaves_work_pending(env: Env) -> None:
    await env.driver.start(features=0)
    await env.blk.submit_read(1, kick=False)
"""


class Command:
    """Runs the command line in this process, in a folder of its own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._capsys = capsys
        self._patch = patch
        (folder / "tests").mkdir()
        (folder / "tests" / "test_own.py").write_text(SIM_TEST)
        patch.chdir(folder)

    def __call__(self, *words: str) -> tuple[int, str, str]:
        """Return exit status, standard output and standard error."""
        self._patch.setattr("sys.argv", ["virtio-cosim", *words])
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = self._capsys.readouterr()
        assert isinstance(end.value.code, int)
        return end.value.code, out, err

    def run(self, test: str, *words: str) -> tuple[int, str, str]:
        """Run one of the tests above on the device model."""
        return self("run", "--dut", "model", "--tests", "tests", "--test", test, "--out", "out", *words)


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return Command(tmp_path, capsys, monkeypatch)


def results(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "out" / "results.json").read_text())
    return content


def test_passing_test_is_exit_0_with_a_whole_run_folder(command: Command) -> None:
    code, out, _ = command.run("test_reads")
    assert code == 0
    assert out.splitlines()[-1] == "1 passed, 0 failed"
    content = results(command.folder)
    (test,) = content["tests"]
    assert (test["name"], test["seed"], test["status"], test["violations"]) == (
        "own.test_reads",
        1,
        "pass",
        [],
    )
    assert test["replay"].startswith("virtio-cosim run --test own.test_reads --seed 1")
    assert content["clauses"]["DEV-RESET-001"] == "held"
    folder = command.folder / "out" / "own.test_reads"
    assert (folder / "trace.vtrace").read_text().splitlines()[-1].endswith('"text":"end"}')
    assert not (folder / "failure.md").exists()
    assert 'tests="1"' in (command.folder / "out" / "results.xml").read_text()


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ("test_fails", "AssertionError"),
        ("test_violates", "DRV-PCI-020"),
        ("test_expects_in_vain", "expected a violation of DRV-PCI-020"),
        ("test_leaves_work_pending", "1 requests are pending"),
    ],
)
def test_failing_test_is_exit_1_with_a_failure_page(command: Command, test: str, message: str) -> None:
    code, _, _ = command.run(test)
    assert code == 1
    (row,) = results(command.folder)["tests"]
    assert row["status"] == "fail"
    assert message in row["message"]
    page = (command.folder / "out" / row["folder"] / "failure.md").read_text()
    assert message in page
    assert row["replay"] in page


def test_violation_carries_clause_time_and_message(command: Command) -> None:
    command.run("test_violates")
    (row,) = results(command.folder)["tests"]
    (violation,) = row["violations"]
    assert violation["clause"] == "DRV-PCI-020"
    assert violation["t"] > 0


def test_skip_is_no_failure(command: Command) -> None:
    code, out, _ = command.run("test_skips")
    assert (code, out.splitlines()[-1]) == (0, "0 passed, 0 failed, 1 skipped")


def test_seeds_get_a_folder_each(command: Command) -> None:
    code, _, _ = command.run("test_reads", "--seed", "7", "--seeds", "2")
    assert code == 0
    assert {row["folder"] for row in results(command.folder)["tests"]} == {
        "own.test_reads-7",
        "own.test_reads-8",
    }


def test_same_seed_gives_the_same_trace(command: Command) -> None:
    trace = command.folder / "out" / "own.test_reads" / "trace.vtrace"
    command.run("test_reads", "--seed", "5")
    first = trace.read_bytes()
    command.run("test_reads", "--seed", "5")
    assert trace.read_bytes() == first


def test_check_judges_a_trace_that_a_run_wrote(command: Command) -> None:
    command.run("test_violates")
    code, out, _ = command("check", "out/own.test_violates/trace.vtrace", "--format", "json")
    content = json.loads(out)
    assert code == 1
    assert [violation["clause"] for violation in content["violations"]] == ["DRV-PCI-020"]
    assert content["clauses"]["DRV-PCI-020"] == "violated"


def test_replay_of_a_run_is_the_run_again(command: Command) -> None:
    command.run("test_reads", "--seed", "3")
    first = (command.folder / "out" / "own.test_reads" / "trace.vtrace").read_bytes()
    code, _, _ = command("replay", "out", "--out", "again")
    assert code == 0
    assert (command.folder / "again" / "own.test_reads" / "trace.vtrace").read_bytes() == first


def test_replay_of_a_trace_drives_the_same_accesses(command: Command) -> None:
    command.run("test_reads")
    trace = "out/own.test_reads/trace.vtrace"
    code, _, _ = command("replay", trace, "--dut", "model", "--out", "again")
    assert code == 0
    again = (command.folder / "again" / "trace.test_trace" / "trace.vtrace").read_text()
    host = ("cfg_rd", "cfg_wr", "bar_rd", "bar_wr")

    def accesses(text: str) -> list[tuple[object, ...]]:
        rows = [json.loads(line) for line in text.splitlines()[1:]]
        return [(r["ev"], r["addr"], r["data"]) for r in rows if r["ev"] in host]

    assert accesses(again) == accesses((command.folder / trace).read_text())


def test_report_is_one_page_without_markup_from_outside(command: Command) -> None:
    command.run("test_violates")
    path = command.folder / "out" / "results.json"
    path.write_text(path.read_text().replace("own.test_violates", "<script>alert(1)</script>"))
    code, _, _ = command("report", "out")
    page = (command.folder / "out" / "report.html").read_text()
    assert code == 0
    assert "<script" not in page
    assert "DRV-PCI-020" in page


BAD = {
    "seed": (("run", "--seed", "seven"), "--seed"),
    "seeds": (("run", "--seeds", "0"), "--seeds"),
    "test": (("run", "--dut", "model", "--test", "no_such_test"), "matches no test"),
    "manifest": (("run", "--dut", "none.toml"), "no such manifest"),
    "waves": (("run", "--waves", "sometimes"), "--waves"),
    "image": (("run", "--dut", "model", "--image", "odd.img"), "sectors"),
    "no image": (("run", "--dut", "model", "--image", "none.img"), "cannot be read"),
    "no tests": (("run", "--dut", "model", "--tests", "empty"), "0 tests"),
    "broken tests": (("run", "--dut", "model", "--tests", "broken"), "cannot be imported"),
    "out": (("run", "--dut", "model", "--out", "odd.img"), "is no run folder"),
    "full out": (("run", "--dut", "model", "--out", "tests"), "is no run folder"),
    "trace": (("check", "none.vtrace"), "cannot be opened"),
    "no trace": (("check",), "TRACE"),
    "cut trace": (("check", "cut.vtrace"), "line 2"),
    "replay": (("replay", "empty"), "neither a trace"),
    "report": (("report", "empty"), "cannot be read"),
    "mutants": (("mutants", "--dir", "empty"), "no *.patch"),
    "option": (("run", "--sede", "1"), "--sede"),
    "command": (("rnu",), "rnu"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_exit_2_and_one_line(command: Command, case: str) -> None:
    words, wanted = BAD[case]
    (command.folder / "odd.img").write_bytes(bytes(513))
    (command.folder / "empty").mkdir()
    (command.folder / "broken").mkdir()
    (command.folder / "broken" / "test_broken_module.py").write_text("import no_such_module\n")
    (command.folder / "cut.vtrace").write_text('{"vtrace":1,"source":"lab","time_unit":"ps"}\n{"ev":"cfg_')
    before = {path for path in command.folder.rglob("*") if "__pycache__" not in path.parts}
    code, out, err = command(*words)
    assert code == 2
    assert out == ""
    assert wanted in err
    assert len(err.splitlines()) == 1
    after = {path for path in command.folder.rglob("*") if "__pycache__" not in path.parts}
    assert after == before


def test_list_names_tests_with_their_first_line(command: Command) -> None:
    code, out, _ = command("run", "--tests", "tests", "--list")
    assert code == 0
    assert out.splitlines()[0].split(None, 1) == ["own.test_reads", "Reads a sector."]


def test_help_names_every_command(command: Command) -> None:
    code, out, _ = command("--help")
    assert code == 0
    for name in ("doctor", "run", "check", "replay", "mutants", "report"):
        assert f"  {name}" in out
