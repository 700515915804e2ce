"""What ends a command with exit status 2 or 3, and the one line that says why."""

from __future__ import annotations

from pathlib import Path


class UsageError(Exception):
    """Bad input or usage (exit status 2); the message is one line that says what to mend."""


class ToolError(Exception):
    """A tool failed (exit status 3); `log` is the file that holds its output, if there is one."""

    def __init__(self, message: str, log: Path | None = None) -> None:
        super().__init__(f"{message} (see {log})" if log else message)
        self.log = log


class ClassBroken(ToolError):
    """A class of kind = "python" raised an exception in a run: no verdict on the device."""


class DiskFull(ToolError):
    """What a test leaves behind could not be written: no verdict on the device."""

    def __init__(self, place: Path) -> None:
        super().__init__(f"{place}: the disk or a quota is full: make room, then go on with --resume")
