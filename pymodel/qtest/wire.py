"""The qtest protocol: one text line per command and reply, interrupt lines in between."""

from __future__ import annotations

import select
import socket
from collections import deque

_SUFFIX = {1: "b", 2: "w", 4: "l", 8: "q"}
REPLY_TIMEOUT_S = 20.0


class WireClosed(Exception):
    """QEMU closed the connection or did not answer in time."""


class WireRefused(Exception):
    """QEMU answered a command with FAIL or ERR; the message is its line."""


class QtestWire:
    """Sends qtest commands and keeps the changes of intercepted interrupt lines.

    `line_changes` holds (line number, level) in the order in which QEMU reported them.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._connection.settimeout(REPLY_TIMEOUT_S)
        self._pending = b""
        self.line_changes: deque[tuple[int, bool]] = deque()

    def command(self, text: str) -> str:
        """Send one command, return what follows OK; raises WireClosed or WireRefused."""
        try:
            self._connection.sendall(text.encode() + b"\n")
        except OSError as error:
            raise WireClosed(f"qtest command {text!r}: {error}") from error
        while True:
            line = self._line(text)
            if self._take_line_change(line):
                continue
            if not line.startswith("OK"):
                raise WireRefused(f"qtest command {text!r}: {line}")
            return line[3:]

    def turn(self) -> None:
        """Let QEMU's main loop turn once: what it has scheduled is carried out, changes are reported."""
        self.command("endianness")

    def poll(self, timeout_s: float = 0.0) -> None:
        """Take in what QEMU reported unasked, waiting up to `timeout_s` for something."""
        while select.select([self._connection], [], [], timeout_s)[0]:
            self._receive("poll")
            while b"\n" in self._pending:
                self._take_line_change(self._line("poll"))
            timeout_s = 0.0

    def read(self, addr: int, length: int) -> int:
        """Read 1, 2, 4 or 8 bytes of the machine's address space."""
        return int(self.command(f"read{_SUFFIX[length]} {addr:#x}"), 16)

    def write(self, addr: int, length: int, value: int) -> None:
        """Write 1, 2, 4 or 8 bytes of the machine's address space."""
        self.command(f"write{_SUFFIX[length]} {addr:#x} {value:#x}")

    def port_read(self, port: int, length: int) -> int:
        """Read 1, 2 or 4 bytes of I/O space."""
        return int(self.command(f"in{_SUFFIX[length]} {port:#x}"), 16)

    def port_write(self, port: int, length: int, value: int) -> None:
        """Write 1, 2 or 4 bytes of I/O space."""
        self.command(f"out{_SUFFIX[length]} {port:#x} {value:#x}")

    def close(self) -> None:
        """Close the connection; QEMU goes on."""
        self._connection.close()

    def _take_line_change(self, line: str) -> bool:
        words = line.split()
        if len(words) != 3 or words[0] != "IRQ":
            return False
        self.line_changes.append((int(words[2]), words[1] == "raise"))
        return True

    def _line(self, text: str) -> str:
        while b"\n" not in self._pending:
            self._receive(text)
        line, self._pending = self._pending.split(b"\n", 1)
        return line.decode(errors="replace")

    def _receive(self, text: str) -> None:
        try:
            data = self._connection.recv(1 << 16)
        except OSError as error:
            raise WireClosed(f"qtest command {text!r}: {error or 'no answer'}") from error
        if not data:
            raise WireClosed(f"qtest command {text!r}: connection closed")
        self._pending += data
