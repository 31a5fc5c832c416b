"""The arrays of the kernel, and the block RAM, UltraRAM or LUTs that each takes.

The kernel says of every array that is not registers where it is to live, so block RAM and UltraRAM
are counted exactly, as far as the tool heeds that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from eie.hls.model.area.cost import Cost
from eie.hls.model.area.part import Part, fixed, part
from eie.hls.spec.cell import CHORDS, GATES, RISE_BITS, STATE_BITS, VALUE_BITS
from eie.hls.spec.dataflow import DEPTHS
from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATION_BITS, ACTIVATIONS_PER_WORD, DESIGN, MOST_LANES

__all__ = [
    "OF_STREAM",
    "TANH_TABLE",
    "Memory",
    "bram18_of",
    "layer_bits",
    "memories_of",
    "memory_part",
    "uram_of",
]

#: Depth and width of a BRAM18 (UG473, UG573): the last one as a simple dual-port memory.
_BRAM18_SHAPES = ((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36))
#: Depth and width of an UltraRAM (UG573).
_URAM_SHAPE = (4096, 72)
#: Bits of a layer's count of saturated values: saturated_t in types.h.
_SATURATED_BITS = 48
#: The table of tanh, by its name among the memories.
TANH_TABLE = "tanh (constant)"
#: Memories that are queues, by the streams that they are.
OF_STREAM = {
    "hidden": "hidden vectors",
    "inputs": "words that come in",
    "outputs": "words that go out",
}


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


def memories_of(design: Design) -> tuple[Memory, ...]:
    """Every array of the kernel of `design`, in the order of the kernel."""
    pes, accumulator = design.pes, design.accumulator_bits
    return (
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
            accumulator * design.abreast,
            2 * pes,
            design.small_memory("rows"),
        ),
        Memory("layers of a PE", design.layers, _layer_of_pe_bits(design), pes, "lutram"),
        Memory("codebooks", design.layers * 16, 16, pes, "lutram"),
        Memory(
            "hidden vectors",
            design.hidden_words,
            ACTIVATIONS_PER_WORD * ACTIVATION_BITS
            + _index_bits(design.layers)
            + 4
            + _lane_bits(design)
            + (_index_bits(design.abreast) if design.abreast > 1 else 0),
            1,
            design.small_memory("hidden"),
        ),
        *_queued_words(design),
        *_cell_memories(design),
        *_held_memories(design),
        Memory("layers", design.layers, layer_bits(design), 1, "lutram"),
        Memory("layers of a run", design.layers, _of_run_bits(design), 1, "lutram"),
        Memory("saturated values", design.layers, _SATURATED_BITS, 1, "lutram"),
        # Whole beats, of two numbers.
        Memory("design record (constant)", 2 * DESIGN.beats, 32, 1, "lutram"),
        *_joined_memories(design),
    )


def memory_part(
    design: Design, name: str, copies: int, operator: str = "lutram_sdp", banks: int = 1
) -> Part:
    """Make a part of a memory of a process.

    Parameters
    ----------
    design
        The design.
    name
        Of the memory, as :func:`memories_of` has it.
    copies
        How many of them one process has.
    operator
        What it is if it lives in LUTs.
    banks
        Memories that it is cut into.
    """
    memory = next(each for each in memories_of(design) if each.name == name)
    if memory.kind == "bram":
        return fixed(name, Cost(bram18=bram18_of(memory.depth, memory.width)), copies)
    if memory.kind == "uram":
        return fixed(name, Cost(uram=uram_of(memory.depth, memory.width)), copies)
    depth = -(-memory.depth // banks)
    return part(name, operator, copies * banks, width=memory.width, depth=depth)


def layer_bits(design: Design) -> int:
    """Bits of what the control unit knows of a layer: LayerDescriptor in layer_table.h."""
    held = _index_bits(max(1, design.held_words))
    for_cell = 3 + ACTIVATION_BITS if design.cell_units else 2
    return 17 + 25 + 24 + 17 + 2 * held + for_cell


def _held_memories(design: Design) -> tuple[Memory, ...]:
    """Words that are held, and where each lane's begin."""
    if not design.held_activations:
        return ()
    words, width = design.held_words, ACTIVATIONS_PER_WORD * ACTIVATION_BITS
    return (
        Memory("held vectors", words, width, 1, design.small_memory("held")),
        Memory("lanes", MOST_LANES, _index_bits(words), 1, "lutram"),
    )


def _queued_words(design: Design) -> tuple[Memory, ...]:
    """List the queues of words at both ends, where they are no shift registers."""
    if design.small_memory("words") != "bram":
        return ()
    width = ACTIVATIONS_PER_WORD * ACTIVATION_BITS
    return (
        # With a mark for the last of a vector; with what a result is.
        Memory(OF_STREAM["inputs"], DEPTHS["input"].elements, width + 1, 1, "bram"),
        Memory(OF_STREAM["outputs"], DEPTHS["output"].elements, width + 2, 1, "bram"),
    )


def _joined_memories(design: Design) -> tuple[Memory, ...]:
    """Words of the vectors of a group before the last, where a block is more than a word."""
    if design.abreast == 1 or design.block_words == 1:
        return ()
    width = ACTIVATIONS_PER_WORD * ACTIVATION_BITS
    name = "words of the vectors before"
    return (Memory(name, design.block_words, width, design.abreast - 1, "lutram"),)


def _lane_bits(design: Design) -> int:
    return _index_bits(MOST_LANES if design.held_activations else 1)


def _cell_memories(design: Design) -> tuple[Memory, ...]:
    """States of the units that take a step together in a word; a table for each look at it."""
    units = design.cell_units
    if not units:
        return ()
    looks = (GATES + 1) * units
    words = max(1, design.held_activations // units)
    return (
        Memory("cell states", words, units * STATE_BITS, 1, "bram"),
        Memory(TANH_TABLE, CHORDS, VALUE_BITS + RISE_BITS, looks, "bram"),
    )


def _index_bits(places: int) -> int:
    """Bits of an index into `places` places: ``bits_for`` of config.h."""
    return max(1, (places - 1).bit_length())


def _of_run_bits(design: Design) -> int:
    """Bits of what a run asks of a layer: LayerOfRun in receive.h."""
    return 15 + 23 + 2 + _index_bits(design.layers + 1 if design.cell_units else 1)


def _layer_of_pe_bits(design: Design) -> int:
    """Bits of what a PE knows of a layer: LayerOfPe in multiply_accumulate.h."""
    places = _index_bits(design.rows_per_pe + 1) + _index_bits(design.biases_per_pe)
    return places + 6 + 2 + 2 * (ACTIVATION_BITS if design.bounds else 1)


def _pointer_memories(design: Design) -> tuple[Memory, ...]:
    words, bits, pes = design.pointer_words_per_pe, design.pointer_bits, design.pes
    if not design.length_bits:
        return (Memory("column pointers (two banks)", words, bits, 2 * pes, "bram"),)
    lengths = design.columns_per_pointer_word * design.length_bits
    return (
        Memory("column pointers (of eight)", words, bits, pes, design.small_memory("bases")),
        Memory("column lengths", words, lengths, pes, design.small_memory("lengths")),
    )
