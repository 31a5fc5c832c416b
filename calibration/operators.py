"""Which operators are measured, and in which sizes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["OPERATORS", "VERILOG", "Operator", "Variant"]

#: Where the Verilog of the operators is.
VERILOG = Path(__file__).parent / "verilog"

_WIDTHS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 128, 256, 320)
_SUMS = (2, 4, 8, 12, 16, 17, 24, 32, 36, 40, 48, 64)
_SHIFTS = (4, 8, 16, 24, 32, 36, 40, 48, 64, 128, 256)


@dataclass(frozen=True)
class Variant:
    """An operator in one size."""

    operator: str
    #: Sizes by parameter.
    sizes: tuple[tuple[str, int], ...]

    @property
    def instance(self) -> str:
        """A name that says all: ``fifo_WIDTH68_DEPTH32``."""
        return "_".join([self.operator, *(f"{name}{value}" for name, value in self.sizes)])


@dataclass(frozen=True)
class Operator:
    """A module of the Verilog, and the sizes to measure it in."""

    name: str
    #: Sizes of each parameter; every combination is measured.
    grid: dict[str, tuple[int, ...]] = field(default_factory=lambda: {"WIDTH": _WIDTHS})
    #: Whether DSP slices may be used.
    dsp: bool = False
    #: Whether it is made of modules, which are to become one.
    flat: bool = False

    def variants(self) -> Iterator[Variant]:
        """Every size."""
        for values in itertools.product(*self.grid.values()):
            yield Variant(self.name, tuple(zip(self.grid, values, strict=True)))


def _over(**grid: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return {name.upper(): values for name, values in grid.items()}


#: All operators, in the order of the table.
OPERATORS = (
    # verilog/arithmetic.v
    Operator("add", _over(width=_SUMS)),
    Operator("increment", _over(width=_SUMS)),
    Operator("equal"),
    Operator("equal_constant"),
    Operator("less", _over(width=_SUMS)),
    Operator("multiply", _over(width=(8, 16, 17, 18, 24, 32)), dsp=True),
    Operator("multiply_fabric", _over(width=(4, 8, 16, 32)), flat=True),
    Operator("multiply_fabric_low", _over(width=(4, 8, 16, 32)), flat=True),
    Operator("count_ones", _over(width=(2, 4, 8, 16, 32))),
    Operator("crc32", _over(width=(8, 16, 32, 64))),
    # verilog/selection.v
    Operator("select", _over(width=(1, 8, 64), ways=(2, 3, 4, 8, 16))),
    Operator("mask"),
    Operator("logic2"),
    Operator("any"),
    Operator("first_set", _over(width=(4, 8, 16, 32))),
    Operator("shift_left", _over(width=_SHIFTS)),
    Operator("shift_right", _over(width=_SHIFTS)),
    Operator("shift_arithmetic", _over(width=_SHIFTS)),
    Operator("shift_constant", _over(width=_SHIFTS)),
    Operator("decode", _over(width=(4, 8, 16, 32, 36, 40, 48, 64))),
    Operator("saturate", _over(width=(24, 32, 36, 40, 48))),
    # verilog/storage.v
    Operator("register", _over(width=(1, 320))),
    Operator("fifo", _over(width=(2, 16, 68, 300), depth=(2, 4, 8, 16, 32, 64))),
    # yosys 0.23 has no UltraScale+ memory of LUTs that is one-ported and deeper than 256.
    Operator("lutram_1p", _over(width=(2, 16, 48), depth=(8, 16, 32, 64, 128, 256))),
    Operator("lutram_sdp", _over(width=(2, 16, 48), depth=(8, 16, 32, 64, 128, 256, 512))),
    # verilog/control.v
    Operator("states", _over(width=(2, 4, 8, 16, 32, 64))),
    Operator("pipeline", _over(width=(2, 3, 4, 6, 8, 12, 16))),
    Operator("loop_handshake", _over(width=(1,))),
    Operator("process_handshake", _over(width=(1,))),
    Operator("axis_slice", _over(width=(8, 81, 128))),
    Operator("axilite", _over(width=(1, 2, 6, 8))),
)
