"""The guest's first and only file system: busybox, the kernel modules it needs, and its script."""

from __future__ import annotations

import lzma
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from tb.linux.packages import Kernel, Unavailable

INIT = """\
#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /mnt /tmp
echo "== booted Linux $(uname -r)"
for module in $(cat /modules.order); do
    insmod /modules/$module.ko || echo "== insmod $module failed"
done
sh -e -c '. /functions; . /work' && echo "== done" || echo "== FAILED"
poweroff -f
"""
"""The last line that the script leaves on the console tells whether it succeeded."""

WANTED = ("virtio_pci", "virtio_blk", "ext4")
OPTIONAL = ("button", "crc32c_generic", "crc32c-cryptoapi", "crc32c")
_ALIGN = 4


class Cpio:
    """An archive in the kernel's "newc" format, built in memory; everything belongs to root."""

    def __init__(self) -> None:
        self._content = bytearray()
        self._inode = 0

    def add(self, name: str, mode: int, data: bytes = b"", device: tuple[int, int] = (0, 0)) -> None:
        """Add one entry; `mode` holds type and permissions as in stat(2)."""
        self._inode += 1
        path = name.encode() + b"\0"
        fields = (self._inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(path), 0)
        self._append(b"070701" + b"".join(b"%08X" % field for field in fields) + path)
        self._append(data)

    def _append(self, data: bytes) -> None:
        self._content += data
        self._content += bytes(-len(self._content) % _ALIGN)

    def finish(self) -> bytes:
        """The whole archive."""
        self.add("TRAILER!!!", 0)
        return bytes(self._content)


class Modules:
    """The loadable modules of a kernel, with what they depend on."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._files = {self._name(path): path for path in kernel.modules.glob("kernel/**/*.ko*")}

    @staticmethod
    def _name(path: Path) -> str:
        return path.name.partition(".")[0].replace("-", "_")

    def content(self, name: str) -> bytes:
        """The module itself, unpacked."""
        path = self._files[name]
        packed = path.read_bytes()
        return lzma.decompress(packed) if path.suffix == ".xz" else packed

    def order(self, wanted: Iterable[str], optional: Iterable[str]) -> dict[str, bytes]:
        """Modules in the order in which they load, dependencies first; raises Unavailable.

        What is built into the kernel is left out, and so is what is optional and does not exist.
        """
        builtin = self._kernel.modules / "modules.builtin"
        known = {self._name(Path(line)) for line in builtin.read_text().split()}
        ordered: dict[str, bytes] = {}
        for name in (*(self._plain(name) for name in optional), *wanted):
            if name in self._files:
                self._take(name, ordered)
            elif name in wanted and name not in known:
                raise Unavailable(f"Linux {self._kernel.release} has no module {name}")
        return ordered

    @staticmethod
    def _plain(name: str) -> str:
        return name.replace("-", "_")

    def _take(self, name: str, ordered: dict[str, bytes]) -> None:
        if name in ordered or name not in self._files:
            return
        content = self.content(name)
        found = re.search(rb"\0depends=([^\0]*)\0", content)
        for needed in found[1].decode().split(",") if found and found[1] else []:
            self._take(self._plain(needed), ordered)
        ordered[name] = content


def build_initramfs(kernel: Kernel, busybox: Path, texts: Mapping[str, str]) -> bytes:
    """Return an initramfs that loads the virtio drivers and ext4, runs the text "work" and powers off.

    `texts` become files of the root; "functions" is sourced before "work". Raises Unavailable where the
    kernel lacks a module.
    """
    cpio = Cpio()
    for folder in ("bin", "dev", "proc", "sys", "modules"):
        cpio.add(folder, stat.S_IFDIR | 0o755)
    cpio.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    cpio.add("bin/busybox", stat.S_IFREG | 0o755, busybox.read_bytes())
    modules = Modules(kernel).order(WANTED, OPTIONAL)
    for name, content in modules.items():
        cpio.add(f"modules/{name}.ko", stat.S_IFREG | 0o644, content)
    for name, text in {**texts, "modules.order": "\n".join(modules)}.items():
        cpio.add(name, stat.S_IFREG | 0o644, text.encode())
    cpio.add("init", stat.S_IFREG | 0o755, INIT.encode())
    return cpio.finish()
