"""Parts of ``join_abreast``: join_abreast.h."""

from __future__ import annotations

from collections.abc import Iterator

from eie.hls.model.area.memories import memory_part
from eie.hls.model.area.part import Block, Part, control, part, register
from eie.hls.model.area.processes.group_order import group_order
from eie.hls.model.area.processes.widths import KIND, WORD, element_bits
from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATIONS_PER_WORD

__all__ = ["join_abreast"]


def join_abreast(design: Design) -> Block:
    """List the parts of the one ``join_abreast``, which a design of groups has."""
    return Block("join_abreast", 1, tuple(_parts(design)))


def _parts(design: Design) -> Iterator[Part]:
    lanes, block, others = ACTIVATIONS_PER_WORD, design.block_words, design.abreast - 1
    if block > 1:
        yield memory_part(design, "words of the vectors before", others)
    else:
        yield register("words of the vectors before", others * WORD)
    yield part("which lanes are not zero, of the word", "select", width=lanes, ways=block)
    yield part("which lanes are not zero, or were before", "logic2", width=lanes)
    # Of a vector the word before, the one in hand, or none.
    yield part("word of a vector, or none", "select", width=WORD, ways=2)
    yield part("words of vectors, or none", "select", others, width=WORD, ways=2)
    yield part("kinds of tokens", "equal_constant", 2, width=KIND)
    yield from group_order(design, block, 1)
    yield register("which lanes are not zero", lanes, block)
    yield register("words on their way", element_bits(design)["GroupToken"])
    yield from control(4, {"layer": 3})
