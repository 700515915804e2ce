"""Interrupt pulses with a vector number, as `kind = "python"` wants them."""

from cocotb.triggers import FallingEdge, RisingEdge

from tb.ports.custom import CustomIrq


class Pulses(CustomIrq):
    """Fires the vector of every clock cycle in which the pulse is high."""

    async def run(self) -> None:
        """Watch the pins for ever."""
        while True:
            if not int(self.pin("pulse").value):
                await RisingEdge(self.pin("pulse"))
            await FallingEdge(self.clock)
            if int(self.pin("pulse").value):
                self.fire(int(self.pin("number").value))
