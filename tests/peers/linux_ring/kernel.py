"""The kernel's virtio_ring.c as a shared library, made from Debian's source package when first needed.

The package is fetched by apt, the files needed are taken out of it into the build folder, and nothing
of it ever belongs to this project.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

PACKAGE = "linux-source-6.1"
HERE = Path(__file__).parent
BUILD = Path(__file__).parents[3] / "build" / "linux_ring"
WANTED = (
    "drivers/virtio/virtio_ring.c",
    "tools/virtio",
    "tools/include",
    "include/linux/kconfig.h",
    "include/linux/kern_levels.h",
    "include/linux/irqreturn.h",
    "include/linux/virtio_ring.h",
    "include/linux/virtio_byteorder.h",
    "include/linux/byteorder/generic.h",
    "include/uapi/linux/virtio_config.h",
    "include/uapi/linux/virtio_ring.h",
    "include/uapi/linux/virtio_types.h",
)
FLAGS = ("-shared", "-fPIC", "-O2", "-fno-strict-aliasing", "-fno-strict-overflow")
DEFINES = ("-DCONFIG_PHYS_ADDR_T_64BIT", "-Ddata_race(x)=(x)")
TIMEOUT_S = 300


class KernelMissing(Exception):
    """The library can't be made here; the message says why."""


def library() -> Path:
    """Return the library, made if it is missing or older than our files; raises KernelMissing."""
    target = BUILD / "libring.so"
    sources = (HERE / "queue.c", HERE / "arena.c", HERE / "arena.h")
    if not target.exists() or any(s.stat().st_mtime > target.stat().st_mtime for s in sources):
        BUILD.mkdir(parents=True, exist_ok=True)
        _compile(_source(), target)
    return target


def _source() -> Path:
    """Return the folder with the kernel's files, fetched if they are not there."""
    source = BUILD / PACKAGE
    if (source / WANTED[-1]).exists():
        return source
    for program in ("apt-get", "dpkg-deb", "tar", "xz"):
        if shutil.which(program) is None:
            raise KernelMissing(f"{program} is not on PATH: {PACKAGE} can't be fetched")
    _run("apt-get", "download", PACKAGE)
    package = next(BUILD.glob(f"{PACKAGE}_*.deb"))
    try:
        _unpack(package)
    finally:
        package.unlink()
    return source


def _unpack(package: Path) -> None:
    """Take the wanted files out of the archive inside the archive, without storing either."""
    outer = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE)
    middle = subprocess.Popen(
        ["tar", "-xO", f"./usr/src/{PACKAGE}.tar.xz"], stdin=outer.stdout, stdout=subprocess.PIPE
    )
    wanted = [f"{PACKAGE}/{path}" for path in WANTED]
    inner = subprocess.run(["tar", "-xJ", *wanted], stdin=middle.stdout, cwd=BUILD, timeout=TIMEOUT_S)
    if inner.returncode or middle.wait() or outer.wait():
        raise KernelMissing(f"{package.name} could not be unpacked")


def _compile(source: Path, target: Path) -> None:
    includes = [f"-I{source / path}" for path in ("tools/virtio", "tools/include", "usr/include")]
    forced = ["-include", str(source / "include/linux/kconfig.h"), "-include", str(HERE / "arena.h")]
    kernel = source / "drivers/virtio/virtio_ring.c"
    ours = [str(HERE / "queue.c"), str(HERE / "arena.c")]
    _run("cc", *FLAGS, *DEFINES, *includes, *forced, str(kernel), *ours, "-o", str(target))


def _run(*command: str) -> None:
    """Run a command in the build folder; raises KernelMissing with the end of what it said."""
    try:
        done = subprocess.run(command, cwd=BUILD, capture_output=True, text=True, timeout=TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise KernelMissing(f"{command[0]}: {error}") from error
    if done.returncode:
        raise KernelMissing(f"{command[0]} failed: {done.stderr.strip()[-300:]}")
