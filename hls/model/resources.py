"""What a design takes of an FPGA.

Block RAM, UltraRAM and DSP slices are counted from the design: the kernel says of every array that
is not registers, and of every stream that is deep, where it is to live, so the count is exact as
far as the tool heeds that. LUTs and flip-flops, LUT memories among them, are a range from a simple
model that no synthesis run has calibrated yet; early estimates of this kind have been three to four
times off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from eie.hls.spec.boards import DSP_BUDGET, LUT_BUDGET, MEMORY_BUDGET, Board
from eie.hls.spec.dataflow import DEPTHS
from eie.hls.spec.design import Design

__all__ = ["Estimate", "Memory", "Shortage", "bram18_of", "estimate", "shortages", "uram_of"]

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
#: Bits of what the control unit knows of a layer: LayerDescriptor in activations.h.
_LAYER_BITS = 17 + 25 + 24 + 17 + 17 + 6 + 1


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


@dataclass(frozen=True)
class Shortage:
    """A resource of which a design takes more than a board's budget.

    Or a parameter of which a network needs more than a design may have.
    """

    #: Name, as people know it.
    resource: str
    #: What the design takes.
    needed: int
    #: What the budget allows.
    allowed: int
    #: What the board has.
    available: int

    def __str__(self) -> str:
        return (
            f"{self.resource}: needs {self.needed}, may use {self.allowed} of {self.available} "
            f"({self.needed - self.allowed} too many)"
        )


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
        Memory("accumulators", design.rows_per_pe, accumulator, pes, design.small_memory("rows")),
        Memory("codebooks", design.layers * 16, 16, pes, "lutram"),
        Memory(
            "hidden vectors (source and destination)",
            design.hidden_activations // design.activation_lanes,
            design.activation_lanes * 16,
            2,
            "bram",
        ),
        Memory("layers", design.layers, _LAYER_BITS, 1, "lutram"),
        Memory("saturated values", design.layers, _SATURATED_BITS, 1, "lutram"),
        Memory("design record (constant)", len(design.record()), 32, 1, "lutram"),
    )
    lutram = sum(_lutram_of(memory) for memory in memories if memory.kind == "lutram")
    tree_nodes = max(1, (pes - 1) // 3 + 1)
    # A queue of up to 32 tokens is one shift register a bit; so are the other streams.
    queues = pes * _TOKEN_BITS * (-(-design.queue_depth // 32) + 1)
    trees = tree_nodes * 2 * (4 * _TOKEN_BITS + 80)
    output = 258 * -(-DEPTHS["output"].elements // 32)
    # Beyond the two elements that are in the trees' share.
    results = pes * _RESULT_BITS * (-(-design.result_depth // 32) - 1)
    # Seven short numbers to add up, each of them counted or not.
    lookup = pes * 7 * (design.length_bits + 4) if design.length_bits else 0
    logic = pes * 550 + 5500
    lut = lutram + queues + trees + output + results + lookup + logic
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


def shortages(needed: Estimate, board: Board) -> tuple[Shortage, ...]:
    """Resources of which `needed` takes more than the usual share of `board`.

    LUTs are judged by the middle of their range.
    """
    demands = (
        ("BRAM36", needed.bram36, board.bram36, MEMORY_BUDGET),
        ("UltraRAM", needed.uram, board.uram, MEMORY_BUDGET),
        ("DSP", needed.dsp, board.dsp, DSP_BUDGET),
        ("LUT (uncalibrated)", sum(needed.lut) // 2, board.lut, LUT_BUDGET),
    )
    return tuple(
        Shortage(resource, takes, int(share * has), has)
        for resource, takes, has, share in demands
        if takes > int(share * has)
    )


def _range(count: float) -> tuple[int, int]:
    """From and to, in hundreds: the model is no better than that."""
    return int(0.7 * count) // 100 * 100, int(2.0 * count) // 100 * 100


def _lutram_of(memory: Memory) -> int:
    """LUTs of a dual-port LUT memory: 64 words of a bit take two."""
    return memory.count * memory.width * 2 * -(-memory.depth // 64)
