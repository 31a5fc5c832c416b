"""Contiguous memory with two views: what the host has in its caches, and what the DMA sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Allocation", "EmulatedMemory"]

#: Buffers start on pages.
_PAGE = 4096
#: What memory holds that nobody has written, and what is seen of it after it was freed.
_UNWRITTEN, _FREED = 0xA5, 0xDD


@dataclass(frozen=True, eq=False)
class Allocation:
    """One buffer."""

    #: Physical address.
    address: int
    #: uint8, shape (bytes,): the host's view.
    host: npt.NDArray[np.uint8]
    #: uint8, shape (bytes,): the device's view.
    device: npt.NDArray[np.uint8]


class EmulatedMemory:
    """The memory that ``pynq.allocate`` takes buffers from.

    Addresses are not used again, so that an access to a freed buffer is found. The zeros of a new
    buffer that is cached are in the host's cache: unless they are flushed, they may overwrite what
    the device has written, and here they always do.

    Parameters
    ----------
    size
        Bytes that may be allocated at once.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._live: dict[int, Allocation] = {}
        #: Addresses of cached buffers whose zeros were not flushed yet.
        self._dirty: set[int] = set()
        #: Physical address of the next buffer.
        self.next_address = 0x1000_0000

    @property
    def used(self) -> int:
        """Bytes allocated."""
        return sum(allocation.host.nbytes for allocation in self._live.values())

    def allocate(self, size: int, *, cached: bool = False) -> Allocation:
        """Take `size` bytes; the host finds zeros in them, the device does not.

        Raises
        ------
        RuntimeError
            If there is not enough memory, as pynq on a board does.
        """
        if self.used + size > self._size:
            raise RuntimeError(
                f"emulated memory exhausted: {size} bytes asked for, "
                f"{self._size - self.used} of {self._size} free"
            )
        allocation = Allocation(
            self.next_address, np.zeros(size, np.uint8), np.full(size, _UNWRITTEN, np.uint8)
        )
        self.next_address += -(-max(size, 1) // _PAGE) * _PAGE
        self._live[allocation.address] = allocation
        if cached:
            self._dirty.add(allocation.address)
        return allocation

    def return_pointer(self, allocation: Allocation) -> None:
        """Free a buffer; ``PynqBuffer.freebuffer`` calls it by this name."""
        del self._live[allocation.address]
        self._dirty.discard(allocation.address)
        allocation.host[:] = _FREED

    def device_view(self, address: int, size: int) -> npt.NDArray[np.uint8] | None:
        """Bytes that the DMA sees at `address`, or None unless one buffer holds all of them."""
        for start, allocation in self._live.items():
            offset = address - start
            if offset >= 0 and offset + size <= allocation.device.nbytes:
                return allocation.device[offset : offset + size]
        return None

    def flush(self, allocation: Allocation, pointer: int, size: int) -> None:
        """Write the host's bytes from `pointer` on back to memory."""
        span = _span(allocation, pointer, size)
        allocation.device[span] = allocation.host[span]
        if size == allocation.host.nbytes:
            self._dirty.discard(allocation.address)

    def invalidate(self, allocation: Allocation, pointer: int, size: int) -> None:
        """Make the host see what is in memory."""
        span = _span(allocation, pointer, size)
        if allocation.address in self._dirty:
            allocation.device[span] = allocation.host[span]
        allocation.host[span] = allocation.device[span]


def _span(allocation: Allocation, pointer: int, size: int) -> slice:
    start = pointer - allocation.host.ctypes.data
    if start < 0 or start + size > allocation.host.nbytes:
        raise RuntimeError(
            "flush or invalidate outside of the buffer: the array is a copy, not a view of it"
        )
    return slice(start, start + size)
