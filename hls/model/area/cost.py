"""What a piece of hardware takes."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Cost"]


@dataclass(frozen=True)
class Cost:
    """Resources of a piece of hardware; they add up."""

    #: Look-up tables, those that serve as memory or shift registers included.
    lut: float = 0
    #: Flip-flops.
    ff: float = 0
    #: Block RAMs of 18 Kib.
    bram18: int = 0
    #: DSP slices.
    dsp: int = 0
    #: UltraRAMs.
    uram: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.lut + other.lut,
            self.ff + other.ff,
            self.bram18 + other.bram18,
            self.dsp + other.dsp,
            self.uram + other.uram,
        )

    def __mul__(self, count: int) -> Cost:
        return Cost(
            self.lut * count,
            self.ff * count,
            self.bram18 * count,
            self.dsp * count,
            self.uram * count,
        )
