"""What a design takes of an FPGA.

Block RAM, UltraRAM and DSP slices are counted from the design: the kernel says of every array that
is not registers, and of every stream that is deep, where it is to live, so the count is exact as
far as the tool heeds that. LUTs and flip-flops, LUT memories among them, are a range from a simple
model that no synthesis run has calibrated yet; early estimates of this kind have been three to four
times off.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

from eie.hls.boundary.errors import BeyondBoardWarning, Shortage
from eie.hls.boundary.tables import as_html, as_text
from eie.hls.spec.boards import BOARDS, DSP_BUDGET, LUT_BUDGET, MEMORY_BUDGET, Board
from eie.hls.spec.dataflow import DEPTHS
from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATION_BITS, ACTIVATIONS_PER_WORD

__all__ = [
    "Demand",
    "Estimate",
    "Memory",
    "Shortage",
    "beyond_board",
    "bram18_of",
    "demands",
    "estimate",
    "shortages",
    "uram_of",
    "warn_beyond_board",
]

#: Depth and width of a BRAM18 (UG473, UG573): the last one as a simple dual-port memory.
_BRAM18_SHAPES = ((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36))
#: Depth and width of an UltraRAM (UG573).
_URAM_SHAPE = (4096, 72)
#: Bits of a token: kind and data.
_TOKEN_BITS = 4 + 64
#: Bits of a result: kind, value and whether it was saturated.
_RESULT_BITS = 2 + 16 + 1
#: Bits of a layer's count of saturated values: saturated_t in types.h.
_SATURATED_BITS = 48
#: Bits of what the control unit knows of a layer: LayerDescriptor in control_activations.h.
_LAYER_BITS = 17 + 25 + 24 + 17


def bram18_of(depth: int, width: int) -> int:
    """BRAM18s of a memory, in the shape that takes fewest."""
    return min(-(-depth // rows) * -(-width // bits) for rows, bits in _BRAM18_SHAPES)


def uram_of(depth: int, width: int) -> int:
    """UltraRAMs of a memory."""
    rows, bits = _URAM_SHAPE
    return -(-depth // rows) * -(-width // bits)


@dataclass(frozen=True)
class Memory:
    """An array of the kernel."""

    #: What it holds.
    name: str
    #: Words.
    depth: int
    #: Bits of a word.
    width: int
    #: How many of them there are.
    count: int
    #: Where it lives.
    kind: Literal["bram", "uram", "lutram"]

    @property
    def bram18(self) -> int:
        """BRAM18s of all copies."""
        return self.count * bram18_of(self.depth, self.width) if self.kind == "bram" else 0

    @property
    def uram(self) -> int:
        """UltraRAMs of all copies."""
        return self.count * uram_of(self.depth, self.width) if self.kind == "uram" else 0

    @property
    def kibibits(self) -> float:
        """Bits that it stores, in units of 1024."""
        return self.count * self.depth * self.width / 1024


@dataclass(frozen=True)
class Estimate:
    """Resources of a design."""

    #: Every array, largest use first in the order of the kernel.
    memories: tuple[Memory, ...]
    #: DSP slices: one multiplier a PE.
    dsp: int
    #: LUTs, from and to; uncalibrated.
    lut: tuple[int, int]
    #: Flip-flops, from and to; uncalibrated.
    ff: tuple[int, int]

    @property
    def bram18(self) -> int:
        """BRAM18s."""
        return sum(memory.bram18 for memory in self.memories)

    @property
    def bram36(self) -> int:
        """BRAM36s, each of which holds two BRAM18s."""
        return -(-self.bram18 // 2)

    @property
    def uram(self) -> int:
        """UltraRAMs."""
        return sum(memory.uram for memory in self.memories)

    @property
    def lut_middle(self) -> int:
        """The middle of the LUT range, by which designs are judged."""
        return sum(self.lut) // 2

    def __str__(self) -> str:
        return as_text(self._table())

    def _repr_html_(self) -> str:
        return as_html(self._table(), head=("resource", "takes", ""))

    def _table(self) -> list[tuple[str, str, str]]:
        return [
            ("BRAM36", f"{self.bram36}", "exact"),
            ("UltraRAM", f"{self.uram}", "exact"),
            ("DSP", f"{self.dsp}", "exact"),
            ("LUT", f"{self.lut[0]} to {self.lut[1]}", "uncalibrated"),
            ("flip-flops", f"{self.ff[0]} to {self.ff[1]}", "uncalibrated"),
        ]


@dataclass(frozen=True)
class Demand:
    """What a design takes of one resource of a board."""

    #: Name, as people know it.
    resource: str
    #: What the design takes; of LUTs the middle of the range.
    takes: int
    #: What the budget allows.
    allowed: int
    #: What the board has.
    available: int

    @property
    def share(self) -> float:
        """Share of what the board has; 0 of what neither has."""
        return self.takes / self.available if self.available else float(self.takes)


def estimate(design: Design) -> Estimate:
    """Count what `design` takes."""
    pes, accumulator = design.pes, design.accumulator_bits
    memories = (
        Memory(
            "sparse matrix",
            design.entry_words_per_pe,
            design.entries_per_word * design.entry_bits,
            pes,
            design.memory,
        ),
        *_pointer_memories(design),
        Memory("biases", design.biases_per_pe, accumulator, pes, design.small_memory("biases")),
        Memory(
            "accumulators (two banks)",
            design.rows_per_pe,
            accumulator,
            2 * pes,
            design.small_memory("rows"),
        ),
        Memory("layers of a PE", design.layers, _layer_of_pe_bits(design), pes, "lutram"),
        Memory("codebooks", design.layers * 16, 16, pes, "lutram"),
        Memory(
            "hidden vectors",
            design.hidden_words,
            ACTIVATIONS_PER_WORD * ACTIVATION_BITS + _index_bits(design.layers) + 2,
            1,
            design.small_memory("hidden"),
        ),
        Memory("layers", design.layers, _LAYER_BITS, 1, "lutram"),
        Memory("saturated values", design.layers, _SATURATED_BITS, 1, "lutram"),
        Memory("design record (constant)", len(design.record()), 32, 1, "lutram"),
    )
    lutram = sum(_lutram_of(memory) for memory in memories if memory.kind == "lutram")
    tree_nodes = max(1, (pes - 1) // 3 + 1)
    # A queue of up to 32 tokens is one shift register a bit; so are the other streams. Of those of
    # up to 16, as in front of a PE's fetch, a LUT holds two.
    queues = pes * _TOKEN_BITS * -(-design.queue_depth // 32) + pes * _TOKEN_BITS // 2
    inputs = (ACTIVATIONS_PER_WORD * ACTIVATION_BITS + 1) * -(-DEPTHS["input"].elements // 32)
    trees = tree_nodes * 2 * (4 * _TOKEN_BITS + 80)
    output = 258 * -(-DEPTHS["output"].elements // 32)
    # Beyond the two elements that are in the trees' share.
    results = pes * _RESULT_BITS * (-(-design.result_depth // 32) - 1)
    # Seven short numbers to add up, each of them counted or not.
    lookup = pes * 7 * (design.length_bits + 4) if design.length_bits else 0
    logic = pes * 550 + 5500
    lut = lutram + queues + trees + inputs + output + results + lookup + logic
    ff = pes * (650 + 8 * accumulator) + tree_nodes * 600 + 7000
    return Estimate(
        memories,
        dsp=pes,
        lut=_range(lut),
        ff=_range(ff),
    )


def _pointer_memories(design: Design) -> tuple[Memory, ...]:
    words, bits, pes = design.pointer_words_per_pe, design.pointer_bits, design.pes
    if not design.length_bits:
        return (Memory("column pointers (two banks)", words, bits, 2 * pes, "bram"),)
    lengths = design.columns_per_pointer_word * design.length_bits
    return (
        Memory("column pointers (of eight)", words, bits, pes, design.small_memory("bases")),
        Memory("column lengths", words, lengths, pes, design.small_memory("lengths")),
    )


def demands(needed: Estimate, board: Board, lut_budget: float | None = None) -> tuple[Demand, ...]:
    """What `needed` takes of each of the board's resources, against its budget.

    Parameters
    ----------
    needed, board
        A design's resources, and where they come from.
    lut_budget
        LUTs that it may take: a share up to 1, or a number of LUTs above; None for the usual share.
    """
    if lut_budget is None:
        lut_budget = LUT_BUDGET
    luts = int(lut_budget * board.lut) if lut_budget <= 1 else min(int(lut_budget), board.lut)
    return (
        Demand("BRAM36", needed.bram36, int(MEMORY_BUDGET * board.bram36), board.bram36),
        Demand("UltraRAM", needed.uram, int(MEMORY_BUDGET * board.uram), board.uram),
        Demand("DSP", needed.dsp, int(DSP_BUDGET * board.dsp), board.dsp),
        Demand("LUT (uncalibrated)", needed.lut_middle, luts, board.lut),
    )


def shortages(
    needed: Estimate, board: Board, lut_budget: float | None = None
) -> tuple[Shortage, ...]:
    """Resources of which `needed` takes more than the usual share of `board`.

    LUTs are judged by the middle of their range, against `lut_budget` as :func:`demands` has it.
    """
    return tuple(
        Shortage(each.resource, each.takes, each.allowed, each.available)
        for each in demands(needed, board, lut_budget)
        if each.takes > each.allowed
    )


def beyond_board(design: Design) -> tuple[Shortage, ...]:
    """What a design takes too much of, of its board; () too where it names none."""
    board = BOARDS.get(design.board)
    return () if board is None else shortages(estimate(design), board)


def warn_beyond_board(design: Design, *, stacklevel: int = 2) -> None:
    """Warn if a design takes more of its board than the budget allows.

    It may have been edited by hand, or made with another budget. `stacklevel` is that of
    :func:`warnings.warn` in the function that calls this: 2 names its caller.
    """
    if lacking := beyond_board(design):
        listing = "; ".join(map(str, lacking))
        warnings.warn(
            BeyondBoardWarning(
                f"the design is beyond the budget of {BOARDS[design.board].title}, and a build "
                f"may fail: {listing}. Take fewer PEs or smaller capacities, or let `eie fit` "
                "choose",
                lacking,
            ),
            stacklevel=stacklevel + 1,
        )


def _index_bits(places: int) -> int:
    """Bits of an index into `places` places: ``bits_for`` of config.h."""
    return max(1, (places - 1).bit_length())


def _layer_of_pe_bits(design: Design) -> int:
    """Bits of what a PE knows of a layer: LayerOfPe in multiply_accumulate.h."""
    return _index_bits(design.rows_per_pe + 1) + _index_bits(design.biases_per_pe) + 6 + 1


def _range(count: float) -> tuple[int, int]:
    """From and to, in hundreds: the model is no better than that."""
    return int(0.7 * count) // 100 * 100, int(2.0 * count) // 100 * 100


def _lutram_of(memory: Memory) -> int:
    """LUTs of a dual-port LUT memory: four hold 32 words of six bits, or 64 words of two."""
    if memory.depth <= 32:
        return memory.count * 4 * -(-memory.width // 6)
    return memory.count * memory.width * 2 * -(-memory.depth // 64)
