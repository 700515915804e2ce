"""Builds the native library and its cffi module into a cache keyed by sources, compiler and flags."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from cffi import FFI
from cffi.recompiler import make_c_source

HERE = Path(__file__).resolve().parent
SOURCES = tuple(sorted(HERE.glob("*.c")))
HEADERS = tuple(sorted(HERE.glob("*.h")))
CONTRACT = HERE / "vio_native.h"
LIBRARY = "libvio_native.so"
MODULE = "_vio_native"
WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wconversion")
_PYTHON_CALLS = 'extern "Python" void vio_python_wake(void);\n'


class NativeBuildError(Exception):
    """The C compiler is missing or failed; `log` holds its output where there is one."""

    def __init__(self, message: str, log: Path | None = None) -> None:
        super().__init__(f"{message} (see {log})" if log else message)
        self.log = log


@dataclass(frozen=True, slots=True)
class Library:
    """A built library: its folder holds libvio_native.so for the simulator and _vio_native for Python."""

    folder: Path

    @property
    def shared_object(self) -> Path:
        """The library that simulator and Python share."""
        return self.folder / LIBRARY

    @property
    def key(self) -> str:
        """What identifies sources, compiler and flags."""
        return self.folder.name


def build_root() -> Path:
    """The build cache; `VIRTIO_COSIM_BUILD` moves it."""
    return Path(os.environ.get("VIRTIO_COSIM_BUILD", HERE.parent / "build"))


def sanitizing() -> bool:
    """Whether the library is to be built with AddressSanitizer and UBSan."""
    return os.environ.get("VIRTIO_COSIM_SANITIZE", "") not in ("", "0")


def flags() -> list[str]:
    """The compiler's flags for the library."""
    common = ["-std=c11", "-fPIC", "-g", *WARNINGS]
    if sanitizing():
        sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover", "-fno-omit-frame-pointer"]
        return [*common, "-O1", *sanitizers]
    return [*common, "-O3", "-flto=auto", "-fno-semantic-interposition"]


def build_library() -> Library:
    """Return the library, built now if the cache has none; raises NativeBuildError.

    `VIRTIO_COSIM_NATIVE` names the folder of one that was built elsewhere.
    """
    given = os.environ.get("VIRTIO_COSIM_NATIVE")
    if given:
        return Library(Path(given))
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        raise NativeBuildError("there is no C compiler: install gcc, or set CC")
    folder = build_root() / f"native-{_key(compiler)}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            _build(compiler, folder)
            (folder / "done").touch()
    return Library(folder)


def _key(compiler: str) -> str:
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False).stdout
    digest = hashlib.sha256(repr((compiler, version, flags(), sys.version)).encode())
    for source in (*SOURCES, *HEADERS, Path(__file__)):
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _build(compiler: str, folder: Path) -> None:
    log = folder / "build.log"
    _run([compiler, *flags(), "-shared", "-o", LIBRARY, *map(str, SOURCES)], folder, log)
    source = f"{MODULE}.c"
    make_c_source(interface(), MODULE, f'#include "{CONTRACT.name}"', str(folder / source), verbose=False)
    # cffi's own code is not held to our warnings.
    quiet = [flag for flag in flags() if flag not in WARNINGS]
    include = [f"-I{HERE}", f"-I{sysconfig.get_paths()['include']}"]
    output = f"{MODULE}{sysconfig.get_config_var('EXT_SUFFIX')}"
    link = ["-L.", "-lvio_native", "-Wl,-rpath,$ORIGIN"]
    _run([compiler, *quiet, "-w", *include, "-shared", "-o", output, source, *link], folder, log)


def _run(command: list[str], folder: Path, log: Path) -> None:
    with log.open("a") as out:
        done = subprocess.run(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise NativeBuildError("the native library does not compile", log)


def interface() -> FFI:
    """The contract as cffi's declarations."""
    text = CONTRACT.read_text()
    body = text[text.index('extern "C" {') : text.rindex("#ifdef __cplusplus")]
    lines = [line for line in body.splitlines()[1:] if not line.startswith("#")]
    # A comment that begins on a removed line does not occur: the contract keeps macros on single lines.
    ffi = FFI()
    ffi.cdef(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n" + _PYTHON_CALLS)
    return ffi
