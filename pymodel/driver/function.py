"""A PCI function as its guest finds it: BARs, command register, capability list, function-level reset."""

from __future__ import annotations

from dataclasses import dataclass, field

from pymodel import spec
from pymodel.driver import errors
from pymodel.driver.errors import AccessLog
from pymodel.spec import PCI_CFG, PciCapId, PciCommand, PciStatus
from pymodel.transport import Transport

BAR_COUNT = 6
BAR_IO = 0x1
BAR_MEM64 = 0x4
CAPABILITIES_START = 0x40
CAPABILITIES_END = 0x100
PCIE_SIZE_UNIT = 128
PCIE_SIZE_CODE = 0x7
PCIE_SIZE_SHIFTS = (5, 12)
"""Max_Payload_Size and Max_Read_Request_Size in Device Control: codes for 128 bytes times a power of two."""


@dataclass
class Windows:
    """Where BARs are placed on the host's buses; each BAR lies at a multiple of its size."""

    mem32: int = 0xE000_0000
    mem64: int = 0x8_0000_0000
    io: int = 0xC000


@dataclass(frozen=True)
class Bar:
    """A base address register: number, kind ("mem32", "mem64" or "io"), size in bytes, address."""

    index: int
    kind: str
    size: int
    address: int


@dataclass
class PciFunction:
    """Configuration space and BARs of one function over a Transport; every access is logged."""

    transport: Transport
    log: AccessLog
    windows: Windows = field(default_factory=Windows)
    bars: dict[int, Bar] = field(default_factory=dict)
    capabilities: list[tuple[int, int]] = field(default_factory=list)
    vendor_id: int = 0
    device_id: int = 0
    subsystem_id: int = 0
    revision_id: int = 0

    async def config_read(self, addr: int, length: int) -> int:
        """Read configuration space."""
        value = await self.transport.config_read(addr, length)
        self.log.note("cfg_rd", f"{addr:#x}", length, value)
        return value

    async def config_write(self, addr: int, length: int, value: int) -> None:
        """Write configuration space."""
        self.log.note("cfg_wr", f"{addr:#x}", length, value)
        await self.transport.config_write(addr, length, value)

    async def bar_read(self, bar: int, addr: int, length: int) -> int:
        """Read a BAR."""
        value = await self.transport.bar_read(bar, addr, length)
        self.log.note("bar_rd", f"{bar}:{addr:#x}", length, value)
        return value

    async def bar_write(self, bar: int, addr: int, length: int, value: int) -> None:
        """Write a BAR."""
        self.log.note("bar_wr", f"{bar}:{addr:#x}", length, value)
        await self.transport.bar_write(bar, addr, length, value)

    async def register(self, name: str) -> int:
        """Read a register of the configuration header by name."""
        entry = PCI_CFG[name]
        return await self.config_read(entry.offset, entry.width)

    async def enumerate(self) -> None:
        """Identify the function, size and place its BARs, walk its capabilities.

        Raises NotVirtio where nothing answers, CapabilityError for a broken list.
        """
        await self.identify()
        await self.find_bars()
        await self.find_capabilities()

    async def identify(self) -> None:
        """Read the ids of the header; raises NotVirtio where nothing answers."""
        self.log.step = "enumerate"
        self.vendor_id = await self.register("vendor_id")
        if self.vendor_id == 0xFFFF:
            raise self.log.error(errors.NotVirtio, "no function answers")
        self.device_id = await self.register("device_id")
        self.revision_id = await self.register("revision_id")
        self.subsystem_id = await self.register("subsystem_id")

    async def find_bars(self) -> None:
        """Size all BARs, place them and let the function decode them; raises CapabilityError."""
        await self.command(clear=PciCommand.IO | PciCommand.MEMORY)
        await self._size_bars()
        await self.place_bars()

    async def command(self, *, enable: int = 0, clear: int = 0) -> None:
        """Set and clear bits of the command register."""
        value = await self.register("command")
        await self.config_write(PCI_CFG["command"].offset, 2, value & ~clear | enable)

    async def _size_bars(self) -> None:
        self.bars.clear()
        index = 0
        while index < BAR_COUNT:
            bar = await self._size_bar(index)
            if bar:
                self.bars[index] = bar
            index += 2 if bar and bar.kind == "mem64" else 1

    async def _size_bar(self, index: int) -> Bar | None:
        offset = PCI_CFG["bar0"].offset + 4 * index
        low = await self._probe_dword(offset)
        if low & BAR_IO:
            size = -(low & ~0x3) & 0xFFFF
            return Bar(index, "io", size, 0) if size else None
        if low & 0x6 != BAR_MEM64:
            size = -(low & ~0xF) & 0xFFFF_FFFF
            return Bar(index, "mem32", size, 0) if size else None
        if index + 1 == BAR_COUNT:
            raise self.log.error(errors.CapabilityError, "BAR5 claims to be the low half of a 64-bit BAR")
        mask = low & ~0xF | await self._probe_dword(offset + 4) << 32
        size = -mask & (1 << 64) - 1
        return Bar(index, "mem64", size, 0) if size else None

    async def _probe_dword(self, offset: int) -> int:
        old = await self.config_read(offset, 4)
        await self.config_write(offset, 4, 0xFFFF_FFFF)
        value = await self.config_read(offset, 4)
        await self.config_write(offset, 4, old)
        return value

    async def place_bars(self) -> None:
        """Write an address into every BAR and let the function decode them."""
        cursors = {"mem32": self.windows.mem32, "mem64": self.windows.mem64, "io": self.windows.io}
        for bar in sorted(self.bars.values(), key=lambda b: -b.size):
            address = -(-cursors[bar.kind] // bar.size) * bar.size
            cursors[bar.kind] = address + bar.size
            offset = PCI_CFG["bar0"].offset + 4 * bar.index
            await self.config_write(offset, 4, address & 0xFFFF_FFFF)
            if bar.kind == "mem64":
                await self.config_write(offset + 4, 4, address >> 32)
            self.bars[bar.index] = Bar(bar.index, bar.kind, bar.size, address)
        kinds = {bar.kind for bar in self.bars.values()}
        enable = PciCommand.IO if "io" in kinds else 0
        await self.command(enable=enable | (PciCommand.MEMORY if kinds - {"io"} else 0))

    async def find_capabilities(self) -> None:
        """Walk the capability list; raises CapabilityError where it is broken."""
        self.capabilities.clear()
        if not await self.register("status") & PciStatus.CAPABILITIES:
            return
        seen: set[int] = set()
        position = await self.register("capabilities_pointer") & 0xFC
        while position:
            if position in seen:
                raise self.log.error(errors.CapabilityError, f"the capability list loops at {position:#x}")
            if position < CAPABILITIES_START:
                raise self.log.error(
                    errors.CapabilityError, f"a capability inside the header at {position:#x}"
                )
            seen.add(position)
            word = await self.config_read(position, 2)
            self.capabilities.append((word & 0xFF, position))
            position = word >> 8 & 0xFC

    def find_capability(self, kind: PciCapId) -> int | None:
        """Return the position of the first capability of a kind."""
        return next((position for found, position in self.capabilities if found == kind), None)

    async def limit_dma(self, payload: int, read: int) -> tuple[int, int]:
        """Set Max_Payload_Size, where the function can do as much, and Max_Read_Request_Size; return both.

        Both are powers of two from 128 to 4096, in bytes.
        """
        position = self.find_capability(PciCapId.PCI_EXPRESS)
        if position is None:
            raise self.log.error(errors.CapabilityError, "the function is no PCI Express function")
        features = await self.config_read(position + spec.PCIE_DEVICE_CAPABILITIES, 4)
        payload = min(payload, PCIE_SIZE_UNIT << (features & PCIE_SIZE_CODE))
        control = await self.config_read(position + spec.PCIE_DEVICE_CONTROL, 2)
        for size, shift in zip((payload, read), PCIE_SIZE_SHIFTS, strict=True):
            code = (size // PCIE_SIZE_UNIT).bit_length() - 1
            control = control & ~(PCIE_SIZE_CODE << shift) | code << shift
        await self.config_write(position + spec.PCIE_DEVICE_CONTROL, 2, control)
        return payload, read

    async def function_level_reset(self, settle_ns: int) -> None:
        """Reset the function by its PCI Express capability and place its BARs again.

        The standard's 100 ms is `settle_ns` here: a bench waits as long as its device needs.
        """
        self.log.step = "function level reset"
        position = self.find_capability(PciCapId.PCI_EXPRESS)
        features = 0
        if position is not None:
            features = await self.config_read(position + spec.PCIE_DEVICE_CAPABILITIES, 4)
        if position is None or not features & spec.PCIE_DEVICE_CAPABILITIES_FLR:
            raise self.log.error(errors.CapabilityError, "the function offers no function level reset")
        await self.command(clear=PciCommand.BUS_MASTER)
        control = await self.config_read(position + spec.PCIE_DEVICE_CONTROL, 2)
        await self.config_write(
            position + spec.PCIE_DEVICE_CONTROL, 2, control | spec.PCIE_DEVICE_CONTROL_FLR
        )
        await self.transport.delay(settle_ns)
        await self.place_bars()
