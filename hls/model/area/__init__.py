"""What a design takes of an FPGA, part by part.

Block RAM, UltraRAM and DSP slices are counted exactly, as far as the tool heeds what the kernel
asks for. LUTs and flip-flops are the sum of the operators that each process has
(:mod:`eie.hls.model.area.processes`), each measured with an open synthesiser
(:mod:`eie.hls.model.area.operator_table`), in a range that published designs argue for
(:mod:`eie.hls.model.area.published`). Nothing here was ever synthesised by AMD's tools.
"""

from eie.hls.model.area.budget import (
    EDGES,
    JUDGED,
    LUTS,
    Demand,
    LutBudget,
    beyond_board,
    demands,
    shortages,
    warn_beyond_board,
)
from eie.hls.model.area.estimate import (
    AREA_HEAD,
    PARTS_HEAD,
    AreaRow,
    Edge,
    Estimate,
    Range,
    estimate,
    part_rows,
)
from eie.hls.model.area.memories import Memory, bram18_of, uram_of

__all__ = [
    "AREA_HEAD",
    "EDGES",
    "JUDGED",
    "LUTS",
    "PARTS_HEAD",
    "AreaRow",
    "Demand",
    "Edge",
    "Estimate",
    "LutBudget",
    "Memory",
    "Range",
    "beyond_board",
    "bram18_of",
    "demands",
    "estimate",
    "part_rows",
    "shortages",
    "uram_of",
    "warn_beyond_board",
]
