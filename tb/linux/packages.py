"""Debian packages unpacked into a private folder: QEMU, kernels, busybox; nothing is installed."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tb.errors import ToolError
from tb.results import write_whole

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
PROGRAMS = ("apt-get", "apt-cache", "dpkg-deb")
PATIENCE_S = 600
QEMU_SUITES = ("trixie", "trixie-backports")
KERNEL_SUITES = {"6.1": ("bookworm",), "6.12": ("trixie",), "newest": ("trixie", "trixie-backports")}
"""The suites where each kernel lives; the last one is asked for it."""

Tell = Callable[[str], None]


class Unavailable(ToolError):
    """The packages cannot be had on this machine; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """An unpacked Debian cloud kernel: its image, its folder of modules, its release."""

    image: Path
    modules: Path
    release: str


@dataclass(frozen=True, slots=True)
class Qemu:
    """An unpacked QEMU with its own C library; `command` starts it."""

    root: Path

    @property
    def command(self) -> list[str]:
        """The words before QEMU's own options."""
        libraries = self.root / "usr/lib/x86_64-linux-gnu"
        words: list[str | Path] = [self.root / "usr/lib64/ld-linux-x86-64.so.2", "--library-path", libraries]
        words += [self.root / "usr/bin/qemu-system-x86_64"]
        for share in ("qemu", "seabios"):
            words += ["-L", self.root / "usr/share" / share]
        return [str(word) for word in words]

    @property
    def modules(self) -> Path:
        """Where QEMU's modules lie, which it has to be told."""
        return self.root / "usr/lib/x86_64-linux-gnu/qemu"


