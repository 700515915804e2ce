"""QEMU's monitor protocol: what a host operator does to a device behind the driver's back."""

from __future__ import annotations

import json
import socket
from typing import Any

from pymodel.qtest.process import QemuError


class QmpMonitor:
    """A QMP connection that waits for each command's answer and drops asynchronous events."""

    def __init__(self, connection: socket.socket, timeout_s: float = 20.0) -> None:
        connection.settimeout(timeout_s)
        self._stream = connection.makefile("rw", encoding="utf-8", newline="\n")
        connection.close()
        self._read()
        self.command("qmp_capabilities")

    def command(self, name: str, /, **arguments: Any) -> Any:
        """Carry out a QMP command (underscores in argument names become dashes), return its answer."""
        request = {"execute": name, "arguments": {key.replace("_", "-"): v for key, v in arguments.items()}}
        self._stream.write(json.dumps(request) + "\n")
        self._stream.flush()
        while True:
            answer = self._read()
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise QemuError(f"QMP {name}: {answer['error'].get('desc', answer['error'])}")

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def _read(self) -> dict[str, Any]:
        line = self._stream.readline()
        if not line:
            raise QemuError("QMP: connection closed")
        answer: dict[str, Any] = json.loads(line)
        return answer
