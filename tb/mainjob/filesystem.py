"""A real ext4 file system for the main job: its files, its image, and e2fsprogs as the judges of both."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
from pathlib import Path

from tb.errors import ToolError

IMAGE_KIB = 1024
BLOCK = 1024
VICTIM = "data/blob-3.bin"
SBIN = ("/usr/sbin", "/sbin")


def files(seed: int = 2026) -> dict[str, bytes]:
    """Return the files of the image as {path: content}: text, binary, empty, nested, odd lengths."""
    rng = random.Random(f"filesystem/{seed}")
    content = {
        "README.txt": b"This file system travelled through a virtqueue.\n" * 40,
        "empty": b"",
        "deep/er/and/deeper/one-byte": b"\x42",
    }
    for number, length in enumerate((511, 512, 513, 65536, 100_003)):
        content[f"data/blob-{number}.bin"] = rng.randbytes(length)
    for number in range(24):
        content[f"many/{number:02}.txt"] = f"file {number}\n".encode() * rng.randrange(1, 400)
    return content


def digest(content: dict[str, bytes]) -> dict[str, str]:
    """Return {path: SHA-256} of files."""
    return {path: hashlib.sha256(data).hexdigest() for path, data in content.items()}


def make_image(image: Path, scratch: Path) -> None:
    """Make the ext4 image with `mke2fs -d`, whole or not at all; raises ToolError."""
    source = scratch / "files"
    shutil.rmtree(source, ignore_errors=True)
    for path, data in files().items():
        target = source / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    draft = scratch / "draft.img"
    draft.unlink(missing_ok=True)
    options = ["-q", "-F", "-t", "ext4", "-b", str(BLOCK), "-O", "^has_journal", "-d", str(source)]
    _tool("mke2fs", *options, str(draft), f"{IMAGE_KIB}k")
    os.replace(draft, image)


def verify(image: Path, wanted: dict[str, str], *, others: bool = False) -> None:
    """Have e2fsck and debugfs confirm the file system in `image` and every file's checksum.

    There may be files that are not `wanted` only with `others`.
    Raises AssertionError naming what is not whole, ToolError where a program is missing.
    """
    checked = _run("e2fsck", "-fn", str(image))
    assert checked.returncode == 0, f"e2fsck -fn finds faults: {checked.stdout.strip()[-300:]}"
    extracted = image.with_suffix(".files")
    shutil.rmtree(extracted, ignore_errors=True)
    extracted.mkdir()
    _tool("debugfs", "-R", f'rdump / "{extracted}"', str(image))
    found = {
        str(path.relative_to(extracted)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in extracted.rglob("*")
        if path.is_file()
    }
    shutil.rmtree(extracted)
    paths = wanted.keys() if others else wanted.keys() | found.keys()
    wrong = sorted(path for path in paths if wanted.get(path) != found.get(path))
    assert not wrong, f"{len(wrong)} files are not whole, the first is {wrong[0]}"


def blocks_of(image: Path, path: str) -> list[int]:
    """Return the file system blocks (of BLOCK bytes) that hold a file, in file order."""
    listed = _tool("debugfs", "-R", f"blocks /{path}", str(image)).stdout
    return [int(word) for word in listed.split()]


def _run(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    found = shutil.which(program, path=os.pathsep.join((os.environ.get("PATH", ""), *SBIN)))
    if found is None:
        raise ToolError(f"{program} is not installed: run `make setup`, or install e2fsprogs")
    return subprocess.run(
        [found, *words], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def _tool(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    done = _run(program, *words)
    if done.returncode:
        raise ToolError(f"{program} failed with exit status {done.returncode}: {done.stderr.strip()[-200:]}")
    return done
