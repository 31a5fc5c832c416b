"""Parts of ``collect``: collect.h."""

from __future__ import annotations

from eie.hls.model.area.memories import memory_part
from eie.hls.model.area.part import Block, control, part, register
from eie.hls.model.area.processes.group_order import group_order
from eie.hls.model.area.processes.widths import ELEMENTS, WORD, WORD_COUNT, element_bits
from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATIONS_PER_WORD

__all__ = ["collect"]

#: A count of saturated values: saturated_t.
_COUNT = 48


def collect(design: Design) -> Block:
    """List the parts of the one ``collect``."""
    lanes = ACTIVATIONS_PER_WORD
    return Block(
        "collect",
        1,
        (
            memory_part(design, "saturated values", 1),
            part("place of the count, and of what was counted", "increment", width=8),
            part("layers with a count", "select", width=1, ways=design.layers),
            register("layers with a count", design.layers),
            part("lanes that hold rows", "logic2", width=lanes),
            part("saturated lanes", "count_ones", width=lanes),
            part("count", "add", width=_COUNT),
            part("count, or 0 where nothing was counted", "mask", 2, width=_COUNT),
            part("word, layer", "increment", 2, width=WORD_COUNT),
            part("word, layer: end", "less", 3, width=WORD_COUNT),
            part("word: last", "equal", width=WORD_COUNT),
            part("word of results, or a count: low", "select", width=_COUNT, ways=2),
            part("word of results, or a count: high", "mask", width=WORD - _COUNT),
            part("kinds of commands", "equal_constant", 3, width=3),
            register("command", element_bits(design)["Command"]),
            part("layer's words left: last of the hidden", "logic2", width=2),
            register("word on its way", ELEMENTS["ActivationWord"], 2),
            register("count", _COUNT, 2),
            register("word, layer", WORD_COUNT, 2),
            *group_order(design, design.block_words, WORD_COUNT),
            *control(8, {"layers": 3, "words": 3}),
        ),
    )
