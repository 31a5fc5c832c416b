"""An AXI DMA in direct register mode between memory and the kernel (PG021)."""

from __future__ import annotations

import numpy as np

from eie.host.board.dma import (
    ADDRESS,
    ADDRESS_MSB,
    DMACR,
    DMASR,
    LENGTH,
    MM2S,
    RESET,
    RUN_STOP,
    S2MM,
    DmaStatus,
)
from eie.host.board_emulator.faults import Faults
from eie.host.board_emulator.kernel import EmulatedKernel
from eie.host.board_emulator.memory import EmulatedMemory

__all__ = ["EmulatedDma"]

#: Bit 1 of DMACR reads as 1; one interrupt threshold is the value after reset.
_CONTROL_AFTER_RESET = 0x0001_0002
#: Bits of DMASR that writing 1 clears: IOC_Irq, Dly_Irq, Err_Irq.
_WRITE_ONE_TO_CLEAR = 0x7000


class _Channel:
    """Registers of one direction, and how far its transfer is."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.control = _CONTROL_AFTER_RESET
        self.status = int(DmaStatus.HALTED)
        self.address = self.length = self.moved = 0
        self.busy = False

    @property
    def interrupt(self) -> bool:
        return bool(self.control & self.status & _WRITE_ONE_TO_CLEAR)

    def finish(self) -> None:
        self.busy = False
        self.length = self.moved
        self.status |= DmaStatus.IDLE | DmaStatus.IOC_IRQ

    def fail(self, error: DmaStatus) -> None:
        self.busy = False
        self.control &= ~RUN_STOP
        self.status &= ~DmaStatus.IDLE
        self.status |= error | DmaStatus.ERR_IRQ | DmaStatus.HALTED


class EmulatedDma:
    """Both channels of the DMA.

    A transfer advances as far as it can whenever :meth:`advance` is called, and otherwise stays
    where it is: nothing here waits.

    Parameters
    ----------
    memory
        What it reads and writes.
    kernel
        What it sends to and receives from.
    faults
        What goes wrong.
    length_bits
        Width of the length registers.
    """

    def __init__(
        self, memory: EmulatedMemory, kernel: EmulatedKernel, faults: Faults, length_bits: int
    ) -> None:
        self._memory = memory
        self._kernel = kernel
        self._faults = faults
        self._longest = (1 << length_bits) - 1
        self._mm2s, self._s2mm = _Channel(), _Channel()

    def read(self, offset: int) -> int:
        """Read a register; what is reserved reads as 0."""
        channel, register = self._find(offset)
        return {
            DMACR: channel.control,
            DMASR: channel.status,
            ADDRESS: channel.address & 0xFFFF_FFFF,
            ADDRESS_MSB: channel.address >> 32,
            LENGTH: channel.length,
        }.get(register, 0)

    def write(self, offset: int, value: int) -> None:
        """Write a register."""
        channel, register = self._find(offset)
        if register == DMACR:
            self._write_control(channel, value)
        elif register == DMASR:
            channel.status &= ~(value & _WRITE_ONE_TO_CLEAR)
        elif register == ADDRESS:
            channel.address = channel.address & ~0xFFFF_FFFF | value
        elif register == ADDRESS_MSB:
            channel.address = channel.address & 0xFFFF_FFFF | value << 32
        elif register == LENGTH and not channel.status & DmaStatus.HALTED and not channel.busy:
            channel.length = value & self._longest
            if channel.length:
                channel.busy, channel.moved = True, 0
                channel.status &= ~DmaStatus.IDLE

    @property
    def interrupts(self) -> tuple[bool, bool]:
        """Whether the interrupt pins are high: ``mm2s_introut``, ``s2mm_introut``."""
        return self._mm2s.interrupt, self._s2mm.interrupt

    def reset(self) -> None:
        """Abandon what is under way; both channels are halted."""
        self._mm2s.reset()
        self._s2mm.reset()

    def advance(self) -> None:
        """Move all that can be moved."""
        while self._advance_mm2s() or self._advance_s2mm():
            pass

    def _find(self, offset: int) -> tuple[_Channel, int]:
        if offset < S2MM.base:
            return self._mm2s, offset - MM2S.base
        return self._s2mm, offset - S2MM.base

    def _write_control(self, channel: _Channel, value: int) -> None:
        if value & RESET:
            self.reset()
        elif value & RUN_STOP:
            channel.control = value | _CONTROL_AFTER_RESET & 0b10
            channel.status &= ~DmaStatus.HALTED
        else:
            channel.control = value | _CONTROL_AFTER_RESET & 0b10
            channel.busy = False
            channel.status = channel.status & ~DmaStatus.IDLE | DmaStatus.HALTED

    def _advance_mm2s(self) -> bool:
        channel = self._mm2s
        if not channel.busy:
            return False
        source = self._memory.device_view(channel.address, channel.length)
        error = self._faults.take("mm2s_error")
        if error is None and source is None:
            error = DmaStatus.DECODE_ERROR
        if error is not None:
            channel.fail(error)
            return True
        assert source is not None
        if not self._kernel.accept(source.tobytes()):
            return False
        channel.moved = channel.length
        channel.finish()
        return True

    def _advance_s2mm(self) -> bool:
        channel = self._s2mm
        if not channel.busy:
            return False
        data, last = self._kernel.deliver(channel.length - channel.moved or 1)
        if not data:
            return False
        error = self._faults.take("s2mm_error")
        room = channel.length - channel.moved
        target = self._memory.device_view(channel.address + channel.moved, len(data))
        if error is None and not room:
            # The packet goes on past the end of the buffer.
            error = DmaStatus.INTERNAL_ERROR
        if error is None and target is None:
            error = DmaStatus.DECODE_ERROR
        if error is not None:
            channel.fail(error)
            return True
        assert target is not None
        target[:] = np.frombuffer(data, np.uint8)
        channel.moved += len(data)
        if last:
            channel.finish()
        return True
