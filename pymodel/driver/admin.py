"""Group administration commands over an administration queue (virtio 1.4, 2.12 and 2.13)."""

from __future__ import annotations

from dataclasses import dataclass

from pymodel.driver import errors
from pymodel.driver.framing import Framed, Framer
from pymodel.driver.requests import Request, RequestQueues
from pymodel.layout import pack_admin_header, unpack_admin_status
from pymodel.spec import ADMIN_STATUS_LENGTH, AdminCommand, AdminGroup, AdminStatus, feature_mask

LIST_LENGTH = 8
"""Bytes that lists of commands are given; opcodes from 64 on mean nothing to this driver."""
KNOWN = feature_mask(*AdminCommand)
"""The commands that this driver can use, as a list of commands has them."""


class AdminRefused(Exception):
    """The device refused a command, as `status` and `qualifier` say (virtio 1.4, 2.12.1)."""

    def __init__(self, command: AdminState) -> None:
        super().__init__(
            f"command {command.opcode:#x} ended with status {command.status}, qualifier {command.qualifier}"
        )
        self.status = command.status
        self.qualifier = command.qualifier


@dataclass
class AdminState(Request):
    """A command; `answer` is what the device wrote of its part, valid once the command is done."""

    opcode: int = 0
    answer: bytes = b""

    def complete(self, framed: Framed, used: int) -> None:
        """Take over what the device wrote."""
        self.answer = framed.written(used)

    @property
    def status(self) -> int:
        """The command's status; a field that was not written is 0 (2.13)."""
        return unpack_admin_status(self.answer[:ADMIN_STATUS_LENGTH].ljust(ADMIN_STATUS_LENGTH, b"\0"))[0]

    @property
    def qualifier(self) -> int:
        """What the status is about in detail."""
        return unpack_admin_status(self.answer[:ADMIN_STATUS_LENGTH].ljust(ADMIN_STATUS_LENGTH, b"\0"))[1]

    @property
    def result(self) -> bytes:
        """command_specific_result as far as it was written."""
        return self.answer[ADMIN_STATUS_LENGTH:]


class VirtioAdmin:
    """Commands on one administration queue of a device whose driver's requests are `requests`."""

    def __init__(self, requests: RequestQueues, queue: int) -> None:
        self.requests = requests
        self.queue = queue

    async def submit(
        self,
        opcode: int,
        *,
        group: int = AdminGroup.SELF,
        member: int = 0,
        data: bytes = b"",
        result: int = 0,
        kick: bool = True,
    ) -> AdminState:
        """Add a command with `data` behind its header and room for `result` bytes behind its status.

        Both must be multiples of 8 (2.13.2), else DriverBug; waits only while the queue is full.
        """
        if len(data) % 8 or result % 8:
            raise errors.DriverBug(f"{len(data)} bytes of data, {result} of result: no multiples of 8")
        header = pack_admin_header(opcode, group, member)
        return await self.submit_raw(header + data, ADMIN_STATUS_LENGTH + result, kick=kick)

    async def submit_raw(self, readable: bytes, writable: int, *, kick: bool = True) -> AdminState:
        """Add a command of any shape: its bytes, and the length of its device-writable part."""
        opcode = int.from_bytes(readable[:2], "little")
        command = AdminState(queue=self.queue, opcode=opcode)
        ops = self.requests.device.ops
        framer = Framer(ops.memory, ops.style)
        await self.requests.submit(command, framer, [readable], [writable], kick=kick)
        return command

    async def wait(self, command: AdminState) -> bytes:
        """Wait for a command and return its result.

        Raises AdminRefused where the status is not OK, and what RequestQueues.wait raises.
        """
        await self.requests.wait(command)
        if command.status != AdminStatus.OK:
            raise AdminRefused(command)
        return command.result

    async def list_query(self, group: int = AdminGroup.SELF) -> int:
        """Return the commands that the device supports for a group: bit n for opcode n."""
        command = await self.submit(AdminCommand.LIST_QUERY, group=group, result=LIST_LENGTH)
        return int.from_bytes(await self.wait(command), "little")

    async def list_use(self, commands: int, group: int = AdminGroup.SELF) -> None:
        """Tell the device which commands are going to be used; nothing else may be in flight (2.12.1.6)."""
        data = commands.to_bytes(LIST_LENGTH, "little")
        await self.wait(await self.submit(AdminCommand.LIST_USE, group=group, data=data))

    async def agree(self, group: int = AdminGroup.SELF) -> int:
        """Agree on the commands that both sides know; return them."""
        commands = await self.list_query(group) & KNOWN
        await self.list_use(commands, group)
        return commands
