"""The emulated board for user code: a bitstream to open, and pynq's active device."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.partials import temporary_folder
from eie.hls.spec.block_design import DMA_LENGTH_BITS
from eie.hls.spec.boards import Board, find_board
from eie.host.board.overlay import import_pynq
from eie.host.board_emulator.faults import Faults
from eie.host.board_emulator.hwh import write_hwh
from eie.host.board_emulator.memory import EmulatedMemory
from eie.host.protocol.engine import Engine

if TYPE_CHECKING:
    from eie.host.board_emulator.device import EmulatedDevice

__all__ = ["EmulatedBoard"]


class EmulatedBoard:
    """A board in software, to be used in a ``with`` statement.

    For example::

        with EmulatedBoard("pynq-z2", lambda: Emulator(design)) as board:
            accelerator = Accelerator(board.bitfile)

    Inside, it is the active device of the real pynq package, and :attr:`bitfile` and its ``.hwh``
    exist; afterwards the device before is active again and the files are gone.

    Parameters
    ----------
    board
        Name in :data:`eie.hls.spec.boards.BOARDS`, or the board itself.
    engine_factory
        Called whenever the bitstream is loaded, for the engine inside the kernel.
    memory_bytes
        Contiguous memory for buffers.
    dma_length_bits
        Width of the DMA's length registers, 8 to 26.

    Raises
    ------
    InputError
        If there is no such board.
    ToolError
        On entering, if pynq is not installed.
    """

    def __init__(
        self,
        board: str | Board,
        engine_factory: Callable[[], Engine],
        *,
        memory_bytes: int = 128 << 20,
        dma_length_bits: int = DMA_LENGTH_BITS,
    ) -> None:
        #: The board that is emulated.
        self.board = board if isinstance(board, Board) else find_board(board)
        #: What goes wrong next.
        self.faults = Faults()
        #: Where ``pynq.allocate`` takes buffers from.
        self.memory = EmulatedMemory(memory_bytes)
        self._bitfile: Path | None = None
        self._engine_factory = engine_factory
        self._length_bits = dma_length_bits

    @property
    def bitfile(self) -> Path:
        """The bitstream: an empty file, with its ``.hwh`` beside it.

        Raises
        ------
        InputError
            Outside of the ``with`` statement, where there is none.
        """
        if self._bitfile is None:
            raise InputError("an emulated board must be in a with statement: it has no bitfile yet")
        return self._bitfile

    def __enter__(self) -> EmulatedBoard:
        pynq = import_pynq()
        from eie.host.board_emulator.device import EmulatedDevice
        from eie.host.board_emulator.fabric import Fabric
        from eie.host.board_emulator.uio import EmulatedUio, connected

        line = EmulatedUio()
        with contextlib.ExitStack() as stack:
            bitfile = stack.enter_context(temporary_folder()) / "eie.bit"
            bitfile.touch()
            write_hwh(self.board, bitfile.with_suffix(".hwh"), dma_length_bits=self._length_bits)
            device = EmulatedDevice(
                self.board,
                self.memory,
                self.faults,
                lambda: Fabric(
                    self.board,
                    self._engine_factory,
                    self.memory,
                    self.faults,
                    self._length_bits,
                    line.drive,
                ),
            )
            stack.callback(device.power_off)
            stack.enter_context(connected(line))
            stack.enter_context(_active(pynq, device))
            self._leaving = stack.pop_all()
        self._bitfile = bitfile
        return self

    def __exit__(self, *_: object) -> None:
        self._bitfile = None
        self._leaving.close()


@contextlib.contextmanager
def _active(pynq: ModuleType, device: EmulatedDevice) -> Iterator[None]:
    """Make `device` pynq's active one."""
    # Not through the property: it would search for real devices, and warn without any.
    previous = vars(pynq.Device).get("_active_device")
    pynq.Device.active_device = device
    try:
        yield
    finally:
        if previous is None:
            del pynq.Device._active_device
        else:
            pynq.Device.active_device = previous
