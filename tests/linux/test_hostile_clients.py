"""A client that misbehaves ends its session with one clear line; the run folder stays whole."""

from __future__ import annotations

import json
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pymodel.events import Mark
from pymodel.vtrace import read_vtrace
from tb.linux.guest.test_linux import listen
from tb.linux.order import Order
from tb.linux.session import GUEST
from tb.request import RunRequest
from tb.results import FAIL, Result
from tb.run import Run, RunReport

CLIENT = Path(__file__).with_name("client.py")
DEEDS = {
    "says_nothing": "the guest's time is over",
    "stops_inside_a_message": "stopped inside a message",
    "leaves_inside_a_message": "cut inside a message",
    "tells_a_huge_size": "says that it is 4294967295 bytes long",
    "tells_a_size_below_the_header": "says that it is 3 bytes long",
    "sends_an_unknown_command": "unknown command 99",
    "sends_a_reply": "a message of type 1",
    "sends_a_short_body": "DMA_MAP of 4 bytes: 32 are needed",
    "maps_over_another_mapping": "DMA_MAP at 0x2000 overlaps the one at 0x1000",
    "maps_more_than_the_file": "DMA_MAP of 0x20000 bytes from 0x0 of a file of 0x10000",
    "maps_past_the_end_of_the_address_space": "DMA_MAP of 0x2000 bytes at 0xfffffffffffff000",
    "unmaps_half_a_mapping": "cuts a mapping",
    "reads_behind_a_region": "of region 0",
    "reads_a_region_that_is_absent": "of region 5 (0 bytes)",
    "asks_for_a_huge_read": "an access to 2147483647 bytes at 0x0 of region 7",
    "writes_fewer_bytes_than_told": "a write of 4 bytes carries 1",
    "asks_about_region_1000": "region 1000",
    "wires_a_vector_that_is_absent": "vectors 5000 to 5000",
    "sends_too_many_descriptors": "more than 16 file descriptors",
}


@pytest.fixture
def sockets() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="vio-") as folder:
        yield Path(folder)


def session(words: list[str], sockets: Path, out: Path, limit_s: float = 8.0) -> Result:
    """The result of a session with a client in QEMU's place, on the device model."""
    order = sockets / "order.json"
    Order(words, "", str(sockets), limit_s).save(order)
    request = RunRequest(dut="model", folder=GUEST, argument=str(order), out=out, tests=("*",))
    report: RunReport = Run(request, lambda text: None, lambda result: None).execute()
    return report.results[0]


def client(deed: str, sockets: Path) -> list[str]:
    return [sys.executable, str(CLIENT), str(sockets / "vfio-user.sock"), deed]


@pytest.mark.parametrize("deed", DEEDS)
def test_misdeed_is_told_in_one_line(deed: str, sockets: Path, tmp_path: Path) -> None:
    limit_s = 1.0 if deed == "says_nothing" else 8.0
    result = session(client(deed, sockets), sockets, tmp_path / "out", limit_s)
    assert result.status == FAIL
    assert DEEDS[deed] in result.message
    assert "\n" not in result.message


def test_run_folder_is_whole_and_nothing_is_left(sockets: Path, tmp_path: Path) -> None:
    descriptors = len(os.listdir("/proc/self/fd"))
    session(client("maps_over_another_mapping", sockets), sockets, tmp_path / "out")
    content = json.loads((tmp_path / "out" / "results.json").read_text())
    assert content["tests"][0]["status"] == FAIL
    reader, stream = read_vtrace(tmp_path / "out" / "linux.test_guest" / "trace.vtrace")
    with stream:
        assert isinstance(list(reader)[-1], Mark)
    assert len(os.listdir("/proc/self/fd")) <= descriptors


def test_client_that_never_connects_is_told(sockets: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-c", "print('no such option'); raise SystemExit(1)"]
    result = session(words, sockets, tmp_path / "out")
    assert "QEMU ended before it connected: no such option" in result.message


def test_client_that_is_killed_is_told(sockets: Path, tmp_path: Path) -> None:
    deed = " ".join(client("says_nothing", sockets))
    started = time.monotonic()
    result = session(["sh", "-c", f"{deed} & sleep 1; kill -9 $!; kill -9 $$"], sockets, tmp_path / "out")
    assert "QEMU was killed by signal 9" in result.message
    assert time.monotonic() - started < 20


def test_socket_is_open_to_its_owner_alone(sockets: Path) -> None:
    listener = listen(sockets / "vfio-user.sock")
    mode = stat.S_IMODE((sockets / "vfio-user.sock").stat().st_mode)
    listener.close()
    assert mode & 0o077 == 0
