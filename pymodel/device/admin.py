"""Group administration commands of a modelled function (virtio 1.4, 2.12 and 2.13)."""

from __future__ import annotations

from pymodel.device.host import Host
from pymodel.device.ring import DeviceChain
from pymodel.layout import pack_admin_status, unpack_admin_header
from pymodel.spec import (
    ADMIN_HEADER_LENGTH,
    AdminCommand,
    AdminGroup,
    AdminQualifier,
    AdminStatus,
    feature_mask,
)

LIST_LENGTH = 8
"""Bytes of a list of commands whose opcodes are below 64."""
SUPPORTED = feature_mask(*AdminCommand)


class AdminCommands:
    """A function that owns the self group alone; `used` is the driver's list of commands."""

    def __init__(self) -> None:
        self.used = SUPPORTED

    def reset(self) -> None:
        """Forget the driver's list."""
        self.used = SUPPORTED

    def handle(self, chain: DeviceChain, host: Host) -> int:
        """Execute a command and return the bytes written; what the buffer is short of reads as zero."""
        most = ADMIN_HEADER_LENGTH + LIST_LENGTH
        command = chain.read(host, 0, most).ljust(most, b"\0")
        opcode, group, _ = unpack_admin_header(command[:ADMIN_HEADER_LENGTH])
        wanted = int.from_bytes(command[ADMIN_HEADER_LENGTH:], "little")
        qualifier = self._judge(opcode, group, wanted)
        status = AdminStatus.EINVAL if qualifier else AdminStatus.OK
        answer = pack_admin_status(status, qualifier)
        if opcode == AdminCommand.LIST_QUERY:
            answer += (0 if qualifier else SUPPORTED).to_bytes(LIST_LENGTH, "little")
        answer = answer[: chain.length(write=True)]
        chain.write(host, 0, answer)
        if opcode == AdminCommand.LIST_USE and not qualifier:
            self.used = wanted
        return len(answer)

    def _judge(self, opcode: int, group: int, wanted: int) -> AdminQualifier:
        """What is wrong with a command, in the order of 2.12.1.5."""
        if group != AdminGroup.SELF:
            return AdminQualifier.INVALID_GROUP
        if not self.used >> opcode & 1:
            return AdminQualifier.INVALID_OPCODE
        if opcode == AdminCommand.LIST_USE and wanted & ~SUPPORTED:
            return AdminQualifier.INVALID_FIELD
        return AdminQualifier.OK
