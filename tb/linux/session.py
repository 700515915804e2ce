"""`virtio-cosim guest`: boots Linux against the device under test and says what both sides thought."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pymodel.checker import Verdict, clauses
from tb.errors import UsageError
from tb.linux.initramfs import build_initramfs
from tb.linux.order import MEDIUM, Order
from tb.linux.packages import Store, cache_root
from tb.linux.qemu import CONSOLE, command
from tb.mainjob.filesystem import digest, files, make_image, verify
from tb.paths import BUNDLED_MANIFEST, shown
from tb.request import RunRequest
from tb.results import PASS, Result
from tb.run import Run, RunReport
from tb.session import TRACE

GUEST = Path(__file__).parent / "guest"
FUNCTIONS = GUEST / "functions.sh"
DEFAULT_SCRIPT = GUEST / "blk.sh"
LIMIT_S = 600.0
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class GuestRequest:
    """What to boot: `dut` and `path` as for `run`, `kernel` a key of KERNEL_SUITES."""

    dut: str
    out: Path
    kernel: str = "6.1"
    script: Path | None = None
    image: Path | None = None
    arguments: str = ""
    waves: str = "never"
    path: str = "auto"
    limit_s: float = LIMIT_S


def boot(request: GuestRequest, tell: Tell, done: Callable[[Result], None]) -> RunReport:
    """Boot the guest and run its script; returns the run's report.

    Raises UsageError, ToolError, and Unavailable where the guest's packages cannot be had.
    """
    script = _read(request.script or DEFAULT_SCRIPT)
    store = Store(cache_root(), tell)
    kernel, busybox, qemu = store.kernel(request.kernel), store.busybox(), store.qemu()
    with _private_folder() as scratch:
        initramfs = scratch / "initramfs.cpio"
        sums = "".join(f"{value}  {path}\n" for path, value in digest(files()).items())
        initramfs.write_bytes(
            build_initramfs(kernel, busybox, {"functions": _read(FUNCTIONS), "work": script, "sums": sums})
        )
        image = request.image or _file_system(scratch)
        words = command(qemu, kernel.image, initramfs, scratch, request.arguments)
        order = scratch / "order.json"
        Order(words, str(qemu.modules), str(scratch), request.limit_s).save(order)
        tell(f"booting Linux {kernel.release} on QEMU")
        run = RunRequest(
            dut=request.dut,
            out=request.out,
            folder=GUEST,
            tests=("*",),
            image=image,
            argument=str(order),
            waves=request.waves,
            path=request.path,
            again=again(request),
        )
        return Run(run, tell, done).execute()


def again(request: GuestRequest) -> str:
    """The command that gives the device the same session again, without a guest."""
    folder = request.out / "linux.test_guest"
    words = ["virtio-cosim", "replay", shown(folder / TRACE), "--image", shown(folder / MEDIUM)]
    return shlex.join([*words, *(["--dut", request.dut] if request.dut != str(BUNDLED_MANIFEST) else [])])


def medium_fault(report: RunReport) -> str:
    """Let e2fsck and debugfs judge the medium as the guest left it; says what is wrong, "" if nothing."""
    if report.results[0].status != PASS:
        return ""
    try:
        verify(report.folder / report.results[0].folder / MEDIUM, digest(files()), others=True)
    except AssertionError as fault:
        return str(fault)
    return ""


def exercised(report: RunReport) -> dict[str, list[str]]:
    """The clauses that the guest's traffic put to the test, by chapter."""
    chapters: dict[str, list[str]] = {}
    verdicts = report.results[0].clauses
    for clause in clauses().values():
        if verdicts.get(clause.id) in (Verdict.HELD, Verdict.VIOLATED):
            chapters.setdefault(clause.chapter, []).append(clause.id)
    return chapters


def console_of(report: RunReport) -> Path:
    """What the guest printed."""
    return report.folder / report.results[0].folder / CONSOLE


def _file_system(scratch: Path) -> Path:
    image = scratch / "made.img"
    make_image(image, scratch)
    return image


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: is no text: a guest script is a shell script") from None


@contextmanager
def _private_folder() -> Iterator[Path]:
    """A folder that only its owner can enter, with a path short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="vio-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