def cache_root() -> Path:
    """Where packages are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "virtio-cosim" / "linux"


class Store:
    """Unpacked packages below one folder, fetched on first use; `tell` hears one line a download."""

    def __init__(self, root: Path, tell: Tell) -> None:
        self._root = root
        self._tell = tell

    def qemu(self) -> Qemu:
        """QEMU 10.1 or later; raises Unavailable and ToolError."""
        root = self._unpacked("qemu", QEMU_SUITES, lambda apt: ["qemu-system-x86"], dependencies=True)
        return Qemu(root)

    def busybox(self) -> Path:
        """A static busybox; raises Unavailable and ToolError."""
        root = self._unpacked("busybox", ("trixie",), lambda apt: ["busybox-static"])
        return next(path for path in (root / "usr/bin/busybox", root / "bin/busybox") if path.is_file())

    def kernel(self, version: str) -> Kernel:
        """The kernel of a line of KERNEL_SUITES; raises Unavailable and ToolError."""
        suites = KERNEL_SUITES[version]
        root = self._unpacked(f"linux-{version}", suites, Apt.kernel_packages)
        modules = next((path.parent for path in root.glob("**/lib/modules/*/kernel")), None)
        if modules is None:
            raise Unavailable(f"Debian's kernel package for {version} holds no modules")
        for image in (root / "boot" / f"vmlinuz-{modules.name}", modules / "vmlinuz"):
            if image.is_file():
                return Kernel(image, modules, modules.name)
        raise Unavailable(f"Debian's kernel package for {version} holds no kernel image")

    def _unpacked(
        self,
        name: str,
        suites: Sequence[str],
        packages: Callable[[Apt], list[str]],
        dependencies: bool = False,
    ) -> Path:
        folder = self._root / name
        with _locked(self._root, name):
            if folder.is_dir():
                return folder
            _refuse_elsewhere()
            self._tell(f"fetching {name} from Debian's packages into {folder}")
            with tempfile.TemporaryDirectory(dir=self._root, prefix=f".{name}-") as scratch:
                apt = Apt(Path(scratch), suites)
                apt.update()
                made = Path(scratch) / "root"
                for package in apt.fetch(packages(apt), dependencies):
                    _run(["dpkg-deb", "-x", str(package), str(made)], Path(scratch))
                made.rename(folder)
        return folder


class Apt:
    """apt with folders of its own: it sees these suites and believes that nothing is installed."""

    def __init__(self, scratch: Path, suites: Sequence[str]) -> None:
        self._scratch = scratch
        self._suite = suites[-1]
        for folder in ("lists/partial", "archives/partial", "etc/preferences.d", "etc/apt.conf.d"):
            (scratch / folder).mkdir(parents=True)
        (scratch / "status").touch()
        mirror = _mirror()
        lines = [f"deb [signed-by={KEYRING}] {mirror} {suite} main\n" for suite in suites]
        write_whole(scratch / "etc/sources.list", "".join(lines))
        settings = {
            "Dir::State": scratch,
            "Dir::State::Lists": scratch / "lists",
            "Dir::State::status": scratch / "status",
            "Dir::Cache": scratch,
            "Dir::Cache::archives": scratch / "archives",
            "Dir::Etc": scratch / "etc",
            "Dir::Etc::sourcelist": scratch / "etc/sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "APT::Architecture": "amd64",
            "APT::Install-Recommends": "0",
            "APT::Sandbox::User": "",
            "Debug::NoLocking": "1",
        }
        self._options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]

    def update(self) -> None:
        """Fetch the lists."""
        self._call("apt-get", "-qq", "update")

    def kernel_packages(self) -> list[str]:
        """The packages that Debian's newest cloud kernel of the last suite lies in."""
        images = self._needs("linux-image-cloud-amd64", r"linux-image-\d")
        if not images:
            raise Unavailable(f"{self._suite} names no cloud kernel")
        # Newer kernels keep image and modules in packages of their own.
        return [*images, *self._needs(images[0], r"linux-(?:base|binary|modules)-\d")]

    def _needs(self, package: str, kind: str) -> list[str]:
        text = self._call("apt-cache", "show", "--no-all-versions", f"{package}/{self._suite}")
        depends = re.search(r"^Depends: (.*)$", text, re.MULTILINE)
        return re.findall(rf"\b{kind}[^\s,(]*", depends[1]) if depends else []

    def fetch(self, packages: Sequence[str], dependencies: bool) -> list[Path]:
        """Download packages, with all that they depend on if asked; returns the files."""
        if dependencies:
            self._call("apt-get", "-qq", "-y", "-d", "-t", self._suite, "install", *packages)
        else:
            wanted = [f"{package}/{self._suite}" for package in packages]
            self._call("apt-get", "-qq", "download", *wanted, folder=self._scratch / "archives")
        return sorted((self._scratch / "archives").glob("*.deb"))

    def _call(self, program: str, *words: str, folder: Path | None = None) -> str:
        return _run([program, *self._options, *words], folder or self._scratch)


def _run(command: Sequence[str], folder: Path) -> str:
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE_S
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{command[0]} did not end within {PATIENCE_S} s") from None
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise Unavailable(f"{command[0]} failed: {lines[-1]}")
    return done.stdout


def _refuse_elsewhere() -> None:
    """Raise Unavailable where Debian's packages cannot be fetched or run."""
    if os.uname().machine != "x86_64":
        raise Unavailable(f"the guest is an x86_64 QEMU from Debian; this machine is {os.uname().machine}")
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        raise Unavailable(f"needs Debian's {', '.join(missing)}")
    if not KEYRING.is_file():
        raise Unavailable(f"{KEYRING} is missing: apt-get install debian-archive-keyring")


def _mirror() -> str:
    """The Debian archive that this machine's own apt settings name."""
    form = "$(ORIGIN)|$(LABEL)|$(REPO_URI)"
    text = _run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"], Path("/"))
    for line in text.splitlines():
        origin, label, uri = line.split("|", 2)
        if (origin, label) == ("Debian", "Debian"):
            return uri
    raise Unavailable("this machine's apt settings name no Debian archive, or apt-get update was never run")


@contextmanager
def _locked(root: Path, name: str) -> Iterator[None]:
    """Let one process at a time fetch `name`; raises ToolError where the cache cannot be written."""
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (root / f"{name}.lock").open("w")
    except OSError as error:
        raise ToolError(f"{root}: cannot be written: {error.strerror}", root) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
