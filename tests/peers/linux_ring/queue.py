"""Linux's virtqueue in place of our own, behind the same interface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cffi

from pymodel.driver.pci import VirtioPci
from pymodel.memory import GuestMemory
from pymodel.ring.base import Chain, Element, UsedRingError, Virtqueue
from pymodel.spec import Feature, feature_mask
from tests.peers.linux_ring.kernel import library

ARENA_LENGTH = 1 << 20
RING_FEATURES = feature_mask(
    Feature.INDIRECT_DESC,
    Feature.EVENT_IDX,
    Feature.RING_PACKED,
    Feature.IN_ORDER,
    Feature.NOTIFICATION_DATA,
)
"""The features that change what is in the ring or in a doorbell."""

FFI = cffi.FFI()
FFI.cdef(
    """
    struct virtqueue;
    void vio_arena_set(uint8_t *base, uint64_t phys, uint64_t length);
    uint64_t vio_linux_features(uint64_t features);
    struct virtqueue *vio_linux_queue_new(unsigned int index, unsigned int size, uint64_t features);
    void vio_linux_queue_delete(struct virtqueue *vq);
    uint64_t vio_linux_queue_address(struct virtqueue *vq, int area);
    int vio_linux_queue_add(struct virtqueue *vq, const uint64_t *addresses, const uint32_t *lengths,
                            unsigned int out, unsigned int in, uint64_t token);
    bool vio_linux_queue_kick_prepare(struct virtqueue *vq);
    uint64_t vio_linux_queue_get(struct virtqueue *vq, uint32_t *length);
    bool vio_linux_queue_broken(struct virtqueue *vq);
    unsigned int vio_linux_queue_free(struct virtqueue *vq);
    bool vio_linux_queue_enable(struct virtqueue *vq, bool delayed);
    void vio_linux_queue_disable(struct virtqueue *vq);
    """
)


class KernelRings:
    """The library over one guest memory; only one instance works at a time. Raises KernelMissing."""

    def __init__(self, memory: GuestMemory) -> None:
        self.lib: Any = FFI.dlopen(str(library()))
        self._arena = memory.alloc(ARENA_LENGTH, 4096)
        region = next(r for r in memory.regions if r.base <= self._arena.addr < r.end)
        offset = self._arena.addr - region.base
        self._buffer = FFI.from_buffer(region.view[offset : offset + ARENA_LENGTH], require_writable=True)
        self.lib.vio_arena_set(FFI.cast("uint8_t *", self._buffer), self._arena.addr, ARENA_LENGTH)

    def features(self, features: int) -> int:
        """Return what is left of a feature set when the kernel's ring code drops what it does not know."""
        known: int = self.lib.vio_linux_features(features)
        return features & ~RING_FEATURES | known & RING_FEATURES


class LinuxQueue(Virtqueue):
    """A virtqueue that Linux keeps: it exposes a buffer when that is added, and chooses indirect itself."""

    def __init__(self, rings: KernelRings, index: int, size: int, memory: GuestMemory, features: int) -> None:
        super().__init__(index, size, memory, features)
        if rings.features(features) != features:
            raise ValueError(f"the kernel's ring code does not know all of {features:#x}")
        self._lib = rings.lib
        self._vq = self._lib.vio_linux_queue_new(index, size, features)
        if not self._vq:
            raise MemoryError(f"no room for a ring of {size}")
        self._peeked: tuple[int, int] | None = None

    @property
    def addresses(self) -> tuple[int, int, int]:
        """Addresses of descriptor area, driver area and device area."""
        desc, driver, device = (self._lib.vio_linux_queue_address(self._vq, area) for area in range(3))
        return desc, driver, device

    def _add(self, elements: Sequence[tuple[Element, bool]], indirect: int | None) -> Chain:
        token = self._new_token()
        out = sum(not write for _, write in elements)
        addresses, lengths = [e.addr for e, _ in elements], [e.length for e, _ in elements]
        before = self._lib.vio_linux_queue_free(self._vq)
        status = self._lib.vio_linux_queue_add(self._vq, addresses, lengths, out, len(elements) - out, token)
        if status:
            raise MemoryError(f"virtqueue_add_sgs: {status}")
        taken = before - self._lib.vio_linux_queue_free(self._vq)
        writable = sum(element.length for element, write in elements if write)
        return Chain(token, token, tuple(range(taken)), writable, None, published=True)

    def publish(self) -> None:
        """Nothing is left to do: the kernel exposed the buffers when they were added."""

    def kick_needed(self) -> bool:
        """Whether the kernel would ring the doorbell now."""
        return bool(self._lib.vio_linux_queue_kick_prepare(self._vq))

    def position(self) -> tuple[int, int]:
        """The kernel of this source knows no NOTIFICATION_DATA."""
        raise NotImplementedError

    def enable_interrupts(self, delay: int = 0) -> bool:
        """Ask for an interrupt; with a delay the kernel chooses how long."""
        return bool(self._lib.vio_linux_queue_enable(self._vq, delay > 0))

    def enable_interrupts_delayed(self) -> bool:
        """Ask for an interrupt after most of what is in flight."""
        return bool(self._lib.vio_linux_queue_enable(self._vq, True))

    def disable_interrupts(self) -> None:
        """Advise the device to send none."""
        self._lib.vio_linux_queue_disable(self._vq)

    def used_pending(self) -> bool:
        """Take a used buffer out if there is one; raises UsedRingError once the kernel gave up."""
        if not self._ready and self._peeked is None:
            length = FFI.new("uint32_t *")
            token = self._lib.vio_linux_queue_get(self._vq, length)
            if token:
                self._peeked = token, length[0]
            elif self._lib.vio_linux_queue_broken(self._vq):
                raise UsedRingError(f"queue {self.index}: the kernel calls it broken")
        return bool(self._ready) or self._peeked is not None

    def _reap(self) -> list[tuple[Chain, int]]:
        assert self._peeked is not None
        token, length = self._peeked
        self._peeked = None
        return self._used_chains(token, length, 1)

    def _release(self, chain: Chain) -> None:
        """The kernel freed the descriptors itself."""

    def destroy(self) -> None:
        """Give the ring back to the kernel's allocator."""
        self._lib.vio_linux_queue_delete(self._vq)
        super().destroy()


class LinuxPci(VirtioPci):
    """Our virtio-pci driver whose rings are Linux's."""

    _rings: KernelRings | None = None

    @property
    def rings(self) -> KernelRings:
        """The kernel's rings in this function's guest memory."""
        if self._rings is None:
            self._rings = KernelRings(self.memory)
        return self._rings

    async def get_features(self) -> int:
        """Return the offered features that the kernel's ring code knows too."""
        return self.rings.features(await super().get_features())

    def make_queue(self, index: int, size: int, features: int) -> Virtqueue:
        """Return a new virtqueue of the kernel's."""
        return LinuxQueue(self.rings, index, size, self.memory, features)
