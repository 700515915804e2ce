"""QEMU for a Linux guest: its command line, its console, its end."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
from pathlib import Path

from tb.linux.packages import Qemu

MEMORY_MIB = 256
END_S = 10.0
TAIL = 4096
CONSOLE = "console.log"
DEVICE_SOCKET, MONITOR_SOCKET = "vfio-user.sock", "monitor.sock"
ASLEEP, AWAKE = "== suspending to idle", "== resumed"
SLEEP_S = 1.0
DONE, FAILED = "== done", "== FAILED"


def command(qemu: Qemu, kernel: Path, initramfs: Path, folder: Path, arguments: str) -> list[str]:
    """The command line: no default devices, memory that can be shared, the device under test in slot 4.

    The sockets of device and monitor lie in `folder`.
    """
    device = {
        "driver": "vfio-user-pci",
        "addr": "4",
        "socket": {"type": "unix", "path": str(folder / DEVICE_SOCKET)},
        # A reply that comes later than that wedges the guest's device for good.
        "x-msg-timeout": 600_000,
    }
    memory = f"memory-backend-memfd,id=ram,size={MEMORY_MIB}M,share=on"
    boot = f"console=ttyS0 panic=-1 mitigations=off quiet {arguments}".strip()
    return [
        *qemu.command,
        *("-machine", "q35,memory-backend=ram", "-accel", "tcg", "-cpu", "max"),
        *("-object", memory, "-m", str(MEMORY_MIB), "-bios", "qboot.rom"),
        *("-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot"),
        *("-qmp", f"unix:{folder / MONITOR_SOCKET},server=on,wait=off"),
        *("-kernel", str(kernel), "-initrd", str(initramfs), "-append", boot),
        *("-device", json.dumps(device)),
    ]


class Guest:
    """A running QEMU, whose console goes to a file."""

    def __init__(self, words: list[str], environment: dict[str, str], folder: Path, console: Path) -> None:
        self._console = console
        self._monitor = folder / MONITOR_SOCKET
        self._asleep_since = 0.0
        with console.open("wb") as output:
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment
            )

    @property
    def ended(self) -> bool:
        """Whether QEMU has gone."""
        return self._process.poll() is not None

    def wake(self) -> None:
        """Press the power button of a guest that has slept for a while: only that wakes it from idle."""
        text = self._tail()
        if text.rfind(ASLEEP) <= text.rfind(AWAKE):
            self._asleep_since = 0.0
        elif not self._asleep_since:
            self._asleep_since = time.monotonic()
        elif time.monotonic() - self._asleep_since > SLEEP_S:
            self._asleep_since = time.monotonic()
            self._press_power_button()

    def _press_power_button(self) -> None:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(str(self._monitor))
            for command in ("qmp_capabilities", "system_powerdown"):
                monitor.sendall(json.dumps({"execute": command}).encode())
            monitor.settimeout(1.0)
            # The monitor drops what it has not read when its client hangs up.
            while b"timestamp" not in monitor.recv(TAIL):
                continue

    def finish(self) -> str:
        """Wait for QEMU's end, end it if need be, and say what was wrong; "" if nothing was."""
        try:
            code = self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return f"QEMU did not end within {END_S:g} s"
        if code < 0:
            return f"QEMU was killed by signal {-code}"
        return f"QEMU ended with exit status {code}: {self.last_line}" if code else ""

    def kill(self) -> None:
        """End QEMU at once."""
        self._process.kill()
        self._process.wait()

    @property
    def last_line(self) -> str:
        """The last line on the console."""
        lines = self._tail().split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "nothing on the console")

    @property
    def verdict(self) -> str:
        """What is wrong with what the guest's script said last; "" if it succeeded."""
        lines = [line.strip() for line in self._tail().split("\n")]
        if DONE in lines:
            return ""
        if FAILED in lines:
            before = [line for line in lines[: lines.index(FAILED)] if line]
            return f"the guest's script failed; before that: {before[-1] if before else 'nothing'}"
        return f"the guest never came to its script's end; the last it said: {self.last_line}"

    def _tail(self) -> str:
        content = self._console.read_bytes()[-TAIL:]
        return content.decode(errors="replace").replace("\r", "")
