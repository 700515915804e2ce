"""`virtio-cosim check` on a trace of two sessions, whole and tampered with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from native import twin
from pymodel.device.blk import BlkBackend
from pymodel.device.transport import ModelTransport
from pymodel.driver.blk import VirtioBlk
from pymodel.driver.core import VirtioDevice
from pymodel.driver.pci import VirtioPci
from pymodel.spec import COMMON_CFG
from pymodel.transport import run_now
from pymodel.vtrace import Header, write_vtrace
from tb import cli

STATUS = COMMON_CFG["device_status"].offset


async def two_sessions(transport: ModelTransport) -> int:
    """Bring the device up twice and read; return where the used ring of the first session lay."""
    pci = VirtioPci(transport)
    await pci.enumerate()
    device = VirtioDevice(pci)
    used = 0
    for _ in range(2):
        blk = VirtioBlk()
        await device.probe(blk, wanted=0)
        used = used or device.queues[0].addresses[2]
        for sector in range(3):
            await blk.read(sector)
        await device.remove()
    return used


@pytest.fixture
def trace(tmp_path: Path) -> tuple[Path, int]:
    path = tmp_path / "good.vtrace"
    transport = ModelTransport(BlkBackend(bytearray(64 * 512)))
    with write_vtrace(path, Header(source="model", type=2)) as writer:
        transport.events.subscribe(writer)
        used = run_now(two_sessions(transport))
    return path, used


Command = Callable[..., tuple[int, str, str]]
Judge = Callable[[Path], tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run the command line; returns exit status, output and errors."""

    def run(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["virtio-cosim", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return (int(end.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture(params=("native", "python"))
def judge(command: Command, request: pytest.FixtureRequest) -> Judge:
    """`check --format json` of one of the twins."""
    return lambda path: command("check", path, "--format", "json", "--twin", request.param)


def is_reset(row: dict[str, object]) -> bool:
    return row.get("ev") == "bar_wr" and row.get("bar") == 2 and row["addr"] == STATUS and row["data"] == "00"


def test_whole_trace_is_clean(trace: tuple[Path, int], judge: Judge) -> None:
    code, out, _ = judge(trace[0])
    content = json.loads(out)
    assert (code, content["violations"], content["ignored"]) == (0, [], 0)
    assert set(content["clauses"].values()) >= {"held", "not-exercised", "not-applicable"}


def test_second_bring_up_without_reset_is_found(trace: tuple[Path, int], judge: Judge) -> None:
    lines = trace[0].read_text().splitlines(keepends=True)
    resets = [number for number, line in enumerate(lines) if is_reset(json.loads(line))]
    assert len(resets) >= 3
    # The end of the first session and the start of the second, each with the read that saw 0.
    for number in sorted(resets[1:3], reverse=True):
        del lines[number : number + 2]
    trace[0].write_text("".join(lines))
    code, out, _ = judge(trace[0])
    assert code == 1
    assert "DRV-INIT-001" in [violation["clause"] for violation in json.loads(out)["violations"]]


def test_used_index_that_skips_is_found(trace: tuple[Path, int], judge: Judge) -> None:
    path, used = trace
    lines = path.read_text().splitlines(keepends=True)
    for number, line in enumerate(lines):
        row = json.loads(line)
        if row.get("ev") == "dma_wr" and row["addr"] == used + 2 and row["data"] == "0200":
            lines[number] = line.replace('"0200"', '"0300"')
            break
    else:
        raise AssertionError("no write of used.idx = 2")
    path.write_text("".join(lines))
    code, out, _ = judge(path)
    assert code == 1
    (first, *_) = json.loads(out)["violations"]
    assert first["clause"].startswith("DEV-SPLIT-")
    assert first["line"] == number + 1


def test_truncated_trace_is_exit_2_with_its_line(trace: tuple[Path, int], judge: Judge) -> None:
    content = trace[0].read_bytes()
    trace[0].write_bytes(content[: len(content) // 2])
    lines = content[: len(content) // 2].count(b"\n") + 1
    code, out, err = judge(trace[0])
    assert (code, out) == (2, "")
    assert f"line {lines}" in err


def without_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    monkeypatch.setattr(twin, "binding", twin.binding.__wrapped__)


def test_python_judges_where_no_compiler_is(
    trace: tuple[Path, int], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_compiler(monkeypatch)
    code, out, err = command("check", trace[0])
    assert code == 0
    assert "good.vtrace: clean" in out
    assert err == (
        "virtio-cosim: judged in Python, which takes longer: there is no C compiler: install gcc, or set CC\n"
    )


def test_native_twin_that_is_asked_for_is_exit_3_without_a_compiler(
    trace: tuple[Path, int], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_compiler(monkeypatch)
    code, out, err = command("check", trace[0], "--twin", "native")
    assert (code, out) == (3, "")
    assert err == "virtio-cosim: there is no C compiler: install gcc, or set CC\n"


def test_twins_print_the_same_object(trace: tuple[Path, int], command: Command) -> None:
    words = ("check", trace[0], "--format", "json")
    outputs = [command(*words, "--twin", name) for name in ("native", "python")]
    assert outputs[0] == outputs[1]
    assert command(*words) == outputs[0]
