"""Counts of an FPGA's resources, in the same units for every tool."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Resources"]


@dataclass(frozen=True)
class Resources:
    """How many of each resource a design takes, or a part has."""

    #: Look-up tables, those that serve as memory included.
    lut: int
    #: Flip-flops.
    ff: int
    #: Block RAMs of 18 Kib; a BRAM36 counts as two.
    bram18: int
    #: UltraRAMs; 0 on a part that has none.
    uram: int
    #: DSP slices.
    dsp: int
