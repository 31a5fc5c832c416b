"""The emulated board as a device of the real pynq package."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pynq
from pynq.buffer import PynqBuffer
from pynqmetadata.frontends import Metadata

from eie.hls.boundary.errors import DeviceError
from eie.hls.spec.boards import Board
from eie.host.board_emulator.fabric import Fabric
from eie.host.board_emulator.faults import Faults
from eie.host.board_emulator.memory import Allocation, EmulatedMemory

try:
    from pynqmetadata.views.runtime import RuntimeMetadataParser
except ImportError:  # before pynq 4 it belonged to pynq
    from pynq.metadata.runtime_metadata_parser import RuntimeMetadataParser

__all__ = ["EmulatedDevice"]

#: Numbers of the devices of this process.
_NUMBERS = itertools.count()


class EmulatedDevice(pynq.Device):  # type: ignore[misc]  # pynq has no type information
    """What pynq asks of a device: registers, memory, and loading a bitstream.

    Its fabric works inside of register accesses, in the caller's thread, and never waits; whoever
    polls for something that does not come has to have a deadline.

    Parameters
    ----------
    board
        Decides name and processor.
    memory
        Where buffers come from.
    faults
        What goes wrong.
    configure
        Called whenever a bitstream is loaded.
    """

    #: Registers are read and written through this object, so that writes are seen.
    capabilities = {"REGISTER_RW": True}  # noqa: RUF012  # pynq's name and type

    def __init__(
        self,
        board: Board,
        memory: EmulatedMemory,
        faults: Faults,
        configure: Callable[[], Fabric],
    ) -> None:
        # A device of its own, so that programs with emulated boards do not lock one another out.
        super().__init__(f"emulated-{board.name}-{os.getpid()}-{next(_NUMBERS)}")
        self.name = board.name
        self.arch = "armv7l" if board.family == "zynq7" else "aarch64"
        self._memory = memory
        self._faults = faults
        self._configure = configure
        self._fabric: Fabric | None = None

    # Loading a bitstream -------------------------------------------------------------------

    def get_bitfile_metadata(self, bitfile_name: str, partial: bool = False) -> Any:
        """Parse the ``.hwh`` beside the bitstream with pynq's own parser."""
        hwh = Path(bitfile_name).with_suffix(".hwh")
        parser = RuntimeMetadataParser(Metadata(input=str(hwh)))
        # Else pynq sets the clocks through registers of the processing system, which is not
        # emulated; pynq 4 also no longer knows those of Zynq-7000.
        parser.clock_dict = {}
        return parser

    def download(self, bitstream: Any, parser: Any = None) -> None:
        """Configure the fabric: everything in it starts anew."""
        self.power_off()
        if self._faults.take("download_error"):
            raise RuntimeError("the emulated bitstream could not be loaded")
        self._fabric = self._configure()
        self.post_download(bitstream, parser, self.name)

    def power_off(self) -> None:
        """Empty the fabric and release the engine."""
        if self._fabric is not None:
            self._fabric.close()
        self._fabric = None

    # Registers -----------------------------------------------------------------------------

    def read_registers(self, address: int, length: int) -> bytes:
        """Read a 32-bit register by its physical address."""
        return self._configured(address).read(address).to_bytes(4, "little")[:length]

    def write_registers(self, address: int, data: bytes) -> None:
        """Write 32-bit registers from a physical address on, and let the fabric work."""
        for position in range(0, len(data), 4):
            fabric = self._configured(address)
            fabric.write(
                address + position, int.from_bytes(data[position : position + 4], "little")
            )

    def _configured(self, address: int) -> Fabric:
        if self._fabric is None:
            raise DeviceError(f"bus error at {address:#x}: no bitstream is loaded")
        return self._fabric

    # Memory --------------------------------------------------------------------------------

    def allocate(self, shape: Any, dtype: npt.DTypeLike, cacheable: int = 0, **kwargs: Any) -> Any:
        """Allocate a buffer that the DMA can reach; not coherent with the host's caches."""
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        allocation = self._memory.allocate(size, cached=bool(cacheable))
        buffer = PynqBuffer(
            shape,
            dtype,
            buffer=allocation.host,
            bo=allocation,
            device=self,
            device_address=allocation.address,
            coherent=False,
        )
        # What makes PynqBuffer.freebuffer() give the memory back, and do nothing when it is called
        # again, which would otherwise unmap the buffer.
        buffer.memory = buffer.return_to = self._memory
        buffer.pointer = allocation
        buffer.freed = True
        return buffer

    def flush(self, bo: Allocation, offset: int, ptr: int, size: int) -> None:
        """Write the host's bytes back to memory."""
        self._memory.flush(bo, ptr, size)

    def invalidate(self, bo: Allocation, offset: int, ptr: int, size: int) -> None:
        """Make the host see what is in memory."""
        self._memory.invalidate(bo, ptr, size)
