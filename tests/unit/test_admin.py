"""Administration commands: the guest driver on the device model, and what each does alone."""

from __future__ import annotations

import pytest

from pymodel.device.admin import SUPPORTED
from pymodel.device.config import DEVICE_FEATURES, DeviceConfig
from pymodel.device.host import Host
from pymodel.device.ring import DeviceChain
from pymodel.driver import errors
from pymodel.driver.admin import KNOWN, AdminRefused, AdminState, VirtioAdmin
from pymodel.layout import unpack_admin_header
from pymodel.spec import ADMIN_HEADER_LENGTH, AdminCommand, AdminQualifier, AdminStatus, Feature, feature_mask
from pymodel.transport import run_now
from tests.unit.model import Bench

ADMIN = DEVICE_FEATURES | feature_mask(Feature.ADMIN_VQ)


async def started(lag: int = 0) -> tuple[Bench, VirtioAdmin]:
    bench = Bench(DeviceConfig(features=ADMIN, vectors=16, lag=lag))
    await bench.guest.start(~feature_mask(Feature.IN_ORDER))
    queue = bench.guest.pci.admin_queue
    assert queue is not None
    return bench, VirtioAdmin(bench.blk.requests, queue)


@pytest.mark.parametrize("lag", [0, 8])
def test_both_sides_agree_beside_requests(lag: int) -> None:
    async def run() -> None:
        bench, admin = await started(lag)
        request = await bench.blk.submit_read(3)
        assert await admin.agree() == KNOWN == SUPPORTED
        assert await bench.blk.wait(request) == bytes([3]) * 256 + bytes([252]) * 256

    run_now(run())


def test_commands_are_executed_in_order_however_the_model_lags() -> None:
    async def run() -> None:
        bench, admin = await started(lag=12)
        members, execute = [], bench.model.admin.handle

        def spy(chain: DeviceChain, host: Host) -> int:
            members.append(unpack_admin_header(chain.read(host, 0, ADMIN_HEADER_LENGTH))[2])
            return execute(chain, host)

        bench.model.admin.handle = spy  # type: ignore[method-assign]
        commands = [await admin.submit(AdminCommand.LIST_QUERY, member=n, kick=False) for n in range(40)]
        await admin.requests.kick_all()
        for command in commands:
            await admin.wait(command)
        assert members == list(range(40))

    run_now(run())


def test_refusal_says_status_and_qualifier() -> None:
    async def run() -> None:
        _, admin = await started()
        with pytest.raises(AdminRefused, match="status 22, qualifier 3") as refused:
            await admin.list_use(1 << 40)
        assert refused.value.status == AdminStatus.EINVAL
        assert refused.value.qualifier == AdminQualifier.INVALID_FIELD
        with pytest.raises(AdminRefused, match="qualifier 4"):
            await admin.list_query(1)

    run_now(run())


def test_lengths_are_multiples_of_eight() -> None:
    async def run() -> None:
        _, admin = await started()
        with pytest.raises(errors.DriverBug, match="no multiples of 8"):
            await admin.submit(AdminCommand.LIST_USE, data=b"\3")

    run_now(run())


def test_fields_that_were_not_written_read_as_zero() -> None:
    command = AdminState(answer=b"\x16")
    assert (command.status, command.qualifier, command.result) == (AdminStatus.EINVAL, 0, b"")


def test_without_admin_queues_none_is_set_up() -> None:
    async def run() -> None:
        bench = Bench()
        await bench.guest.start()
        assert bench.guest.pci.admin_queue is None
        assert await bench.guest.pci.read_common("admin_queue_num") == 0

    run_now(run())
