"""A block device's medium: an image file or a pattern in memory, in sectors of 512 bytes."""

from __future__ import annotations

import random
from pathlib import Path

from pymodel.spec import BLK_SECTOR
from tb.errors import UsageError


class Image:
    """The content of a medium; a whole number of sectors of 512 bytes."""

    def __init__(self, content: bytes | bytearray) -> None:
        if not content or len(content) % BLK_SECTOR:
            raise ValueError(f"{len(content)} bytes are no whole number of {BLK_SECTOR}-byte sectors")
        self.content = bytearray(content)

    @classmethod
    def load(cls, path: Path) -> Image:
        """Read an image file; raises UsageError if it is missing or no whole number of sectors."""
        try:
            return cls(path.read_bytes())
        except OSError as error:
            raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise UsageError(f"{path}: {error}: give an image of full sectors") from None

    @classmethod
    def pattern(cls, sectors: int, seed: int) -> Image:
        """Random content in which every sector differs."""
        content = bytearray(random.Random(f"image/{seed}").randbytes(BLK_SECTOR * sectors))
        for place in range(4):
            content[place::BLK_SECTOR] = bytes(n >> 8 * place & 0xFF for n in range(sectors))
        return cls(content)

    @property
    def sectors(self) -> int:
        """Capacity in sectors."""
        return len(self.content) // BLK_SECTOR

    def sector(self, number: int, count: int = 1) -> bytes:
        """Return the bytes of `count` sectors; raises IndexError behind the end."""
        return self.read(number * BLK_SECTOR, count * BLK_SECTOR)

    def read(self, start: int, length: int) -> bytes:
        """Return `length` bytes from byte offset `start`; raises IndexError behind the end."""
        self._check(start, length)
        return bytes(self.content[start : start + length])

    def write(self, start: int, data: bytes) -> None:
        """Store bytes at byte offset `start`; raises IndexError behind the end."""
        self._check(start, len(data))
        self.content[start : start + len(data)] = data

    def resize(self, sectors: int) -> None:
        """Cut the medium off or extend it by zeroes."""
        length = sectors * BLK_SECTOR
        del self.content[length:]
        self.content.extend(bytes(length - len(self.content)))

    def save(self, path: Path) -> None:
        """Write the whole content to a file."""
        path.write_bytes(self.content)

    def _check(self, start: int, length: int) -> None:
        if start < 0 or start + length > len(self.content):
            raise IndexError(f"bytes {start} to {start + length - 1} of {len(self.content)}")
