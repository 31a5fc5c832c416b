"""What a bitstream makes of the fabric: kernel, DMA and interrupt controller at their addresses."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeAlias

from eie.hls.boundary.errors import DeviceError
from eie.hls.spec.block_design import CONCAT, DMA, INTERRUPTS, KERNEL, Cell, Pin, describe
from eie.hls.spec.boards import Board
from eie.host.board_emulator.dma import EmulatedDma
from eie.host.board_emulator.faults import Faults
from eie.host.board_emulator.interrupts import EmulatedInterruptController
from eie.host.board_emulator.kernel import EmulatedKernel
from eie.host.board_emulator.memory import EmulatedMemory
from eie.host.protocol.engine import Engine

__all__ = ["Fabric"]

_Slave: TypeAlias = EmulatedKernel | EmulatedDma | EmulatedInterruptController


class Fabric:
    """The configured fabric; every register access lets it work as far as it can.

    Accesses of several threads follow one another, as on a bus.

    Parameters
    ----------
    board
        Decides the addresses.
    engine_factory
        Called for the engine inside the kernel, again whenever the fabric is reset.
    memory
        What the DMA reads and writes.
    faults
        What goes wrong.
    length_bits
        Width of the DMA's length registers.
    interrupt
        Told the level of the interrupt to the processing system.
    """

    def __init__(
        self,
        board: Board,
        engine_factory: Callable[[], Engine],
        memory: EmulatedMemory,
        faults: Faults,
        length_bits: int,
        interrupt: Callable[[bool], None],
    ) -> None:
        self._design = describe(board, board.clock_mhz)
        self._engine_factory = engine_factory
        self._memory = memory
        self._faults = faults
        self._length_bits = length_bits
        self._interrupt = interrupt
        self._bus = threading.RLock()
        self._start()

    def read(self, address: int) -> int:
        """Read a 32-bit register by its physical address."""
        with self._bus:
            self._kernel.tick()
            self._advance()
            slave, offset = self._find(address)
            return slave.read(offset)

    def write(self, address: int, value: int) -> None:
        """Write a 32-bit register by its physical address."""
        with self._bus:
            slave, offset = self._find(address)
            slave.write(offset, value)
            self._advance()

    def close(self) -> None:
        """Release the engine."""
        self._kernel.close()

    def _start(self) -> None:
        self._kernel = EmulatedKernel(self._engine_factory(), self._faults, self._reset)
        self._dma = EmulatedDma(self._memory, self._kernel, self._faults, self._length_bits)
        self._controller = EmulatedInterruptController(self._interrupt_inputs())
        self._slaves: dict[Cell, _Slave] = {
            KERNEL: self._kernel,
            DMA: self._dma,
            INTERRUPTS: self._controller,
        }

    def _reset(self) -> None:
        self._kernel.close()
        self._dma.reset()
        self._start()

    def _interrupt_inputs(self) -> list[Callable[[], bool]]:
        """List what the block design concatenates, in its order."""
        pins: dict[Pin, Callable[[], bool]] = {
            Pin(DMA, "mm2s_introut"): lambda: self._dma.interrupts[0],
            Pin(DMA, "s2mm_introut"): lambda: self._dma.interrupts[1],
            Pin(KERNEL, "interrupt"): lambda: self._kernel.interrupt,
        }
        inputs = {
            load.name: pins[net.driver]
            for net in self._design.interrupts
            for load in net.loads
            if load.cell == CONCAT
        }
        return [inputs[f"In{index}"] for index in range(len(inputs))]

    def _advance(self) -> None:
        self._dma.advance()
        self._interrupt(self._controller.output)

    def _find(self, address: int) -> tuple[_Slave, int]:
        for place in self._design.addresses:
            if place.base <= address < place.base + place.size:
                return self._slaves[place.cell], address - place.base
        raise DeviceError(f"bus error: the fabric has no register at {address:#x}")
