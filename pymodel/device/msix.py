"""The MSI-X table and pending bits of a modelled function (PCI 3.0, 6.8.2)."""

from __future__ import annotations

from collections.abc import Callable

from pymodel import spec


class MsixTable:
    """Table entries and pending bits.

    `send` takes a message's address and data; `control` and `may_master` tell the function's state.
    """

    def __init__(
        self,
        send: Callable[[int, int], None],
        vectors: int,
        control: Callable[[], int],
        may_master: Callable[[], bool],
    ) -> None:
        self._send = send
        self.vectors = vectors
        self._control = control
        self._may_master = may_master
        self.table = bytearray()
        self.pending = 0
        self.reset()

    def reset(self) -> None:
        """All vectors masked, nothing pending."""
        entry = bytearray(spec.MSIX_ENTRY_LENGTH)
        entry[spec.MSIX_ENTRY_CONTROL] = spec.MSIX_ENTRY_MASKED
        self.table = entry * self.vectors
        self.pending = 0

    @property
    def enabled(self) -> bool:
        """Whether MSI-X is on, so that INTx is not used."""
        return bool(self._control() & spec.MSIX_CONTROL_ENABLE)

    def read_pending(self) -> bytes:
        """Return the pending bit array."""
        return self.pending.to_bytes(-(-self.vectors // 64) * 8, "little")

    def write(self, offset: int, data: bytes) -> None:
        """The host writes the table; only the mask bit of vector control exists."""
        self.table[offset : offset + len(data)] = data[: max(0, len(self.table) - offset)]
        for control in range(spec.MSIX_ENTRY_CONTROL, len(self.table), spec.MSIX_ENTRY_LENGTH):
            if offset <= control + 3 and control < offset + len(data):
                masked = self.table[control] & spec.MSIX_ENTRY_MASKED
                self.table[control : control + 4] = masked.to_bytes(4, "little")

    def _open(self, vector: int) -> bool:
        masked = self.table[vector * spec.MSIX_ENTRY_LENGTH + spec.MSIX_ENTRY_CONTROL]
        function_masked = self._control() & spec.MSIX_CONTROL_FUNCTION_MASK
        return self.enabled and self._may_master() and not masked and not function_masked

    def fire(self, vector: int) -> None:
        """Send a vector's message, or remember it while the vector is masked."""
        if vector < self.vectors and self.enabled:
            self.pending |= 1 << vector
            self.flush()

    def flush(self) -> None:
        """Send what is pending and not masked any more."""
        for vector in range(self.vectors):
            if self.pending >> vector & 1 and self._open(vector):
                self.pending &= ~(1 << vector)
                start = vector * spec.MSIX_ENTRY_LENGTH
                entry = self.table[start : start + spec.MSIX_ENTRY_CONTROL]
                address = int.from_bytes(entry[: spec.MSIX_ENTRY_DATA], "little")
                self._send(address, int.from_bytes(entry[spec.MSIX_ENTRY_DATA :], "little"))
