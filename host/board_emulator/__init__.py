"""A PYNQ board in software: the real pynq package, and any driver on it, without an FPGA.

``EmulatedBoard`` becomes pynq's active device. Behind it are an AXI DMA with the registers of
PG021, the kernel's AXI4-Lite registers, and memory that the host and the device see apart, so
that a missing flush or invalidate shows; inside the kernel works any engine.
"""

from eie.host.board_emulator.board import EmulatedBoard
from eie.host.board_emulator.faults import Faults
from eie.host.board_emulator.hwh import write_hwh

__all__ = ["EmulatedBoard", "Faults", "write_hwh"]
