"""The interrupt controller between the fabric and the processing system (AXI INTC, PG099)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["EmulatedInterruptController"]

#: Interrupt status, pending (status and enabled), enabled, acknowledge, set and clear enables,
#: vector, master enable.
_ISR, _IPR, _IER, _IAR, _SIE, _CIE, _IVR, _MER = range(0x00, 0x20, 4)
#: Bits of the master enable: the output, and (to be set once) the inputs.
_MASTER, _HARDWARE = 1 << 0, 1 << 1


class EmulatedInterruptController:
    """Registers and output of an AXI INTC with level-sensitive inputs.

    Parameters
    ----------
    inputs
        One function for each input, by rising number; says whether it is high.
    """

    def __init__(self, inputs: Sequence[Callable[[], bool]]) -> None:
        self._inputs = tuple(inputs)
        self._every = (1 << len(self._inputs)) - 1
        self._status = self._enabled = self._master = 0

    @property
    def output(self) -> bool:
        """Whether the processing system is interrupted."""
        self._capture()
        return bool(self._master & _MASTER and self._status & self._enabled)

    def read(self, offset: int) -> int:
        """Read a register; what is write-only or reserved reads as 0."""
        self._capture()
        pending = self._status & self._enabled
        if offset == _IVR:
            # Number of the lowest that is pending, all ones when there is none.
            return (pending & -pending).bit_length() - 1 & 0xFFFF_FFFF
        registers = {_ISR: self._status, _IPR: pending, _IER: self._enabled, _MER: self._master}
        return registers.get(offset, 0)

    def write(self, offset: int, value: int) -> None:
        """Write a register."""
        if offset == _IER:
            self._enabled = value & self._every
        elif offset == _SIE:
            self._enabled |= value & self._every
        elif offset == _CIE:
            self._enabled &= ~value
        elif offset == _IAR:
            # An input that is still high sets its bit again.
            self._status &= ~value
        elif offset == _MER:
            self._master = value & _MASTER | (value | self._master) & _HARDWARE
        elif offset == _ISR and not self._master & _HARDWARE:
            # Software interrupts, for tests, until the inputs are enabled.
            self._status = value & self._every

    def _capture(self) -> None:
        if self._master & _HARDWARE:
            for number, is_high in enumerate(self._inputs):
                self._status |= is_high() << number
