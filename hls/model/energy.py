"""Energy, as estimates: the paper's chip from its own figures, boards as far as sources go.

The paper gives the power of each module of a PE (table II; 45 nm, 800 MHz) and of the platforms it
compares with (table V). Energy is that power over a time, as in the paper.

For FPGAs only the energy of reading block RAM is modelled: it is what EIE spends most on, and the
one figure that a public data sheet gives per access. Power of lookup tables, clock tree, leakage
and processor is in AMD's estimator alone, as a spreadsheet for each part, or in a report of a built
design; nothing has been built, so nothing is said of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from eie.hls.model.area import bram18_of
from eie.hls.spec.design import Design

__all__ = [
    "BRAM18_ACCESS_PJ",
    "PE_MILLIWATTS",
    "PLATFORM_WATTS",
    "MemoryReads",
    "array_watts",
    "bram_microjoules",
    "microjoules",
]

#: Power of a PE by module, in mW (table II of the paper).
PE_MILLIWATTS: Mapping[str, float] = MappingProxyType(
    {
        "activation queue": 0.112,
        "pointer read": 1.807,
        "matrix read": 4.955,
        "arithmetic": 1.162,
        "activation read and write": 1.122,
    }
)
#: Power of the platforms in W (table V): CPU i7-5930k, GPU Titan X, mobile GPU Tegra K1.
PLATFORM_WATTS: Mapping[str, float] = MappingProxyType(
    {"CPU": 73.0, "GPU": 159.0, "mobile GPU": 5.1}
)
#: Energy of one access to a BRAM18 in pJ, from and to. DS512 (Block Memory Generator, table 41)
#: states 21 to 39 mW for a 2k x 36 memory of four BRAM18s, one access a cycle at 300 MHz, half of
#: the bits toggling. That is Virtex-5, 65 nm: on the boards' 28 and 16 nm rather too much.
BRAM18_ACCESS_PJ = (21 / 4 / 0.3, 39 / 4 / 0.3)


def array_watts(pes: int) -> float:
    """Power of so many PEs of the paper, in W. It gives no power for anything else of the chip."""
    return pes * sum(PE_MILLIWATTS.values()) / 1000


def microjoules(watts: float, microseconds: float) -> float:
    """Energy in µJ."""
    return watts * microseconds


@dataclass(frozen=True)
class MemoryReads:
    """Words that all PEs together read for one vector."""

    #: Entries met: our kernel reads a word of the matrix memory for each.
    matrix: int
    #: Columns looked up: active columns times PEs.
    pointers: int


def bram_microjoules(design: Design, reads: MemoryReads) -> tuple[float, float]:
    """Energy that reading matrix and pointers from block RAM takes, in µJ, from and to.

    A memory deeper than one block RAM has an enable for each, so that one row of them is read; a
    wider one reads all that stand side by side. UltraRAM is taken for as much as the BRAM18s that
    the same word takes, for lack of a figure.
    """
    word = design.entries_per_word * design.entry_bits
    if design.length_bits:
        lengths = design.columns_per_pointer_word * design.length_bits
        pointer_blocks = bram18_of(512, design.pointer_bits) + bram18_of(512, lengths)
    else:
        pointer_blocks = 2 * bram18_of(512, design.pointer_bits)
    accesses = reads.matrix * bram18_of(512, word) + reads.pointers * pointer_blocks
    low, high = BRAM18_ACCESS_PJ
    return accesses * low / 1e6, accesses * high / 1e6
